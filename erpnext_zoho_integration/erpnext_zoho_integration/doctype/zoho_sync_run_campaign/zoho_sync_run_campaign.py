"""Zoho Sync Run Campaign: one campaign of a sync run, with what changed in it."""

from frappe.model.document import Document


class ZohoSyncRunCampaign(Document):
	"""Written by `sync.runs.campaign_log`."""
