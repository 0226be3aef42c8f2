"""The workspace: all that it names exists, and its numbers are those of the reports."""

from __future__ import annotations

import json

import pytest

import frappe

from erpnext_zoho_integration.erpnext_zoho_integration.desk import cards
from tests.site.test_desk import DESK, figures, make_campaign

WORKSPACE = "Zoho Campaigns"


def recent(name: str, days: int, **metrics: int) -> str:
	campaign = make_campaign(name, **metrics)
	sent = frappe.utils.add_days(frappe.utils.nowdate(), -days)
	frappe.db.set_value("Campaign", campaign.name, "zoho_sent_time", f"{sent} 10:00:00")
	return campaign.name


def test_cards_add_up_the_campaigns_of_the_last_ninety_days():
	recent("Now", 1, **figures())
	recent("Before", 89, **figures(Emails_Sent=10, Delivered=7, Opens=3, Unique_Clicks=0, Complaints=2))
	recent("Long ago", 120, **figures())
	assert cards.emails_sent()["value"] == 14
	assert cards.open_rate()["value"] == 50.0
	assert cards.click_rate()["value"] == 10.0
	assert cards.opt_outs()["value"] == 4


def test_a_card_tells_how_long_no_sync_has_succeeded():
	def ended(status: str, hours: int, **values: object) -> None:
		moment = frappe.utils.add_to_date(frappe.utils.now_datetime(), hours=-hours, minutes=-5)
		run = {"doctype": "Zoho Sync Run", "status": status, "finished_at": moment, **values}
		frappe.get_doc(run).insert(ignore_permissions=True)

	frappe.db.set_single_value("Zoho Settings", "connected_on", None)
	assert cards.hours_since_sync()["value"] == 0
	ended("Success", 7)
	ended("Failed", 2)
	ended("Success", 1, campaign=make_campaign().name)
	assert cards.hours_since_sync()["value"] == 7


def test_a_card_opens_the_report_that_its_number_is_from():
	from erpnext_zoho_integration.erpnext_zoho_integration.report.campaign_performance.campaign_performance import (
		execute,
	)

	recent("Now", 1, **figures())
	recent("Long ago", 120, **figures())
	card = cards.emails_sent()
	assert card["route"] == ["query-report", "Campaign Performance"]
	assert [row["sent"] for row in execute(card["route_options"])[1]] == [card["value"]]


@pytest.mark.parametrize(("roles", "status"), [((), 403), (("Sales User",), 200), (("System Manager",), 200)])
def test_cards_are_for_those_who_may_read_recipients(web, make_user, roles, status):
	session = web.session(make_user(*roles))
	assert session.get(f"/api/method/{DESK}.cards.open_rate").status_code == status


def test_everything_that_the_workspace_names_exists():
	workspace = frappe.get_doc("Workspace", WORKSPACE)
	for row in workspace.links:
		if row.type == "Link":
			assert frappe.db.exists(row.link_type, row.link_to), row.link_to
	for row in workspace.shortcuts:
		assert frappe.db.exists(row.type, row.link_to), row.link_to
	for row in workspace.quick_lists:
		assert frappe.db.exists("DocType", row.document_type)
	charts = {row.chart_name for row in workspace.charts}
	numbers = {row.number_card_name for row in workspace.number_cards}
	assert all(frappe.db.exists("Dashboard Chart", chart) for chart in charts)
	assert all(frappe.db.exists("Number Card", number) for number in numbers)
	blocks = json.loads(workspace.content)
	named = {
		"chart": ("chart_name", charts),
		"number_card": ("number_card_name", numbers),
		"shortcut": ("shortcut_name", {row.label for row in workspace.shortcuts}),
		"quick_list": ("quick_list_name", {row.label for row in workspace.quick_lists}),
		"card": ("card_name", {row.label for row in workspace.links if row.type == "Card Break"}),
		"onboarding": ("onboarding_name", set(frappe.get_all("Module Onboarding", pluck="name"))),
	}
	for block in blocks:
		if block["type"] in named:
			key, known = named[block["type"]]
			assert block["data"][key] in known
	assert len({block["id"] for block in blocks}) == len(blocks)


def test_every_number_card_s_method_can_be_called():
	for method in frappe.get_all(
		"Number Card", {"module": "ERPNext Zoho Integration", "type": "Custom"}, pluck="method"
	):
		assert frappe.get_attr(method) in frappe.whitelisted


def test_the_steps_of_the_onboarding_exist():
	steps = frappe.get_doc("Module Onboarding", WORKSPACE).steps
	assert len(steps) == 3
	assert all(frappe.db.exists("Onboarding Step", step.step) for step in steps)
