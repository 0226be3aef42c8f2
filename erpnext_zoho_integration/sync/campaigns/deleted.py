"""Records campaigns that users deleted or merged here, so that no sync restores them."""

import frappe
from frappe.model.document import Document

from erpnext_zoho_integration.store.doctypes import DELETED_CAMPAIGN
from erpnext_zoho_integration.store.fields import ZOHO_CAMPAIGN_ID, ZOHO_CAMPAIGN_KEY


def remember_deleted(campaign: Document, reason: str, merged_into: str | None = None) -> None:
	"""Record that a campaign must not be synced; deleting the record restores the campaign at the next sync.

	Args:
		campaign: the document that was deleted or merged.
		reason: `Deleted` or `Merged`.
		merged_into: name of the Campaign that it was merged into.
	"""
	record = frappe.new_doc(DELETED_CAMPAIGN)
	record.update(
		{
			"campaign_name": campaign.campaign_name,
			"reason": reason,
			"merged_into": merged_into,
			ZOHO_CAMPAIGN_ID: campaign.zoho_campaign_id,
			ZOHO_CAMPAIGN_KEY: campaign.zoho_campaign_key,
		}
	)
	record.insert(ignore_permissions=True)


def deleted_keys() -> set[str]:
	"""Return the Zoho campaign keys of the campaigns that were deleted or merged here."""
	return set(frappe.get_all(DELETED_CAMPAIGN, pluck=ZOHO_CAMPAIGN_KEY))
