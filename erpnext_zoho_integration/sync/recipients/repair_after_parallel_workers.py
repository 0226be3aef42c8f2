"""Corrects, at the end of a run, what parallel workers missed because the others had not committed yet.

Links rows through `contacts.row_links` and changes Contacts through the run's Contact writer.
"""

from datetime import datetime

import frappe
from frappe.query_builder import DocType
from frappe.query_builder.functions import Max, Min
from frappe.utils import create_batch

from erpnext_zoho_integration.store import sql_lookups
from erpnext_zoho_integration.store.doctypes import RECIPIENT
from erpnext_zoho_integration.store.fields import ZOHO_STATUS
from erpnext_zoho_integration.sync.contacts import matching, row_links, zoho_status
from erpnext_zoho_integration.sync.contacts.contact_writers import ContactWriter, RefusedPeople
from erpnext_zoho_integration.sync.mapping.recipient_rows import Person

_BATCH = 500


def fix_what_workers_missed(since: datetime, writer: ContactWriter) -> RefusedPeople:
	"""Link rows to the Contacts that another worker created meanwhile, and give Contacts the status that all rows say.

	Commits after each batch, since each is complete in itself.

	Args:
		since: rows and Contacts written before are left out; in the site's zone.
		writer: changes Contacts.

	Returns:
		People whose Contacts could not be changed, with the reason.
	"""
	refused: RefusedPeople = []
	for emails in create_batch(_unlinked(since), _BATCH):
		row_links.link_rows(matching.contacts_of(emails))
		frappe.db.commit()  # nosemgrep - see above
	for names in create_batch(_disputed(since), _BATCH):
		refused += _settle_status(names, writer)
		frappe.db.commit()  # nosemgrep - see above
	return refused


def _unlinked(moment: datetime) -> list[str]:
	"""Return addresses of unlinked rows that have a Contact now; row and Contact were written since the given moment."""
	contact, recipient = DocType("Contact"), DocType(RECIPIENT)
	query = (
		frappe.qb.from_(recipient)
		.join(contact)
		.on(contact.email_id == recipient.email)
		.select(recipient.email)
		.where((recipient.modified >= moment) & recipient.contact.isnull() & (recipient.rtbf == 0))
		.where(contact.creation >= moment)
	)
	return sorted(set(query.run(pluck=True)))  # MariaDB's DISTINCT treats müller@ and muller@ as equal


def _disputed(moment: datetime) -> list[str]:
	"""Return the Contacts for which rows written since the given moment disagree about the status."""
	recipient = DocType(RECIPIENT)
	status = recipient.contact_status
	return (
		frappe.qb.from_(recipient)
		.select(recipient.contact)
		.where((recipient.modified >= moment) & recipient.contact.isnotnull())
		.groupby(recipient.contact)
		.having(Min(status) != Max(status))
	).run(pluck=True)


def _settle_status(names: list[str], writer: ContactWriter) -> RefusedPeople:
	status = zoho_status.last_status(names)
	stored = sql_lookups.select_in("Contact", ("name", "email_id", ZOHO_STATUS), "name", names)
	return writer.change(
		[
			(name, _person(email or name, status[name]), {ZOHO_STATUS: status[name]})
			for name, email, known in stored
			if status.get(name, known) != known
		]
	)


def _person(email: str, status: str) -> Person:
	return Person(email, None, None, None, None, None, None, None, status)
