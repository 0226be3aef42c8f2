"""The simulator's data: deterministic, irregular as Zoho's is, and equal to its own truth however it is read."""

import tracemalloc
from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
import requests

from zoho_simulator import Simulator

STORED = {
	"sentcontacts": "Sent",
	"openedcontacts": "Opened",
	"clickedcontacts": "Clicked",
	"senthardbounce": "Hard Bounced",
	"sentsoftbounce": "Soft Bounced",
	"optoutcontacts": "Unsubscribed",
	"spamcontacts": "Complaint",
}
COUNTERS = {
	"Sent": "emails_sent_count",
	"Opened": "opens_count",
	"Clicked": "unique_clicks_count",
	"Hard Bounced": "hardbounce_count",
	"Soft Bounced": "softbounce_count",
	"Unsubscribed": "unsub_count",
	"Complaint": "complaints_count",
}


@pytest.fixture(scope="module")
def zoho():
	with Simulator(today="2026-06-30") as simulator:
		yield simulator


class Reader:
	"""Reads campaigns as a correct sync does, with nothing of the app's client."""

	def __init__(self, zoho):
		self.url = zoho.url + "/api/v1.1/"
		self.session = requests.Session()
		token = zoho.grant_tokens()["access_token"]
		self.session.headers["Authorization"] = f"Zoho-oauthtoken {token}"

	def call(self, method, **params):
		return self.session.get(self.url + method, params={"resfmt": "JSON", **params}, timeout=30).json()

	def campaigns(self, **params):
		found, page = [], 1
		while True:
			answer = self.call("recentcampaigns", fromindex=page, range=7, **params)
			if answer["status"] == "error":
				assert answer["code"] == "6101"
				return found
			found += answer["recent_campaigns"]
			page += 7

	def keys(self, campaign):
		if campaign["campaigntype"] != "abtesting":
			return [campaign["campaign_key"]]
		details = self.call(
			"getcampaigndetails", campaignkey=campaign["campaign_key"], campaigntype="abtesting"
		)
		split = details["AB-split-details"][0]
		return [campaign["campaign_key"], split["a_child_campaignkey"], split["b_child_campaignkey"]]

	def listed(self, key, action, size=100):
		rows = []
		while True:
			answer = self.call(
				"getcampaignrecipientsdata",
				campaignkey=key,
				action=action,
				fromindex=len(rows) + 1,
				range=size,
			)
			if answer["status"] == "error":
				assert answer["code"] == "6303"
				return rows
			rows += answer["list_of_details"]

	def tally(self, keys, action, size=100):
		"""Return what a sync stores of an action, in the words of the truth."""
		rows = [row for key in keys for row in self.listed(key, action, size)]
		erased = [row for row in rows if row["rtbf"] == "1"]
		emails = [row.get("contactemailaddress", "").strip().lower() for row in rows if row["rtbf"] != "1"]
		good = [email for email in emails if email not in ("", "null")]
		return {
			"listed": len(rows),
			"rows": len(set(good)),
			"duplicates": len(good) - len(set(good)),
			"missing_email": len(emails) - len(good),
			"erased": len(erased),
		}


@pytest.fixture(scope="module")
def reader(zoho):
	return Reader(zoho)


@pytest.fixture(scope="module")
def everyone(zoho, reader):
	"""Every row sent to anyone, once per contact."""
	rows = {}
	for campaign in reader.campaigns(status="sent"):
		for key in reader.keys(campaign):
			rows.update((row["contactid"], row) for row in reader.listed(key, "sentcontacts"))
	return list(rows.values())


@pytest.mark.parametrize(
	"knobs", [{}, {"campaigns": 5, "recipients": 1000}, {"campaigns": 40, "recipients": 9999, "seed": 7}]
)
def test_a_complete_sync_stores_exactly_the_rows_asked_for(knobs):
	simulator = Simulator(**knobs)
	assert simulator.truth()["rows"] == knobs.get("recipients", 2000)
	assert simulator.truth()["sent_campaigns"] == knobs.get("campaigns", 12)


@pytest.mark.parametrize("size", [7, 100, 500])
def test_reading_every_page_gives_the_truth(zoho, reader, size):
	truth = {each["campaign_key"]: each for each in zoho.truth()["campaigns"]}
	campaigns = reader.campaigns(status="sent")
	assert {each["campaign_key"] for each in campaigns} == set(truth)
	for campaign in campaigns:
		known = truth[campaign["campaign_key"]]
		keys = reader.keys(campaign)
		assert keys[1:] == known["child_keys"]
		for action, label in STORED.items():
			expected = {name: n for name, n in known["actions"][label].items() if name != "by_key"}
			assert reader.tally(keys, action, size) == expected, (known["campaign_name"], label)


