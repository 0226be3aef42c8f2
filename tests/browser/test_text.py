"""Names, subjects and addresses made of markup, scripts, quotes and right-to-left text are text everywhere."""

from __future__ import annotations

import pytest

import frappe

from erpnext_zoho_integration.sync.mapping.clean_text_and_urls import clean
from tests.browser.pages import (
	SETTINGS,
	figures,
	make_campaign,
	make_recipient,
	report,
	route,
	settled,
	visible_text,
	workspace,
)
from tests.site.syncing import answer_with, connect, person, sync_all

IMAGE = "<img src=x onerror=window.owned=1>"
SCRIPT = "\"'><script>window.owned=1</script>"
QUOTES = '"O\'Neill" & `Søn` ${1} {{ 2 }} \u202eright to left\u202c خبر'
URL = f"https://x.test/?q={IMAGE}"
ADDRESS = '"a\'b"@x.test'
REPORTS = (
	"Campaign Performance",
	"Link Performance",
	"Engagement by Country",
	"Engaged Contacts",
	"Bounces and Opt-outs",
)
# What this app draws; the rest of a page is the framework's, which takes scripts out of markup but not the markup.
OURS = (
	".form-dashboard, .form-message, .timeline-item, .zoho-progress, .msgprint, .desk-alert, .report-summary"
)


def injected(page, within: str = "body") -> int:
	"""Count the elements that came out of text."""
	return page.locator(f":is({within}) :is(img[src=x], a[href^='javascript:1'])").count()


def walk(page, addresses: dict[str, str], within: str) -> dict[str, str]:
	"""Open each page to its end, see that nothing ran and no element came out of text, and return what is shown."""
	texts = {}
	for where, address in addresses.items():
		page.goto(address)
		settled(page)
		page.mouse.wheel(0, 3000)  # what is drawn once it is in view
		settled(page)
		assert page.evaluate("window.owned") is None, where
		assert injected(page, within) == 0, where
		texts[where] = visible_text(page)
	return texts


def test_a_sync_brings_it_as_text_to_every_page(desk, make_user, simulator):
	names = {
		"contactfn": IMAGE,
		"contactln": QUOTES,
		"companyname": SCRIPT,
		"jobtitle": IMAGE,
		"country": SCRIPT,
	}
	people = [person(ADDRESS, 1, **names), person("plain@x.test", 2, **names)]
	connect(simulator)
	answer_with(
		simulator,
		{"openedcontacts": people, "clickedcontacts": people, "optoutcontacts": people},
	)
	run = sync_all()
	named = clean("Prices < 100 & offers > 50 %")
	campaign = frappe.db.get_value("Campaign", {"campaign_name": named})
	row = frappe.db.get_value(
		"Campaign Recipient",
		{"campaign": campaign, "email": "plain@x.test"},
		["name", "contact"],
		as_dict=True,
	)
	frappe.db.commit()
	texts = walk(
		desk(make_user("System Manager", "Sales Manager")),
		{
			"workspace": workspace(),
			"campaigns": route("Campaign"),
			"campaign": route("Campaign", campaign),
			"recipients": route("Campaign Recipient"),
			"recipient": route("Campaign Recipient", row.name),
			"contacts": route("Contact"),
			"contact": route("Contact", row.contact),
			"runs": route("Zoho Sync Run"),
			"run": route("Zoho Sync Run", run.name),
			**{name: report(name) for name in REPORTS},
		},
		"body",
	)
	for where in ("campaigns", "run", "Campaign Performance"):
		assert named in texts[where], where
	for where in ("recipients", "contacts"):
		assert clean(IMAGE) in texts[where], where


@pytest.fixture
def raw() -> dict[str, str]:
	"""What no sync stores, but a person or an import may: markup in every text that our parts of a page show."""
	campaign = make_campaign(f"Offer {QUOTES}", **figures())
	values = {"zoho_subject": SCRIPT, "zoho_from_email": IMAGE, "zoho_preview_url": "javascript:1"}
	frappe.db.set_value("Campaign", campaign.name, {"campaign_name": IMAGE + SCRIPT, **values})
	contact = frappe.get_doc(
		{"doctype": "Contact", "first_name": QUOTES, "email_ids": [{"email_id": "a@x.test", "is_primary": 1}]}
	).insert()
	for action in ("Opened", "Clicked", "Hard Bounced"):
		make_recipient(
			campaign.name,
			"a@x.test",
			action,
			full_name=IMAGE,
			country=IMAGE,
			clicked_links=URL,
			url_clicks=frappe.as_json([{"url": URL, "count": 1}]),
			action_date="2026-03-02 09:00:00",
		)
	status = {"connection_status": "Needs Attention", "connection_error": IMAGE + SCRIPT}
	frappe.db.set_single_value("Zoho Settings", status)
	frappe.db.commit()
	return {"campaign": campaign.name, "contact": contact.name}


def test_markup_that_got_into_the_database_is_text_in_all_that_is_ours(desk, make_user, raw):
	page = desk(make_user("System Manager", "Sales Manager"))
	texts = walk(
		page,
		{
			"campaign": route("Campaign", raw["campaign"]),
			"contact": route("Contact", raw["contact"]),
			"settings": route(*SETTINGS),
		},
		OURS,
	)
	page.faults[:] = [fault for fault in page.faults if not fault.endswith("/x")]  # a picture in a grid
	for where in ("campaign", "settings"):
		assert "onerror=" in texts[where], where
