"""The clock: a measured skew, a time zone that Zoho does not name, and summer time."""

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from erpnext_zoho_integration.zoho import Campaign, Clock, Event, Recipient, find_zone

HOUR = 3_600_000


def utc(*parts):
	return datetime(*parts, tzinfo=timezone.utc)


def campaign(sent, zone="America/New_York", skew=8 * HOUR, author_zone="Europe/Berlin", gmt=True):
	"""Return a campaign that was sent at this moment, as Zoho lists it."""
	ms = int(sent.timestamp() * 1000)
	local = sent.astimezone(ZoneInfo(zone))
	row = {
		"campaign_key": f"k{ms}",
		"sent_time": str(ms + skew),
		"sent_date_string": local.strftime("%d %b %Y, %I:%M %p"),
		"sent_time_zone": author_zone,
	}
	return Campaign.from_zoho({**row, "sent_time_gmt": str(ms)} if gmt else row)


def recipient(**raw):
	return Recipient.from_zoho({"contactid": "1", **raw})


def test_the_skew_is_measured_and_taken_off():
	clock = Clock.measure([campaign(utc(2026, 7, 2, 16, 24, 9)), campaign(utc(2026, 1, 27, 20, 22, 22))])
	assert clock.skew_ms == 8 * HOUR
	assert clock.recipient_sent_at(recipient(sent_time="1783038249000")) == utc(2026, 7, 2, 16, 24, 9)


