"""Records: every spelling and every kind of nonsense Zoho writes, without losing a row."""

import json
import pickle
from datetime import datetime, timezone

import pytest

from erpnext_zoho_integration.zoho import (
	ACTION_COUNTERS,
	ACTIONS,
	METRICS,
	BadRecord,
	Campaign,
	CampaignDetails,
	ChildCampaign,
	LinkClicks,
	Page,
	Recipient,
	Report,
)
from erpnext_zoho_integration.zoho.values import count, counts_by_name, flag, number, structure, text, urls


@pytest.mark.parametrize(
	"raw, value",
	[
		("90", 90),
		(" 90 ", 90),
		(90, 90),
		("50.3", 50.3),
		(50.3, 50.3),
		("50.3%", 50.3),
		("50 %", 50),
		("-3", -3),
		("+3", 3),
		("1,234", 1234),
		("1,234,567.5", 1234567.5),
		("12.", 12.0),
		("0", 0),
		("9223372036854775807", 2**63 - 1),
		("9223372036854775808", None),
		("9" * 500, None),
		(10**400, None),
		("1e400", None),
		("1e3", None),
		("50,3", None),
		("1,23", None),
		("٣", None),
		("²", None),
		("0x10", None),
		("null", None),
		("undefined", None),
		("", None),
		("n/a", None),
		("--1", None),
		("NaN", None),
		(float("nan"), None),
		(float("inf"), None),
		(True, None),
		(None, None),
		([], None),
		({}, None),
	],
)
def test_numbers(raw, value):
	found = number(raw)
	assert found == value
	assert type(found) is type(value)


@pytest.mark.parametrize("raw, value", [("3", 3), ("3.0", 3), ("3.5", None), ("-1", None), ("1,234", 1234)])
def test_counts_are_whole_and_not_negative(raw, value):
	assert count(raw) == value


@pytest.mark.parametrize(
	"raw, value",
	[
		(" Anna ", "Anna"),
		("Null", "Null"),  # a family name
		("null", None),
		("undefined", None),
		("  ", None),
		(1234567000001234567, "1234567000001234567"),
		(None, None),
		(True, None),
		(["x"], None),
	],
)
def test_texts(raw, value):
	assert text(raw) == value


@pytest.mark.parametrize("raw", ["1", 1, True, "true", "yes", "x"])
def test_what_may_be_a_yes_is_one(raw):
	assert flag(raw) is True


@pytest.mark.parametrize("raw", ["0", 0, False, "false", "False", "", "null", "undefined", None])
def test_what_is_a_no(raw):
	assert flag(raw) is False


@pytest.mark.parametrize(
	"raw, value",
	[
		({"India": 12, "Germany": "3"}, {"India": 12, "Germany": 3}),
		("{in=2}", {"in": 2}),
		("{in=2, us=1,234, Korea, Republic of=3}", {"in": 2, "us": 1234, "Korea, Republic of": 3}),
		("{in=2,us=3}", {"in": 2, "us": 3}),
		('{"India": 12}', {"India": 12}),
		([{"India": 12}, {"Germany": 3}], {"India": 12, "Germany": 3}),
		(["{in=2}", {"in": 1}], {"in": 3}),
		({"India": "many", "Germany": None, "Peru": -1}, {}),
		("{}", {}),
		("{in=two}", {}),
		("", {}),
		("null", {}),
		([], {}),
		(None, {}),
		(7, {}),
		("{" + "a" * 100_000, {}),
		("{" + "=" * 100_000 + "}", {}),
	],
)
def test_counts_by_country_in_every_shape(raw, value):
	assert counts_by_name(raw) == value


@pytest.mark.parametrize(
	"raw, value",
	[
		("[https://a.example/x, https://b.example]", ["https://a.example/x", "https://b.example"]),
		(
			"[https://a.example/?x=1,2, mailto:b@c.example]",
			["https://a.example/?x=1,2", "mailto:b@c.example"],
		),
		("[https://a.example/?u=1,http://b.example]", ["https://a.example/?u=1,http://b.example"]),
		("[www.a.example, b.example/x]", ["www.a.example", "b.example/x"]),
		("https://a.example", ["https://a.example"]),
		(["https://a.example", "null", None], ["https://a.example"]),
		("[]", []),
		("null", []),
		(None, []),
		(3.5, ["3.5"]),
	],
)
def test_clicked_addresses(raw, value):
	assert urls(raw) == value


