"""Contacts in bulk: the same rows that Contact's own insert would write, a page of them in a few statements."""

import secrets
from collections.abc import Iterator
from json.encoder import encode_basestring_ascii

import redis

import frappe
from frappe.core.doctype.docfield.docfield import DocField
from frappe.query_builder import DocType
from frappe.utils import now_datetime
from frappe.utils.global_search import get_formatted_value

from erpnext_zoho_integration.store import sql_lookups, sql_writes
from erpnext_zoho_integration.store.digests import address_row_name, site_key
from erpnext_zoho_integration.sync.contacts.names import ContactNames
from erpnext_zoho_integration.sync.contacts.updates import contact_values, phone_rows
from erpnext_zoho_integration.sync.mapping.rows import Person

# Fields that nothing else of a Contact is computed from.
OWN_FIELDS = frozenset({"zoho_contact_id", "zoho_status", "unsubscribed"})
_NO_FLAGS = {"is_primary_phone": 0, "is_primary_mobile_no": 0}
_SKIPPED = frozenset({"doctype", "__islocal", "__unsaved"})
# What Frappe queues for global search, as JSON.
_SEARCHED = '{"doctype": "Contact", "name": %s, "content": %s, "published": 0, "title": %s, "route": null}'


class ContactMaker:
	"""Creates contacts. Keeps what is the same for all of them: defaults of the form, names given so far."""

	def __init__(self) -> None:
		self._names = ContactNames()
		self._templates: dict[str, dict] = {}
		self._stamp: dict[str, object] = {}
		self._key = site_key()

	def follow(self) -> None:
		"""Take note of the names that other workers have given; see `ContactNames.follow`."""
		self._names.follow()

	def create(self, people: list[Person]) -> dict[str, str]:
		"""Insert the contacts of these people, each with an address of its own, and return their names by address.

		Raises:
			Exception: of the database, see `dialect.is_duplicate`: another worker was quicker; do the page again.
		"""
		if not people:
			return {}
		user, now = frappe.session.user, now_datetime()
		self._stamp = {"owner": user, "modified_by": user, "creation": now, "modified": now}
		users = _users({person.email for person in people})
		numbers = [[{**_NO_FLAGS, **row} for row in phone_rows(person)] for person in people]
		contacts = [self._contact(*each, users) for each in zip(people, numbers, strict=True)]
		names = self._names.give([contact["full_name"] for contact in contacts])
		for contact, name in zip(contacts, names, strict=True):
			contact["name"] = name
		emails = [self._address(person, name) for person, name in zip(people, names, strict=True)]
		hashes = _random_names(sum(map(len, numbers)))
		phones = [
			self._child(name, idx, phone, next(hashes))
			for own, name in zip(numbers, names, strict=True)
			for idx, phone in enumerate(own, 1)
		]
		self._insert("Contact", contacts, zoho_last_synced=now, image="")
		self._insert("Contact Email", emails, parenttype="Contact", parentfield="email_ids")
		self._insert("Contact Phone", phones, parenttype="Contact", parentfield="phone_nos")
		_update_global_search(self._template("Contact"), contacts)
		return {person.email: name for person, name in zip(people, names, strict=True)}

	def _contact(self, person: Person, phones: list[dict], users: dict[str, str]) -> dict:
		"""Return what a contact does not have in common with all others."""
		values = contact_values(person)
		name_parts = [part for part in (values["first_name"], values["last_name"]) if part]
		values["full_name"] = " ".join(name_parts) or values["company_name"] or ""
		values["email_id"] = person.email
		primary = {flag: row["phone"] for row in phones for flag in _NO_FLAGS if row[flag]}
		values["phone"] = primary.get("is_primary_phone", "")
		values["mobile_no"] = primary.get("is_primary_mobile_no", "")
		values["user"] = users.get(person.email)
		return values

	def _address(self, person: Person, contact: str) -> dict:
		values = {"email_id": person.email, "is_primary": 1}
		return self._child(contact, 1, values, address_row_name(person.email, self._key))

	@staticmethod
	def _child(parent: str, idx: int, values: dict, name: str) -> dict:
		return {**values, "name": name, "parent": parent, "idx": idx}

	def _template(self, doctype: str) -> dict:
		"""Return the columns of a new document with the defaults that the site gives them, custom fields included."""
		if doctype not in self._templates:
			document = frappe.new_doc(doctype)
			values = document.get_valid_dict(convert_dates_to_str=True)
			self._templates[doctype] = {k: v for k, v in values.items() if k not in _SKIPPED}
		return self._templates[doctype]

	def _insert(self, doctype: str, rows: list[dict], **same: object) -> None:
		"""Insert documents.

		Args:
			doctype: of all of them.
			rows: what each has of its own, in one order.
			same: what they have in common, beside the site's defaults.
		"""
		if not rows:
			return
		same = {**self._template(doctype), **self._stamp, "docstatus": 0, "idx": 0, **same}
		columns = rows[0].keys()
		same = {column: value for column, value in same.items() if column not in columns}
		sql_writes.insert_rows(doctype, list(columns), [tuple(row.values()) for row in rows], same)


