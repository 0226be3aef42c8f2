"""Campaigns that somebody deleted or merged here, so that no sync brings them back."""

import frappe
from frappe.model.document import Document

from erpnext_zoho_integration.store.doctypes import DELETED_CAMPAIGN


def remember_deleted(campaign: Document, reason: str, merged_into: str | None = None) -> None:
	"""Record that a Zoho campaign is not wanted here; deleting the record restores it."""
	record = frappe.new_doc(DELETED_CAMPAIGN)
	record.update(
		{
			"campaign_name": campaign.campaign_name,
			"reason": reason,
			"merged_into": merged_into,
			"zoho_campaign_id": campaign.zoho_campaign_id,
			"zoho_campaign_key": campaign.zoho_campaign_key,
		}
	)
	record.insert(ignore_permissions=True)


def deleted_keys() -> set[str]:
	"""Return the keys of campaigns that were deleted or merged here."""
	return set(frappe.get_all(DELETED_CAMPAIGN, pluck="zoho_campaign_key"))
