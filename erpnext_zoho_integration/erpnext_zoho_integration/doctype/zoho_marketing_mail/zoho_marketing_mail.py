"""Zoho Marketing Mail: a DocType whose mails are marketing; a row of Zoho Settings."""

from frappe.model.document import Document


class ZohoMarketingMail(Document):
	"""Checked by Zoho Settings."""
