"""Zoho Notified User: one of those who hear of trouble with Zoho; a row of Zoho Settings."""

from frappe.model.document import Document


class ZohoNotifiedUser(Document):
	"""A row of the field Notify."""
