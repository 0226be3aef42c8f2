"""The five reports, as a Sales User opens them."""

from __future__ import annotations

import re

import pytest

from tests.browser.pages import expect_text, make_contact, report, settled, spring_campaign

ROWS = {
	"Campaign Performance": "Spring offer",
	"Link Performance": "https://x.test/offer",
	"Engagement by Country": "Norway",
	"Engaged Contacts": "a@x.test",
	"Bounces and Opt-outs": "e@x.test",
}


@pytest.fixture
def spring() -> None:
	make_contact("a@x.test")
	spring_campaign()


@pytest.mark.parametrize(("name", "cell"), ROWS.items())
def test_a_report_shows_its_rows_and_prints_them(desk, make_user, spring, name, cell):
	page = desk(make_user("Sales User"))
	page.goto(f"{report(name)}?from_date=2026-01-01&to_date=2026-12-31")
	page.locator(".dt-cell__content").filter(has_text=cell).locator("visible=true").first.wait_for()
	settled(page)
	page.locator(".page-head .menu-btn-group button").locator("visible=true").first.click()
	menu = page.locator(".page-head .dropdown-menu.show").inner_text()
	assert "Print" in menu and "Export" in menu


def test_a_row_of_campaign_performance_leads_to_its_campaign(desk, make_user, spring):
	page = desk(make_user("Sales User"))
	page.goto(f"{report('Campaign Performance')}?from_date=2026-01-01&to_date=2026-12-31")
	page.locator(".dt-cell__content a").filter(has_text="Spring offer").locator("visible=true").first.click()
	page.locator("[data-card=sent]").wait_for()


def test_a_period_without_campaigns_says_so(desk, make_user, spring):
	page = desk(make_user("Sales User"))
	page.goto(f"{report('Campaign Performance')}?from_date=2001-01-01&to_date=2001-12-31")
	expect_text(page, re.compile("Nothing to show|No data", re.I))
