"""Zoho Campaign State: what is known of a campaign at Zoho, how far its sync is, and whether the figures agree."""

from frappe.model.document import Document


class ZohoCampaignState(Document):
	"""Written by `sync.state` only."""
