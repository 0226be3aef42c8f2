"""The baseline: a sync that writes row by row, as the description of version 0.0.1 says, and as many apps do.

For each recipient of each list: find the Contact by Zoho's id, then by e-mail address, or create it; set Zoho's values
and save it; find the row with the same campaign, address and action, or create it; save it and commit. Only the
writing differs from a sync of this app: it reads all pages, of the same size, with the same client. Contact does not
ask gravatar.com at each save.
"""

import time

import frappe
from frappe.model.document import Document

from benchmarks.measurements import RECIPIENT, Statements, Sync
from benchmarks.testbed import Testbed
from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection.clients import campaigns_client
from erpnext_zoho_integration.store.row_keys_and_digests import site_key
from erpnext_zoho_integration.sync.campaigns import documents as campaign_documents
from erpnext_zoho_integration.sync.contacts import contact_values
from erpnext_zoho_integration.sync.fetch import pages_ahead
from erpnext_zoho_integration.sync.fetch import reports as zoho_reports
from erpnext_zoho_integration.sync.mapping import recipient_pages
from erpnext_zoho_integration.sync.mapping.recipient_rows import Person, Row
from erpnext_zoho_integration.sync.planning import due_campaigns, sync_settings


def sync(rows: int) -> Sync:
	"""Sync this many rows and return the figures."""
	with Testbed(rows, campaigns=4) as testbed, Statements() as statements:
		begin = time.perf_counter()
		stored = _all_campaigns()
		seconds = time.perf_counter() - begin
		calls = len(testbed.ask("requests"))
	created = frappe.db.count("Contact")
	return Sync(seconds, stored, created, calls, statements.count, statements.longest, "Success")


def _all_campaigns() -> int:
	client, policy = campaigns_client(), sync_settings.read_policy()
	client.page_size = 500
	times, stored = due_campaigns.times_of_account(client, policy), 0
	for page in client.campaign_pages():
		for record in page.items:
			name = campaign_documents.find_campaign(record.key, record.id)
			campaign, _changed = campaign_documents.save(name, record, times)
			campaign_documents.save_analytics(campaign, [client.report(record.key)])
			frappe.db.commit()
			reading = recipient_pages.PageMapper(record.key, times, site_key())
			for source in zoho_reports.sources(client, record.key, record.type):
				for action in zoho.ACTION_TYPES:
					for fetched in pages_ahead.recipient_pages(client, source, action, reading):
						for row in filter(None, fetched.rows):
							_store(campaign.name, row)
							stored += 1
	return stored


def _store(campaign: str, row: Row) -> None:
	contact = None
	if contact_values.usable(row.email):
		contact = _find_or_create_contact(row.person)
		_update_contact(contact, row.person)
	_save_recipient(campaign, row, contact and contact.name)
	frappe.db.commit()


def _find_or_create_contact(person: Person) -> Document:
	name = frappe.db.get_value(
		"Contact", {"zoho_contact_id": person.zoho_contact_id or "-"}
	) or frappe.db.get_value("Contact Email", {"email_id": person.email, "parenttype": "Contact"}, "parent")
	return frappe.get_doc("Contact", name) if name else contact_values.create_contact(person)


def _update_contact(contact: Document, person: Person) -> None:
	values = contact_values.contact_values(person)
	contact.update({field: value for field, value in values.items() if value and field != "zoho_contact_id"})
	contact.flags.from_zoho = True
	contact.save(ignore_permissions=True)


def _save_recipient(campaign: str, row: Row, contact: str | None) -> None:
	where = {"campaign": campaign, "email": row.email, "action_type": row.action_type}
	name = frappe.db.get_value(RECIPIENT, where)
	recipient = frappe.get_doc(RECIPIENT, name) if name else frappe.new_doc(RECIPIENT)
	recipient.update({**row.values, "campaign": campaign, "contact": contact, "row_key": row.key})
	recipient.flags.from_zoho = True
	recipient.save(ignore_permissions=True)
