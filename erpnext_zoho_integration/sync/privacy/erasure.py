"""Erases people: their rows are anonymised, their texts redacted, and no sync brings them back.

The register of erased people (`store.erased_people`) is written first: a sync that runs at the same time either finds the
person in it, or its rows are found here. Contacts are written by `contacts/`; this module only deletes them, on request.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field

import frappe
from frappe import _
from frappe.model.document import Document

from erpnext_zoho_integration.consent import erasure as consent_erasure
from erpnext_zoho_integration.store import erased_people, people_lookup, row_keys_and_digests, sql_lookups
from erpnext_zoho_integration.store.addresses import normalize_email, person_address, visible
from erpnext_zoho_integration.store.doctypes import RECIPIENT
from erpnext_zoho_integration.store.fields import ACTION_TYPE, ZOHO_CONTACT_ID
from erpnext_zoho_integration.store.row_keys_and_digests import pseudonym
from erpnext_zoho_integration.sync.campaigns.identity import campaign_identity
from erpnext_zoho_integration.sync.contacts.clear_contact import clear_zoho_fields
from erpnext_zoho_integration.sync.mapping.clean_text_and_urls import MAX_EMAIL
from erpnext_zoho_integration.sync.mapping.recipient_rows import erased_row
from erpnext_zoho_integration.sync.privacy import anonymised_rows, scrubbing

_SAVEPOINT = "zoho_erasure"


@dataclass(slots=True)
class Erasure:
	"""The result of erasing a person.

	Attributes:
		rows: number of recipients that were anonymised.
		texts: number of texts that named the person: messages of runs, errors, comments, deleted documents.
		contacts: names of the Contacts whose Zoho fields were cleared.
		deleted: names of the Contacts that were deleted.
		kept: names of the Contacts that could not be deleted, because other documents link to them.
	"""

	rows: int = 0
	texts: int = 0
	contacts: list[str] = field(default_factory=list)
	deleted: list[str] = field(default_factory=list)
	kept: list[str] = field(default_factory=list)

	def as_dict(self) -> dict:
		return asdict(self)


def erase_person(email: str, delete_contact: bool = False) -> Erasure:
	"""Erase a person from everything that this app has stored. Commits before and after.

	Recipients with the address are anonymised, and those with the ids of Zoho contacts that have it, under whatever
	address; these addresses are erased too. The Zoho fields of their Contacts are cleared.

	Args:
		email: the address, in any letter case.
		delete_contact: delete the Contacts that have the address, unless another document links to them.

	Raises:
		frappe.ValidationError: the text is not an e-mail address.
	"""
	address = _normalized_address(email)
	frappe.db.commit()  # nosemgrep - begins a new snapshot, which includes the latest rows of a running sync
	result = _erase(address, delete_contact)
	frappe.db.commit()  # nosemgrep - an error later in the request must not undo the erasure
	return result


def erase_people_erased_at_zoho(
	people: Iterable[row_keys_and_digests.PersonKey], registered: erased_people.ErasedLookup
) -> erased_people.ErasedLookup:
	"""Erase people whom Zoho has erased from the rows of all campaigns. The caller commits.

	Another Zoho contact that shares the address keeps its rows.

	Args:
		people: address and Zoho contact id of each; for some, Zoho gives only one of them.
		registered: what the register has about them, as read in this transaction.

	Returns:
		What the register has about them now.
	"""
	people = set(people)
	registered = erased_people.register(people, erased_people.AT_ZOHO, registered)
	by_email: dict[str, str | None] = {}
	identifiers = {identifier for _email, identifier in people if identifier}
	for email, identifier in people:
		if email := normalize_email(email):
			by_email[email] = identifier
	found = _rows_of(by_email, identifiers)
	rows = [row for row in found if _belongs_to(row, by_email, identifiers)]
	contacts = sql_lookups.select_in("Contact", ("name",), ZOHO_CONTACT_ID, identifiers)
	if rows or contacts:
		names = {name for (name,) in contacts}
		_anonymise_rows(rows, by_email)
		clear_zoho_fields(names)
		own = {row.email for row in rows if row.zoho_contact_id in identifiers or not row.zoho_contact_id}
		scrubbing.redact_texts(own | identifiers, names)
	consent_erasure.erase([*by_email, *(row.email for row in rows)])
	return registered


def erase_on_deletion_request(request: Document, method: str | None = None) -> None:
	"""Erase the person of an approved Personal Data Deletion Request of Frappe; its document event `on_update`.

	Frappe saves an approved request, with all its steps pending, just before it carries them out.
	"""
	if request.deletion_steps and all(step.status == "Pending" for step in request.deletion_steps):
		_erase(_normalized_address(request.email))


def _normalized_address(email: str) -> str:
	address = normalize_email(visible(email))
	if "@" not in address or len(address) > MAX_EMAIL or not address.isprintable():
		frappe.throw(_("Enter the e-mail address of the person."))
	return address


def _erase(address: str, delete_contact: bool = False) -> Erasure:
	erased_people.register({(address, None)}, erased_people.HERE)
	people_lookup.read_unusual_anew()
	contacts = _contacts_with(address)
	identifiers = _identifiers_of(address, contacts)
	addresses = {address} | {row.email for row in _rows_of((), identifiers)}
	erased_people.register({(each, None) for each in addresses}, erased_people.HERE)
	erased_people.register({(address, identifier) for identifier in identifiers}, erased_people.HERE)
	rows = _rows_of(addresses, identifiers)
	# A Contact that was merged, or whose address was changed here, is found only by the link in its rows.
	filled = contacts | {row.contact for row in rows if row.contact}
	result = Erasure(rows=_anonymise_rows(rows), contacts=sorted(filled))
	clear_zoho_fields(filled)
	if delete_contact:
		_delete_contacts(contacts, result)
	result.texts = scrubbing.redact_texts(addresses | identifiers, filled)
	consent_erasure.erase(addresses)
	return result


def _rows_of(emails: Collection[str], identifiers: Collection[str]) -> list[frappe._dict]:
	"""Return the rows with these addresses or ids, compared exactly, that are not anonymised yet."""
	found = {}
	columns = ("name", "email", ZOHO_CONTACT_ID, "contact")
	for column, values in (("email", emails), (ZOHO_CONTACT_ID, identifiers)):
		for row in sql_lookups.select_in(RECIPIENT, columns, column, values, " AND rtbf = 0"):
			row = frappe._dict(zip(columns, row, strict=True))
			if row[column] in values:
				found[row.name] = row
	return list(found.values())


def _belongs_to(row: frappe._dict, by_email: dict[str, str | None], identifiers: set[str]) -> bool:
	"""Return whether a row found by address or id is of these people, not of a Zoho contact that shares the address."""
	if row.zoho_contact_id in identifiers:
		return True
	return not (row.zoho_contact_id and by_email.get(row.email))


def _anonymise_rows(rows: list[frappe._dict], by_email: dict[str, str | None] | None = None) -> int:
	"""Anonymise rows of people who are in the register; return how many.

	The new content hash is the one of a record that Zoho has withheld: when a sync maps the erased person's record again,
	the row is unchanged.
	"""
	people = {row.name: (row.email, row.zoho_contact_id or (by_email or {}).get(row.email)) for row in rows}
	registered = erased_people.among(people.values())
	identities: dict[str, str] = {}

	def replacement(stored: Mapping) -> anonymised_rows.Replacement:
		campaign, person = stored["campaign"], people[stored["name"]]
		identity = identities.get(campaign) or campaign_identity(campaign)
		identities[campaign] = identity
		stand_in = registered.stand_in(*person) or pseudonym(*person)
		row = erased_row(stand_in, stored[ACTION_TYPE], identity, stored["variant"] or None)
		values = anonymised_rows.anonymised_values(stored, stand_in)
		return anonymised_rows.Replacement(stored, values, row.key, row.content_hash)

	return anonymised_rows.replace_rows(map(replacement, anonymised_rows.load_rows(people)))


def _contacts_with(address: str) -> set[str]:
	return people_lookup.documents_with("Contact", {person_address(address)}).get(
		person_address(address), set()
	)


def _identifiers_of(address: str, contacts: Collection[str]) -> set[str]:
	"""Return the Zoho contact ids of a person, from their rows and their Contacts."""
	found = {row.zoho_contact_id for row in _rows_of({address}, ())}
	found |= {
		identifier for (identifier,) in sql_lookups.select_in("Contact", (ZOHO_CONTACT_ID,), "name", contacts)
	}
	return {identifier for identifier in found if identifier}


def _delete_contacts(names: Collection[str], result: Erasure) -> None:
	"""Delete Contacts and note them in `result`; a Contact that other documents link to is kept."""
	for name in sorted(names):
		frappe.db.savepoint(_SAVEPOINT)
		try:
			frappe.delete_doc("Contact", name, ignore_permissions=True, delete_permanently=True)
			result.deleted.append(name)
		except frappe.LinkExistsError:
			frappe.db.rollback(save_point=_SAVEPOINT)
			frappe.clear_last_message()
			result.kept.append(name)
	if result.deleted:
		scrubbing.clean_up_after_deletion("Contact", result.deleted)
