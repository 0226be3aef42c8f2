"""Campaign Analytics: one figure of a campaign, as Zoho counts it."""

from frappe.model.document import Document


class CampaignAnalytics(Document):
	"""A row of the Campaign's table: a metric with its value, its percentage, or both."""
