"""Apps, hooks and customisations of the framework that the app relies on, on the embedded site and on any bench.

If one fails on the embedded site only, its copy of the framework needs an edit (embedded/framework/source_edits.py).
"""

from __future__ import annotations

import pytest

import frappe
from frappe.custom.doctype.custom_field.custom_field import create_custom_fields

from tests.site.embedded.probe import PROBE, new
from tests.site.server import TestSite

pytestmark = pytest.mark.usefixtures("empty_probe")


def test_apps_are_installed_in_the_order_they_need(site: TestSite) -> None:
	installed = frappe.get_installed_apps()
	assert installed[0] == "frappe"
	assert installed.index("erpnext") < installed.index("erpnext_zoho_integration")


def test_hooks_of_all_apps_are_merged_and_can_be_told_apart(site: TestSite) -> None:
	assert {"frappe", "erpnext", "erpnext_zoho_integration"} <= set(frappe.get_hooks("app_name"))
	assert frappe.get_hooks("app_name", app_name="erpnext") == ["erpnext"]


def test_our_doctypes_belong_to_our_module_and_app(site: TestSite) -> None:
	module = frappe.db.get_value("DocType", "Zoho Settings", "module")
	assert frappe.db.get_value("Module Def", module, "app_name") == "erpnext_zoho_integration"
	assert frappe.get_meta("Zoho Settings").issingle


def test_customisations_shipped_with_the_app_are_there(site: TestSite) -> None:
	fields = frappe.get_all(
		"Custom Field", {"dt": "Campaign", "module": "ERPNext Zoho Integration"}, pluck="fieldname"
	)
	assert fields
	stored = [
		field
		for field in fields
		if frappe.get_meta("Campaign").get_field(field).fieldtype in ("Data", "Datetime")
	]
	assert stored and all(frappe.db.has_column("Campaign", field) for field in stored)


def test_a_custom_field_gets_a_column_with_its_default_and_goes_again(site: TestSite) -> None:
	first = new(data="before")
	create_custom_fields(
		{PROBE: [{"fieldname": "extra", "fieldtype": "Int", "label": "Extra", "default": "7"}]}
	)
	try:
		assert frappe.db.get_value(PROBE, first.name, "extra") == 7
		frappe.local.new_doc_templates = {}  # as in a new request
		assert new().extra == 7
	finally:
		frappe.delete_doc("Custom Field", f"{PROBE}-extra")
		frappe.clear_cache(doctype=PROBE)
	assert not frappe.get_meta(PROBE).has_field("extra")


def test_a_listener_in_hooks_hears_of_documents(site: TestSite) -> None:
	# ERPNext copies a Contact's numbers to the Lead it is linked to.
	lead = frappe.get_doc({"doctype": "Lead", "lead_name": "Ada Lovelace"}).insert()
	contact = frappe.get_doc({"doctype": "Contact", "first_name": "Ada"})
	contact.append("links", {"link_doctype": "Lead", "link_name": lead.name})
	contact.append("phone_nos", {"phone": "+1 555 0100", "is_primary_phone": 1})
	contact.insert()
	assert frappe.db.get_value("Lead", lead.name, "phone") == "+1 555 0100"
