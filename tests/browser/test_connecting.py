"""Zoho Settings: from nothing to a connection, what can go wrong on the way, a sync, and its end."""

from __future__ import annotations

import re

import pytest

import frappe

from erpnext_zoho_integration.sync.mapping.clean_text_and_urls import clean
from tests.browser.pages import (
	SETTINGS,
	counting,
	expect_text,
	forget_connection,
	route,
	settled,
	shown,
	visible_text,
)
from tests.site.connecting import connect
from tests.site.syncing import sync_all


@pytest.fixture
def manager(make_user) -> str:
	"""Who sets up and looks at campaigns: a System Manager of the sales team."""
	return make_user("System Manager", "Sales Manager")


def enter(page, client_id: str, client_secret: str) -> None:
	page.locator("[data-fieldname=client_id] input").fill(client_id)
	page.locator("[data-fieldname=client_secret] input").fill(client_secret)


def button(page, name: str):
	return page.get_by_role("button", name=name, exact=True).locator("visible=true").first


def authorize(page, simulator, *, client_secret: str = "", decision: str = "Accept") -> None:
	page.goto(route(*SETTINGS))
	enter(page, simulator.settings.client_id, client_secret or simulator.settings.client_secret)
	button(page, "Authorize with Zoho").click()
	button(page, decision).click()


def test_from_nothing_to_the_first_campaign_with_two_fields_and_six_clicks(
	desk, manager, simulator, run_jobs
):
	simulator.set(auto_approve=False)
	forget_connection()
	clicks: list = []
	click = counting(clicks)
	page = desk(manager)
	page.goto(route(*SETTINGS))
	expect_text(page, "Connect your Zoho account")
	enter(page, simulator.settings.client_id, simulator.settings.client_secret)
	click(button(page, "Authorize with Zoho"))
	expect_text(page, "use your Zoho account?")
	click(button(page, "Accept"))
	expect_text(page, re.compile(r"Connected to Zoho Campaigns by .* \(India\)"))
	assert "zoho=" not in page.url
	click(button(page, "Sync All Campaigns"))
	page.locator(".progress-chart").wait_for()
	expect_text(page, "A sync is running.")
	assert not shown(page, "Nothing has been synced yet") and not shown(page, "calls left")
	page.reload()  # leaving the page does not end it
	page.locator(".progress-chart").wait_for()
	expect_text(page, "A sync is running.")
	assert run_jobs() == []
	page.locator(".progress-chart").wait_for(state="detached")
	expect_text(page, re.compile("campaigns synced"))
	expect_text(page, "calls left")
	click(page.get_by_role("link", name="Success").locator("visible=true").first)
	expect_text(page, "What Changed")
	link = page.locator(".form-dashboard a[href*='/campaign/']").locator("visible=true").first
	title = link.inner_text()
	click(link)
	page.locator("[data-card=sent] .number").wait_for()
	assert len(clicks) <= 6
	sent = page.locator("[data-card=sent] .number").inner_text()
	expected = {clean(campaign["campaign_name"]): campaign for campaign in simulator.expected()["campaigns"]}
	assert expected[title]["actions"]["Sent"]["listed"] == int(sent.replace(",", ""))


def test_a_refused_consent_says_what_to_do(desk, manager, simulator):
	simulator.set(auto_approve=False)
	forget_connection()
	page = desk(manager)
	authorize(page, simulator, decision="Reject")
	expect_text(page, re.compile("Click Authorize with Zoho again and accept"))
	assert "zoho=" not in page.url


@pytest.mark.parametrize(
	("client_secret", "knobs", "said"),
	[
		("a-wrong-secret", {}, "client secret is wrong"),
		("", {"code_ttl": 0.0}, "authorise again"),
	],
	ids=["wrong secret", "expired code"],
)
def test_what_went_wrong_and_what_to_do_is_said_in_words(
	desk, manager, simulator, client_secret, knobs, said
):
	simulator.set(auto_approve=False, **knobs)
	forget_connection()
	page = desk(manager)
	authorize(page, simulator, client_secret=client_secret)
	page.locator(".modal-dialog .msgprint").locator("visible=true").wait_for()
	message = page.locator(".modal-dialog .msgprint").locator("visible=true").inner_text()
	assert said in message
	assert "Traceback" not in message and "a-wrong-secret" not in page.content()