def test_the_exact_rows_are_those_a_sync_stores(zoho, reader):
	campaign = next(each for each in reader.campaigns() if each["campaigntype"] == "abtesting")
	for action, label in STORED.items():
		listed = [row for key in reader.keys(campaign) for row in reader.listed(key, action)]
		stored = {
			row["contactemailaddress"].strip().lower()
			for row in listed
			if row["rtbf"] == "0" and row.get("contactemailaddress", "null") not in ("", "null")
		}
		exact = list(zoho.rows(campaign["campaign_key"], label))
		assert {row["email"] for row in exact} == stored
		assert len(exact) == len(stored)


def test_totals_are_the_sums_of_the_campaigns(zoho):
	truth = zoho.truth()
	for name in ("listed", "rows", "duplicates", "missing_email", "erased"):
		assert truth[name] == sum(each[name] for each in truth["campaigns"])
		assert truth[name] == sum(each[name] for each in truth["actions"].values())
	assert truth["listed"] == truth["rows"] + truth["duplicates"] + truth["missing_email"] + truth["erased"]
	assert truth["duplicates"] and truth["missing_email"] and truth["erased"]


def test_report_counters_count_the_rows_listed(zoho, reader):
	for campaign in zoho.truth()["campaigns"]:
		for key in (campaign["campaign_key"], *campaign["child_keys"]):
			report = reader.call("campaignreports", campaignkey=key)["campaign-reports"][0]
			for label, counter in COUNTERS.items():
				assert int(report[counter]) == campaign["actions"][label]["by_key"][key]
			assert int(report["delivered_count"]) == int(report["opens_count"]) + int(report["unopened"])
			assert {**report} == {"campaign_name": campaign["campaign_name"], **campaign["reports"][key]}


def test_contacts_are_the_distinct_emails_over_all_campaigns(zoho):
	truth = zoho.truth()
	emails = {
		label: {row["email"] for each in truth["campaigns"] for row in zoho.rows(each["campaign_key"], label)}
		for label in STORED.values()
	}
	assert zoho.contacts() == len(set().union(*emails.values()))
	assert zoho.contacts(["Opened", "Complaint"]) == len(emails["Opened"] | emails["Complaint"])
	assert zoho.contacts() < truth["actions"]["Sent"]["rows"], "people are in more than one campaign"


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others():
	def page(seed):
		with Simulator(seed=seed, today="2026-06-30", recipients=500) as simulator:
			return [
				Reader(simulator).call("recentcampaigns", range=50),
				Reader(simulator).listed(
					simulator.truth()["campaigns"][0]["campaign_key"], "clickedcontacts"
				),
			]

	assert page(1) == page(1)
	assert page(1) != page(2)


def test_emails_have_all_spellings_that_collations_confuse(everyone):
	emails = {row.get("contactemailaddress", "") for row in everyone}
	for pair in (("müller", "muller"), ("straße", "strasse"), ("😀", "😎"), ("élodie", "elodie")):
		both = [{email.split(".", 1)[1] for email in emails if email.startswith(f"{each}.")} for each in pair]
		assert both[0] & both[1], f"{pair} differ in nothing else"
	assert any(email != email.strip() for email in emails)
	assert any(email != email.lower() for email in emails)
	spelled = Counter(email.strip().lower() for email in emails)
	assert max(count for email, count in spelled.items() if email) == 2


def test_missing_values_come_in_every_form(everyone):
	forms = {row.get("contactemailaddress", "absent") for row in everyone if row["rtbf"] == "0"}
	assert {"", "null", "absent"} <= forms
	assert any(row.get("companyname") == "undefined" for row in everyone)
	assert any("contactfn" not in row and "firstname" not in row for row in everyone)
	assert any("firstname" in row for row in everyone)
	assert all(isinstance(value, str) for row in everyone for value in row.values())


def test_erased_people_are_marked_and_hold_no_name(everyone):
	erased = [row for row in everyone if row["rtbf"] == "1"]
	assert {row["contactfn"] for row in erased} == {"null"}
	assert {row["contactemailaddress"] == "null" for row in erased} == {True, False}


