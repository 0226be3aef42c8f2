"""What people see and click, each in their role."""

from __future__ import annotations

import frappe

from tests.site.test_desk import figures, make_campaign, make_recipient

MARKUP = "<img src=x onerror=\"document.title='owned'\"> & 'quotes' \u202eright to left"


def spring_campaign() -> str:
	campaign = make_campaign("Spring offer", **figures())
	for email in ("a@x.test", "b@x.test", "c@x.test", "d@x.test"):
		make_recipient(campaign.name, email, "Sent")
	make_recipient(campaign.name, "a@x.test", "Opened", action_date="2026-03-02 08:00:00")
	make_recipient(campaign.name, "b@x.test", "Opened")
	make_recipient(campaign.name, "a@x.test", "Clicked", action_date="2026-03-02 09:00:00")
	make_recipient(campaign.name, "d@x.test", "Hard Bounced")
	frappe.db.commit()
	return campaign.name


def route(doctype: str, name: str) -> str:
	return frappe.utils.get_url_to_form(doctype, name).partition(frappe.utils.get_url())[2]


def expect_rows(page, number: int) -> None:
	"""Wait until the list that is shown has this many rows."""
	page.wait_for_function(
		"number => [...document.querySelectorAll('.list-row')].filter(row => row.checkVisibility()).length === number",
		arg=number,
	)


def test_each_number_opens_the_people_it_counts(desk, make_user):
	campaign = spring_campaign()
	page = desk(make_user("Sales User"))
	for card, people in (("sent", 4), ("opens", 2), ("clicks", 1), ("bounces", 1), ("delivered", 3)):
		page.goto(route("Campaign", campaign))
		number = page.locator(f"[data-card={card}] .number")
		assert number.inner_text() == str(people)
		number.click()
		expect_rows(page, people)


def test_cards_can_be_reached_and_opened_with_the_keyboard(desk, make_user):
	campaign = spring_campaign()
	page = desk(make_user("Sales User"))
	page.goto(route("Campaign", campaign))
	page.locator("[data-card=opens]").focus()
	page.keyboard.press("Enter")
	expect_rows(page, 2)


def test_markup_from_zoho_is_text_everywhere(desk, make_user):
	campaign = make_campaign("Odd", **figures())
	frappe.db.set_value(
		"Campaign", campaign.name, {"zoho_subject": MARKUP, "zoho_preview_url": "javascript:1"}
	)
	contact = frappe.get_doc(
		{"doctype": "Contact", "first_name": "Ann", "email_ids": [{"email_id": "a@x.test", "is_primary": 1}]}
	).insert()
	url = f"https://x.test/{MARKUP}"
	make_recipient(
		campaign.name,
		"a@x.test",
		"Clicked",
		full_name=MARKUP,
		country=MARKUP,
		clicked_links=url,
		url_clicks=frappe.as_json([{"url": url, "count": 1}]),
	)
	frappe.db.commit()
	page = desk(make_user("Sales User"))
	for address in (
		route("Campaign", campaign.name),
		route("Contact", contact.name),
		route("Campaign Recipient", ""),
	):
		page.goto(address)
		page.wait_for_load_state("networkidle")
		page.wait_for_timeout(500)
		assert "owned" not in page.title()
		assert page.locator("img[src=x]").count() == 0
	page.goto(route("Campaign", campaign.name))
	page.get_by_text("Most Clicked Links").wait_for()
	assert page.get_by_text("onerror").first.is_visible()
	assert page.locator("a[href^=javascript]:has-text('Preview')").count() == 0
