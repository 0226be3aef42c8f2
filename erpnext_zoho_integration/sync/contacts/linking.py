"""Links rows of Campaign Recipient to Contacts, and marks Contacts as opted out."""

from collections.abc import Iterable

import frappe
from frappe.query_builder import DocType

from erpnext_zoho_integration.store import sql_lookups, sql_writes
from erpnext_zoho_integration.store.doctypes import RECIPIENT
from erpnext_zoho_integration.sync.mapping.rows import OPT_OUT_ACTIONS


def link_rows(contacts: dict[str, str]) -> None:
	"""Link all rows without a Contact to the one that now has their address.

	Args:
		contacts: names of Contacts by normalized address.
	"""
	if not contacts:
		return
	columns = ("email", "name", "action_type")
	found = sql_lookups.select_in(RECIPIENT, columns, "email", contacts, " AND contact IS NULL AND rtbf = 0")
	link_found((contacts[email], name, action) for email, name, action in found if email in contacts)


def link_found(rows: Iterable[tuple[str, str, str]]) -> None:
	"""Link rows to Contacts; whoever opted out by one of them is opted out.

	Args:
		rows: Contact, name of the row, and its action type.
	"""
	rows = list(rows)
	set_contacts({name: contact for contact, name, _action in rows})
	opt_out({contact for contact, _name, action in rows if action in OPT_OUT_ACTIONS})


def opt_out(contacts: Iterable[str]) -> int:
	"""Mark Contacts as unsubscribed; return how many were not before. No sync ever takes the mark away."""
	contacts = list(contacts)
	if not contacts:
		return 0
	fresh = frappe.get_all("Contact", {"name": ("in", contacts), "unsubscribed": 0}, pluck="name")
	if fresh:
		frappe.db.set_value("Contact", {"name": ("in", fresh)}, "unsubscribed", 1)
	return len(fresh)


def set_contacts(links: dict[str, str]) -> None:
	"""Link rows, given by name, to contacts; a link is not a change of the row, so `modified` stays."""
	if not links:
		return
	sql_writes.set_by_name(RECIPIENT, "contact", links)
	recipient = DocType(RECIPIENT)
	removed = recipient.name.isin(list(links)) & (recipient.contact_removed == 1)
	frappe.qb.update(recipient).set(recipient.contact_removed, 0).where(removed).run()
