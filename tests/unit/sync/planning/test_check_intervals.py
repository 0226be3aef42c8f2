"""How often a campaign is looked at: plain functions of its age."""

from datetime import datetime, timedelta

import pytest

from erpnext_zoho_integration.sync.planning.check_intervals import (
	DEFAULT_INTERVALS,
	full_check_due,
	interval,
	next_check_in,
)

NOW = datetime(2026, 11, 20, 12)


@pytest.mark.parametrize(
	("age", "hours"),
	[
		(timedelta(0), 0),
		(timedelta(hours=47, minutes=59), 0),
		(timedelta(days=2), 6),
		(timedelta(days=6, hours=23), 6),
		(timedelta(days=7), 24),
		(timedelta(days=30), 168),
		(timedelta(days=179), 168),
		(timedelta(days=180), 720),
		(timedelta(days=4000), 720),
	],
)
def test_the_older_the_rarer_and_never_not_at_all(age: timedelta, hours: int) -> None:
	assert interval(age, DEFAULT_INTERVALS) == timedelta(hours=hours)


def test_what_the_settings_leave_open_follows_the_last_line() -> None:
	assert interval(timedelta(days=500), [(2, 1), (7, 5)]) == timedelta(hours=5)
	assert interval(timedelta(days=500), [(0, 3), (7, 5)]) == timedelta(hours=3)


def test_a_young_campaign_is_due_at_every_run() -> None:
	assert not next_check_in(NOW, NOW - timedelta(hours=1), DEFAULT_INTERVALS)
	assert not next_check_in(NOW, None, DEFAULT_INTERVALS)
	assert not next_check_in(NOW, NOW + timedelta(hours=1), DEFAULT_INTERVALS)  # clocks differ


@pytest.mark.parametrize(("days", "hours"), [(3, 6), (10, 24), (60, 168), (600, 720)])
def test_an_hourly_run_that_starts_a_little_early_still_finds_it_due(days: int, hours: int) -> None:
	wait = next_check_in(NOW, NOW - timedelta(days=days), DEFAULT_INTERVALS)
	on_time = timedelta(hours=hours)
	assert on_time - timedelta(hours=1) < wait <= on_time - timedelta(minutes=5)


def test_all_lists_are_read_again_now_and_then() -> None:
	assert full_check_due(NOW, None, 7)
	assert full_check_due(NOW, None, 0)  # never done: the first time is not "again"
	assert not full_check_due(NOW, NOW - timedelta(days=6), 7)
	assert full_check_due(NOW, NOW - timedelta(days=7), 7)
	assert full_check_due(NOW, NOW - timedelta(days=7) + timedelta(minutes=5), 7)
	assert not full_check_due(NOW, NOW - timedelta(days=400), 0)


def test_a_campaign_that_is_looked_at_monthly_is_not_read_again_weekly() -> None:
	month = timedelta(hours=720)
	assert not full_check_due(NOW, NOW - timedelta(days=29), 7, month)
	assert full_check_due(NOW, NOW - timedelta(days=30), 7, month)
