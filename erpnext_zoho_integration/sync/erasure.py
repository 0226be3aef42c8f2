"""Persons who asked to be forgotten: the figures stay, the persons go."""

from collections.abc import Iterable

import frappe
from frappe.query_builder import DocType

from erpnext_zoho_integration.sync.identity import campaign_identity, normalize_email, pseudonym
from erpnext_zoho_integration.sync.mapping import RECIPIENT_FIELDS, content_hash, erased_row
from erpnext_zoho_integration.sync.names import recipient_name, reserve_numbers

RECIPIENT = "Campaign Recipient"


def anonymise_rows(emails: Iterable[str]) -> int:
	"""Take the person out of every row with one of these addresses, in all campaigns.

	A row keeps campaign and action type and gets a stand-in for the address, the same for all rows of a person, so that
	the campaign's figures stay what they were.

	Returns:
		The number of rows that were changed.
	"""
	emails = {normalize_email(email) for email in emails} - {""}
	if not emails:
		return 0
	recipient = DocType(RECIPIENT)
	rows = (
		frappe.qb.from_(recipient)
		.select(recipient.name, recipient.email, recipient.campaign, recipient.action_type, recipient.variant)
		.where(recipient.email.isin(list(emails)))
	).run(as_dict=True)
	rows = [row for row in rows if row.email in emails]
	for row, number in zip(rows, reserve_numbers(len(rows)) if rows else (), strict=True):
		_anonymise(row, number)
	return len(rows)


def _anonymise(row, number: int) -> None:
	blank = erased_row(
		pseudonym(row.email), row.action_type, campaign_identity(row.campaign), row.variant or None
	)
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
