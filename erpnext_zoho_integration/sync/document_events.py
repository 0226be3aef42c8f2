"""Keeps synced data consistent when users rename, merge, delete or save Campaigns and Contacts.

These functions are document events (hooks.py). Each takes one or a few statements, however many rows there are.

Other rooms write these tables: `campaigns/` Campaign and its state, `recipients/` Campaign Recipient, `contacts/` Contact.
This module writes them only where a user's deletion or merge changes what other rows refer to.
"""

import frappe
from frappe.model.document import Document
from frappe.query_builder import DocType

from erpnext_zoho_integration.compat import campaign_writes_utm
from erpnext_zoho_integration.consent import marks
from erpnext_zoho_integration.store.addresses import normalize_email
from erpnext_zoho_integration.store.doctypes import ANALYTICS, CAMPAIGN_STATE, DELETED_CAMPAIGN, RECIPIENT
from erpnext_zoho_integration.store.fields import (
	ZOHO_CAMPAIGN_ID,
	ZOHO_CAMPAIGN_KEY,
	ZOHO_CAMPAIGN_STATUS,
	ZOHO_CAMPAIGN_TYPE,
	ZOHO_CONTACT_ID,
	ZOHO_SENT_TIME,
	ZOHO_STATUS,
)
from erpnext_zoho_integration.sync.campaigns import bounced_recipient_flags, merging
from erpnext_zoho_integration.sync.campaigns.deleted import remember_deleted
from erpnext_zoho_integration.sync.contacts import matching
from erpnext_zoho_integration.sync.contacts.row_links import link_rows
from erpnext_zoho_integration.sync.privacy import retention

_IDENTITY_FIELDS = (ZOHO_CAMPAIGN_ID, ZOHO_CAMPAIGN_KEY)
# All fields of a Campaign that a sync writes.
_ZOHO_FIELDS = (
	*_IDENTITY_FIELDS,
	"zoho_subject",
	"zoho_from_email",
	"zoho_reply_to",
	"zoho_preview_url",
	ZOHO_SENT_TIME,
	ZOHO_CAMPAIGN_STATUS,
	ZOHO_CAMPAIGN_TYPE,
	"zoho_opens_by_country",
	"last_synced",
)


def campaign_deleted(campaign: Document, method: str | None = None) -> None:
	"""Delete a Campaign's recipients in bulk and record the deletion, so that no sync restores the Campaign."""
	frappe.db.delete(RECIPIENT, {"campaign": campaign.name})
	frappe.db.delete(CAMPAIGN_STATE, {"campaign": campaign.name})
	if campaign.get(ZOHO_CAMPAIGN_KEY) and not frappe.db.exists(
		DELETED_CAMPAIGN, {ZOHO_CAMPAIGN_KEY: campaign.zoho_campaign_key}
	):
		remember_deleted(campaign, "Deleted")


def campaign_changed(campaign: Document, method: str | None = None) -> None:
	"""Unlink the UTM Campaign that ERPNext 16 has just linked to a Campaign that is being deleted or merged.

	Frappe would refuse the deletion because of that link.
	"""
	if not (campaign.flags.in_delete and campaign_writes_utm()):
		return
	if frappe.get_meta("UTM Campaign").has_field("crm_campaign"):
		frappe.db.set_value("UTM Campaign", {"crm_campaign": campaign.name}, "crm_campaign", None)


def campaign_renamed(campaign: Document, method: str | None, old: str, new: str, merge: bool = False) -> None:
	"""Merge the rows of a Campaign that was merged into this one; a rename without a merge changes no synced data.

	If only the other Campaign comes from Zoho, this one becomes the Zoho campaign: merging says that they are the same.
	"""
	if merge:
		merged = frappe.get_doc("Campaign", old)
		if merged.get(ZOHO_CAMPAIGN_KEY) and campaign.get(ZOHO_CAMPAIGN_KEY):
			remember_deleted(merged, "Merged", merged_into=new)
			frappe.db.delete(CAMPAIGN_STATE, {ZOHO_CAMPAIGN_KEY: merged.zoho_campaign_key})
		elif merged.get(ZOHO_CAMPAIGN_KEY):
			_move_zoho_fields(merged, new)
		merging.rekey_campaign(new, merged=True)
		retention.queue_anonymising_after_merge(new)
		bounced_recipient_flags.mark_campaign(new)
	elif not campaign.get(ZOHO_CAMPAIGN_KEY):
		merging.rekey_campaign(new)


def _move_zoho_fields(merged: Document, survivor: str) -> None:
	"""Move the Zoho fields of a Campaign, and its analytics, to the Campaign that it is merged into."""
	frappe.db.set_value("Campaign", merged.name, dict.fromkeys(_IDENTITY_FIELDS), update_modified=False)
	frappe.db.set_value("Campaign", survivor, {field: merged.get(field) for field in _ZOHO_FIELDS})
	frappe.db.set_value(
		ANALYTICS,
		{"parenttype": "Campaign", "parent": merged.name},
		"parent",
		survivor,
		update_modified=False,
	)


def contact_deleted(contact: Document, method: str | None = None) -> None:
	"""Unlink the rows of a deleted Contact and set `contact_removed`: an unchanged row does not create it again."""
	recipient = DocType(RECIPIENT)
	(
		frappe.qb.update(recipient)
		.set(recipient.contact, None)
		.set(recipient.contact_removed, 1)
		.where(recipient.contact == contact.name)
	).run()


def contact_renamed(contact: Document, method: str | None, old: str, new: str, merge: bool = False) -> None:
	"""Give a Contact the Zoho contact id and the opt-out of the Contact that was merged into it.

	Frappe has already moved the links of the rows. Their keys contain the e-mail address, so none collide.
	"""
	if not merge:
		return
	merged = frappe.db.get_value("Contact", old, [ZOHO_CONTACT_ID, ZOHO_STATUS, "unsubscribed"], as_dict=True)
	if not merged:
		return
	values = {}
	if merged.zoho_contact_id and not contact.zoho_contact_id:
		frappe.db.set_value("Contact", old, ZOHO_CONTACT_ID, None, update_modified=False)
		values = {ZOHO_CONTACT_ID: merged.zoho_contact_id, ZOHO_STATUS: merged.zoho_status}
	if values:
		frappe.db.set_value("Contact", new, values)
	if merged.unsubscribed:
		marks.mark_contacts({new})


def contact_saved(contact: Document, method: str | None = None) -> None:
	"""Link recipients without a Contact to the one that now has their address."""
	if contact.flags.from_zoho:
		return
	before = contact.get_doc_before_save()
	known = {normalize_email(row.email_id) for row in before.email_ids} if before else set()
	added = {normalize_email(row.email_id) for row in contact.email_ids} - known - {""}
	# If several Contacts have the address, only a user can tell which one is meant.
	link_rows({email: contact.name for email in added if matching.contact_of(email) == contact.name})


def before_contact_validate(contact: Document, method: str | None = None) -> None:
	"""Keep Contact's own validation from asking gravatar.com for a picture while a sync writes the Contact.

	Contact skips it during an import. `after_contact_validate` resets the flag at once, because it would also turn off
	Webhooks and Notifications.
	"""
	if contact.flags.from_zoho:
		contact.flags.was_in_import = bool(frappe.flags.in_import)
		frappe.flags.in_import = True


def after_contact_validate(contact: Document, method: str | None = None) -> None:
	"""Reset the flag that `before_contact_validate` has set."""
	if contact.flags.from_zoho:
		frappe.flags.in_import = contact.flags.was_in_import
