"""Campaigns, reports, details and pages: no spelling of a field and no bad value loses a row."""

import pytest

from erpnext_zoho_integration.zoho import (
	ACTION_COUNTERS,
	ACTIONS,
	METRICS,
	BadRecord,
	Campaign,
	CampaignDetails,
	ChildCampaign,
	Page,
	Recipient,
	Report,
)
from erpnext_zoho_integration.zoho.dates import ZohoTime

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
	assert campaign.created == ZohoTime(1782728837000, 1782757637000, "29 Jun 2026, 06:27 AM")
	assert campaign.updated == campaign.sent
	assert campaign.sent == ZohoTime(1783009449000, 1783038249000, "02 Jul 2026, 12:24 PM")
	assert (campaign.sent_time_zone, campaign.zuid) == ("Europe/Berlin", "700000001")
	assert campaign.is_sent


def test_a_draft_has_no_sent_time():
	row = {key: value for key, value in CAMPAIGN.items() if not key.startswith("sent_")}
	campaign = Campaign.from_zoho({**row, "campaign_status": "Draft"})
	assert campaign.sent == ZohoTime()
	assert not campaign.is_sent


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


def test_statuses_are_compared_without_case():
	assert Campaign.from_zoho({"campaign_key": "k", "campaign_status": "SENT"}).is_sent


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


def test_bad_times_are_none():
	bad = {
		"created_time_gmt": "soon",
		"sent_time_gmt": "1783009449",
		"sent_time": "0",
		"updated_time_gmt": None,
	}
	campaign = Campaign.from_zoho({**CAMPAIGN, **bad})
	assert (campaign.created.gmt_ms, campaign.updated.gmt_ms) == (None, None)
	assert campaign.sent == ZohoTime(None, None, "02 Jul 2026, 12:24 PM")


@pytest.mark.parametrize(
	"row", [{}, {"campaign_key": ""}, {"campaign_key": "null"}, {"campaignId": "7"}, None, "x", []]
)
def test_a_campaign_without_a_key_is_a_bad_record(row):
	record = Campaign.from_zoho(row)
	assert isinstance(record, BadRecord)
	assert record.raw == row


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
	assert report.metrics["unsubscribe_percent"] is None
	assert report.reach == {"total": 90, "emails": 90, "facebook": 0, "gplus": None}
	assert report.locations == {"India": 12, "Germany": 3}
	assert report.has_figures


def test_a_report_gives_the_length_of_each_list():
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
	names = ("campaign-by-loaction", "campaign-reach", "campaign-reports")
	report = Report.from_zoho(dict.fromkeys(names, empty))
	assert set(report.metrics) == set(METRICS)
	assert not any(value is not None for value in report.metrics.values())
	assert not report.has_figures
	assert (report.reach, report.locations) == ({}, {})
	assert report.expected("sentcontacts") is None


def test_a_report_in_bare_mappings():
	report = Report.from_zoho({"campaign-reports": FIGURES, "campaign-reach": {"total": "1"}})
	assert (report.metrics["opens_count"], report.reach) == (90, {"total": 1})


DETAILS = {
	"campaign-details": [{"campaign_key": "k", "topic_name": "Updates"}],
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
}


def test_details_of_an_ab_test():
	details = CampaignDetails.from_zoho(DETAILS)
	assert details.children == (ChildCampaign("A", "ka", 74, 5), ChildCampaign("B", "kb", None, None))
	assert (details.mailing_lists, details.topic) == (("Customers",), "Updates")


@pytest.mark.parametrize(
	"answer", [{}, {"campaign-details": []}, {"AB-split-details": ""}, {"AB-split-details": [{}]}]
)
def test_empty_details(answer):
	assert CampaignDetails.from_zoho(answer) == CampaignDetails(children=(), mailing_lists=(), topic=None)


def test_a_page_does_not_show_people():
	row = {"contactid": "1", "contactemailaddress": "anna@example.com"}
	page = Page([Recipient.from_zoho(row)], [row], 1, None)
	assert repr(page) == "<Page from 1: 1 items, 0 bad>"