def test_fields_hold_markup_other_scripts_and_more_than_fits(everyone):
	companies = [row.get("companyname", "") for row in everyone]
	assert any("<script>" in company for company in companies)
	assert any("\u202e" in company for company in companies)
	assert any("🌸" in company for company in companies)
	assert any(len(company) > 140 for company in companies)
	assert any(len(row.get("jobtitle", "")) > 140 for row in everyone)
	assert any("\n" in company for company in companies)


def test_campaigns_are_irregular(reader):
	campaigns = reader.campaigns()
	sent = [each for each in campaigns if each["campaign_status"] == "Sent"]
	assert {"Draft", "Scheduled", "Stopped", "Paused"} <= {each["campaign_status"] for each in campaigns}
	assert max(Counter(each["campaign_name"] for each in sent).values()) == 2
	assert any("<" in each["campaign_name"] and ">" in each["campaign_name"] for each in sent)
	assert any(len(each["campaign_name"]) > 140 for each in sent)
	assert any("<script>" in each["subject"] for each in sent)
	assert len({each["zuid"] for each in sent}) == 2
	assert any(each["campaigntype"] == "abtesting" for each in sent)
	assert not any("://" in each["campaign_preview"] for each in campaigns)
	assert all("sent_time" in each for each in sent)
	assert not any("sent_time" in each for each in campaigns if each["campaign_status"] == "Draft")


def test_campaigns_were_sent_around_changes_of_the_clocks(reader):
	berlin = ZoneInfo("Europe/Berlin")
	local = [
		datetime.fromtimestamp(int(each["sent_time_gmt"]) / 1000, berlin).replace(tzinfo=None, fold=0)
		for each in reader.campaigns(status="sent")
	]
	assert datetime(2026, 3, 29, 3, 1) in local
	assert local.count(datetime(2025, 10, 26, 2, 30)) == 2, "one hour twice"


def test_locations_come_in_every_shape(zoho, reader):
	shapes = set()
	for campaign in zoho.truth()["campaigns"]:
		report = reader.call("campaignreports", campaignkey=campaign["campaign_key"])
		shapes.add(type(report.get("campaign-by-loaction")).__name__)
	assert shapes == {"dict", "str", "list", "NoneType"}


def test_openings_and_clicks_come_in_every_shape(zoho, reader):
	opens, clicks = set(), set()
	for campaign in zoho.truth()["campaigns"]:
		for row in reader.listed(campaign["campaign_key"], "openedcontacts"):
			opens.add((type(row.get("openreports")).__name__, str(row.get("openreports"))[:2]))
		for row in reader.listed(campaign["campaign_key"], "clickedcontacts"):
			clicks.add(type(row.get("urlclicks")).__name__)
			assert int(row["clickcount"]) > 0 and row["clickedurls"].startswith("[https://")
	assert opens == {("list", "[{"), ("dict", "{'"), ("str", "[{"), ("NoneType", "No")}
	assert clicks == {"list", "dict", "str", "NoneType"}


def test_an_ab_campaign_hides_its_test_mails_from_the_wrong_question(zoho, reader):
	campaign = next(each for each in zoho.truth()["campaigns"] if each["child_keys"])
	key = campaign["campaign_key"]
	wrong = reader.call("getcampaigndetails", campaignkey=key, campaigntype="normal")
	assert wrong["campaign-reports"] == [] and "AB-split-details" not in wrong
	opened = campaign["actions"]["Opened"]["by_key"]
	parent = reader.call("campaignreports", campaignkey=key)["campaign-reports"][0]
	assert int(parent["opens_count"]) == opened[key] < sum(opened.values())


def test_a_million_recipients_cost_no_memory():
	with Simulator(campaigns=500, recipients=1_000_000, page_cache_mb=0) as simulator:
		truth = simulator.truth()
		assert truth["rows"] == 1_000_000
		assert len(truth["campaigns"]) == 500
		reader = Reader(simulator)
		tracemalloc.start()
		for campaign in truth["campaigns"][::10]:
			key = campaign["campaign_key"]
			count = campaign["actions"]["Sent"]["by_key"][key]
			page = {
				"campaignkey": key,
				"action": "sentcontacts",
				"range": 500,
				"fromindex": max(1, count - 9),
			}
			rows = reader.call("getcampaignrecipientsdata", **page)["list_of_details"]
			assert len(rows) == min(count, 10)
		peak = tracemalloc.get_traced_memory()[1]
		tracemalloc.stop()
		assert peak < 8 << 20
