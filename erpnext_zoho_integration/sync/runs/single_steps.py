"""Single steps of the pipeline for use from Python: one campaign, one list, one recipient, one contact.

They call the same code as a sync run, write within the caller's transaction and never commit. None is whitelisted.
"""

import frappe
from frappe.model.document import Document

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection.clients import campaigns_client
from erpnext_zoho_integration.store import erased_people
from erpnext_zoho_integration.store.row_keys_and_digests import site_key
from erpnext_zoho_integration.sync.campaigns import bounced_recipient_flags
from erpnext_zoho_integration.sync.campaigns import documents as campaign_documents
from erpnext_zoho_integration.sync.campaigns.identity import campaign_identity
from erpnext_zoho_integration.sync.contacts import contact_values
from erpnext_zoho_integration.sync.contacts.matching import find_contacts
from erpnext_zoho_integration.sync.fetch import pages_ahead
from erpnext_zoho_integration.sync.fetch import reports as zoho_reports
from erpnext_zoho_integration.sync.mapping import recipient_pages
from erpnext_zoho_integration.sync.mapping.page_results import PageResult
from erpnext_zoho_integration.sync.mapping.recipient_rows import Person, Times, recipient_row
from erpnext_zoho_integration.sync.planning import due_campaigns, sync_settings
from erpnext_zoho_integration.sync.privacy import retention
from erpnext_zoho_integration.sync.recipients.store_batch import sync_batch


def sync_single_campaign(campaign_data: dict) -> Document:
	"""Sync one campaign: metadata, figures, recipients.

	Args:
		campaign_data: an item of Zoho's `recentcampaigns`.

	Returns:
		The Campaign document.

	Raises:
		frappe.ValidationError: the data have no campaign key.
		zoho.ZohoError: Zoho refused or did not answer.
	"""
	record = zoho.Campaign.from_zoho(campaign_data)
	if isinstance(record, zoho.BadRecord):
		raise frappe.ValidationError(frappe._("This is not a campaign of Zoho: {0}").format(record.reason))
	policy = sync_settings.read_policy()
	name = campaign_documents.find_campaign(record.key, record.id)
	campaign, _changed = campaign_documents.save(name, record, due_campaigns.measure_times([record], policy))
	sync_campaign_analytics(campaign, record.key)
	sync_campaign_recipients_data(campaign, record.key)
	return campaign


def sync_campaign_analytics(campaign: Document, campaign_key: str) -> bool:
	"""Rebuild Campaign Analytics from Zoho's report, if it differs; return whether it did.

	Args:
		campaign: the Campaign document.
		campaign_key: Zoho's key of it.
	"""
	client = campaigns_client()
	found = zoho_reports.reports(client, _sources(client, campaign, campaign_key))
	return campaign_documents.save_analytics(campaign, [report for report in found if report is not None])


def sync_campaign_recipients_data(campaign: Document, campaign_key: str) -> PageResult:
	"""Sync all lists of recipients that the settings ask for, every page of them.

	Args:
		campaign: the Campaign document.
		campaign_key: Zoho's key of it.

	Returns:
		What became of the rows of all pages.
	"""
	client, policy = campaigns_client(), sync_settings.read_policy()
	times = due_campaigns.times_of_account(client, policy)
	identity, anonymous = campaign_identity(campaign.name), retention.is_anonymised(campaign.name)
	mapper, total = recipient_pages.PageMapper(identity, times, site_key()), PageResult()
	for source in _sources(client, campaign, campaign_key):
		for action in policy.actions:
			for page in pages_ahead.recipient_pages(client, source, action, mapper):
				_mapped, result = sync_batch(campaign.name, [page], identity, anonymous, policy.create_for)
				total.add(result)
	bounced_recipient_flags.mark_campaign(campaign.name)
	return total


def sync_recipient(
	campaign: Document, recipient_data: dict, action_type: str, times: Times | None = None
) -> PageResult:
	"""Store one recipient of a campaign.

	Args:
		campaign: the Campaign document.
		recipient_data: an item of Zoho's `getcampaignrecipientsdata`.
		action_type: such as `Opened`.
		times: clocks of account and site; by default only times that need no calibration are kept.

	Returns:
		What became of the row.
	"""
	record = zoho.Recipient.from_zoho(recipient_data)
	page: zoho.Page[zoho.Recipient] = zoho.Page([], [recipient_data], 1, None)
	if isinstance(record, zoho.BadRecord):
		page.bad.append(record)
	else:
		page.items.append(record)
	policy = sync_settings.read_policy()
	times = times or due_campaigns.measure_times([], policy)
	identity = campaign_identity(campaign.name)
	fetched = recipient_pages.PageMapper(identity, times, site_key()).page(action_type, None, page)
	anonymous = retention.is_anonymised(campaign.name)
	mapped, result = sync_batch(campaign.name, [fetched], identity, anonymous, policy.create_for)
	for row in mapped.rows:
		bounced_recipient_flags.mark_person(campaign.name, row.email)
	return result


def find_or_create_contact(contact_data: dict) -> Document | None:
	"""Return the Contact of a recipient: by Zoho's id, then by e-mail address, else a new one.

	Args:
		contact_data: an item of Zoho's `getcampaignrecipientsdata`.

	Returns:
		The Contact document, or None if there is no usable address, several Contacts have it, or the person is erased.
	"""
	person = _person(contact_data)
	if person is None:
		return None
	matches = find_contacts([person])
	if name := matches.contact_of(person):
		return frappe.get_doc("Contact", name)
	if not matches.is_unknown(person) or not contact_values.usable(person.email):
		return None
	return contact_values.create_contact(person)


def update_contact_from_zoho(contact: Document, contact_data: dict) -> bool:
	"""Fill the empty fields of a Contact and take over Zoho's status; return whether anything changed.

	Args:
		contact: the Contact document.
		contact_data: an item of Zoho's `getcampaignrecipientsdata`.
	"""
	person = _person(contact_data)
	if person is None:
		return False
	changes = list(contact_values.changes({contact.name: person}))
	for name, _person_of, values in changes:
		contact.update(contact_values.apply_changes(name, values).as_dict())
	return bool(changes)


def _person(contact_data: dict) -> Person | None:
	record = zoho.Recipient.from_zoho(contact_data)
	if isinstance(record, zoho.BadRecord) or record.erased:
		return None
	if erased_people.among([(record.email, record.contact_id)]).stand_in(record.email, record.contact_id):
		return None
	row = recipient_row(record, "Opened", "", due_campaigns.measure_times([], sync_settings.read_policy()))
	return row.person if row else None


def _sources(
	client: zoho.CampaignsClient, campaign: Document, campaign_key: str
) -> list[zoho_reports.Source]:
	return zoho_reports.sources(client, campaign_key, campaign.zoho_campaign_type)