@pytest.mark.parametrize(
	"raw, value",
	[
		('[{"time": "x"}]', [{"time": "x"}]),
		("[{'time': 'x', 'n': 1}]", [{"time": "x", "n": 1}]),
		(
			"{time=Feb 12, 2026 12:08 PM, url=https://a.example/?x=1}",
			{"time": "Feb 12, 2026 12:08 PM", "url": "https://a.example/?x=1"},
		),
		(
			"[{time=Feb 12, 2026 12:08 PM}, {time=Feb 13, 2026 1:08 AM}]",
			[{"time": "Feb 12, 2026 12:08 PM"}, {"time": "Feb 13, 2026 1:08 AM"}],
		),
		("[]", []),
		("{}", {}),
		("[a, b]", "[a, b]"),
		("[" * 50_000, "[" * 50_000),
		("{1, 2}", "{1, 2}"),
		("text", "text"),
		("", ""),
		(None, None),
		({"a": 1}, {"a": 1}),
	],
)
def test_structures_written_as_text(raw, value):
	assert structure(raw) == value


CAMPAIGN = {
	"campaign_key": "3z" + "a" * 64,
	"campaignId": "1234567000001234567",
	"campaign_name": "July <b>news</b> 🎉",
	"subject": "Hello July",
	"campaign_status": "Sent",
	"campaigntype": "normal",
	"from_email": "news@example.com",
	"reply_to": "reply@example.com",
	"campaign_preview": "acme.maillist-manage.com/campaigns/SharedCampaignPreview.zc?c=html&cDgs=3z",
	"zuid": "700000001",
	"folder_id": "",
	"is_hybrid": "false",
	"created_time": "1782757637000",
	"created_time_gmt": "1782728837000",
	"created_date_string": "29 Jun 2026, 06:27 AM",
	"updated_time": "1783038249000",
	"updated_time_gmt": "1783009449000",
	"updated_date_string": "02 Jul 2026, 12:24 PM",
	"sent_time": "1783038249000",
	"sent_time_gmt": "1783009449000",
	"sent_date_string": "02 Jul 2026, 12:24 PM",
	"sent_time_zone": "Europe/Berlin",
}


def test_a_campaign():
	campaign = Campaign.from_zoho(CAMPAIGN)
	assert campaign.key == "3z" + "a" * 64
	assert campaign.id == "1234567000001234567"
	assert campaign.name == "July <b>news</b> 🎉"
	assert (campaign.subject, campaign.status, campaign.type) == ("Hello July", "Sent", "normal")
	assert (campaign.from_email, campaign.reply_to) == ("news@example.com", "reply@example.com")
	assert campaign.preview_url == "https://" + CAMPAIGN["campaign_preview"]
	assert campaign.sent_at_utc == datetime(2026, 7, 2, 16, 24, 9, tzinfo=timezone.utc)
	assert campaign.created_at_utc == datetime(2026, 6, 29, 10, 27, 17, tzinfo=timezone.utc)
	assert campaign.updated_at_utc == campaign.sent_at_utc
	assert (campaign.sent.skewed_ms, campaign.sent.written) == (1783038249000, "02 Jul 2026, 12:24 PM")
	assert (campaign.sent_time_zone, campaign.zuid) == ("Europe/Berlin", "700000001")
	assert campaign.extra == {"is_hybrid": "false"}
	assert campaign.problems == ()
	assert campaign.is_sent and not campaign.is_ab_test


def test_a_draft_has_no_sent_time():
	row = {key: value for key, value in CAMPAIGN.items() if not key.startswith("sent_")}
	campaign = Campaign.from_zoho({**row, "campaign_status": "Draft"})
	assert campaign.sent_at_utc is None
	assert not campaign.is_sent
	assert campaign.problems == ()


def test_names_of_other_endpoints_are_read_too():
	row = {
		"campaign_key": "k",
		"campaignid": "7",
		"email_subject": "s",
		"email_from": "a@b.example",
		"sender_name": "n",
	}
	campaign = Campaign.from_zoho(row)
	assert (campaign.id, campaign.subject, campaign.from_email, campaign.from_name) == (
		"7",
		"s",
		"a@b.example",
		"n",
	)


def test_statuses_and_types_are_compared_without_case():
	campaign = Campaign.from_zoho(
		{"campaign_key": "k", "campaign_status": "SENT", "campaigntype": "ABTesting"}
	)
	assert campaign.is_sent and campaign.is_ab_test