@pytest.mark.parametrize("skew", [0, -8 * HOUR, 5 * HOUR + HOUR // 2, 13 * HOUR])
def test_any_skew_is_measured(skew):
	sent = utc(2026, 7, 2, 16, 24, 9)
	clock = Clock.measure([campaign(sent, skew=skew)])
	raw = str(int(sent.timestamp() * 1000) + skew)
	assert clock.recipient_sent_at(recipient(sent_time=raw)) == sent


def test_one_broken_campaign_does_not_spoil_the_skew():
	good = [campaign(utc(2026, 7, day, 12)) for day in range(2, 8)]
	an_hour_off = campaign(utc(2026, 7, 1, 12), skew=9 * HOUR)
	assert Clock.measure([an_hour_off, *good]).skew_ms == 8 * HOUR
	broken = campaign(utc(2026, 6, 1, 12), skew=31 * 24 * HOUR)
	clock = Clock.measure([broken, *good])
	assert clock.skew_ms == 8 * HOUR
	sent = utc(2026, 7, 2, 12)
	raw = str(int(sent.timestamp() * 1000) + 8 * HOUR)
	assert clock.recipient_sent_at(recipient(sent_time=raw)) == sent


def test_a_skew_that_changes_over_the_year_is_taken_from_the_nearest_campaign():
	winter, summer = utc(2026, 1, 15, 12), utc(2026, 7, 15, 12)
	clock = Clock.measure([campaign(winter, skew=8 * HOUR), campaign(summer, skew=7 * HOUR)])
	for sent, skew in ((winter + timedelta(days=3), 8), (summer - timedelta(days=3), 7)):
		raw = str(int(sent.timestamp() * 1000) + skew * HOUR)
		assert clock.recipient_sent_at(recipient(sent_time=raw)) == sent


def test_without_a_skew_the_written_date_counts():
	clock = Clock(zone=ZoneInfo("America/New_York"))
	row = recipient(sent_time="1783038249000", sentdate="02 Jul 2026, 12:24 PM")
	assert clock.recipient_sent_at(row) == utc(2026, 7, 2, 16, 24)


def test_with_neither_skew_nor_zone_nothing_is_guessed():
	row = recipient(sent_time="1783038249000", sentdate="02 Jul 2026, 12:24 PM")
	assert Clock().recipient_sent_at(row) is None
	assert Clock.measure([]).recipient_sent_at(row) is None
	assert Clock().parse_local(None) is None


def test_a_campaigns_time_is_utc_then_skew_then_text():
	clock = Clock.measure([campaign(utc(2026, 7, 2, 16, 24, 9))], candidates=["America/New_York"])
	assert clock.at(campaign(utc(2026, 3, 1, 9, 30, 5)).sent) == utc(2026, 3, 1, 9, 30, 5)
	assert clock.at(campaign(utc(2026, 3, 1, 9, 30, 5), gmt=False).sent) == utc(2026, 3, 1, 9, 30, 5)
	text_only = Campaign.from_zoho({"campaign_key": "k", "sent_date_string": "01 Mar 2026, 04:30 AM"})
	assert clock.at(text_only.sent) == utc(2026, 3, 1, 9, 30)
	assert clock.at(Campaign.from_zoho({"campaign_key": "k"}).sent) is None


def test_the_authors_zone_is_not_the_zone_of_written_dates():
	clock = Clock.measure([campaign(utc(2026, 7, 2, 16, 24, 9), author_zone="Europe/Berlin")])
	assert clock.parse_local("02 Jul 2026, 12:24 PM") == utc(2026, 7, 2, 16, 24)


def test_without_a_zone_the_offset_of_the_nearest_campaign_is_used():
	clock = Clock.measure([campaign(utc(2026, 1, 15, 12)), campaign(utc(2026, 7, 15, 12))])
	assert clock.zone is None
	assert clock.parse_local("20 Jan 2026, 12:00 PM") == utc(2026, 1, 20, 17)
	assert clock.parse_local("20 Jul 2026, 12:00 PM") == utc(2026, 7, 20, 16)


@pytest.mark.parametrize(
	"zone", ["Asia/Kolkata", "Australia/Adelaide", "Asia/Kathmandu", "Pacific/Apia", "UTC"]
)
def test_offsets_of_quarters_of_an_hour(zone):
	sent = utc(2026, 7, 2, 16, 24, 59)
	clock = Clock.measure([campaign(sent, zone=zone)])
	written = sent.astimezone(ZoneInfo(zone)).strftime("%d %b %Y, %I:%M %p")
	assert clock.parse_local(written) == utc(2026, 7, 2, 16, 24)


def test_a_candidate_is_taken_only_if_it_fits_every_campaign():
	both = [campaign(utc(2026, 1, 15, 12)), campaign(utc(2026, 7, 15, 12))]
	clock = Clock.measure(
		both, candidates=["Nowhere/Land", "America/Caracas", "America/New_York", "America/Toronto"]
	)
	assert clock.zone == ZoneInfo("America/New_York")
	# No campaign shows the day on which the clocks changed; the zone does.
	assert clock.parse_local("07 Mar 2026, 12:00 PM") == utc(2026, 3, 7, 17)
	assert clock.parse_local("08 Mar 2026, 12:00 PM") == utc(2026, 3, 8, 16)


def test_the_authors_zone_is_tried_as_well():
	clock = Clock.measure([campaign(utc(2026, 7, 2, 16), zone="Europe/Berlin", author_zone="Europe/Berlin")])
	assert clock.zone == ZoneInfo("Europe/Berlin")


def test_a_zone_that_was_set_is_used_even_if_no_campaign_fits():
	kolkata = ZoneInfo("Asia/Kolkata")
	assert Clock.measure([campaign(utc(2026, 7, 2, 16))], zone=kolkata).zone == kolkata
	assert Clock.measure([], zone=kolkata).zone == kolkata


NEW_YORK = Clock(zone=ZoneInfo("America/New_York"))


def test_an_hour_that_occurs_twice_means_the_first():
	assert NEW_YORK.parse_local("01 Nov 2026, 01:30 AM") == utc(2026, 11, 1, 5, 30)
	assert NEW_YORK.parse_local("01 Nov 2026, 02:30 AM") == utc(2026, 11, 1, 7, 30)


def test_an_hour_that_is_missing_is_moved_forward():
	assert NEW_YORK.parse_local("08 Mar 2026, 02:30 AM") == utc(2026, 3, 8, 7, 30)


def test_an_offset_in_the_text_wins_over_the_zone():
	assert NEW_YORK.parse_local("2025-04-09T00:55:07-07:00") == utc(2025, 4, 9, 7, 55, 7)


def test_a_name_of_a_month_in_another_language_gives_none():
	assert NEW_YORK.parse_local("02 Dez 2026, 12:24 PM") is None


OPENS = [{"time": "Feb 13, 2026 12:08 PM"}, {"time": "Feb 12, 2026 12:08 PM"}, {"time_gmt": "1783009449000"}]


@pytest.mark.parametrize(
	"action_type, row, moment",
	[
		("Opened", {"openreports": OPENS}, utc(2026, 2, 12, 17, 8)),
		("Opened", {"openreports": [{"time": "1783038249000"}]}, utc(2026, 7, 2, 16, 24, 9)),
		("Opened", {"sentdate": "02 Jul 2026, 12:24 PM"}, None),
		("Clicked", {"clickreports": OPENS[:1]}, utc(2026, 2, 13, 17, 8)),
		("Clicked", {"openreports": OPENS}, None),
		("Hard Bounced", {"bouncedDate": "02 Jul 2026, 12:24 PM"}, utc(2026, 7, 2, 16, 24)),
		("Soft Bounced", {"bouncedDate": "1783038249000"}, utc(2026, 7, 2, 16, 24, 9)),
		("Hard Bounced", {"sent_time": "1783038249000"}, None),
		("Unsubscribed", {"optOutTime": "02 Jul 2026, 12:24 PM"}, utc(2026, 7, 2, 16, 24)),
		("Complaint", {"optOutTime": "02 Jul 2026, 12:24 PM"}, utc(2026, 7, 2, 16, 24)),
		("Complaint", {"sent_time": "1783038249000"}, None),
		("Sent", {"sent_time": "1783038249000"}, utc(2026, 7, 2, 16, 24, 9)),
	],
)
def test_the_time_of_an_action_is_never_the_time_of_sending(action_type, row, moment):
	clock = Clock(skew_ms=8 * HOUR, zone=ZoneInfo("America/New_York"))
	assert clock.acted_at(recipient(**row), action_type) == moment


def test_an_event_in_utc_has_no_skew():
	clock = Clock(skew_ms=8 * HOUR)
	assert clock.event_at(Event("1783009449000", True, None)) == utc(2026, 7, 2, 16, 24, 9)
	assert clock.event_at(Event("1783038249000", False, None)) == utc(2026, 7, 2, 16, 24, 9)


@pytest.mark.parametrize("name", ["Nowhere/Land", "", "../etc/passwd", "/etc/passwd", "Europe", "Europe/"])
def test_a_name_that_is_not_a_zone(name):
	assert find_zone(name) is None


def test_a_zone_by_name():
	assert utc(2026, 7, 2).astimezone(find_zone("Asia/Kolkata")).utcoffset() == timedelta(hours=5, minutes=30)
