"""What the Desk is given: figures and the people behind them, progress, overview; and to whom."""

from __future__ import annotations

import json
import time

import pytest

import frappe
from frappe.desk.form.load import run_onload

from erpnext_zoho_integration.erpnext_zoho_integration.desk import campaign as desk_campaign
from erpnext_zoho_integration.erpnext_zoho_integration.desk import settings, sync_progress
from erpnext_zoho_integration.sync.runs import run_log

DESK = "erpnext_zoho_integration.erpnext_zoho_integration.desk"


def make_campaign(name: str = "Spring offer", **metrics: int):
	"""Insert a synced Campaign with these figures, given by Zoho's metric with `_` for a space."""
	campaign = frappe.get_doc(
		{
			"doctype": "Campaign",
			"campaign_name": name,
			"zoho_campaign_key": frappe.generate_hash(length=20),
			"zoho_sent_time": "2026-03-01 10:00:00",
		}
	)
	for metric, value in metrics.items():
		campaign.append("campaign_analytics", {"metric": metric.replace("_", " "), "value": str(value)})
	return campaign.insert(ignore_permissions=True)


def make_recipient(campaign: str, email: str, action_type: str, **values: object):
	return frappe.get_doc(
		{
			"doctype": "Campaign Recipient",
			"campaign": campaign,
			"email": email,
			"action_type": action_type,
			**values,
		}
	).insert(ignore_permissions=True)


def figures(**changed: int) -> dict[str, int]:
	return {
		"Emails_Sent": 4,
		"Delivered": 3,
		"Opens": 2,
		"Unique_Clicks": 1,
		"Bounces": 1,
		"Unsubscribes": 1,
		"Complaints": 0,
		**changed,
	}


def test_each_card_shows_zoho_s_figure_and_opens_exactly_the_people_it_counts():
	campaign = make_campaign(**figures())
	other = make_campaign("Another")
	for email in ("a@x.test", "b@x.test", "c@x.test", "d@x.test"):
		make_recipient(campaign.name, email, "Sent")
	make_recipient(campaign.name, "a@x.test", "Opened")
	make_recipient(campaign.name, "b@x.test", "Opened")
	make_recipient(campaign.name, "a@x.test", "Clicked")
	make_recipient(campaign.name, "d@x.test", "Hard Bounced")
	make_recipient(campaign.name, "b@x.test", "Unsubscribed")
	make_recipient(other.name, "e@x.test", "Opened")

	cards = {card["key"]: card for card in desk_campaign.cards(frappe.get_doc("Campaign", campaign.name))}

	shown = {key: (card["value"], card["rate"]) for key, card in cards.items()}
	assert shown == {
		"sent": (4, None),
		"delivered": (3, 75.0),
		"opens": (2, 66.7),
		"clicks": (1, 33.3),
		"bounces": (1, 25.0),
		"unsubscribes": (1, 33.3),
		"complaints": (0, 0.0),
	}
	for key, card in cards.items():
		found = frappe.get_list("Campaign Recipient", filters=card["filters"], limit_page_length=0)
		assert len(found) == card["value"], key


@pytest.mark.parametrize("card", ["sent", "delivered", "opens", "clicks"])
def test_a_card_s_list_begins_without_reading_all_its_people(card):
	"""One index finds them in the list's order, and holds all that they are counted by."""
	campaign = make_campaign(**figures()).name
	for number in range(20):
		for action in ("Sent", "Opened", "Clicked"):
			make_recipient(campaign, f"{number}@x.test", action)
	filters, meta = desk_campaign.filters_of(campaign, card), frappe.get_meta("Campaign Recipient")
	order = f"{meta.sort_field} {meta.sort_order}, name {meta.sort_order}"  # as version 16 asks
	page = plan_of(filters, fields=["name", "email"], order_by=order, limit=20)
	assert "campaign_people" in page
	assert "filesort" not in page and "FOR ORDER BY" not in page
	count = plan_of(filters, fields=["name"], limit=1001)
	assert frappe.db.db_type != "mariadb" or "Using index" in count


