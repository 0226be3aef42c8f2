"""Recipients, and what they did, on the forms of the people they are."""

from __future__ import annotations

import re

import pytest

import frappe

from tests.browser.pages import (
	expect_rows,
	expect_text,
	make_contact,
	route,
	settled,
	shown,
	spring_campaign,
	visible_text,
)


def test_a_contact_shows_its_campaigns_and_its_timeline(desk, make_user):
	contact = make_contact("a@x.test")
	campaign = spring_campaign()
	page = desk(make_user("Sales User"), size="phone")
	page.goto(route("Contact", contact))
	assert page.locator("[data-card=clicks] .number").inner_text() == "1"
	timeline = page.locator(".timeline-item").filter(has_text="Clicked")
	timeline.first.scroll_into_view_if_needed()
	assert campaign in timeline.first.inner_text()
	page.locator("[data-card=clicks]").click()
	expect_rows(page, 1)


def test_an_opt_out_is_seen_on_the_contact(desk, make_user):
	contact = make_contact("b@x.test")
	spring_campaign()
	frappe.db.set_value("Contact", contact, "unsubscribed", 1)
	frappe.db.commit()
	page = desk(make_user("Sales User"))
	page.goto(route("Contact", contact))
	expect_text(page, "Opted out")


def test_a_contact_of_no_campaign_looks_as_before(desk, make_user):
	contact = make_contact("nobody@x.test")
	frappe.db.commit()
	page = desk(make_user("Sales User"))
	page.goto(route("Contact", contact))
	page.locator("[data-fieldname=first_name]").first.wait_for()
	settled(page)
	assert page.locator("[data-card]").count() == 0
	assert "Zoho Campaigns" not in visible_text(page)


@pytest.mark.parametrize("role", ["Sales User", "System Manager"])
def test_a_recipient_is_read_only_and_tells_what_was_clicked(desk, make_user, role):
	make_contact("a@x.test")
	spring_campaign()
	name = frappe.db.get_value("Campaign Recipient", {"action_type": "Clicked"})
	frappe.db.set_value("Campaign Recipient", name, "content_hash", "from Zoho")
	frappe.db.commit()
	page = desk(make_user(role))
	page.goto(route("Campaign Recipient", name))
	expect_text(page, re.compile(r"https://x\.test/offer"))
	settled(page)
	assert page.get_by_role("button", name="Save", exact=True).locator("visible=true").count() == 0
	fields = page.locator(".form-layout input:not([type=checkbox])").locator("visible=true")
	assert all(not fields.nth(index).is_editable() for index in range(fields.count()))
	assert not shown(page, "Not Saved")


def test_the_list_of_recipients_shows_what_they_did_and_when(desk, make_user):
	spring_campaign()
	page = desk(make_user("Sales User"))
	page.set_viewport_size({"width": 1280, "height": 900})
	page.goto(f"{route('Campaign Recipient')}/view/list?action_type=Clicked")
	expect_rows(page, 1)
	page.locator(".list-row .indicator-pill.green").filter(has_text="Clicked").wait_for()
	moment = page.locator(".list-row [data-field=action_date], .list-row [data-filter^=action_date]")
	moment = moment.or_(page.locator(".list-row").get_by_text("2026-03-02")).locator("visible=true").last
	assert moment.inner_text().strip() == "2026-03-02 09:00"
	assert moment.evaluate(
		"""element => {
			const cell = element.closest(".list-row-col");
			return element.getBoundingClientRect().right <= cell.getBoundingClientRect().right + 1;
		}"""
	)