@pytest.mark.parametrize(
	"preview, url",
	[
		("https://x.example/a", "https://x.example/a"),
		("x.example", "https://x.example"),
		("javascript:alert(1)", None),
		("data:text/html,x", None),
		("/relative", None),
		("", None),
		("null", None),
	],
)
def test_a_preview_is_a_web_address_or_none(preview, url):
	campaign = Campaign.from_zoho({"campaign_key": "k", "campaign_preview": preview})
	assert campaign.preview_url == url
	assert campaign.problems == (("campaign_preview",) if url is None and preview not in ("", "null") else ())


def test_bad_times_are_none_and_noted():
	bad = {
		"created_time_gmt": "soon",
		"sent_time_gmt": "1783009449",
		"sent_time": "0",
		"updated_time_gmt": None,
	}
	campaign = Campaign.from_zoho({**CAMPAIGN, **bad})
	assert campaign.created_at_utc is None
	assert campaign.sent_at_utc is None
	assert campaign.sent.skewed_ms is None
	assert campaign.problems == ("created_time_gmt", "sent_time_gmt")


@pytest.mark.parametrize(
	"row", [{}, {"campaign_key": ""}, {"campaign_key": "null"}, {"campaignId": "7"}, None, "x", []]
)
def test_a_campaign_without_a_key_is_a_bad_record(row):
	record = Campaign.from_zoho(row)
	assert isinstance(record, BadRecord)
	assert record.raw == row


RECIPIENT = {
	"contactid": "1234567000000098765",
	"contactemailaddress": " Anna.Bell@Example.COM ",
	"contactfn": "Anna",
	"contactln": "Müller",
	"companyname": "ACME",
	"jobtitle": "CEO",
	"phone": "+49 30 1234",
	"mobile": "null",
	"website": "https://acme.example",
	"note": "",
	"city": "Berlin",
	"state": "undefined",
	"country": "Germany",
	"contactstatus": "active",
	"sent_time": "1783038249000",
	"sentdate": "02 Jul 2026, 12:24 PM",
	"rtbf": "0",
	"cf_loyalty": "gold",
}


def test_a_recipient():
	recipient = Recipient.from_zoho(RECIPIENT)
	assert recipient.contact_id == "1234567000000098765"
	assert recipient.email == "Anna.Bell@Example.COM"
	assert (recipient.first_name, recipient.last_name) == ("Anna", "Müller")
	assert (recipient.company, recipient.job_title) == ("ACME", "CEO")
	assert (recipient.phone, recipient.mobile) == ("+49 30 1234", None)
	assert (recipient.country, recipient.city, recipient.state) == ("Germany", "Berlin", None)
	assert (recipient.status, recipient.erased) == ("active", False)
	assert (recipient.sent_time_raw, recipient.sent_date_raw) == ("1783038249000", "02 Jul 2026, 12:24 PM")
	assert recipient.extra == {"website": "https://acme.example", "cf_loyalty": "gold"}
	assert (recipient.links, recipient.open_events, recipient.click_events, recipient.problems) == (
		(),
		(),
		(),
		(),
	)


def test_the_fast_way_sets_every_field_and_the_record_stays_what_it_is():
	recipient = Recipient.from_zoho(RECIPIENT)
	assert set(vars(recipient)) == set(Recipient.__dataclass_fields__)
	assert pickle.loads(pickle.dumps(recipient)) == recipient
	assert recipient != Recipient.from_zoho({**RECIPIENT, "city": "Bonn"})
	with pytest.raises(AttributeError):
		recipient.email = "other@example.com"


def test_the_documented_names_are_read_too():
	recipient = Recipient.from_zoho({"contactid": "1", "firstname": "Anna", "lastname": "Bell"})
	assert (recipient.first_name, recipient.last_name, recipient.email) == ("Anna", "Bell", None)


@pytest.mark.parametrize(
	"row",
	[{}, {"contactid": "", "contactemailaddress": "null"}, {"contactfn": "Anna"}, None, "x", 3, ["a"]],
)
def test_a_recipient_without_identity_is_a_bad_record(row):
	record = Recipient.from_zoho(row)
	assert isinstance(record, BadRecord)
	assert record.raw == row
	assert "Anna" not in repr(record)


