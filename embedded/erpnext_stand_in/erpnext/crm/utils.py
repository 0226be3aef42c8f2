"""ERPNext's listener to Contact."""

import frappe
from frappe.model.document import Document


def update_lead_phone_numbers(contact: Document, method: str | None = None) -> None:
	"""Write a Contact's primary phone numbers to its Lead; the first number replaces a missing one."""
	lead = contact.get_link_for("Lead")
	if not lead or not contact.phone_nos:
		return
	first = contact.phone_nos[0].phone
	phone = next((row.phone for row in contact.phone_nos if row.is_primary_phone), first)
	mobile = next((row.phone for row in contact.phone_nos if row.is_primary_mobile_no), first)
	frappe.get_doc("Lead", lead).db_set({"phone": phone, "mobile_no": mobile})