def set_own_fields(changes: dict[str, dict]) -> None:
	"""Write fields of `OWN_FIELDS` of many contacts, a statement per field."""
	if not changes:
		return
	for field in sorted(OWN_FIELDS):
		values = {name: fields[field] for name, fields in changes.items() if field in fields}
		sql_writes.set_by_name("Contact", field, values)
	contact, now = DocType("Contact"), now_datetime()
	(
		frappe.qb.update(contact)
		.set(contact.zoho_last_synced, now)
		.set(contact.modified, now)
		.set(contact.modified_by, frappe.session.user)
		.where(contact.name.isin(list(changes)))
	).run()
	keys = [frappe.get_document_cache_key("Contact", name) for name in changes]
	frappe.cache.delete_value(keys)


def _random_names(count: int) -> Iterator[str]:
	"""Yield names as `frappe.generate_hash` makes them, of 16 digits: ten collide among a million."""
	digits = secrets.token_hex(8 * count)
	return (digits[start : start + 16] for start in range(0, 16 * count, 16))


def _users(emails: set[str]) -> dict[str, str]:
	"""Return the users with these addresses, as `Contact.set_user` looks for them."""
	rows = sql_lookups.select_in("User", ("email", "name"), "email", emails)
	return {(email or "").lower(): name for email, name in rows}


def _update_global_search(template: dict, contacts: list[dict]) -> None:
	"""Queue the contacts for global search after the commit, all at once, as each save would queue its own.

	Args:
		template: what they have in common.
		contacts: what each has of its own.
	"""
	if frappe.local.conf.get("disable_global_search"):
		return
	meta = frappe.get_meta("Contact")
	fields = [
		field for field in meta.get_global_search_fields() if field.fieldtype not in frappe.model.table_fields
	]
	shared = {f.fieldname: template.get(f.fieldname) for f in fields}
	title = meta.get_title_field()
	items = []
	for contact in contacts:
		found = {**shared, **contact}
		content = [_searched(found[f.fieldname], f) for f in fields if found[f.fieldname]]
		if content:
			texts = contact["name"], " ||| ".join(content), (contact.get(title) or contact["name"])[:140]
			items.append(_SEARCHED % tuple(map(encode_basestring_ascii, texts)))
	if items:
		frappe.db.after_commit.add(lambda: _push(items))


def _searched(value: object, field: DocField) -> str:
	"""Return what global search has of a field; what Frappe's own function, which is slow, makes of nearly all."""
	if field.fieldtype == "Data" and type(value) is str and "<" not in value:
		return f"{field.label} : {value}"
	return get_formatted_value(value, field)


def _push(items: list[str]) -> None:
	cache = frappe.cache
	try:
		redis.Redis.lpush(cache, cache.make_key("global_search_queue"), *items)
	except redis.exceptions.ConnectionError:
		frappe.log_error("Zoho: contacts not queued for global search")
