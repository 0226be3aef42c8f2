"""Roles and settings that ERPNext's installation and setup wizard create and this project relies on."""

import frappe


def after_install() -> None:
	"""Create the roles that belong to no DocType, and name Campaigns and Customers like a fresh ERPNext."""
	for role, desk_access in (("Customer", 0), ("Supplier", 0)):
		if not frappe.db.exists("Role", role):
			frappe.get_doc({"doctype": "Role", "role_name": role, "desk_access": desk_access}).insert()
	settings = frappe.get_doc("CRM Settings")
	settings.campaign_naming_by = "Campaign Name"
	settings.save()
	frappe.db.set_default("cust_master_name", "Customer Name")