@pytest.mark.parametrize(
	"junk", [None, "null", "", "x", 7, 1.5, True, [], {}, [[]], [{}], {"a": {"b": []}}, "[{", "{a}"]
)
def test_no_value_of_any_field_raises(junk):
	keys = [
		*RECIPIENT,
		"clickcount",
		"opencount",
		"clickedurls",
		"urlclicks",
		"openreports",
		"clickreports",
		"optOutTime",
	]
	for key in keys:
		record = Recipient.from_zoho({"contactid": "1", "contactemailaddress": "a@b.example", key: junk})
		assert isinstance(record, Recipient)
		json.dumps([record.open_reports_raw, record.click_reports_raw, record.extra])


def test_what_cannot_be_read_is_noted():
	recipient = Recipient.from_zoho(
		{"contactid": "1", "contactemailaddress": "nobody", "clickcount": "some", "opencount": "-1"}
	)
	assert recipient.email == "nobody"
	assert recipient.problems == ("contactemailaddress", "clickcount", "opencount")


@pytest.mark.parametrize(
	"rtbf, erased", [("1", True), (1, True), ("true", True), ("0", False), ("", False), ("null", False)]
)
def test_erased_people_are_marked(rtbf, erased):
	assert Recipient.from_zoho({**RECIPIENT, "rtbf": rtbf}).erased is erased


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
def test_what_is_no_event_is_kept_as_it_is(reports):
	recipient = Recipient.from_zoho({**RECIPIENT, "openreports": reports})
	assert recipient.open_events == ()
	assert recipient.open_reports_raw == reports


@pytest.mark.parametrize("key", ["bouncedDate", "bounceddate"])
def test_when_it_bounced(key):
	assert (
		Recipient.from_zoho({**RECIPIENT, key: "02 Jul 2026, 12:30 PM"}).bounced_at_raw
		== "02 Jul 2026, 12:30 PM"
	)


@pytest.mark.parametrize("key", ["optOutTime", "optouttime"])
def test_when_the_person_opted_out(key):
	assert (
		Recipient.from_zoho({**RECIPIENT, key: "02 Jul 2026, 12:30 PM"}).opted_out_at_raw
		== "02 Jul 2026, 12:30 PM"
	)


FIGURES = {
	"campaign_name": "July news",
	"emails_sent_count": "1,179",
	"delivered_count": "179",
	"delivered_percent": "100.0",
	"opens_count": "90",
	"open_percent": "50.3",
	"unopened": "89",
	"unopened_percent": "49.7",
	"unique_clicks_count": 28,
	"unique_clicked_percent": "15.6",
	"clicksperopenrate": "31.1",
	"bounces_count": "0",
	"bounce_percent": "0.0",
	"hardbounce_count": "null",
	"softbounce_count": "",
	"unsub_count": "undefined",
	"unsubscribe_percent": "many",
	"spams_count": "2",
	"spam_percent": "0.0",
	"complaints_count": "3",
	"complaints_percent": "0.0",
	"forwards_count": "-1",
	"forward_percent": "0.0",
	"autoreply_count": "9" * 30,
	"unsent_count": "0",
	"unsent_percent": "0.0",
	"replies_count": "4",
}
REPORT = {
	"message": "success",
	"status": "success",
	"code": "0",
	"campaign-by-loaction": {"India": 12, "Germany": 3},
	"campaign-details": [{"campaign_key": "k", "email_subject": "Hello"}],
	"campaign-reach": [{"total": "90", "emails": "90", "facebook": "0", "gplus": "?"}],
	"campaign-reports": [FIGURES],
}


def test_a_report():
	report = Report.from_zoho(REPORT)
	assert set(report.metrics) == set(METRICS) == set(FIGURES) - {"campaign_name", "replies_count"}
	assert report.metrics["emails_sent_count"] == 1179
	assert (report.metrics["opens_count"], report.metrics["open_percent"]) == (90, 50.3)
	assert report.metrics["unique_clicks_count"] == 28
	assert type(report.metrics["delivered_percent"]) is float
	for missing in (
		"hardbounce_count",
		"softbounce_count",
		"unsub_count",
		"forwards_count",
		"autoreply_count",
	):
		assert report.metrics[missing] is None
	assert report.problems == ("unsubscribe_percent", "forwards_count", "autoreply_count")
	assert report.reach == {"total": 90, "emails": 90, "facebook": 0, "gplus": None}
	assert report.locations == {"India": 12, "Germany": 3}
	assert report.details == {"campaign_key": "k", "email_subject": "Hello"}
	assert report.extra_metrics == {"replies_count": "4"}
	assert report.has_figures


