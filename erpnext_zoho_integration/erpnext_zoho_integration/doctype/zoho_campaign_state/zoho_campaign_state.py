"""Zoho Campaign State: what the last sync of a campaign saw, its cursor, and whether rows and counters agree."""

from frappe.model.document import Document


class ZohoCampaignState(Document):
	"""Written by `sync.campaigns.sync_state`, which names the exceptions."""
