"""Zoho's recipients as rows: every column, identity, and what never fails a page."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.sync.mapping.recipient_rows import (
	MAX_INT,
	RECIPIENT_FIELDS,
	Row,
	Times,
	content_hash,
	erased_row,
	precedence,
	recipient_row,
)

SENT = datetime(2026, 7, 2, 16, 24, 9, tzinfo=timezone.utc)
SKEW = timedelta(hours=8)


def times(site: str = "Europe/Berlin", account: str = "Asia/Kolkata") -> Times:
	"""Return the clocks of an account that is eight hours ahead in its epochs, as every account seen was."""
	clock = zoho.Clock(skew_ms=int(SKEW.total_seconds() * 1000), zone=ZoneInfo(account))
	return Times(clock, ZoneInfo(site))


def epoch(moment: datetime) -> str:
	return str(int((moment + SKEW).timestamp() * 1000))


def row(
	action: str = "Opened", *, clocks: Times | None = None, variant: str | None = None, **fields: object
) -> Row | None:
	record = {
		"contactid": "1234567000000000005",
		"contactemailaddress": "ada@example.com",
		"sent_time": epoch(SENT),
		**fields,
	}
	return recipient_row(zoho.Recipient.from_zoho(record), action, "3zkey", clocks or times(), variant)


def test_every_column_of_a_row() -> None:
	made = row(
		"Clicked",
		contactfn="Ada",
		contactln="Lovelace",
		companyname="Analytical Engines",
		jobtitle="Engineer",
		city="London",
		state="England",
		country="United Kingdom",
		contactstatus="active",
		clickcount="3",
		urlclicks=[
			{"url": "https://acme.example/a", "count": "2"},
			{"url": "https://acme.example/b", "count": "1"},
		],
		clickreports=[{"time": "Jul 03, 2026 12:08 PM"}, {"time": "Jul 02, 2026 11:08 PM"}],
	)
	assert made.values == {
		"email": "ada@example.com",
		"action_type": "Clicked",
		"action_date": datetime(
			2026, 7, 2, 19, 38
		),  # 11:08 PM in Kolkata, the first of them, is 7:38 PM in Berlin
		"sent_time": datetime(2026, 7, 2, 18, 24, 9),
		"full_name": "Ada Lovelace",
		"company_name": "Analytical Engines",
		"job_title": "Engineer",
		"zoho_contact_id": "1234567000000000005",
		"contact_status": "active",
		"country": "United Kingdom",
		"state": "England",
		"city": "London",
		"is_optout": 0,
		"is_spam": 0,
		"rtbf": 0,
		"open_count": 0,
		"click_count": 3,
		"variant": None,
		"clicked_links": "https://acme.example/a\nhttps://acme.example/b",
		"url_clicks": '[{"count": 2, "url": "https://acme.example/a"}, {"count": 1, "url": "https://acme.example/b"}]',
		"open_reports": None,
		"click_reports": '[{"time": "Jul 03, 2026 12:08 PM"}, {"time": "Jul 02, 2026 11:08 PM"}]',
	}
	assert set(made.values) == set(RECIPIENT_FIELDS)


@pytest.mark.parametrize(
	("action", "fields", "acted"),
	[
		("Sent", {}, datetime(2026, 7, 2, 18, 24, 9)),
		("Opened", {}, None),
		("Opened", {"openreports": '[{"time":"Feb 12, 2026 12:08 PM"}]'}, datetime(2026, 2, 12, 7, 38)),
		("Opened", {"openreports": "[{time=Feb 12, 2026 12:08 PM}]"}, datetime(2026, 2, 12, 7, 38)),
		("Opened", {"openreports": "nobody knows"}, None),
		("Clicked", {"openreports": [{"time": "Feb 12, 2026 12:08 PM"}]}, None),
		("Hard Bounced", {"bouncedDate": "03 Jul 2026, 12:24 AM"}, datetime(2026, 7, 2, 20, 54)),
		("Soft Bounced", {"bouncedDate": "03 Jul 2026, 12:24 AM"}, datetime(2026, 7, 2, 20, 54)),
		("Soft Bounced", {}, None),
		("Unsubscribed", {"optOutTime": "03 Jul 2026, 12:24 AM"}, datetime(2026, 7, 2, 20, 54)),
		("Unsubscribed", {"bouncedDate": "03 Jul 2026, 12:24 AM"}, None),
		("Complaint", {}, None),
	],
)
def test_when_a_person_acted_and_empty_where_zoho_does_not_say(
	action: str, fields: dict, acted: datetime | None
) -> None:
	assert row(action, **fields).values["action_date"] == acted


@pytest.mark.parametrize(
	("site", "sent", "stored"),
	[
		("Europe/Berlin", datetime(2026, 3, 29, 0, 59, 59), datetime(2026, 3, 29, 1, 59, 59)),
		("Europe/Berlin", datetime(2026, 3, 29, 1, 0, 0), datetime(2026, 3, 29, 3, 0, 0)),
		("Europe/Berlin", datetime(2026, 10, 25, 0, 30), datetime(2026, 10, 25, 2, 30)),
		("Europe/Berlin", datetime(2026, 10, 25, 1, 30), datetime(2026, 10, 25, 2, 30)),
		("America/New_York", datetime(2026, 7, 2, 16, 24), datetime(2026, 7, 2, 12, 24)),
		("America/New_York", datetime(2026, 1, 2, 16, 24), datetime(2026, 1, 2, 11, 24)),
		("Asia/Kolkata", datetime(2026, 1, 2, 20, 0), datetime(2026, 1, 3, 1, 30)),
	],
)
def test_times_in_the_sites_zone_daylight_saving_included(
	site: str, sent: datetime, stored: datetime
) -> None:
	made = row("Sent", clocks=times(site), sent_time=epoch(sent.replace(tzinfo=timezone.utc)))
	assert made.values["sent_time"] == made.values["action_date"] == stored


def test_without_a_known_skew_the_written_date_tells_when_the_mail_left() -> None:
	clocks = Times(zoho.Clock(zone=ZoneInfo("Asia/Kolkata")), ZoneInfo("Europe/Berlin"))
	assert row("Sent", clocks=clocks, sentdate="02 Jul 2026, 09:54 PM").values["sent_time"] == datetime(
		2026, 7, 2, 18, 24
	)
	assert row("Sent", clocks=clocks, sentdate="someday").values["sent_time"] is None


@pytest.mark.parametrize(
	("written", "stored"),
	[
		("  Ada@Example.COM ", "ada@example.com"),
		("MÜLLER@example.com", "müller@example.com"),
		("😀@example.com", "😀@example.com"),
		("a" * 242 + "@example.com", "a" * 242 + "@example.com"),
	],
)
def test_addresses_are_trimmed_and_in_lower_case(written: str, stored: str) -> None:
	made = row(contactemailaddress=written)
	assert made.email == made.values["email"] == made.person.email == stored


@pytest.mark.parametrize(
	"written", ["", "null", None, "a" * 243 + "@example.com", "a\x00b@example.com", "a\ud83d@b.c"]
)
def test_a_record_without_a_usable_address_gives_no_row(written: str | None) -> None:
	assert row(contactemailaddress=written) is None


@pytest.mark.parametrize(
	("one", "other"),
	[("müller", "muller"), ("straße", "strasse"), ("😀", "😎"), ("élodie", "elodie"), ("a.b", "ab")],
)
def test_look_alike_addresses_are_different_rows(one: str, other: str) -> None:
	keys = {row(contactemailaddress=f"{each}@example.com").key for each in (one, other)}
	assert len(keys) == 2
	assert all(len(key) <= 140 and key.isascii() for key in keys)


def test_a_row_is_its_campaign_address_and_action() -> None:
	one = row()
	assert one.key == row(contactid="9", contactfn="Another", contactemailaddress=" ADA@example.com").key
	assert one.key != row("Clicked").key
	record = zoho.Recipient.from_zoho({"contactemailaddress": "ada@example.com"})
	assert one.key != recipient_row(record, "Opened", "3zother", times()).key


def test_the_hash_changes_with_every_field_and_with_nothing_else() -> None:
	values = row(openreports=[{"time": "Feb 12, 2026 12:08 PM"}]).values
	first = content_hash(values)
	assert content_hash(dict(reversed(values.items()))) == first
	for field in RECIPIENT_FIELDS:
		assert content_hash({**values, field: "other"}) != first, field
	# A value that moves from one field to its neighbour is another row.
	assert content_hash({**values, "country": "x", "state": None}) != content_hash(
		{**values, "country": None, "state": "x"}
	)


def test_what_is_too_long_is_cut_to_its_field() -> None:
	made = row(
		companyname="Very Long " * 40,
		jobtitle="x" * 500,
		contactfn="f" * 200,
		contactln="l" * 200,
		phone="1" * 300,
	)
	for field in ("company_name", "job_title", "full_name"):
		assert len(made.values[field]) == 140
	assert len(made.person.phone) == 140


@pytest.mark.parametrize(("first", "last"), [(200, 200), (200, 3), (3, 200), (70, 70), (139, 1), (140, 1)])
def test_a_contacts_full_name_fits_its_field(first: int, last: int) -> None:
	person = row(contactfn="f" * first, contactln="l" * last).person
	assert len(f"{person.first_name} {person.last_name}") <= 140
	assert person.first_name.startswith("f" * min(first, 68)) and person.last_name.startswith(
		"l" * min(last, 68)
	)


def test_a_long_first_name_is_cut_no_more_than_needed() -> None:
	assert row(contactfn="f" * 140).person.first_name == "f" * 140
	assert row(contactfn="f" * 140, contactln="Lee").person.first_name == "f" * 135 + "…"


@pytest.mark.parametrize("length", [10, 400])
def test_clicked_links_fit_their_field_in_bytes(length: int) -> None:
	links = [
		{"url": f"https://acme.example/{number}/{'東' * length}", "count": "1"} for number in range(4000)
	]
	made = row("Clicked", urlclicks=links)
	assert len(made.values["clicked_links"].encode()) <= 65_535
	assert made.values["clicked_links"].startswith(links[0]["url"] + "\n")
	assert len(json.loads(made.values["url_clicks"])) == 4000


@pytest.mark.parametrize(("written", "stored"), [("7", 7), ("-3", 0), (str(10**12), MAX_INT), ("many", 0)])
def test_counts_fit_their_field(written: str, stored: int) -> None:
	assert row("Clicked", clickcount=written).values["click_count"] == stored


def test_openings_and_clicks_are_counted_where_zoho_gives_no_number() -> None:
	opens = [{"time": "Feb 12, 2026 12:08 PM"}, {"time": "Feb 13, 2026 12:08 PM"}]
	assert row("Opened", openreports=opens).values["open_count"] == 2
	links = [{"url": "https://a.example/", "count": "2"}, {"url": "https://b.example/", "count": "3"}]
	assert row("Clicked", urlclicks=links).values["click_count"] == 5


@pytest.mark.parametrize(
	"field", ["contactfn", "companyname", "city", "openreports", "clickreports", "contactstatus"]
)
def test_what_no_database_can_store_costs_no_page(field: str) -> None:
	broken = {"time": "half a pair \ud83d, a zero \x00"} if "reports" in field else "half \ud83d, zero \x00"
	made = row("Clicked", **{field: broken})
	for value in made.values.values():
		text = str(value)
		text.encode()
		assert "\x00" not in text


def test_links_that_are_no_web_addresses_are_left_out() -> None:
	links = [
		{"url": "javascript:alert(1)", "count": "1"},
		{"url": "https://acme.example/\"onclick='x'", "count": "1"},
	]
	made = row("Clicked", urlclicks=links)
	assert made.values["clicked_links"] == "https://acme.example/%22onclick=%27x%27"
	assert "javascript" not in made.values["url_clicks"]


def test_the_person_behind_a_row() -> None:
	person = row(
		"Sent", contactfn="<b>Bold</b>", contactln="null", phone="+91 7000000000", mobile="", jobtitle="CTO"
	).person
	assert (person.first_name, person.last_name) == ("‹b›Bold‹/b›", None)
	assert (person.phone, person.mobile_no, person.designation) == ("+91 7000000000", None, "CTO")
	assert not person.acted
	assert row("Opened").person.acted


@pytest.mark.parametrize(
	("action", "optout", "spam"), [("Unsubscribed", 1, 0), ("Complaint", 0, 1), ("Opened", 0, 0)]
)
def test_opt_outs_and_complaints_are_flagged(action: str, optout: int, spam: int) -> None:
	values = row(action).values
	assert (values["is_optout"], values["is_spam"]) == (optout, spam)


def test_an_erased_person_leaves_a_figure_and_nothing_else() -> None:
	made = erased_row("erased-123", "Unsubscribed", "3zkey", "A")
	assert made.erased and made.values["rtbf"] == 1 and made.values["is_optout"] == 1
	kept = {field: value for field, value in made.values.items() if value}
	assert kept == {
		"email": "erased-123",
		"action_type": "Unsubscribed",
		"rtbf": 1,
		"is_optout": 1,
		"variant": "A",
	}
	assert made.key == erased_row("erased-123", "Unsubscribed", "3zkey").key
	assert made.person.email == "erased-123" and not made.person.acted


def test_of_records_for_one_row_the_lowest_id_stands_then_the_final_mailing() -> None:
	order = [("99", None), ("99", "A"), ("99", "B"), ("100", None), ("1000", "A"), (None, None), (None, "B")]
	assert min(order, key=lambda each: precedence(*each)) == order[0]
	assert all(precedence(*one) < precedence(*next_one) for one, next_one in pairwise(order))
	assert row(contactid="7").precedence < row(contactid="12").precedence < row(contactid=None).precedence
