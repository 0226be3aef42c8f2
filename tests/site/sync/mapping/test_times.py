"""Times in the site's zone: of campaigns, of mails, and of what people did."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

import frappe

from erpnext_zoho_integration.erpnext_zoho_integration.api.sync import sync_campaign_by_name
from tests.site.syncing import at_site, campaign_named, connect, rows_of, runs, snapshot, sync_all

# What Zoho says to the minute only.
BY_MINUTE = ("Opened", "Clicked", "Hard Bounced", "Soft Bounced", "Unsubscribed")


def set_site_zone(zone: str) -> None:
	frappe.db.set_single_value("System Settings", "time_zone", zone)
	frappe.clear_cache()


@pytest.mark.parametrize("site_zone", ["Europe/Berlin", "America/New_York"])
def test_an_account_in_kolkata_and_a_site_elsewhere(start_simulator: Callable, site_zone: str) -> None:
	set_site_zone(site_zone)
	# Campaigns 8 to 10 went out in the nights when Europe changes its clocks.
	zoho = connect(
		start_simulator(seed=1, campaigns=10, recipients=90, today="2026-11-20", event_shapes="list")
	)
	sync_all()
	named = {}
	for truth in zoho.expected()["campaigns"]:
		campaign = campaign_named(truth["campaign_key"])
		named[truth["campaign_name"]] = frappe.db.get_value("Campaign", campaign, "zoho_sent_time")
		assert named[truth["campaign_name"]] == at_site(truth["sent_time"])
		for action in ("Sent", *BY_MINUTE, "Complaint"):
			expected = {row["email"]: row for row in zoho.rows(truth["campaign_key"], action)}
			for row in rows_of(campaign, action, rtbf=0):
				told = expected[row.email]
				assert row.sent_time == at_site(told["sent_time"])
				if action == "Sent":
					assert row.action_date == row.sent_time
				elif action == "Complaint":
					assert row.action_date is None  # Zoho does not say
				else:
					assert row.action_date == at_site(told["action_time"]).replace(second=0), (
						action,
						row.email,
					)
	nights = {
		"Europe/Berlin": (datetime(2026, 3, 29, 3, 1), datetime(2026, 10, 25, 2, 30)),
		"America/New_York": (datetime(2026, 3, 28, 21, 1), datetime(2026, 10, 24, 20, 30)),
	}[site_zone]
	assert (named["The night the clocks go forward"], named["The night the clocks go back"]) == nights


def test_without_event_times_nobody_is_said_to_have_acted_when_the_mail_left(
	start_simulator: Callable,
) -> None:
	zoho = connect(
		start_simulator(
			seed=1, campaigns=1, recipients=80, event_shapes="absent", event_dates=False, skew_hours=-5
		)
	)
	sync_all()
	truth = zoho.expected()["campaigns"][0]
	rows = rows_of(campaign_named(truth["campaign_key"]), rtbf=0)
	assert {row.action_type for row in rows} >= {"Sent", "Opened", "Unsubscribed"}
	for row in rows:
		assert bool(row.action_date) == (row.action_type == "Sent")
	told = {row["email"]: row["sent_time"] for row in zoho.rows(truth["campaign_key"], "Sent")}
	assert all(row.sent_time == at_site(told[row.email]) for row in rows)


def test_one_campaign_synced_alone_gets_the_times_of_a_full_sync(
	start_simulator: Callable, run_jobs: Callable
) -> None:
	# At the site it is as late as at the account on the day of sending, but it knows no daylight saving.
	set_site_zone("Africa/Johannesburg")
	account = {"today": "2026-11-02", "time_zone": "Europe/Berlin", "event_shapes": "list"}
	zoho = connect(start_simulator(seed=2, campaigns=9, recipients=110, **account))
	sync_all()
	before = snapshot()
	summer = [each for each in zoho.expected()["campaigns"] if each["sent_time"] < "2026-10-25"]
	newest = max(summer, key=lambda each: each["sent_time"])
	sync_campaign_by_name(campaign_named(newest["campaign_key"]))
	assert run_jobs() == []
	assert [run.status for run in runs()] == ["Success", "Success"]
	assert snapshot() == before


def test_a_zone_entered_in_the_settings_is_used_for_written_times(start_simulator: Callable) -> None:
	"""Three o'clock in Kolkata is three o'clock, whatever the site's zone is."""
	set_site_zone("Asia/Kolkata")
	zoho = start_simulator(
		seed=1, campaigns=1, recipients=60, time_zone="America/New_York", event_shapes="list"
	)
	connect(zoho, account_time_zone="America/New_York")
	sync_all()
	truth = zoho.expected()["campaigns"][0]
	told = {row["email"]: row["action_time"] for row in zoho.rows(truth["campaign_key"], "Opened")}
	rows = rows_of(campaign_named(truth["campaign_key"]), "Opened", rtbf=0)
	assert rows and all(row.action_date == at_site(told[row.email]).replace(second=0) for row in rows)
