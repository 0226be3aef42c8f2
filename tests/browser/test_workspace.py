"""The workspace: what is new, who is to be followed up, how healthy the sync is, and charts that can be read."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

import frappe

from tests.browser.pages import figures, make_recipient, route, settled, workspace
from tests.site.desk.test_workspace import recent


def quick_list(page, label: str) -> list[str]:
	box = page.locator(".quick-list-widget-box").filter(has_text=label)
	box.locator(".quick-list-item, .list-no-data-state").first.wait_for()
	return box.locator(".quick-list-item .title").all_inner_texts()


def test_it_shows_what_is_recent_and_whether_all_is_well(desk, make_user):
	campaign = recent("Fresh news", 2, **figures(Emails_Sent=8357))
	recent("Old news", 60, **figures(Emails_Sent=1000))
	today = frappe.utils.nowdate()
	for email, days in (("lately@x.test", 2), ("long-ago@x.test", 20)):
		day = frappe.utils.add_days(today, -days)
		make_recipient(campaign, email, "Clicked", action_date=f"{day} 10:00:00")
	make_recipient(campaign, "opened@x.test", "Opened", action_date=f"{today} 00:00:00")
	frappe.db.set_single_value("Zoho Settings", "connection_status", "Needs Attention")
	frappe.db.commit()
	page = desk(make_user("Sales Manager"))
	page.goto(workspace())
	settled(page)
	assert quick_list(page, "Recent Campaigns") == ["Fresh news"]
	assert quick_list(page, "People to Follow Up") == ["lately@x.test"]
	shown = page.locator(".number-widget-box").locator("visible=true").all_inner_texts()
	numbers = {text.split("\n")[0].strip().lower(): text.split("\n")[-1].strip() for text in shown}
	assert numbers["emails sent (90 days)"] == "9,357"
	assert numbers["connection to zoho"] == "Needs Attention"
	shortcut = page.locator(".shortcut-widget-box").filter(has_text="Clicked Last Week")
	assert "1 People" in shortcut.inner_text()


def test_charts_of_a_new_site_say_that_there_is_nothing(desk, make_user):
	page = desk(make_user("Sales Manager"))
	page.goto(workspace())
	settled(page)
	for title in ("Campaign Open and Click Rates", "People Who Clicked per Week"):
		chart = page.locator(".dashboard-widget-box").filter(has_text=title)
		chart.get_by_text("No Data").locator("visible=true").wait_for()


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_the_labels_of_its_charts_stand_apart(desk, make_user, size):
	for number in range(14):
		campaign = recent(f"Number {number}", 6 * number + 1, **figures())
		day = frappe.utils.add_days(frappe.utils.nowdate(), -6 * number)
		make_recipient(campaign, f"p{number}@x.test", "Clicked", action_date=f"{day} 10:00:00")
	frappe.db.commit()
	page = desk(make_user("Sales User"), size=size)
	page.goto(workspace())
	settled(page)
	page.locator(".dashboard-widget-box .frappe-chart .bar").nth(20).wait_for()
	page.wait_for_timeout(1500)  # charts grow
	charts = page.evaluate(
		"""() => [...document.querySelectorAll(".dashboard-widget-box .frappe-chart")].map(chart =>
			[...chart.querySelectorAll(".x.axis text")].filter(text => text.textContent.trim()).map(text => {
				const { left, right } = text.getBoundingClientRect();
				return { text: text.textContent, left, right };
			}).sort((one, other) => one.left - other.left))"""
	)
	assert len(charts) == 2
	for labels in charts:
		assert len(labels) > 2
		assert not [
			(one["text"], other["text"])
			for one, other in pairwise(labels)
			if one["right"] > other["left"] or "." in one["text"]
		]


def test_the_lists_show_on_a_laptop_what_they_are_for(desk, make_user):
	run = {"status": "Success", "started_at": "2026-11-20 14:03:00", "duration": 86, "rows_inserted": 1067}
	frappe.get_doc({"doctype": "Zoho Sync Run", **run}).insert(ignore_permissions=True)
	recent("Fresh news", 2, **figures())
	frappe.db.commit()
	page = desk(make_user("Sales Manager"))
	page.set_viewport_size({"width": 1280, "height": 900})
	wanted = {
		"Zoho Sync Run": ["Started At", "Duration", "New Recipients"],
		"Campaign": ["Subject", "Sent Time"],
	}
	for doctype, columns in wanted.items():
		page.goto(route(doctype))
		page.locator(".list-row").locator("visible=true").first.wait_for()
		settled(page)
		head = page.locator(".list-row-head").locator("visible=true").inner_text()
		assert not [column for column in columns if column not in head], doctype
		if doctype == "Zoho Sync Run":
			moment = page.locator(".list-row").get_by_title(re.compile("^2026-11-20 ..:..$")).first
			assert re.fullmatch(r"20 Nov \d\d:\d\d", moment.inner_text())
			column = moment.locator("xpath=..")
			assert column.evaluate("each => each.scrollWidth <= each.clientWidth"), "the time is cut off"