def plan_of(filters: dict, **query: object) -> str:
	"""Return how the database would find recipients."""
	query = frappe.get_list("Campaign Recipient", filters=filters, run=False, **query)
	explain = "EXPLAIN" if frappe.db.db_type == "mariadb" else "EXPLAIN QUERY PLAN"
	return str(frappe.db.sql(f"{explain} {query}"))


def test_the_form_of_a_campaign_not_from_zoho_is_left_alone():
	campaign = frappe.get_doc({"doctype": "Campaign", "campaign_name": "Trade fair"}).insert()
	run_onload(campaign)
	assert "zoho" not in (campaign.get("__onload") or {})


def test_the_figures_come_with_the_document_itself(web, make_user):
	campaign = make_campaign(**figures())
	frappe.db.commit()
	answer = web.session(make_user("Sales User")).get(
		"/api/method/frappe.desk.form.load.getdoc", params={"doctype": "Campaign", "name": campaign.name}
	)
	onload = answer.json()["docs"][0]["__onload"]["zoho"]
	assert [card["value"] for card in onload["cards"]] == [4, 3, 2, 1, 1, 1, 0]


def start_run(campaign: str | None = None, **values: object) -> str:
	run = frappe.get_doc(
		{
			"doctype": "Zoho Sync Run",
			"status": "Running",
			"trigger": "User",
			"user": frappe.session.user,
			"campaign": campaign,
			"active_key": f"campaign:{campaign}" if campaign else "all",
			"started_at": frappe.utils.add_to_date(None, seconds=-30, as_datetime=True),
			"started_epoch": time.time() - 30,
			**values,
		}
	)
	return run.insert(ignore_permissions=True).name


def test_progress_is_the_share_of_campaigns_with_an_estimate_of_the_rest():
	run = start_run(total_campaigns=4, synced_campaigns=2, failed_campaigns=1)
	progress = sync_progress.get_progress(run)
	assert (progress["percent"], progress["active"], progress["may_cancel"]) == (75.0, True, True)
	assert 9 <= progress["seconds_left"] <= 15
	assert sync_progress.get_active_run() == run


def test_progress_of_one_campaign_is_the_share_of_the_recipients_that_zoho_announces():
	campaign = make_campaign(**figures())
	run = start_run(campaign.name, rows_inserted=3, rows_unchanged=1)
	assert round(sync_progress.get_progress(run)["percent"]) == round(100 * 4 / 9)
	assert sync_progress.active_run(campaign.name) == run
	assert sync_progress.get_active_run() is None


@pytest.fixture
def commas():
	"""A site that writes 1,200, wherever it is."""
	before = frappe.db.get_default("number_format")
	frappe.db.set_default("number_format", "#,###.##")
	yield
	frappe.db.set_default("number_format", before)
	frappe.db.commit()


def test_progress_counts_in_thousands_as_the_site_writes_them(commas):
	run = start_run(total_campaigns=4000, synced_campaigns=1200, rows_inserted=1234567)
	assert sync_progress.get_progress(run)["text"] == "1,200 of 4,000 campaigns, 1,234,567 recipients checked"


def test_the_summary_of_a_run_counts_in_thousands_too(commas):
	numbers = dict.fromkeys(("rows_updated", "rows_unchanged"), 0)
	summary = run_log._summary({**numbers, "synced_campaigns": 1200, "rows_inserted": 20207}, 1200)
	assert summary == "1,200 of 1,200 campaigns synced: 20,207 new, 0 changed and 0 unchanged recipients."


def test_a_large_campaign_is_forecast_from_zoho_s_counters_and_a_small_one_is_not():
	small = make_campaign("Small", **figures())
	large = make_campaign("Large", **figures(Emails_Sent=900_000, Delivered=890_000, Opens=300_000))
	found = {}
	for name in (small.name, large.name):
		campaign = frappe.get_doc("Campaign", name)
		run_onload(campaign)
		found[name] = campaign.get("__onload")["zoho"]["forecast"]
	assert found[small.name] is None
	# 1,200,003 rows, a thousand a call; 400 calls in five minutes, so 15 minutes of waiting and 10 of writing.
	assert found[large.name] == {"calls": 1201, "rows": 1_200_003, "minutes": 26}


