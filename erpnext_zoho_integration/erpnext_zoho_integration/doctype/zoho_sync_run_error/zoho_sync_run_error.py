"""Zoho Sync Run Error: an error or a note of a sync run, with its campaign and how often it occurred."""

from frappe.model.document import Document


class ZohoSyncRunError(Document):
	"""Written by `sync.runs.campaign_log`."""
