"""Links rows of Campaign Recipient to Contacts."""

import frappe
from frappe.query_builder import DocType

from erpnext_zoho_integration.store import sql_lookups, sql_writes
from erpnext_zoho_integration.store.doctypes import RECIPIENT


def link_rows(contacts: dict[str, str]) -> None:
	"""Link all rows without a Contact to the Contact that now has their address.

	Args:
		contacts: names of Contacts by normalized address.
	"""
	if not contacts:
		return
	columns = ("email", "name")
	found = sql_lookups.select_in(RECIPIENT, columns, "email", contacts, " AND contact IS NULL AND rtbf = 0")
	set_contacts({name: contacts[email] for email, name in found if email in contacts})


def set_contacts(links: dict[str, str]) -> None:
	"""Link rows to Contacts. A link is not a change of the row, so `modified` stays.

	Args:
		links: names of Contacts by name of the row.
	"""
	if not links:
		return
	sql_writes.set_by_name(RECIPIENT, "contact", links)
	recipient = DocType(RECIPIENT)
	removed = recipient.name.isin(list(links)) & (recipient.contact_removed == 1)
	frappe.qb.update(recipient).set(recipient.contact_removed, 0).where(removed).run()
