"""The key that identifies a campaign in the keys of its rows."""

import frappe

from erpnext_zoho_integration.store.fields import ZOHO_CAMPAIGN_KEY


def campaign_identity(campaign: str) -> str:
	"""Return the Zoho campaign key, or the name of a Campaign that a user created.

	The key stays the same when the document is renamed.

	Args:
		campaign: name of the Campaign.
	"""
	return frappe.db.get_value("Campaign", campaign, ZOHO_CAMPAIGN_KEY) or campaign
