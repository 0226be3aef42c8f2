"""The expected figures and rows agree with the lists and reports, whatever the page size."""

import pytest

from tests.unit.zoho_simulator.reader import STORED

COUNTERS = {
	"Sent": "emails_sent_count",
	"Opened": "opens_count",
	"Clicked": "unique_clicks_count",
	"Hard Bounced": "hardbounce_count",
	"Soft Bounced": "softbounce_count",
	"Unsubscribed": "unsub_count",
	"Complaint": "complaints_count",
}


@pytest.mark.parametrize("size", [7, 100, 500])
def test_reading_every_page_gives_the_expected_figures(account, reader, size):
	expected = {each["campaign_key"]: each for each in account.expected()["campaigns"]}
	campaigns = reader.campaigns(status="sent")
	assert {each["campaign_key"] for each in campaigns} == set(expected)
	for campaign in campaigns:
		known = expected[campaign["campaign_key"]]
		keys = reader.keys(campaign)
		assert keys[1:] == known["child_keys"]
		for action, label in STORED.items():
			figures = {name: n for name, n in known["actions"][label].items() if name != "by_key"}
			assert reader.tally(keys, action, size) == figures, (known["campaign_name"], label)


def test_the_expected_rows_are_the_listed_rows(account, reader):
	campaign = next(each for each in reader.campaigns() if each["campaigntype"] == "abtesting")
	for action, label in STORED.items():
		listed = [row for key in reader.keys(campaign) for row in reader.listed(key, action)]
		stored = {
			row["contactemailaddress"].strip().lower()
			for row in listed
			if row["rtbf"] == "0" and row.get("contactemailaddress", "null") not in ("", "null")
		}
		exact = list(account.rows(campaign["campaign_key"], label))
		assert {row["email"] for row in exact} == stored
		assert len(exact) == len(stored)


def test_totals_are_the_sums_of_the_campaigns(account):
	expected = account.expected()
	for name in ("listed", "rows", "duplicates", "missing_email", "erased"):
		assert expected[name] == sum(each[name] for each in expected["campaigns"])
		assert expected[name] == sum(each[name] for each in expected["actions"].values())
	assert (
		expected["listed"]
		== expected["rows"] + expected["duplicates"] + expected["missing_email"] + expected["erased"]
	)
	assert expected["duplicates"] and expected["missing_email"] and expected["erased"]


def test_report_counters_equal_the_listed_rows(account, reader):
	for campaign in account.expected()["campaigns"]:
		for key in (campaign["campaign_key"], *campaign["child_keys"]):
			report = reader.call("campaignreports", campaignkey=key)["campaign-reports"][0]
			for label, counter in COUNTERS.items():
				assert int(report[counter]) == campaign["actions"][label]["by_key"][key]
			assert int(report["delivered_count"]) == int(report["opens_count"]) + int(report["unopened"])
			assert {**report} == {"campaign_name": campaign["campaign_name"], **campaign["reports"][key]}


def test_contacts_are_the_distinct_emails_over_all_campaigns(account):
	expected = account.expected()
	emails = {
		label: {
			row["email"]
			for each in expected["campaigns"]
			for row in account.rows(each["campaign_key"], label)
		}
		for label in STORED.values()
	}
	assert account.contacts() == len(set().union(*emails.values()))
	assert account.contacts(["Opened", "Complaint"]) == len(emails["Opened"] | emails["Complaint"])
	assert account.contacts() < expected["actions"]["Sent"]["rows"], "people are in more than one campaign"
