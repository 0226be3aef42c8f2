"""Faults in the data: lists that change while they are read, and bad values field by field."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.faults.matrix import STAGES, Cell

HUGE = "9" * 40
LONG = "long " * 20_000
FOUR_BYTES = "🌻𝒳 \U0010ffff"
ABSENT = object()  # the key is left out
# Kind of field → name of the bad value → the value.
ANYTHING: dict[str, Any] = {
	"absent": ABSENT,
	"null": None,
	'"null"': "null",
	"empty": "",
	"a list": ["x", 1],
	"a mapping": {"a": {"b": None}},
	"a boolean": True,
	"huge": LONG,
	"4-byte characters": FOUR_BYTES,
	"half a character": "\ud83d x \0",
	"markup": "<script>alert(1)</script>",
}
NUMBERS: dict[str, Any] = {
	"absent": ABSENT,
	"null": None,
	'"null"': "null",
	"a list": [3],
	"negative": "-5",
	"huge": HUGE,
	"a word": "many",
	"a fraction": "2.5",
	"infinite": "1e999",
}
DATES: dict[str, Any] = {
	"absent": ABSENT,
	"null": None,
	'"null"': "null",
	"a mapping": {"time": 1},
	"negative": "-86400000",
	"huge": HUGE,
	"no date": "32 Foo 2026, 25:61 XM",
	"another language": "21 Σεπ 2026, 06:03 μμ",
	"0": "0",
}
NOTHING = {
	name: ANYTHING[name] for name in ("absent", "null", '"null"', "empty", "a list", "a mapping", "a boolean")
}
# Field of a recipient → the list in which it is read, and the bad values.
RECIPIENT_FIELDS = {
	"contactemailaddress": ("sentcontacts", ANYTHING),
	"contactid": ("sentcontacts", NOTHING),
	"contactfn": ("openedcontacts", ANYTHING),
	"contactln": ("openedcontacts", ANYTHING),
	"companyname": ("openedcontacts", ANYTHING),
	"jobtitle": ("openedcontacts", ANYTHING),
	"phone": ("openedcontacts", ANYTHING),
	"mobile": ("openedcontacts", ANYTHING),
	"country": ("openedcontacts", ANYTHING),
	"city": ("sentcontacts", ANYTHING),
	"state": ("sentcontacts", ANYTHING),
	"contactstatus": ("openedcontacts", ANYTHING),
	"sent_time": ("sentcontacts", DATES),
	"sentdate": ("sentcontacts", DATES),
	"openreports": ("openedcontacts", {**ANYTHING, **DATES}),
	"opencount": ("openedcontacts", NUMBERS),
	"clickcount": ("clickedcontacts", NUMBERS),
	"clickedurls": ("clickedcontacts", ANYTHING),
	"urlclicks": ("clickedcontacts", ANYTHING),
	"clickreports": ("clickedcontacts", {**ANYTHING, **DATES}),
	"bouncedDate": ("sentsoftbounce", DATES),
	"optOutTime": ("optoutcontacts", DATES),
	"surprise": ("sentcontacts", ANYTHING),
}
REPORT_FIELDS = {
	"emails_sent_count": NUMBERS,
	"opens_count": NUMBERS,
	"unique_clicks_count": NUMBERS,
	"hardbounce_count": NUMBERS,
	"softbounce_count": NUMBERS,
	"unsub_count": NUMBERS,
	"complaints_count": NUMBERS,
	"delivered_percent": NUMBERS,
	"surprise_count": NUMBERS,
}
REPORT_BLOCKS = {
	"campaign-reports": ANYTHING,
	"campaign-reach": ANYTHING,
	"campaign-by-loaction": ANYTHING,
	"campaign-details": ANYTHING,
}
CAMPAIGN_FIELDS = {
	"campaign_key": ANYTHING,
	"campaignId": ANYTHING,
	"campaign_name": ANYTHING,
	"subject": ANYTHING,
	"from_email": ANYTHING,
	"reply_to": ANYTHING,
	"campaign_status": ANYTHING,
	"campaigntype": ANYTHING,
	"campaign_preview": ANYTHING,
	"sent_time": DATES,
	"sent_time_gmt": DATES,
	"sent_date_string": DATES,
	"created_time": DATES,
	"zuid": ANYTHING,
	"surprise": ANYTHING,
}


def values() -> Iterable[Cell]:
	group = "Bad values"
	for field, (action, bad) in RECIPIENT_FIELDS.items():
		more = {"list": action, "field": field, "values": bad}
		yield Cell(group, f"recipient: {field}", "recipients", "blank", more=more)
	for field, bad in (REPORT_FIELDS | REPORT_BLOCKS).items():
		path = field if field in REPORT_BLOCKS else f"campaign-reports.*.{field}"
		yield Cell(group, f"report: {field}", "report", "blank", more={"path": path, "values": bad})
	for field, bad in CAMPAIGN_FIELDS.items():
		path = f"recent_campaigns.{{}}.{field}"
		yield Cell(group, f"campaign: {field}", "list", "blank", more={"path": path, "values": bad})


def lists() -> Iterable[Cell]:
	group = "Lists that move or lie"
	names = {
		"a row is added behind while pages are read": "recovers",
		"a row is added in front while pages are read": "recovers",
		"a row is on two pages, and another one on none": "told",
		"a row is removed before the page": "told",
		"a short page in the middle": "told",
		"an empty page in the middle": "told",
		"the same page again and again": "listed",
		"the rows under another name": "listed",
		"a row that is no record": "listed",
		"a total that is too small": "recovers",
		"a total that is too large": "recovers",
		"another page size told than asked for": "recovers",
		"counters that shrink": "recovers",
		"counters that are too large": "told",
		**{
			f"an empty list as {form}": "recovers"
			for form in ("6303", "6302", "6501", "text", "empty", "absent")
		},
	}
	for name, outcome in names.items():
		yield Cell(group, name, "recipients", outcome)
	for name in (
		"a campaign on two pages",
		"a total that is too small",
		"a row that is no record",
		"pages of one campaign",
		"drafts in spite of the filter",
	):
		outcome = "listed" if name == "a row that is no record" else "recovers"
		yield Cell(group, name, "list", outcome)


def data() -> list[Cell]:
	"""Return all of these cells, with those that do not apply at the other stages."""
	cells = [*lists(), *values()]
	found = list(cells)
	for group, fault in dict.fromkeys((cell.group, cell.fault) for cell in cells):
		own = {cell.stage for cell in cells if (cell.group, cell.fault) == (group, fault)}
		found += [
			Cell(group, fault, stage, reason="the stage reads no such list or field")
			for stage in STAGES
			if stage not in own
		]
	return found
