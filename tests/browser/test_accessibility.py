"""Our pages for a screen reader, at phone width, in the dark, and from right to left."""

from __future__ import annotations

import pytest

import frappe

from tests.browser.pages import (
	SETTINGS,
	findings,
	make_contact,
	overflow,
	report,
	route,
	settled,
	spring_campaign,
	workspace,
)

# What is ours on a page. The sidebar, the bar above, fields, filters and the report's grid are the framework's.
OURS = {
	"workspace": ".widget.number-widget-box, .widget.quick-list-widget-box, .widget.links-widget-box",
	"settings": ".form-dashboard, .form-message, .zoho-copy",
	"run": ".form-dashboard",
	"campaign": ".form-dashboard",
	"contact": ".form-dashboard",
	"recipient": ".page-actions",
	"report": ".report-summary",
}
# A widget's own menu and the buttons that the framework puts on every form.
FRAMEWORK = ".widget-control, .standard-actions, .page-icon-group, .menu-btn-group"


@pytest.fixture
def addresses() -> dict[str, str]:
	contact = make_contact("a@x.test")
	campaign = spring_campaign()
	run = frappe.get_doc(
		{
			"doctype": "Zoho Sync Run",
			"status": "Partial",
			"message": "1 of 2.",
			"started_at": frappe.utils.now(),
		}
	)
	run.append("errors", {"severity": "Error", "campaign": campaign, "message": "Odd", "stage": "Report"})
	run.append("campaigns", {"campaign": campaign, "rows_inserted": 1})
	run.insert(ignore_permissions=True)
	recipient = frappe.db.get_value("Campaign Recipient", {"action_type": "Clicked"})
	frappe.db.commit()
	return {
		"workspace": workspace(),
		"settings": route(*SETTINGS),
		"run": route("Zoho Sync Run", run.name),
		"campaign": route("Campaign", campaign),
		"contact": route("Contact", contact),
		"recipient": route("Campaign Recipient", recipient),
		"report": f"{report('Campaign Performance')}?from_date=2026-01-01&to_date=2026-12-31",
	}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious_in_what_is_ours(desk, make_user, addresses, dark):
	user = make_user("System Manager", "Sales Manager")
	frappe.db.set_value("User", user, "desk_theme", "Dark" if dark else "Light")
	frappe.db.commit()
	frappe.clear_cache(user=user)
	page = desk(user)
	found = {}
	for where, address in addresses.items():
		page.goto(address)
		settled(page)
		page.locator(OURS[where]).locator("visible=true").first.wait_for()
		serious = findings(page, OURS[where], FRAMEWORK)
		if serious:
			found[where] = serious
	frappe.db.set_value("User", user, "desk_theme", "Light")
	frappe.db.commit()
	assert found == {}


def test_nothing_is_cut_off_on_a_phone(desk, make_user, addresses):
	page = desk(make_user("System Manager", "Sales Manager"), size="phone")
	cut = {}
	for where, address in addresses.items():
		page.goto(address)
		settled(page)
		beyond = overflow(page)
		if beyond:
			cut[where] = beyond
	assert cut == {}


def test_in_arabic_the_pages_run_from_right_to_left(desk, make_user, addresses):
	user = make_user("System Manager", "Sales Manager")
	frappe.db.set_value("User", user, "language", "ar")
	frappe.db.commit()
	frappe.clear_cache(user=user)
	page = desk(user)
	try:
		page.goto(addresses["campaign"])
		page.locator("[data-card=sent]").wait_for()
		settled(page)
		assert page.evaluate("document.documentElement.dir") == "rtl"
		sent, delivered = (
			page.locator(f"[data-card={card}]").bounding_box() for card in ("sent", "delivered")
		)
		assert sent["x"] > delivered["x"], "the first card is on the right"
		for where, address in addresses.items():
			page.goto(address)
			settled(page)
			assert overflow(page) == [], where
	finally:
		frappe.db.set_value("User", user, "language", None)
		frappe.db.commit()
