"""Links, opens and clicks of a recipient: every shape in which Zoho sends them."""

import json

import pytest

from erpnext_zoho_integration.zoho import LinkClicks, Recipient

RECIPIENT = {"contactid": "1234567000000098765", "contactemailaddress": "anna@example.com"}


CLICKED = "[https://a.example/?x=1,2, https://b.example]"


@pytest.mark.parametrize(
	"urlclicks",
	[
		[{"url": "https://a.example/?x=1,2", "count": "2"}, {"url": "https://b.example", "count": 1}],
		'[{"url": "https://a.example/?x=1,2", "count": "2"}, {"url": "https://b.example", "count": 1}]',
		{"https://a.example/?x=1,2": "2", "https://b.example": 1},
	],
)
def test_links_with_counts(urlclicks):
	recipient = Recipient.from_zoho(
		{**RECIPIENT, "clickcount": "3", "clickedurls": CLICKED, "urlclicks": urlclicks}
	)
	assert recipient.click_count == 3
	assert recipient.links == (LinkClicks("https://a.example/?x=1,2", 2), LinkClicks("https://b.example", 1))


@pytest.mark.parametrize("urlclicks", [None, "", "null", [], {}, "[]"])
def test_links_without_counts(urlclicks):
	recipient = Recipient.from_zoho({**RECIPIENT, "clickedurls": CLICKED, "urlclicks": urlclicks})
	assert recipient.links == (
		LinkClicks("https://a.example/?x=1,2", None),
		LinkClicks("https://b.example", None),
	)


def test_a_single_link_may_come_without_a_list():
	recipient = Recipient.from_zoho({**RECIPIENT, "urlclicks": {"url": "https://a.example", "count": "5"}})
	assert recipient.links == (LinkClicks("https://a.example", 5),)


TIMES = ["Feb 12, 2026 12:08 PM", "Feb 13, 2026 01:08 AM"]


@pytest.mark.parametrize(
	"reports",
	[
		[{"time": TIMES[0]}, {"time": TIMES[1]}],
		{"reports": [{"report": {"time": TIMES[0]}}, {"report": {"time": TIMES[1]}}]},
		json.dumps([{"time": TIMES[0]}, {"time": TIMES[1]}]),
		str([{"time": TIMES[0]}, {"time": TIMES[1]}]),
		f"[{{time={TIMES[0]}}}, {{time={TIMES[1]}}}]",
		TIMES,
		{"first": {"clickedTime": TIMES[0]}, "second": {"date": TIMES[1]}},
		[{"browser": "x", "time": TIMES[0]}, {"time": TIMES[1], "os": "y", "timezone": "Asia/Kolkata"}],
	],
)
@pytest.mark.parametrize("key, field", [("openreports", "open_events"), ("clickreports", "click_events")])
def test_events_in_every_shape(reports, key, field):
	recipient = Recipient.from_zoho({**RECIPIENT, key: reports})
	assert [event.time_raw for event in getattr(recipient, field)] == TIMES
	assert json.dumps(getattr(recipient, field.replace("events", "reports_raw")))


def test_an_event_prefers_the_time_in_utc_and_keeps_its_link():
	report = {"time": "1783038249000", "time_gmt": "1783009449000", "url": "https://a.example"}
	(event,) = Recipient.from_zoho({**RECIPIENT, "clickreports": [report]}).click_events
	assert (event.time_raw, event.time_is_gmt, event.url) == ("1783009449000", True, "https://a.example")


@pytest.mark.parametrize(
	"reports", ["yes", "2", {"count": "2"}, [["x"]], "[browser, os]", {"time": "whenever"}]
)
def test_a_report_without_events_is_kept_unchanged(reports):
	recipient = Recipient.from_zoho({**RECIPIENT, "openreports": reports})
	assert recipient.open_events == ()
	assert recipient.open_reports_raw == reports
