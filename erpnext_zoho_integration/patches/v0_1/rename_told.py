"""Rename the field of Zoho Settings that holds the problems people were notified about."""

from frappe.model.utils.rename_field import rename_field

from erpnext_zoho_integration.store.doctypes import SETTINGS


def execute() -> None:
	rename_field(SETTINGS, "told", "notified_problems")
