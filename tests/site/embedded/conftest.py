"""`probe`: a DocType with a field of each kind; `empty_probe`: its tables are emptied after each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import frappe

from tests.site.embedded.probe import CHILD, PROBE, drop_probe
from tests.site.server import TestSite


@pytest.fixture(scope="session")
def probe(site: TestSite) -> Iterator[None]:
	"""A DocType with a field of each kind, and a child table."""
	kinds = ["Data", "Int", "Float", "Check", "Date", "Datetime", "Time", "Text", "Small Text", "Password"]
	fields = [
		{"fieldname": kind.lower().replace(" ", "_"), "fieldtype": kind, "label": kind} for kind in kinds
	]
	fields += [
		{"fieldname": "short", "fieldtype": "Data", "label": "Short", "length": 64},
		{"fieldname": "code", "fieldtype": "Data", "label": "Code", "unique": 1},
		{"fieldname": "indexed", "fieldtype": "Data", "label": "Indexed", "search_index": 1},
		{"fieldname": "probe", "fieldtype": "Link", "options": PROBE, "label": "Probe"},
		{"fieldname": "campaign", "fieldtype": "Link", "options": "Campaign", "label": "Campaign"},
		{"fieldname": "rows", "fieldtype": "Table", "options": CHILD, "label": "Rows"},
	]
	row = [{"fieldname": "value", "fieldtype": "Data", "label": "Value"}]
	permission = {
		"role": "Sales User",
		"read": 1,
		"report": 1,
		"write": 0,
		"create": 0,
		"delete": 0,
		"share": 0,
	}
	drop_probe()
	for name, more in (
		(CHILD, {"istable": 1, "fields": row}),
		(PROBE, {"fields": fields, "permissions": [permission]}),
	):
		frappe.get_doc(
			{"doctype": "DocType", "name": name, "module": "Custom", "custom": 1, "autoname": "hash", **more}
		).insert()
	frappe.db.commit()
	yield
	frappe.db.rollback()
	drop_probe()


@pytest.fixture
def empty_probe(probe: None, clean_slate: None) -> Iterator[None]:
	yield
	frappe.db.rollback()
	frappe.db.delete(PROBE)
	frappe.db.delete(CHILD)
	frappe.db.commit()
