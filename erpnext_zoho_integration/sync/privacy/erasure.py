"""Persons who asked to be forgotten: the figures stay, the persons go, and no sync brings them back."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field

import frappe
from frappe import _
from frappe.model.document import Document

from erpnext_zoho_integration.store import digests, erased_people, sql_lookups
from erpnext_zoho_integration.store.addresses import normalize_email
from erpnext_zoho_integration.store.digests import pseudonym
from erpnext_zoho_integration.store.doctypes import RECIPIENT
from erpnext_zoho_integration.sync.campaigns.identity import campaign_identity
from erpnext_zoho_integration.sync.mapping.rows import erased_row
from erpnext_zoho_integration.sync.mapping.text import MAX_EMAIL
from erpnext_zoho_integration.sync.privacy import anonymised_rows, scrubbing

# What a sync writes to a Contact and nobody types. The opt-out stays: it is the person's own word.
CONTACT_FIELDS = ("zoho_contact_id", "zoho_status", "zoho_last_synced")


@dataclass(slots=True)
class Erasure:
	"""What became of a person.

	Attributes:
		rows: recipients that are figures now.
		contacts: Contacts that lost what came from Zoho.
		texts: messages of runs, errors, comments and deleted documents that named the person.
		deleted: Contacts that were deleted.
		kept: Contacts that could not be deleted, since other documents need them.
	"""

	rows: int = 0
	texts: int = 0
	contacts: list[str] = field(default_factory=list)
	deleted: list[str] = field(default_factory=list)
	kept: list[str] = field(default_factory=list)

	def as_dict(self) -> dict:
		return asdict(self)


def erase_person(email: str, delete_contact: bool = False) -> Erasure:
	"""Take a person out of everything that this app has stored.

	Recipients of the address, and of Zoho's contacts behind it, become figures; the Contact loses what came from Zoho.
	Committed before and after: the register comes first, so that a page that a sync writes meanwhile is either seen here
	or knows the person.

	Args:
		email: the address, in any letter case.
		delete_contact: delete the Contacts that have the address, unless another document needs them.

	Raises:
		frappe.ValidationError: this is no address.
	"""
	address = _address(email)
	frappe.db.commit()  # nosemgrep - a new snapshot, see above
	result = _erase(address, delete_contact)
	frappe.db.commit()  # nosemgrep - what is erased stays erased
	return result


def _address(email: str) -> str:
	address = normalize_email(email)
	if "@" not in address or len(address) > MAX_EMAIL or not address.isprintable():
		frappe.throw(_("Enter the e-mail address of the person."))
	return address


def _erase(address: str, delete_contact: bool = False) -> Erasure:
	erased_people.register({(address, None)}, erased_people.HERE)
	contacts = _contacts_with(address)
	identifiers = _identifiers_of(address, contacts)
	addresses = {address} | {row.email for row in _rows_of((), identifiers)}
	erased_people.register({(each, None) for each in addresses}, erased_people.HERE)
	erased_people.register({(address, identifier) for identifier in identifiers}, erased_people.HERE)
	rows = _rows_of(addresses, identifiers)
	# One that was merged or whose address was changed here is known by its rows only; a sync has filled it all the same.
	filled = contacts | {row.contact for row in rows if row.contact}
	result = Erasure(rows=_make_figures(rows), contacts=sorted(filled))
	_clear_contacts(filled)
	if delete_contact:
		_delete_contacts(contacts, result)
	result.texts = scrubbing.redact_texts(addresses | identifiers, filled)
	return result


def forget(
	people: Iterable[digests.PersonKey], known: erased_people.ErasedLookup
) -> erased_people.ErasedLookup:
	"""Take people whom Zoho has erased out of every row that speaks of them, in all campaigns. Commits nothing.

	Another contact at Zoho that shares the address keeps its rows.

	Args:
		people: address and Zoho contact id of each; Zoho gives only one of them for some.
		known: what the register has of them; it was asked in this transaction.

	Returns:
		What it has of them now.
	"""
	people = set(people)
	known = erased_people.register(people, erased_people.AT_ZOHO, known)
	by_email: dict[str, str | None] = {}
	identifiers = {identifier for _email, identifier in people if identifier}
	for email, identifier in people:
		if email := normalize_email(email):
			by_email[email] = identifier
	found = _rows_of(by_email, identifiers)
	rows = [row for row in found if _speaks_of(row, by_email, identifiers)]
	contacts = sql_lookups.select_in("Contact", ("name",), "zoho_contact_id", identifiers)
	if rows or contacts:
		names = {name for (name,) in contacts}
		_make_figures(rows, by_email)
		_clear_contacts(names)
		own = {row.email for row in rows if row.zoho_contact_id in identifiers or not row.zoho_contact_id}
		scrubbing.redact_texts(own | identifiers, names)
	return known


def data_deletion(request: Document, method: str | None = None) -> None:
	"""Erase the person of Frappe's Personal Data Deletion Request, once it has been approved; a document event.

	Frappe saves the request with its steps just before it goes through them.
	"""
	if request.deletion_steps and all(step.status == "Pending" for step in request.deletion_steps):
		_erase(_address(request.email))


def _rows_of(emails: Collection[str], identifiers: Collection[str]) -> list[frappe._dict]:
	"""Return the rows with these addresses or ids, compared exactly, that still name a person."""
	found = {}
	columns = ("name", "email", "zoho_contact_id", "contact")
	for column, values in (("email", emails), ("zoho_contact_id", identifiers)):
		for row in sql_lookups.select_in(RECIPIENT, columns, column, values, " AND rtbf = 0"):
			row = frappe._dict(zip(columns, row, strict=True))
			if row[column] in values:
				found[row.name] = row
	return list(found.values())


def _speaks_of(row: frappe._dict, by_email: dict[str, str | None], identifiers: set[str]) -> bool:
	if row.zoho_contact_id in identifiers:
		return True
	return not (row.zoho_contact_id and by_email.get(row.email))


def _make_figures(rows: list[frappe._dict], by_email: dict[str, str | None] | None = None) -> int:
	"""Make figures of rows of people who are in the register.

	They get the content hash of a row of which nothing is known: Zoho's next word of the person changes nothing.
	"""
	people = {row.name: (row.email, row.zoho_contact_id or (by_email or {}).get(row.email)) for row in rows}
	known = erased_people.among(people.values())
	identities: dict[str, str] = {}

	def blank(stored: Mapping) -> tuple[Mapping, dict, str, str]:
		campaign, person = stored["campaign"], people[stored["name"]]
		identity = identities.get(campaign) or campaign_identity(campaign)
		identities[campaign] = identity
		stand_in = known.stand_in(*person) or pseudonym(*person)
		row = erased_row(stand_in, stored["action_type"], identity, stored["variant"] or None)
		return stored, anonymised_rows.figure(stored, stand_in), row.key, row.content_hash

	return anonymised_rows.replace(map(blank, anonymised_rows.stored(people)))


def _contacts_with(address: str) -> set[str]:
	columns, condition = ("parent", "email_id"), " AND parenttype = 'Contact'"
	found = sql_lookups.look_up(
		sql_lookups.any_case("Contact Email", columns, "email_id", {address}, condition)
	)
	return {name for name, email in found if normalize_email(email) == address}


def _identifiers_of(address: str, contacts: Collection[str]) -> set[str]:
	"""Return Zoho's ids of the person: those of their rows, and those of their Contacts."""
	found = {row.zoho_contact_id for row in _rows_of({address}, ())}
	found |= {
		identifier
		for (identifier,) in sql_lookups.select_in("Contact", ("zoho_contact_id",), "name", contacts)
	}
	return {identifier for identifier in found if identifier}


def _clear_contacts(names: Collection[str]) -> None:
	for name in names:
		frappe.db.set_value("Contact", name, dict.fromkeys(CONTACT_FIELDS))


def _delete_contacts(names: Collection[str], result: Erasure) -> None:
	"""Delete Contacts; one that other documents need is kept and told."""
	for name in sorted(names):
		frappe.db.savepoint("zoho_erasure")
		try:
			frappe.delete_doc("Contact", name, ignore_permissions=True, delete_permanently=True)
			result.deleted.append(name)
		except frappe.LinkExistsError:
			frappe.db.rollback(save_point="zoho_erasure")
			frappe.clear_last_message()
			result.kept.append(name)
	if result.deleted:
		scrubbing.forget_deleted("Contact", result.deleted)
