"""The smoke suite inside the package, which `bench run-tests` runs, also runs here, and it leaves nothing behind."""

from __future__ import annotations

import frappe

from erpnext_zoho_integration.tests.test_smoke import (  # noqa: F401 - collected here
	EMAIL,
	TestInstallation,
	TestPermissions,
	TestRecipients,
)


def test_the_smoke_suite_has_left_nothing() -> None:
	frappe.db.rollback()
	assert frappe.session.user == "Administrator"
	assert not frappe.db.exists("Contact Email", {"email_id": EMAIL})
	assert not frappe.db.exists("Campaign", {"campaign_name": "Zoho smoke test"})