@pytest.mark.parametrize(
	("fault", "said"),
	[
		({"fault": "code", "code": "902", "message": "Account is not active."}, "belongs to an organisation"),
		({"fault": "throttle", "form": "429"}, "call limit has been reached"),
		({"fault": "unauthorised"}, "the data centre is wrong"),
	],
	ids=["no account in Zoho Campaigns", "throttled", "wrong data centre"],
)
def test_what_zoho_refuses_once_connected_is_said_in_words(desk, manager, simulator, fault, said):
	connect(simulator)
	simulator.plan({"endpoint": "recentcampaigns", **fault})
	page = desk(manager)
	page.goto(route(*SETTINGS))
	button(page, "Connection").click()
	page.get_by_text("Test Connection").locator("visible=true").click()
	message = page.locator(".modal-dialog .msgprint").locator("visible=true")
	message.wait_for()
	assert said in message.inner_text()
	page.faults.clear()  # the refusal comes as an error of the server


def test_a_desk_on_another_host_than_the_redirect_uri_is_told_before(desk, manager, web, simulator):
	forget_connection()
	page = desk(manager)
	elsewhere = web.base_url.replace("127.0.0.1", "localhost")
	page.context.add_cookies([{**cookie, "domain": "localhost"} for cookie in page.context.cookies()])
	page.goto(elsewhere + route(*SETTINGS))
	expect_text(page, re.compile(r"You are on localhost:\d+, but Zoho will send you back to 127\.0\.0\.1"))
	page.goto(route(*SETTINGS))
	expect_text(page, "Connect your Zoho account")
	assert not shown(page, "You are on")


def test_a_client_must_be_entered_first(desk, manager, simulator):
	forget_connection()
	page = desk(manager)
	page.goto(route(*SETTINGS))
	button(page, "Authorize with Zoho").click()
	expect_text(page, re.compile("Enter the Client ID and Client Secret"))
	assert not [each for each in simulator.requests if "auth" in each["endpoint"]]


def test_access_that_was_revoked_at_zoho_is_told_with_the_way_back(desk, manager, simulator):
	connect(simulator)
	simulator.reset(tokens=True)
	frappe.db.commit()
	page = desk(manager)
	page.goto(route(*SETTINGS))
	button(page, "Connection").click()
	page.get_by_text("Test Connection").locator("visible=true").click()
	page.locator(".msgprint").locator("visible=true").wait_for()
	page.faults.clear()  # the refusal comes as an error of the server
	page.reload()
	expect_text(page, re.compile("Needs Attention"))
	settled(page)
	assert (
		"Authorize with Zoho"
		in page.locator(".form-dashboard, .form-message").locator("visible=true").first.inner_text()
	)


def test_a_sync_can_be_cancelled_from_its_progress(desk, manager, simulator, run_jobs):
	connect(simulator)
	page = desk(manager)
	page.goto(route(*SETTINGS))
	button(page, "Sync All Campaigns").click()
	progress = page.locator(".progress-chart")
	progress.get_by_role("button", name="Cancel").click()
	expect_text(page, re.compile("The sync stops|Cancelled"))
	assert run_jobs() == []
	progress.wait_for(state="detached")
	frappe.db.rollback()
	assert frappe.get_all("Zoho Sync Run", pluck="status") == ["Cancelled"]


def test_a_campaign_that_failed_is_named_with_the_reason_and_tried_again(desk, manager, simulator, run_jobs):
	connect(simulator)
	sync_all()
	key = simulator.expected()["campaigns"][0]["campaign_key"]
	fault = {"fault": "code", "code": "2206", "message": "No report yet."}
	simulator.plan({**fault, "endpoint": "campaignreports", "match": {"campaignkey": key}})
	run = sync_all(full=True)
	simulator.plan()
	frappe.db.commit()
	page = desk(manager)
	page.goto(route("Zoho Sync Run", run.name))
	expect_text(page, "What Went Wrong")
	expect_text(page, re.compile("No report yet"))
	assert not shown(page, "What Changed")
	button(page, "Retry This Campaign").click()
	page.wait_for_function("name => !location.pathname.endsWith(name)", arg=run.name)
	assert run_jobs() == []
	expect_text(page, re.compile("1 of 1 campaigns synced"))
	assert not shown(page, "What Went Wrong")


def test_times_are_those_of_the_user(desk, manager, simulator):
	connect(simulator)
	frappe.db.set_value("User", manager, "time_zone", "Asia/Kolkata")
	frappe.db.set_single_value("System Settings", "time_zone", "America/New_York")
	frappe.db.set_single_value("Zoho Settings", "last_sync", "2026-01-15 20:00:00")
	run = frappe.get_doc(
		{"doctype": "Zoho Sync Run", "status": "Success", "finished_at": "2026-01-15 20:00:00"}
	).insert(ignore_permissions=True)
	frappe.db.commit()
	frappe.clear_cache()
	page = desk(manager)
	try:
		page.goto(route(*SETTINGS))
		expect_text(page, re.compile("Last sync:"))
		assert "2026-01-16 06:30" in visible_text(page), run.name
	finally:
		frappe.db.set_value("User", manager, "time_zone", None)
		frappe.db.commit()