def test_a_run_that_has_ended_says_how():
	run = start_run(status="Partial", active_key=None, message="11 of 12 campaigns synced.")
	progress = sync_progress.get_progress(run)
	assert (progress["active"], progress["status"], progress["message"]) == (
		False,
		"Partial",
		"11 of 12 campaigns synced.",
	)


def test_overview_tells_the_settings_form_where_the_connection_stands():
	frappe.db.set_single_value(
		"Zoho Settings",
		{"is_active": 1, "enable_schedule": 1, "data_center": "eu", "connected_by": "Administrator"},
	)
	ended = start_run(status="Success", active_key=None, message="All good.")
	running = start_run()
	overview = settings.get_overview()
	assert overview["data_center"] == "Europe"
	assert overview["connected_by"] == "Administrator"
	assert {"value": "in", "label": "India (zoho.in)"} in overview["data_centers"]
	assert (overview["last_run"]["name"], overview["active_run"]) == (ended, running)
	assert overview["next_sync"] > frappe.utils.get_datetime("2020-01-01")
	frappe.db.set_single_value("Zoho Settings", "enable_schedule", 0)
	assert settings.get_overview()["next_sync"] is None


@pytest.mark.parametrize(
	("roles", "allowed"),
	[
		((), set()),
		(("Sales User",), {"insights"}),
		(("Sales Manager",), {"insights", "progress"}),
		(("System Manager",), {"insights", "progress", "overview"}),
	],
)
def test_who_may_ask_what(web, make_user, roles, allowed):
	campaign = make_campaign(**figures())
	run = start_run()
	frappe.db.commit()
	session = web.session(make_user(*roles))
	calls = {
		"insights": (f"{DESK}.campaign.get_insights", {"campaign": campaign.name}),
		"progress": (f"{DESK}.sync_progress.get_progress", {"run": run}),
		"overview": (f"{DESK}.settings.get_overview", {}),
	}
	answered = {
		name
		for name, (method, params) in calls.items()
		if session.get(f"/api/method/{method}", params=params).status_code == 200
	}
	assert answered == allowed


def test_a_user_restricted_to_other_campaigns_gets_no_figures(web, make_user):
	mine, theirs = make_campaign("Mine", **figures()), make_campaign("Theirs", **figures())
	user = make_user("Sales User")
	frappe.get_doc(
		{"doctype": "User Permission", "user": user, "allow": "Campaign", "for_value": mine.name}
	).insert()
	frappe.db.commit()
	session = web.session(user)
	statuses = [
		session.get(f"/api/method/{DESK}.campaign.get_insights", params={"campaign": name}).status_code
		for name in (mine.name, theirs.name)
	]
	assert statuses == [200, 403]


def test_the_starter_of_a_run_may_follow_it_without_reading_runs(web, make_user):
	user = make_user("Sales User")
	run = start_run(user=user)
	frappe.db.commit()
	answer = web.session(user).get(f"/api/method/{DESK}.sync_progress.get_progress", params={"run": run})
	progress = answer.json()["message"]
	assert (progress["active"], progress["may_cancel"], progress["may_open"]) == (True, False, False)


def test_links_filters_survive_their_way_through_the_address_bar():
	"""The form puts each filter as JSON into the query string; quotes and brackets in names must come back."""
	campaign = make_campaign('["50 %" & more]')
	filters = desk_campaign.filters_of(campaign.name, "delivered")
	assert json.loads(json.dumps(filters)) == filters
	make_recipient(campaign.name, "a@x.test", "Sent")
	assert len(frappe.get_list("Campaign Recipient", filters=filters)) == 1
