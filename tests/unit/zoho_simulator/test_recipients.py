"""Rows of recipients have the fields, times and forms of events that Zoho sends."""

from datetime import datetime
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest

from tests.unit.zoho_simulator.api_client import RECIPIENTS, ask, call, first_key, get
from zoho_simulator import Simulator


@pytest.fixture
def zoho():
	with Simulator(today="2026-06-30") as simulator:
		yield simulator


def test_opens_and_clicks_have_every_form(account, reader):
	opens, clicks = set(), set()
	for campaign in account.expected()["campaigns"]:
		for row in reader.listed(campaign["campaign_key"], "openedcontacts"):
			opens.add((type(row.get("openreports")).__name__, str(row.get("openreports"))[:2]))
		for row in reader.listed(campaign["campaign_key"], "clickedcontacts"):
			clicks.add(type(row.get("urlclicks")).__name__)
			assert int(row["clickcount"]) > 0 and row["clickedurls"].startswith("[https://")
	assert opens == {("list", "[{"), ("dict", "{'"), ("str", "[{"), ("NoneType", "No")}
	assert clicks == {"list", "dict", "str", "NoneType"}


def test_xml_recipients_have_the_times_of_events(zoho):
	key = first_key(zoho)
	opened = get(zoho, RECIPIENTS, resfmt=None, campaignkey=key, action="openedcontacts", range=500)
	contacts = ElementTree.fromstring(opened.content).findall("./contacts/contact")
	by_email = {}
	for each in contacts:  # of two contacts with one e-mail, the first one counts
		by_email.setdefault(each.findtext("fl[@val='contact_email']").strip().lower(), each)
	for row in zoho.rows(key, "Opened"):
		when = by_email[row["email"]].findtext("reports/report/fl[@val='time']")
		local = datetime.strptime(when, "%b %d, %Y %I:%M %p").replace(tzinfo=ZoneInfo("Asia/Kolkata"))
		assert local == datetime.fromisoformat(row["action_time"].replace("Z", "+00:00")).replace(second=0)
	over = get(zoho, RECIPIENTS, resfmt=None, campaignkey=key, action="openedcontacts", fromindex=9999)
	assert ElementTree.fromstring(over.content).findtext("code") == "6303"


def test_recipients_have_only_the_skewed_epoch(zoho):
	campaign = zoho.expected()["campaigns"][0]
	row = call(zoho, RECIPIENTS, **ask(RECIPIENTS, campaign["campaign_key"]))["list_of_details"][0]
	sent_at = datetime.fromisoformat(campaign["sent_time"].replace("Z", "+00:00"))
	assert 0 <= int(row["sent_time"]) / 1000 - sent_at.timestamp() - 8 * 3600 < 60
	assert "sent_time_gmt" not in row and row["sentdate"].endswith(("AM", "PM"))


def test_a_setting_removes_the_dates_of_bounces_and_opt_outs(zoho):
	key = first_key(zoho)
	names = {
		"senthardbounce": "bouncedDate",
		"sentsoftbounce": "bouncedDate",
		"optoutcontacts": "optOutTime",
	}
	for action, name in names.items():
		assert all(name in row for row in rows(zoho, key, action))
	zoho.set(event_dates=False)
	for action, name in names.items():
		assert not any(name in row for row in rows(zoho, key, action))


def test_a_setting_chooses_the_form_of_events(zoho):
	for shape, kind in (("list", list), ("dict", dict), ("json", str), ("java", str)):
		zoho.set(event_shapes=shape)
		for campaign in zoho.expected()["campaigns"][:3]:
			for row in rows(zoho, campaign["campaign_key"], "openedcontacts"):
				assert isinstance(row["openreports"], kind)
	assert row["openreports"].startswith("[{time=")


def rows(zoho, key, action):
	found = call(zoho, RECIPIENTS, campaignkey=key, action=action, range=500)["list_of_details"]
	assert found
	return found
