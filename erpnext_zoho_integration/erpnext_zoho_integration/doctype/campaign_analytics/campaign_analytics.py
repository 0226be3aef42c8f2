"""Campaign Analytics: one metric of a campaign, as Zoho counts it; a row of the Campaign's table."""

from frappe.model.document import Document


class CampaignAnalytics(Document):
	"""A metric with its value, its percentage, or both. Written by `sync` only."""
