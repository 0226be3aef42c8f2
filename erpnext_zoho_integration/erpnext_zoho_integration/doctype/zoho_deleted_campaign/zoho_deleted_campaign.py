"""Zoho Deleted Campaign: a campaign that was deleted or merged here, so that no sync brings it back."""

from frappe.model.document import Document


class ZohoDeletedCampaign(Document):
	"""Deleting this record restores the campaign at the next sync."""
