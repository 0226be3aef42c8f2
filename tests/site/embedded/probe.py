"""A DocType for the tests of the framework; `conftest.py` creates it."""

from __future__ import annotations

import frappe

PROBE, CHILD = "Zoho Test Probe", "Zoho Test Probe Row"
AWKWARD = "50% of 'quoted', \"double\", back\\slash, `tick`, ?, :name, %s, %(x)s, ü ß 😀 – end "


def new(**values: object) -> frappe.model.document.Document:
	return frappe.get_doc({"doctype": PROBE, **values}).insert()


def drop_probe() -> None:
	for name in (PROBE, CHILD):
		frappe.delete_doc("DocType", name, force=True, ignore_missing=True)
		frappe.db.commit()
		frappe.db.sql_ddl(f"drop table if exists `tab{name}`")
