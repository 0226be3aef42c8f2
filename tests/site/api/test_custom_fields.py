"""The fields on Campaign and Contact: declared once, stored as declared, in places that exist."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import frappe

import erpnext_zoho_integration
from erpnext_zoho_integration.erpnext_zoho_integration.api import custom_fields
from tests.site.connecting import API

FOLDER = Path(erpnext_zoho_integration.__file__).parent / "erpnext_zoho_integration" / "custom"
# Of the original description's data model.
EXPECTED = {
	"Campaign": {
		"zoho_campaign_id": "Data",
		"zoho_campaign_key": "Data",
		"zoho_subject": "Data",
		"zoho_from_email": "Data",
		"zoho_reply_to": "Data",
		"zoho_sent_time": "Datetime",
		"zoho_campaign_status": "Data",
		"zoho_campaign_type": "Data",
		"zoho_preview_url": "Small Text",
		"campaign_analytics": "Table",
		"last_synced": "Datetime",
	},
	"Contact": {"zoho_contact_id": "Data", "zoho_status": "Data", "zoho_last_synced": "Datetime"},
}


def declared(doctype: str) -> dict:
	return json.loads((FOLDER / f"{doctype.lower()}.json").read_text())


@pytest.mark.parametrize("doctype", ["Campaign", "Contact"])
def test_the_fields_of_the_description_are_there_and_read_only(site, doctype: str) -> None:
	meta = frappe.get_meta(doctype)
	for fieldname, fieldtype in EXPECTED[doctype].items():
		field = meta.get_field(fieldname)
		assert field.fieldtype == fieldtype and field.read_only, fieldname
	identity = meta.get_field("zoho_campaign_id" if doctype == "Campaign" else "zoho_contact_id")
	assert identity.unique
	if doctype == "Campaign":
		assert meta.get_field("campaign_analytics").options == "Campaign Analytics"


@pytest.mark.parametrize("doctype", ["Campaign", "Contact"])
def test_what_is_declared_is_what_is_stored(site, doctype: str) -> None:
	fields = declared(doctype)["custom_fields"]
	stored = frappe.get_all(
		"Custom Field", {"dt": doctype, "module": "ERPNext Zoho Integration"}, pluck="name"
	)
	assert sorted(stored) == sorted(field["name"] for field in fields)
	ignored = {"doctype", "creation", "modified", "owner", "modified_by", "idx"}
	for field in fields:
		document = frappe.get_doc("Custom Field", field["name"])
		for key in field.keys() - ignored:
			assert (document.get(key) or None) == (field[key] or None), (field["name"], key)
		assert not field.get("custom_perms")


@pytest.mark.parametrize("doctype", ["Campaign", "Contact"])
def test_the_function_for_patches_declares_the_same(site, doctype: str) -> None:
	given = {field["fieldname"]: field for field in custom_fields.get_custom_fields()[doctype]}
	fields = declared(doctype)["custom_fields"]
	assert list(given) == [field["fieldname"] for field in fields]
	for field in fields:
		assert given[field["fieldname"]].items() <= field.items()
	assert set(custom_fields.get_custom_fields()) == {"Campaign", "Contact"}


@pytest.mark.parametrize("doctype", ["Campaign", "Contact"])
def test_every_field_stands_behind_one_that_exists(site, doctype: str) -> None:
	names = [field.fieldname for field in frappe.get_meta(doctype).fields]
	for field in declared(doctype)["custom_fields"]:
		assert field["insert_after"] in names, field["fieldname"]
		# On the form too, and not at its end because nothing was found to put it behind.
		assert names.index(field["fieldname"]) == names.index(field["insert_after"]) + 1, field["fieldname"]


@pytest.mark.parametrize("doctype", ["Campaign", "Contact"])
def test_the_files_are_what_frappe_applies_on_migrate(doctype: str) -> None:
	declaration = declared(doctype)
	assert declaration["doctype"] == doctype and declaration["sync_on_migrate"] == 1
	assert {field["dt"] for field in declaration["custom_fields"]} == {doctype}
	assert {field["module"] for field in declaration["custom_fields"]} == {"ERPNext Zoho Integration"}
	assert not declaration["custom_perms"] and not declaration["property_setters"]


def test_what_lists_and_reports_look_for_is_indexed(site) -> None:
	for doctype, column in (
		("Campaign", "zoho_campaign_key"),
		("Campaign", "zoho_sent_time"),
		("Contact", "zoho_contact_id"),
		("Campaign Recipient", "contact"),
		("Campaign Recipient", "email"),
		("Campaign Recipient", "zoho_contact_id"),
		("Campaign Recipient", "row_key"),
		("Campaign Recipient", "campaign"),
	):
		assert column in first_columns_of_indexes(doctype), (doctype, column)


def first_columns_of_indexes(doctype: str) -> set[str]:
	"""Return the columns by which an index of the table begins."""
	if frappe.db.db_type == "mariadb":
		indexes = frappe.db.sql(f"show index from `tab{doctype}`", as_dict=True)
		return {index.Column_name for index in indexes if index.Seq_in_index == 1}
	names = [row[1] for row in frappe.db.sql(f"pragma index_list(`tab{doctype}`)")]
	return {frappe.db.sql(f"pragma index_info(`{name}`)")[0][2] for name in names}


def test_deleting_the_fields_and_making_them_again(site) -> None:
	before = {each: frappe.get_meta(each).get_valid_columns() for each in ("Campaign", "Contact")}
	custom_fields.delete_custom_fields()
	assert not frappe.db.count("Custom Field", {"module": "ERPNext Zoho Integration"})
	assert not frappe.get_meta("Campaign").has_field("zoho_campaign_key")
	assert frappe.db.has_column("Campaign", "zoho_campaign_key")  # with what it holds
	custom_fields.create_custom_fields()
	after = {each: frappe.get_meta(each).get_valid_columns() for each in ("Campaign", "Contact")}
	assert {each: sorted(columns) for each, columns in after.items()} == {
		each: sorted(columns) for each, columns in before.items()
	}
	test_what_is_declared_is_what_is_stored(site, "Campaign")


def test_nothing_of_it_can_be_called_over_http(site) -> None:
	for name in ("get_custom_fields", "create_custom_fields", "delete_custom_fields"):
		assert frappe.get_attr(f"{API}.custom_fields.{name}") not in frappe.whitelisted
