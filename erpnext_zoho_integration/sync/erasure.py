"""Persons who asked to be forgotten: the figures stay, the persons go."""

from collections.abc import Collection, Iterable

import frappe
from frappe.query_builder import DocType

from erpnext_zoho_integration.sync.identity import campaign_identity, normalize_email, pseudonym
from erpnext_zoho_integration.sync.mapping import RECIPIENT_FIELDS, content_hash, erased_row
from erpnext_zoho_integration.sync.names import recipient_name, reserve_numbers

RECIPIENT = "Campaign Recipient"


def forget(people: Iterable[tuple[str | None, str | None]]) -> int:
	"""Take these people out of every row that speaks of them, in all campaigns.

	A row keeps campaign and action type and gets a stand-in for the address, the same for all rows of a person, so that
	the campaign's figures stay what they were. Another contact at Zoho that shares the address keeps its rows.

	Args:
		people: address and Zoho contact id of each; Zoho gives only one of them for some.

	Returns:
		The number of rows that were changed.
	"""
	by_email: dict[str, str | None] = {}
	identifiers: set[str] = set()
	for email, identifier in people:
		if identifier:
			identifiers.add(identifier)
		if email := normalize_email(email):
			by_email[email] = identifier
	rows = [row for row in _rows_of(by_email.keys(), identifiers) if _speaks_of(row, by_email, identifiers)]
	for row, number in zip(rows, reserve_numbers(len(rows)) if rows else (), strict=True):
		_anonymise(row, row.zoho_contact_id or by_email.get(row.email), number)
	return len(rows)


def _rows_of(emails: Collection[str], identifiers: Collection[str]) -> list:
	"""Return candidates; what SQL finds is compared again, see `_speaks_of`."""
	recipient = DocType(RECIPIENT)
	found = {}
	for column, values in ((recipient.email, emails), (recipient.zoho_contact_id, identifiers)):
		if values:
			query = (
				frappe.qb.from_(recipient)
				.select(
					recipient.name,
					recipient.email,
					recipient.campaign,
					recipient.action_type,
					recipient.variant,
					recipient.zoho_contact_id,
				)
				.where(column.isin(list(values)))
			)
			found |= {row.name: row for row in query.run(as_dict=True)}
	return list(found.values())


def _speaks_of(row, by_email: dict[str, str | None], identifiers: set[str]) -> bool:
	if row.zoho_contact_id in identifiers:
		return True
	return row.email in by_email and not (row.zoho_contact_id and by_email[row.email])


def _anonymise(row, identifier: str | None, number: int) -> None:
	stand_in = pseudonym(row.email, identifier)
	blank = erased_row(stand_in, row.action_type, campaign_identity(row.campaign), row.variant or None)
	if frappe.db.exists(RECIPIENT, {"row_key": blank.key}):
		frappe.db.delete(RECIPIENT, {"name": row.name})
		return
	recipient = DocType(RECIPIENT)
	query = (
		frappe.qb.update(recipient)
		.set(recipient.name, recipient_name(None, blank.email, number))
		.set(recipient.contact, None)
		.set(recipient.row_key, blank.key)
		.set(recipient.content_hash, content_hash(blank.values))
		.where(recipient.name == row.name)
	)
	for field in RECIPIENT_FIELDS:
		query = query.set(recipient[field], blank.values[field])
	query.run()
