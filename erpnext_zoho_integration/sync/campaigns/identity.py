"""What stands for a campaign in the keys of its rows."""

import frappe


def campaign_identity(campaign: str) -> str:
	"""Return Zoho's campaign key, or the name of a Campaign that was made by hand.

	Zoho's key survives a rename of the document.

	Args:
		campaign: name of the Campaign.
	"""
	return frappe.db.get_value("Campaign", campaign, "zoho_campaign_key") or campaign
