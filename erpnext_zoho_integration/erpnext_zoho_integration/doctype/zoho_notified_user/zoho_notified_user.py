"""Zoho Notified User: a user who is notified about problems; a row of Zoho Settings."""

from frappe.model.document import Document


class ZohoNotifiedUser(Document):
	"""A row of the field Notify."""
