"""Zoho Sync Interval: how often campaigns up to an age are checked."""

from frappe.model.document import Document


class ZohoSyncInterval(Document):
	"""A row of Zoho Settings, see `sync.planning.check_intervals`."""
