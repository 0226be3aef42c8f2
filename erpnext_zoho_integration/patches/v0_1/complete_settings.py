"""Complete the Zoho Settings of version 0.0.1: data centre, connection status, defaults of new settings."""

import frappe
from frappe.utils import cint

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection.settings import SETTINGS
from erpnext_zoho_integration.install import add_missing_settings


def execute() -> None:
	stored = frappe.db.get_singles_dict(SETTINGS)
	if not stored:
		return
	if not stored.get("data_center"):
		frappe.db.set_single_value(SETTINGS, "data_center", data_center_of(stored.get("api_domain")))
	if not stored.get("connection_status"):
		status = "Connected" if cint(stored.get("is_active")) else "Not Connected"
		frappe.db.set_single_value(SETTINGS, "connection_status", status)
	# A pasted code expires after minutes.
	frappe.db.set_single_value(SETTINGS, "code", None)
	add_missing_settings()


def data_center_of(api_domain: str | None) -> str:
	"""Return the code of the data centre with this API domain; India if there is none, because version 0.0.1 supported no other."""
	domain = (api_domain or "").strip().rstrip("/").lower()
	found = [code for code, center in zoho.DATA_CENTERS.items() if center.api_domain == domain]
	return found[0] if found else "in"
