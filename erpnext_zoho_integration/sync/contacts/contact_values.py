"""Which fields of a Contact a person from Zoho fills and changes, and how one Contact is written as a document."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import now_datetime, validate_email_address, validate_phone_number

from erpnext_zoho_integration.store import sql_lookups
from erpnext_zoho_integration.store.document_names import free_name
from erpnext_zoho_integration.store.fields import ZOHO_CONTACT_ID, ZOHO_STATUS
from erpnext_zoho_integration.store.row_keys_and_digests import address_row_name
from erpnext_zoho_integration.sync.contacts.zoho_status import last_status
from erpnext_zoho_integration.sync.mapping.recipient_rows import Person

# A sync fills these only while they are empty: it never overwrites what somebody typed.
_FILLED_IF_EMPTY = ("first_name", "last_name", "company_name", "designation", ZOHO_CONTACT_ID)

# Frappe accepts such an address in every version; its own check takes longer than inserting the Contact.
_ORDINARY_ADDRESS = re.compile(r"[a-z0-9]+(?:[._+-][a-z0-9]+)*@(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]{2,}")


class UnusableAddress(frappe.ValidationError):
	"""Frappe does not accept the address for a Contact."""


def create_contact(person: Person) -> Document:
	"""Create the Contact of a person and return the document.

	Raises:
		UnusableAddress: Frappe does not accept the e-mail address.
	"""
	require_usable(person.email)
	contact = frappe.new_doc("Contact")
	contact.update(contact_values(person))
	contact.zoho_last_synced = now_datetime()
	contact.append("email_ids", {"email_id": person.email, "is_primary": 1})
	for phone in phone_rows(person):
		contact.append("phone_nos", phone)
	with _written_by_sync(contact):
		_name_rows(contact)
		contact.insert(set_name=free_name("Contact", contact._get_full_name()), set_child_names=False)
	return contact


def _name_rows(contact: Document) -> None:
	"""Name the rows of a new Contact, see `row_keys_and_digests.address_row_name`.

	A row whose address was changed here keeps its name; then the new row gets a random one.
	"""
	for row in contact.get_all_children():
		name = address_row_name(row.email_id) if row.doctype == "Contact Email" else None
		row.name = (
			name if name and not frappe.db.exists(row.doctype, name) else frappe.generate_hash(length=16)
		)


def made_meanwhile(person: Person) -> bool:
	"""Return whether another worker has created the Contact of a person since this transaction began to read."""
	wanted = [("Contact Email", {"name": address_row_name(person.email)})]
	if person.zoho_contact_id:
		wanted.append(("Contact", {ZOHO_CONTACT_ID: person.zoho_contact_id}))
	return any(
		not frappe.db.get_value(doctype, filters) and frappe.db.get_value(doctype, filters, for_update=True)
		for doctype, filters in wanted
	)


def changes(
	people: Mapping[str, Person], *, of_stored_rows: bool = False, disputed: set[str] | None = None
) -> Iterator[tuple[str, Person, dict]]:
	"""Yield the fields to set in Contacts that differ from Zoho.

	Fills empty fields, takes over Zoho's status, and changes nothing else. Sends one query for any number of
	people, a second one if a Contact has no Zoho contact id yet, and a third one if a status differs.

	Args:
		people: by name of the Contact.
		of_stored_rows: the rows of these people are stored already; then all stored rows decide on the status, see
			`zoho_status.last_status`.
		disputed: gets the names of the Contacts whose status by all rows differs from the given person's.

	Yields:
		Name of the Contact, the person, the fields to set.
	"""
	if not people:
		return
	stored = _stored(list(people))
	taken = _taken_zoho_ids(
		people[name].zoho_contact_id for name, contact in stored.items() if not contact[ZOHO_CONTACT_ID]
	)
	found = {name: difference(stored[name], people[name], taken) for name in people if name in stored}
	if of_stored_rows:
		status = last_status(name for name, changed in found.items() if ZOHO_STATUS in changed)
		for name in status:
			if disputed is not None and status[name] != people[name].status:
				disputed.add(name)
			found[name][ZOHO_STATUS] = status[name]
			if status[name] == stored[name][ZOHO_STATUS]:
				del found[name][ZOHO_STATUS]
	for name, changed in found.items():
		if changed:
			yield name, people[name], changed


def difference(contact: Mapping, person: Person, taken_zoho_ids: set[str]) -> dict:
	"""Return the fields of a Contact to change, with their new values.

	Args:
		contact: its stored fields, or the document.
		person: from Zoho.
		taken_zoho_ids: ids that another Contact has already: the field is unique.
	"""
	values = contact_values(person)
	changed = {f: values[f] for f in _FILLED_IF_EMPTY if values[f] and not contact.get(f)}
	if contact.get("last_name") and not person.first_name:
		# The name that stands in for a missing one, the address up to the @, is not for a Contact with a name.
		changed.pop("first_name", None)
	if changed.get(ZOHO_CONTACT_ID) in taken_zoho_ids:
		del changed[ZOHO_CONTACT_ID]
	if values[ZOHO_STATUS] and contact.get(ZOHO_STATUS) != values[ZOHO_STATUS]:
		changed[ZOHO_STATUS] = values[ZOHO_STATUS]
	return changed


def apply_changes(name: str, changed: dict) -> Document:
	"""Write fields of a Contact through the Document API and return the document."""
	contact = frappe.get_doc("Contact", name)
	contact.update(changed)
	contact.zoho_last_synced = now_datetime()
	with _written_by_sync(contact):
		contact.save()
	return contact


def _stored(names: list[str]) -> dict[str, dict]:
	columns = ("name", ZOHO_STATUS, *_FILLED_IF_EMPTY)
	rows = sql_lookups.select_in("Contact", columns, "name", names)
	return {row[0]: dict(zip(columns, row, strict=True)) for row in rows}


def _taken_zoho_ids(identifiers: Iterable[str | None]) -> set[str]:
	wanted = [identifier for identifier in identifiers if identifier]
	rows = sql_lookups.select_in("Contact", (ZOHO_CONTACT_ID,), ZOHO_CONTACT_ID, wanted)
	return {identifier for (identifier,) in rows}


def contact_values(person: Person) -> dict:
	"""Return the fields of a Contact that a person from Zoho fills."""
	first_name = person.first_name
	if not first_name and not person.last_name:
		first_name = person.email.split("@", 1)[0][:140]
	return {
		"first_name": first_name,
		"last_name": person.last_name,
		"company_name": person.company_name,
		"designation": person.designation,
		ZOHO_CONTACT_ID: person.zoho_contact_id,
		ZOHO_STATUS: person.status,
	}


def phone_rows(person: Person) -> list[dict]:
	"""Return the rows of a Contact's phone table, without numbers that Frappe would refuse."""
	rows = []
	for number, flag in ((person.phone, "is_primary_phone"), (person.mobile_no, "is_primary_mobile_no")):
		if number and validate_phone_number(number):
			rows.append({"phone": number, flag: 1})
	return rows


def usable(email: str) -> bool:
	"""Return whether Frappe accepts an address for a Contact, unchanged."""
	if len(email) > 140:
		return False
	return bool(_ORDINARY_ADDRESS.fullmatch(email)) or validate_email_address(email) == email


def require_usable(email: str) -> None:
	"""Raise `UnusableAddress` unless Frappe accepts the address for a Contact."""
	if not usable(email):
		raise UnusableAddress(
			_(
				"ERPNext does not accept the e-mail address {0} for a Contact. The recipient is kept without one."
			).format(email)
		)


@contextmanager
def _written_by_sync(contact: Document) -> Iterator[None]:
	"""Mark a Contact as written by a sync, see `document_events.before_contact_validate`."""
	before = frappe.flags.in_import
	contact.flags.ignore_permissions = True
	contact.flags.from_zoho = True
	try:
		yield
	finally:
		frappe.flags.in_import = before


# Which people get a new Contact, by option of the setting "Create contacts for".
CREATE_FOR: dict[str, Callable[[Person], bool]] = {
	"Everyone Who Acted": lambda person: person.acted,
	"Everyone": lambda person: True,
	"Nobody": lambda person: False,
}
