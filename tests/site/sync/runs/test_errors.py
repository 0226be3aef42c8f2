"""What goes wrong is told, and costs nothing but itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import frappe

from erpnext_zoho_integration.connection.errors import NotConnected
from erpnext_zoho_integration.erpnext_zoho_integration.api.sync import (
	sync_all_campaigns,
	sync_campaign_by_name,
)
from erpnext_zoho_integration.zoho import Transport
from tests.site.syncing import (
	STORED_ACTIONS,
	assert_database_is,
	body_of,
	campaign_named,
	connect,
	errors_of,
	notes_of,
	person,
	rows_of,
	sync_all,
)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
	"""Ask again at once where the client would wait some seconds."""
	monkeypatch.setitem(Transport.__init__.__kwdefaults__, "sleep", lambda seconds: None)


@pytest.fixture
def zoho(start_simulator: Callable):
	"""A connected Zoho of six campaigns."""
	return connect(start_simulator(seed=1, campaigns=6, recipients=60))


def broken(endpoint: str, key: str, fault: str, **more: object) -> dict:
	"""Return a fault at every call of an endpoint for one campaign."""
	match = {"campaignkey": key} | more.pop("match", {})
	return {"fault": fault, "endpoint": endpoint, "match": match, **more}


def test_what_zoho_says_of_an_error_is_no_markup_in_a_run(zoho) -> None:
	key = zoho.expected()["campaigns"][0]["campaign_key"]
	said = "<img src=x onerror=alert(1)>"
	zoho.plan(broken("campaignreports", key, "code", code="2206", message=said))
	run = frappe.get_doc("Zoho Sync Run", sync_all_campaigns(now=True)["run"])
	messages = [row.message for row in run.errors] + [run.message]
	assert any("‹img src=x onerror=alert(1)›" in message for message in messages)
	assert not any("<" in message for message in messages)


def test_what_fails_is_listed_and_the_rest_is_complete(zoho) -> None:
	newest_first = sorted(zoho.expected()["campaigns"], key=lambda each: each["sent_time"], reverse=True)
	keys = [each["campaign_key"] for each in newest_first if each["type"] == "normal"]
	no_report, deleted, garbled, odd, *whole = keys
	opened = {"match": {"action": "openedcontacts"}}
	page = body_of([person("one@example.com", 1), "not a record", person(None, 2), {"contactfn": "Nobody"}])
	zoho.plan(
		broken("campaignreports", no_report, "code", code="6001", message="Please retry after sometime."),
		broken("campaignreports", deleted, "code", code="2206", message="Campaign deleted."),
		broken("getcampaignrecipientsdata", garbled, "garble", **opened),
		broken("getcampaignrecipientsdata", odd, "body", body=page, **opened),
	)
	answer = sync_all_campaigns(now=True)
	run = frappe.get_doc("Zoho Sync Run", answer["run"])
	assert run.status == "Partial" and answer["success"] is False
	listed = {row.zoho_campaign_key for row in errors_of(run)}
	assert listed == {no_report, deleted, garbled, odd}
	assert len(answer["errors"]) == len(errors_of(run))
	for row in errors_of(run):
		assert row.campaign_name and row.message and row.occurrences > 0
	by_key = {row.zoho_campaign_key: row for row in errors_of(run)}
	assert by_key[deleted].code == "2206"
	assert by_key[garbled].action_type == by_key[odd].action_type == "Opened"
	# What is no record, and whom nothing identifies.
	assert sum(row.occurrences for row in errors_of(run) if row.zoho_campaign_key == odd) == 2
	assert "it has no e-mail address" in str([row.message for row in notes_of(run)])
	for key in (no_report, deleted):  # is there, with what Zoho's list says of it
		campaign = frappe.get_doc("Campaign", campaign_named(key))
		assert campaign.zoho_sent_time and not campaign.campaign_analytics
	states = {row.zoho_campaign_key: row.status for row in run.campaigns}
	assert states[deleted] == "Failed" and {states[garbled], states[odd]} == {"Partial"}

	truth = {each["campaign_key"]: each for each in zoho.expected()["campaigns"]}
	for key in (*whole, garbled, odd):
		for action in STORED_ACTIONS:
			if action != "Opened" or key in whole:
				stored = len(rows_of(campaign_named(key), action, rtbf=0))
				assert stored == truth[key]["actions"][action]["rows"], (truth[key]["campaign_name"], action)
	assert [row.email for row in rows_of(campaign_named(odd), "Opened")] == ["one@example.com"]
	assert not rows_of(campaign_named(garbled), "Opened")

	zoho.plan()
	frappe.db.delete("Campaign Recipient", {"email": "one@example.com"})
	assert sync_all().status == "Success"
	assert_database_is(zoho)


def test_a_campaign_row_that_cannot_be_read_is_listed(zoho) -> None:
	rows = [{"campaign_name": "No key", "campaign_status": "Sent"}, "not a campaign"]
	page = {"status": "success", "code": "0", "recent_campaigns": rows, "fromindex": 1, "range": 100}
	zoho.plan({"fault": "body", "endpoint": "recentcampaigns", "nth": 1, "body": page})
	run = sync_all()
	assert run.status in ("Partial", "Failed")
	assert sum(row.occurrences for row in errors_of(run)) == 2
	assert {row.stage for row in errors_of(run)} == {"List"}


def test_a_run_in_which_everything_fails_has_failed(zoho) -> None:
	zoho.plan(
		{"fault": "code", "endpoint": "campaignreports", "code": "2206", "message": "Campaign deleted."}
	)
	answer = sync_all_campaigns(now=True)
	run = frappe.get_doc("Zoho Sync Run", answer["run"])
	assert run.status == answer["status"] == "Failed" and answer["success"] is False
	assert (run.synced_campaigns, run.failed_campaigns, run.total_campaigns) == (0, 6, 6)
	assert len(errors_of(run)) == 6 and run.finished_at


@pytest.mark.parametrize("fault", ["garble", "html"])
def test_a_list_of_campaigns_that_zoho_does_not_give_fails_the_run(zoho, fault: str) -> None:
	zoho.plan({"fault": fault, "endpoint": "recentcampaigns"})
	run = sync_all()
	assert run.status == "Failed" and run.message
	assert len(errors_of(run)) == 1 and not run.campaigns
	assert not frappe.db.exists("Campaign", {"zoho_campaign_key": ("is", "set")})


def test_an_error_page_never_deletes_what_is_stored(zoho) -> None:
	sync_all()
	stored = frappe.db.count("Campaign Recipient")
	zoho.plan(
		{"fault": "code", "endpoint": "getcampaignrecipientsdata", "code": "6303", "message": "no contacts"}
	)
	sync_all(full=True)
	assert frappe.db.count("Campaign Recipient") == stored


def test_access_taken_away_stops_the_run_and_is_told_until_it_is_back(zoho) -> None:
	zoho.plan({"fault": "unauthorised", "endpoint": "campaignreports"})
	run = sync_all()
	assert run.status == "Failed" and len(errors_of(run)) == 1
	settings = frappe.get_doc("Zoho Settings")
	assert settings.connection_status == "Needs Attention" and settings.connection_error
	asked = [each for each in zoho.requests if each["endpoint"] == "campaignreports"]
	assert len(asked) == 2  # once more with a new token, then no more for any campaign
	zoho.plan()
	assert sync_all().status == "Success"
	assert frappe.db.get_single_value("Zoho Settings", "connection_status") == "Connected"


def test_a_document_that_the_site_refuses_is_listed_by_name(zoho) -> None:
	from frappe.custom.doctype.custom_field.custom_field import create_custom_field

	field = {"fieldname": "zoho_test_budget", "fieldtype": "Data", "label": "Budget", "reqd": 1}
	create_custom_field("Campaign", field)
	try:
		run = sync_all()
	finally:
		frappe.delete_doc("Custom Field", "Campaign-zoho_test_budget")
		frappe.db.commit()
	assert run.status == "Failed" and run.failed_campaigns == 6
	assert all("Budget" in row.message or "zoho_test_budget" in row.message for row in errors_of(run))
	assert {row.campaign_name for row in errors_of(run)} >= {"Welcome to Acme", "Monthly news"}


@pytest.mark.parametrize("endpoint", ["recentcampaigns", "campaignreports"])
def test_a_lost_connection_is_listed_as_one_and_said_to_who_tries_again(zoho, endpoint: str) -> None:
	sync_all()
	campaign = campaign_named(zoho.expected()["campaigns"][0]["campaign_key"])
	zoho.plan({"fault": "unauthorised", "endpoint": endpoint})
	assert {row.stage for row in errors_of(sync_all(full=True))} == {"Connect"}
	frappe.db.set_single_value("Zoho Settings", "is_active", 0)
	with pytest.raises(NotConnected):
		sync_campaign_by_name(campaign)
	assert "is not active" in str(frappe.message_log), "Frappe shows nothing else"
