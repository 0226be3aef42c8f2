"""Contacts in bulk: writes the same rows as Contact's own insert, a page of Contacts in a few statements."""

import json
import secrets
from collections.abc import Iterator

import redis

import frappe
from frappe.query_builder import DocType
from frappe.utils import now_datetime
from frappe.utils.global_search import get_formatted_value

from erpnext_zoho_integration.consent import marks
from erpnext_zoho_integration.store import sql_lookups, sql_writes
from erpnext_zoho_integration.store.fields import ZOHO_CONTACT_ID, ZOHO_LAST_SYNCED, ZOHO_STATUS
from erpnext_zoho_integration.store.row_keys_and_digests import address_row_name, site_key
from erpnext_zoho_integration.sync.contacts.contact_values import contact_values, phone_rows
from erpnext_zoho_integration.sync.contacts.unique_names import ContactNames
from erpnext_zoho_integration.sync.mapping.recipient_rows import Person

# Fields from which Contact's form computes no other field.
OWN_FIELDS = frozenset({ZOHO_CONTACT_ID, ZOHO_STATUS})
_NO_FLAGS = {"is_primary_phone": 0, "is_primary_mobile_no": 0}
_SKIPPED = frozenset({"doctype", "__islocal", "__unsaved"})


class ContactMaker:
	"""Creates Contacts. Keeps the site's default values and the names given so far."""

	def __init__(self) -> None:
		self._names = ContactNames()
		self._defaults: dict[str, dict] = {}  # by DocType
		self._key = site_key()

	def follow(self) -> None:
		"""Note the names that other workers have given; see `ContactNames.follow`."""
		self._names.follow()

	def create(self, people: list[Person]) -> dict[str, str]:
		"""Insert the Contacts of these people, each with a different address, and return their names by address.

		Raises:
			Exception: from the database, see `sql_writes.is_duplicate`: another worker was faster; repeat the page.
		"""
		if not people:
			return {}
		users = _users({person.email for person in people})
		suppressed = marks.suppressed_among(person.email for person in people)
		numbers = [[{**_NO_FLAGS, **row} for row in phone_rows(person)] for person in people]
		contacts = [self._contact(*each, users) for each in zip(people, numbers, strict=True)]
		names = self._names.give([contact["full_name"] for contact in contacts])
		for contact, name in zip(contacts, names, strict=True):
			contact["name"] = name
		for contact in contacts:
			contact[marks.FIELD] = int(contact["email_id"] in suppressed)
		emails = [self._address(person, name) for person, name in zip(people, names, strict=True)]
		hashes = _random_names(sum(map(len, numbers)))
		phones = [
			self._child(name, idx, phone, next(hashes))
			for own, name in zip(numbers, names, strict=True)
			for idx, phone in enumerate(own, 1)
		]
		user, now = frappe.session.user, now_datetime()
		stamp = {"owner": user, "modified_by": user, "creation": now, "modified": now}
		self._insert("Contact", contacts, {**stamp, ZOHO_LAST_SYNCED: now, "image": ""})
		self._insert("Contact Email", emails, {**stamp, "parenttype": "Contact", "parentfield": "email_ids"})
		self._insert("Contact Phone", phones, {**stamp, "parenttype": "Contact", "parentfield": "phone_nos"})
		_update_global_search(self._defaults_of("Contact"), contacts)
		return {person.email: name for person, name in zip(people, names, strict=True)}

	def _contact(self, person: Person, phones: list[dict], users: dict[str, str]) -> dict:
		"""Return the columns of a Contact that differ from person to person."""
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

	def _defaults_of(self, doctype: str) -> dict:
		"""Return the columns of a new document with the site's default values, custom fields included."""
		if doctype not in self._defaults:
			document = frappe.new_doc(doctype)
			values = document.get_valid_dict(convert_dates_to_str=True)
			self._defaults[doctype] = {k: v for k, v in values.items() if k not in _SKIPPED}
		return self._defaults[doctype]

	def _insert(self, doctype: str, rows: list[dict], same: dict[str, object]) -> None:
		"""Insert documents.

		Args:
			doctype: of all of them.
			rows: the columns that differ, in the same order in each row.
			same: further columns that all rows share, besides the site's defaults.
		"""
		if not rows:
			return
		columns = rows[0].keys()
		same = {**self._defaults_of(doctype), "docstatus": 0, "idx": 0, **same}
		same = {column: value for column, value in same.items() if column not in columns}
		sql_writes.insert_rows(doctype, list(columns), [tuple(row.values()) for row in rows], same)


def set_own_fields(changes: dict[str, dict]) -> None:
	"""Write fields of `OWN_FIELDS` of many Contacts, one statement per field.

	Args:
		changes: the fields to set, by name of the Contact.
	"""
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
	"""Yield random names of 16 digits; of the ten digits that `frappe.generate_hash` gives, a million would collide."""
	digits = secrets.token_hex(8 * count)
	return (digits[start : start + 16] for start in range(0, 16 * count, 16))


def _users(emails: set[str]) -> dict[str, str]:
	"""Return the users with these addresses, as `Contact.set_user` looks for them."""
	rows = sql_lookups.select_in("User", ("email", "name"), "email", emails)
	return {(email or "").lower(): name for email, name in rows}


def _update_global_search(defaults: dict, contacts: list[dict]) -> None:
	"""Queue the Contacts for global search after the commit, as each save would queue its own Contact.

	Args:
		defaults: column values that the Contacts share.
		contacts: column values of each.
	"""
	if frappe.local.conf.get("disable_global_search"):
		return
	meta = frappe.get_meta("Contact")
	fields = [
		field for field in meta.get_global_search_fields() if field.fieldtype not in frappe.model.table_fields
	]
	title_field = meta.get_title_field()
	queued = []
	for contact in contacts:
		values = {**defaults, **contact}
		content = [get_formatted_value(values[f.fieldname], f) for f in fields if values.get(f.fieldname)]
		if content:
			entry = {
				"doctype": "Contact",
				"name": contact["name"],
				"content": " ||| ".join(content),
				"published": 0,
				"title": (contact.get(title_field) or contact["name"])[:140],
				"route": None,
			}
			queued.append(json.dumps(entry))
	if queued:
		frappe.db.after_commit.add(lambda: _push(queued))


def _push(entries: list[str]) -> None:
	cache = frappe.cache
	try:
		# Frappe's own lpush takes one entry at a time.
		redis.Redis.lpush(cache, cache.make_key("global_search_queue"), *entries)
	except redis.exceptions.ConnectionError:
		frappe.log_error("Zoho: contacts not queued for global search")
