"""Links rows of Campaign Recipient to Contacts, and marks Contacts as opted out."""

from collections.abc import Iterable

import frappe
from frappe.query_builder import DocType

from erpnext_zoho_integration.store import sql_lookups, sql_writes
from erpnext_zoho_integration.store.doctypes import RECIPIENT
from erpnext_zoho_integration.store.fields import ACTION_TYPE
from erpnext_zoho_integration.sync.mapping.recipient_rows import OPT_OUT_ACTIONS


def link_rows(contacts: dict[str, str]) -> None:
	"""Link all rows without a Contact to the Contact that now has their address.

	Args:
		contacts: names of Contacts by normalized address.
	"""
	if not contacts:
		return
	columns = ("email", "name", ACTION_TYPE)
	found = sql_lookups.select_in(RECIPIENT, columns, "email", contacts, " AND contact IS NULL AND rtbf = 0")
	link_found((contacts[email], name, action) for email, name, action in found if email in contacts)


def link_found(rows: Iterable[tuple[str, str, str]]) -> None:
	"""Link rows to Contacts, and opt out the Contacts of rows that are opt-outs.

	Args:
		rows: Contact, name of the row, and its action type.
	"""
	rows = list(rows)
	set_contacts({name: contact for contact, name, _action in rows})
	opt_out({contact for contact, _name, action in rows if action in OPT_OUT_ACTIONS})


def opt_out(contacts: Iterable[str]) -> int:
	"""Mark Contacts as unsubscribed; return how many were not before. No sync ever removes the mark."""
	contacts = list(contacts)
	if not contacts:
		return 0
	subscribed = frappe.get_all("Contact", {"name": ("in", contacts), "unsubscribed": 0}, pluck="name")
	if subscribed:
		frappe.db.set_value("Contact", {"name": ("in", subscribed)}, "unsubscribed", 1)
	return len(subscribed)


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
