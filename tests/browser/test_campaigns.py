"""The Campaign form: figures, the people behind them, and what each role is offered."""

from __future__ import annotations

import re

import frappe

from tests.browser.pages import (
	expect_rows,
	expect_text,
	figures,
	make_campaign,
	route,
	settled,
	spring_campaign,
	visible_text,
)
from tests.site.syncing import connect, sync_all

PEOPLE = {
	"sent": 5,
	"delivered": 4,
	"opens": 2,
	"clicks": 1,
	"bounces": 1,
	"unsubscribes": 1,
	"complaints": 1,
}


def test_each_number_opens_the_people_it_counts(desk, make_user):
	campaign = spring_campaign()
	page = desk(make_user("Sales User"))
	page.goto(route("Campaign", campaign))
	for card, people in PEOPLE.items():
		number = page.locator(f"[data-card={card}] .number").locator("visible=true")
		assert number.inner_text() == str(people), card
		number.click()
		expect_rows(page, people)
		page.go_back()


def test_cards_can_be_reached_and_opened_with_the_keyboard(desk, make_user):
	campaign = spring_campaign()
	page = desk(make_user("Sales User"))
	page.goto(route("Campaign", campaign))
	page.locator("[data-card=sent]").wait_for()
	reached = []
	page.locator("[data-card=sent]").focus()
	for _card in PEOPLE:
		reached.append(page.evaluate("document.activeElement.dataset.card"))
		page.keyboard.press("Tab")
	assert reached == list(PEOPLE)
	page.locator("[data-card=opens]").focus()
	page.keyboard.press("Enter")
	expect_rows(page, PEOPLE["opens"])


def test_a_synced_campaign_shows_funnel_times_links_and_countries(desk, make_user, simulator):
	connect(simulator)
	sync_all()
	busiest = max(
		frappe.get_all("Campaign", pluck="name"),
		key=lambda name: frappe.db.count("Campaign Recipient", {"campaign": name, "action_type": "Clicked"}),
	)
	frappe.db.commit()
	page = desk(make_user("Sales User"))
	page.goto(route("Campaign", busiest))
	expect_text(page, "Funnel")
	expect_text(page, "Top Links")
	expect_text(page, "Opens by Country")
	expect_text(page, re.compile("average"))
	bars = page.locator(".form-dashboard .frappe-chart .bar").locator("visible=true")
	bars.first.wait_for()
	clicked = frappe.db.count("Campaign Recipient", {"campaign": busiest, "action_type": "Clicked"})
	assert page.locator("[data-card=clicks] .number").inner_text() == f"{clicked:,}"


def test_nobody_is_offered_what_they_may_not_do(desk, make_user):
	campaign = spring_campaign()
	offered = {}
	for role in ("Sales User", "Sales Manager"):
		page = desk(make_user(role))
		page.goto(route("Campaign", campaign))
		page.locator("[data-card=sent]").wait_for()
		page.get_by_role("button", name="Zoho Campaigns", exact=True).locator("visible=true").click()
		menu = page.locator(".dropdown-menu.show").inner_text()
		page.goto(route("Campaign"))
		page.locator(".list-row").first.wait_for()
		settled(page)
		button = page.get_by_role("button", name="Sync All Campaigns").locator("visible=true")
		offered[role] = ("Sync from Zoho" in menu, button.count() > 0)
	assert offered == {"Sales User": (False, False), "Sales Manager": (True, True)}


def test_one_campaign_is_synced_from_its_form(desk, make_user, simulator, run_jobs):
	connect(simulator)
	sync_all()
	name = frappe.get_all("Campaign", pluck="name", limit=1)[0]
	frappe.db.delete("Campaign Recipient", {"campaign": name})
	frappe.db.commit()
	page = desk(make_user("Sales Manager"))
	page.goto(route("Campaign", name))
	page.get_by_role("button", name="Zoho Campaigns", exact=True).locator("visible=true").click()
	page.get_by_text("Sync from Zoho").locator("visible=true").click()
	page.locator(".progress-chart").wait_for()
	assert run_jobs() == []
	page.locator(".progress-chart").wait_for(state="detached")
	expect_text(page, re.compile("campaign.* synced|is synced|synced", re.I))
	frappe.db.rollback()
	assert frappe.db.count("Campaign Recipient", {"campaign": name})


def test_what_is_zoho_s_cannot_be_changed_here(desk, make_user):
	campaign = spring_campaign()
	page = desk(make_user("Sales Manager"))
	page.goto(route("Campaign", campaign))
	page.locator("[data-card=sent]").wait_for()
	settled(page)
	fields = page.locator(".form-layout .frappe-control:has(input, textarea, select)").locator("visible=true")
	editable = {
		fields.nth(index).get_attribute("data-fieldname")
		for index in range(fields.count())
		if fields.nth(index).locator("input, textarea, select").locator("visible=true").count()
		and fields.nth(index).locator("input, textarea, select").locator("visible=true").first.is_editable()
	}
	assert not {name for name in editable if name and ("zoho" in name or name == "campaign_name")}


def test_a_large_campaign_is_not_read_again_without_a_question(desk, make_user, simulator):
	connect(simulator)
	campaign = make_campaign("Everybody", **figures(Emails_Sent=900_000, Delivered=890_000))
	frappe.db.commit()
	page = desk(make_user("Sales Manager"))
	page.goto(route("Campaign", campaign.name))
	page.get_by_role("button", name="Zoho Campaigns", exact=True).locator("visible=true").click()
	page.get_by_text("Sync from Zoho").locator("visible=true").click()
	expect_text(
		page,
		re.compile(r"Sync this campaign with about 900,005 recipients\? This makes about 901 calls to Zoho"),
	)
	page.get_by_role("button", name="No", exact=True).locator("visible=true").click()
	settled(page)
	assert not frappe.db.count("Zoho Sync Run")


def test_a_campaign_not_from_zoho_looks_as_before(desk, make_user):
	frappe.get_doc({"doctype": "Campaign", "campaign_name": "Trade fair"}).insert()
	frappe.db.commit()
	page = desk(make_user("Sales Manager"))
	page.goto(route("Campaign", "Trade fair"))
	page.locator("[data-fieldname=campaign_name]").first.wait_for()
	settled(page)
	assert "Zoho" not in visible_text(page)


def test_who_has_no_rights_sees_nothing_of_it(desk, make_user):
	campaign = spring_campaign()
	page = desk(make_user("Desk User"))
	for doctype, name in (
		("Campaign", campaign),
		("Campaign Recipient", ""),
		("Zoho Settings", "Zoho Settings"),
	):
		page.goto(route(doctype, name))
		expect_text(page, re.compile("permi(ssion|tted)|not found", re.I))
		assert "a@x.test" not in page.content()
		assert page.locator("[data-card]").count() == 0
	page.faults.clear()  # each refusal is an error of the server's
