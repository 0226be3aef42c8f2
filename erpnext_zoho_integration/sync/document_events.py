"""What happens to synced data when people rename, merge, delete or create the documents it belongs to.

These functions are document events (hooks.py); each is one or a few statements, however many rows there are.
"""

import frappe
from frappe.model.document import Document
from frappe.query_builder import DocType

from erpnext_zoho_integration.compat import campaign_writes_utm
from erpnext_zoho_integration.store.addresses import normalize_email
from erpnext_zoho_integration.store.doctypes import ANALYTICS, CAMPAIGN_STATE, DELETED_CAMPAIGN, RECIPIENT
from erpnext_zoho_integration.sync.campaigns import bounces, merging
from erpnext_zoho_integration.sync.campaigns.deleted import remember_deleted
from erpnext_zoho_integration.sync.contacts import matching
from erpnext_zoho_integration.sync.contacts.linking import link_rows
from erpnext_zoho_integration.sync.privacy import retention

IDENTITY = ("zoho_campaign_id", "zoho_campaign_key")
# The fields of a Campaign that come from Zoho.
FROM_ZOHO = (
	*IDENTITY,
	"zoho_subject",
	"zoho_from_email",
	"zoho_reply_to",
	"zoho_preview_url",
	"zoho_sent_time",
	"zoho_campaign_status",
	"zoho_campaign_type",
	"zoho_opens_by_country",
	"last_synced",
)


def campaign_deleted(campaign: Document, method: str | None = None) -> None:
	"""Delete a Campaign's recipients in bulk and remember it, so that no sync brings it back."""
	frappe.db.delete(RECIPIENT, {"campaign": campaign.name})
	frappe.db.delete(CAMPAIGN_STATE, {"campaign": campaign.name})
	if campaign.get("zoho_campaign_key") and not frappe.db.exists(
		DELETED_CAMPAIGN, {"zoho_campaign_key": campaign.zoho_campaign_key}
	):
		remember_deleted(campaign, "Deleted")


def campaign_changed(campaign: Document, method: str | None = None) -> None:
	"""Let ERPNext 16 delete and merge a Campaign: it has just linked its UTM Campaign to it, for which Frappe refuses."""
	if not (campaign.flags.in_delete and campaign_writes_utm()):
		return
	if frappe.get_meta("UTM Campaign").has_field("crm_campaign"):
		frappe.db.set_value("UTM Campaign", {"crm_campaign": campaign.name}, "crm_campaign", None)


def campaign_renamed(campaign: Document, method: str | None, old: str, new: str, merge: bool = False) -> None:
	"""Fold the rows of a Campaign that was merged into this one; a mere rename changes nothing of ours.

	A hand-made Campaign becomes the one that it takes in: somebody has said that they are the same.
	"""
	if merge:
		merged = frappe.get_doc("Campaign", old)
		if merged.get("zoho_campaign_key") and campaign.get("zoho_campaign_key"):
			remember_deleted(merged, "Merged", merged_into=new)
			frappe.db.delete(CAMPAIGN_STATE, {"zoho_campaign_key": merged.zoho_campaign_key})
		elif merged.get("zoho_campaign_key"):
			_hand_over(merged, new)
		merging.rekey_campaign(new, merged=True)
		retention.after_merge(new)
		bounces.mark_campaign(new)
	elif not campaign.get("zoho_campaign_key"):
		merging.rekey_campaign(new)


def _hand_over(merged: Document, survivor: str) -> None:
	"""Give another Campaign everything by which a sync knows this one, and its figures."""
	frappe.db.set_value("Campaign", merged.name, dict.fromkeys(IDENTITY), update_modified=False)
	frappe.db.set_value("Campaign", survivor, {field: merged.get(field) for field in FROM_ZOHO})
	frappe.db.set_value(
		ANALYTICS,
		{"parenttype": "Campaign", "parent": merged.name},
		"parent",
		survivor,
		update_modified=False,
	)


def contact_deleted(contact: Document, method: str | None = None) -> None:
	"""Unlink a Contact's rows and mark them, so that an unchanged row does not create it again."""
	recipient = DocType(RECIPIENT)
	(
		frappe.qb.update(recipient)
		.set(recipient.contact, None)
		.set(recipient.contact_removed, 1)
		.where(recipient.contact == contact.name)
	).run()


def contact_renamed(contact: Document, method: str | None, old: str, new: str, merge: bool = False) -> None:
	"""After a merge the survivor is the person at Zoho too, and stays opted out if either was.

	Frappe has already moved the links of the rows; their identity is the e-mail address, so none collide.
	"""
	if not merge:
		return
	merged = frappe.db.get_value(
		"Contact", old, ["zoho_contact_id", "zoho_status", "unsubscribed"], as_dict=True
	)
	if not merged:
		return
	values = {}
	if merged.zoho_contact_id and not contact.zoho_contact_id:
		frappe.db.set_value("Contact", old, "zoho_contact_id", None, update_modified=False)
		values = {"zoho_contact_id": merged.zoho_contact_id, "zoho_status": merged.zoho_status}
	if merged.unsubscribed and not contact.unsubscribed:
		values["unsubscribed"] = 1
	if values:
		frappe.db.set_value("Contact", new, values)


def contact_saved(contact: Document, method: str | None = None) -> None:
	"""Link recipients who were waiting for a Contact with this address."""
	if contact.flags.from_zoho:
		return
	before = contact.get_doc_before_save()
	known = {normalize_email(row.email_id) for row in before.email_ids} if before else set()
	added = {normalize_email(row.email_id) for row in contact.email_ids} - known - {""}
	# Where several Contacts have an address, nobody but a person can say which one is meant.
	link_rows({email: contact.name for email in added if matching.contact_of(email) == contact.name})


def before_contact_validate(contact: Document, method: str | None = None) -> None:
	"""Keep Contact's own validation from asking gravatar.com for a picture while a sync writes it.

	An import is Frappe's way to say so; `after_contact_validate` takes the word back at once, since it would silence
	Webhooks and Notifications as well.
	"""
	if contact.flags.from_zoho:
		contact.flags.was_in_import = bool(frappe.flags.in_import)
		frappe.flags.in_import = True


def after_contact_validate(contact: Document, method: str | None = None) -> None:
	"""See `before_contact_validate`."""
	if contact.flags.from_zoho:
		frappe.flags.in_import = contact.flags.was_in_import