def test_the_report_tells_how_long_each_list_is():
	report = Report.from_zoho(REPORT)
	assert report.expected("sentcontacts") == 1179
	assert report.expected("openedcontacts") == 90
	assert report.expected("clickedcontacts") == 28
	assert report.expected("spamcontacts") == 3
	assert report.expected("optoutcontacts") is None
	assert set(ACTION_COUNTERS) == set(ACTIONS)
	assert {name for names in ACTION_COUNTERS.values() for name in names} <= set(METRICS)


def test_the_correct_spelling_of_location_is_read_too():
	assert Report.from_zoho({"campaign-by-location": "{in=2}"}).locations == {"in": 2}


@pytest.mark.parametrize("empty", [[], {}, "", None, "null", [None], [[]]])
def test_a_report_without_figures(empty):
	names = ("campaign-by-loaction", "campaign-details", "campaign-reach", "campaign-reports")
	report = Report.from_zoho(dict.fromkeys(names, empty))
	assert set(report.metrics) == set(METRICS)
	assert not any(value is not None for value in report.metrics.values())
	assert not report.has_figures
	assert (report.reach, report.locations, report.details, report.problems) == ({}, {}, {}, ())
	assert report.expected("sentcontacts") is None


def test_a_report_in_bare_mappings():
	report = Report.from_zoho({"campaign-reports": FIGURES, "campaign-reach": {"total": "1"}})
	assert (report.metrics["opens_count"], report.reach) == (90, {"total": 1})


DETAILS = {
	"campaign-details": [
		{
			"campaign_key": "k",
			"campaign_name": "July news",
			"campaigntype": "abtesting",
			"email_subject": "Hello",
			"email_from": "news@example.com",
			"sender_name": "News",
			"preheader": "undefined",
			"topic_name": "Updates",
			"sent_time_gmt": "1783009449000",
		}
	],
	"AB-split-details": [
		{
			"b_child_campaignkey": "kb",
			"a_child_campaignkey": "ka",
			"a_open_count": "74",
			"b_open_count": "null",
			"a_click_count": "5",
			"winner": "a",
		}
	],
	"associated_mailing_lists": [{"listname": "Customers"}, {"listname": ""}, None],
	"campaign-reports": [FIGURES],
	"campaign_status": "Sent",
}


def test_details_of_an_ab_test():
	details = CampaignDetails.from_zoho("asked", DETAILS)
	assert (details.key, details.name, details.type, details.status) == (
		"k",
		"July news",
		"abtesting",
		"Sent",
	)
	assert (details.subject, details.from_email, details.sender_name) == ("Hello", "news@example.com", "News")
	assert (details.preheader, details.topic) == (None, "Updates")
	assert details.sent.utc == datetime(2026, 7, 2, 16, 24, 9, tzinfo=timezone.utc)
	assert details.children == (ChildCampaign("A", "ka", 74, 5), ChildCampaign("B", "kb", None, None))
	assert details.mailing_lists == ("Customers",)
	assert details.report.metrics["opens_count"] == 90


@pytest.mark.parametrize(
	"answer", [{}, {"campaign-details": []}, {"AB-split-details": ""}, {"AB-split-details": [{}]}]
)
def test_details_of_a_campaign_about_which_nothing_is_told(answer):
	details = CampaignDetails.from_zoho("asked", answer)
	assert (details.key, details.name, details.children, details.mailing_lists) == ("asked", None, (), ())
	assert not details.report.has_figures


def test_a_page_does_not_show_people():
	page = Page([Recipient.from_zoho(RECIPIENT)], [RECIPIENT], 1, None)
	assert repr(page) == "<Page from 1: 1 items, 0 bad>"


def test_the_nine_actions():
	assert {action: kind for action, kind in ACTIONS.items() if kind} == {
		"sentcontacts": "Sent",
		"openedcontacts": "Opened",
		"clickedcontacts": "Clicked",
		"senthardbounce": "Hard Bounced",
		"sentsoftbounce": "Soft Bounced",
		"optoutcontacts": "Unsubscribed",
		"spamcontacts": "Complaint",
	}
	assert {action for action, kind in ACTIONS.items() if not kind} == {"unopenedcontacts", "unsentcontacts"}
