"""The workspace: all that it names exists, and its numbers are those of the reports."""

from __future__ import annotations

import json

import pytest

import frappe

from erpnext_zoho_integration import onboarding
from erpnext_zoho_integration.erpnext_zoho_integration.dashboard_chart_source.people_who_clicked_per_week import (
	people_who_clicked_per_week as clicks_per_week,
)
from erpnext_zoho_integration.erpnext_zoho_integration.desk import number_cards as cards
from tests.site import connecting
from tests.site.desk.test_desk import DESK, figures, make_campaign, make_recipient
from tests.site.syncing import sync_all

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


def test_numbers_are_given_so_that_frappe_separates_their_thousands():
	recent("Now", 1, **figures(Emails_Sent=8357))
	card = cards.emails_sent()
	assert (card["value"], card["fieldtype"], card["precision"]) == (8357, "Float", 1)


def test_a_card_says_whether_the_site_is_connected():
	for status in ("Connected", "Needs Attention", "Not Connected"):
		frappe.db.set_single_value("Zoho Settings", "connection_status", status)
		assert cards.connection() == status
	frappe.db.set_single_value("Zoho Settings", "connection_status", None)
	assert cards.connection() == "Not Connected"


def test_a_card_counts_the_syncs_of_a_week_that_went_wrong_and_opens_them():
	for status, days in (("Failed", 1), ("Partial", 6), ("Success", 1), ("Failed", 9)):
		run = frappe.get_doc({"doctype": "Zoho Sync Run", "status": status}).insert(ignore_permissions=True)
		moment = frappe.utils.add_days(frappe.utils.now(), -days)
		frappe.db.set_value("Zoho Sync Run", run.name, "creation", moment)
	card = cards.sync_problems()
	assert card["value"] == 2
	assert frappe.db.count(card["route"][1], card["route_options"]) == 2


def test_only_who_may_read_runs_is_led_to_them(make_user):
	routes = {}
	for role in ("Sales User", "Sales Manager"):
		frappe.set_user(make_user(role))
		routes[role] = cards.sync_problems().get("route")
	assert routes == {"Sales User": None, "Sales Manager": ["List", "Zoho Sync Run"]}


def test_the_chart_of_a_quarter_counts_who_clicked_week_by_week(make_user):
	assert clicks_per_week.get() == {}
	today = frappe.utils.nowdate()
	mine, theirs = recent("Mine", 1), recent("Theirs", 1)
	for days, campaign in ((0, mine), (0, theirs), (14, mine), (91, mine)):
		email, day = f"d{days}@x.test", frappe.utils.add_days(today, -days)
		make_recipient(campaign, email, "Clicked", action_date=f"{day} 00:00:00")
	make_recipient(mine, "opened@x.test", "Opened", action_date=f"{today} 00:00:00")
	chart = clicks_per_week.get(chart_name="People Who Clicked per Week")
	assert len(chart["labels"]) == len(set(chart["labels"])) == 13
	(people,) = (dataset["values"] for dataset in chart["datasets"])
	assert (people[-1], people[-3], sum(people)) == (2, 1, 3)

	user = make_user("Sales User")
	frappe.get_doc(
		{"doctype": "User Permission", "user": user, "allow": "Campaign", "for_value": mine}
	).insert()
	frappe.set_user(user)
	assert clicks_per_week.get()["datasets"][0]["values"][-1] == 1


def test_no_filter_of_the_workspace_needs_a_time_span_that_version_15_lacks():
	"""Version 15 knows no "last 7 days", and finds nothing then; later ones drop the last filter of those of five parts."""
	workspace = frappe.get_doc("Workspace", WORKSPACE)
	filters = [row.quick_list_filter for row in workspace.quick_lists]
	filters += [row.stats_filter for row in workspace.shortcuts if row.stats_filter]
	assert len(filters) == 4
	assert not [text for text in filters if "timespan" in text.lower() or "false" in text]


@pytest.mark.parametrize(("roles", "status"), [((), 403), (("Sales User",), 200), (("System Manager",), 200)])
def test_cards_are_for_those_who_may_read_recipients(web, make_user, roles, status):
	session = web.session(make_user(*roles))
	assert session.get(f"/api/method/{DESK}.number_cards.open_rate").status_code == status


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


@pytest.fixture
def steps():
	"""The names of the onboarding's steps, of which none has been done; afterwards they are as they were."""
	names = frappe.get_all("Onboarding Step Map", {"parent": WORKSPACE}, pluck="step", order_by="idx")
	before = {name: frappe.db.get_value("Onboarding Step", name, "is_complete") for name in names}
	frappe.db.set_value("Onboarding Step", {"name": ("in", names)}, "is_complete", 0)
	frappe.db.commit()
	yield names
	for name, complete in before.items():
		frappe.db.set_value("Onboarding Step", name, "is_complete", complete)
	frappe.db.commit()


def test_a_step_of_the_onboarding_is_ticked_off_by_whoever_has_done_it(steps, simulator):
	def done() -> list[str]:
		return [name for name in steps if frappe.db.get_value("Onboarding Step", name, "is_complete")]

	connecting.enter_client()
	assert done() == []
	connecting.connect(simulator)
	assert done() == [onboarding.CONNECT]
	simulator.plan({"fault": "html", "endpoint": "recentcampaigns"})
	sync_all()
	assert done() == [onboarding.CONNECT]
	simulator.plan()
	sync_all()
	assert done() == [onboarding.CONNECT, onboarding.SYNC]
