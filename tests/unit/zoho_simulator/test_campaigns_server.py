"""The API answers with Zoho's error codes, envelopes, names, times and pages."""

from datetime import datetime, timezone
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
import requests

from tests.unit.zoho_simulator.api_client import (
	RECIPIENTS,
	ask,
	call,
	first_key,
	get,
	key_of,
	listed_keys,
	sent,
)
from zoho_simulator import Simulator

KEYED = ("campaignreports", "getcampaignreports", "getcampaigndetails", RECIPIENTS)
NO_ROWS = ("6303", "6302", "6501")


@pytest.fixture(scope="module")
def zoho():
	with Simulator(today="2026-06-30") as simulator:
		yield simulator


@pytest.fixture(autouse=True)
def reset(request):
	"""Reset the simulator after each test that uses it."""
	yield
	if "zoho" in request.fixturenames:
		request.getfixturevalue("zoho").reset()


class TestRefusals:
	@pytest.mark.parametrize(
		"authorization", [None, "", "Zoho-oauthtoken", "Zoho-oauthtoken 1000.dead.beef", "Bearer {}"]
	)
	def test_every_bad_token_gets_the_same_answer(self, zoho, authorization):
		token = zoho.grant_tokens()["access_token"]
		headers = {} if authorization is None else {"Authorization": authorization.format(token)}
		answer = requests.get(
			f"{zoho.url}/api/v1.1/recentcampaigns", {"resfmt": "JSON"}, headers=headers, timeout=30
		)
		assert answer.status_code == 401
		assert answer.json() == {
			"message": "Unauthorized request.",
			"version": "1.1",
			"URI": "/api/v1.1/recentcampaigns",
			"Code": "1007",
			"status": "error",
		}

	def test_a_token_without_the_scope_gets_1007_with_the_status_of_the_setting(self, zoho):
		scope = "ZohoCampaigns.contact.READ"
		assert get(zoho, "recentcampaigns", scope=scope).status_code == 401
		zoho.set(scope_status=200)
		answer = get(zoho, "recentcampaigns", scope=scope)
		assert (answer.status_code, answer.json()["Code"]) == (200, "1007")
		assert get(zoho, "getmailinglists", scope=scope).json()["status"] == "success"
		assert get(zoho, "recentcampaigns", scope="ZohoCampaigns.campaign.ALL").json()["status"] == "success"

	@pytest.mark.parametrize("method", ["getrecentcampaigns", "json/recentcampaigns", "getclickedlist", ""])
	def test_an_unknown_method_is_1004_even_without_a_token(self, zoho, method):
		answer = requests.get(f"{zoho.url}/api/v1.1/{method}", {"resfmt": "json"}, timeout=30)
		assert (answer.status_code, answer.json()["code"]) == (200, "1004")

	@pytest.mark.parametrize("method", KEYED)
	def test_error_codes_of_keys(self, zoho, method):
		answer = get(zoho, method)
		assert (answer.status_code, answer.json()["code"]) == (200, "903")
		assert call(zoho, method, **ask(method, "3zdead"))["code"] == "6301"
		key = first_key(zoho)
		zoho.evolve(deleted=1, campaign=key)
		gone = "2206" if method == "getcampaigndetails" else "6503"
		assert call(zoho, method, **ask(method, key))["code"] == gone
		assert key not in str(call(zoho, "recentcampaigns", range=100))

	def test_an_unsent_campaign_has_no_recipients(self, zoho):
		draft = key_of(zoho, "Draft")
		assert call(zoho, RECIPIENTS, **ask(RECIPIENTS, draft))["code"] == "6002"
		assert call(zoho, "campaignreports", campaignkey=draft)["code"] == "6302"
		stopped = key_of(zoho, "Stopped")
		assert call(zoho, RECIPIENTS, **ask(RECIPIENTS, stopped))["list_of_details"]

	@pytest.mark.parametrize("action", ["bouncedcontacts", "unsubscribedcontacts", "sentleads", "Opened"])
	def test_an_unknown_action_is_refused(self, zoho, action):
		answer = call(zoho, RECIPIENTS, campaignkey=first_key(zoho), action=action)
		assert (answer["status"], answer["code"]) == ("error", "1001")

	@pytest.mark.parametrize(
		("params", "code"),
		[
			({"_": "1699"}, "1002"),
			({"campaignkey": "x"}, "1002"),
			({"range": "many"}, "1005"),
			({"range": ["5", "6"]}, "1006"),
			({"range": "0"}, "1001"),
			({"status": "done"}, "1001"),
			({"range": "501"}, "6502"),
		],
	)
	def test_error_codes_of_parameters(self, zoho, params, code):
		answer = get(zoho, "recentcampaigns", **params)
		assert (answer.status_code, answer.json()["code"]) == (200, code)

	def test_the_largest_page_is_a_setting(self, zoho):
		key = first_key(zoho)
		zoho.set(max_range=50)
		page = ask(RECIPIENTS, key)
		assert call(zoho, RECIPIENTS, range=51, **page)["code"] == "6502"
		assert len(call(zoho, RECIPIENTS, range=50, **page)["list_of_details"]) == 50

	def test_a_setting_allows_unknown_parameters(self, zoho):
		zoho.set(strict_params=False)
		assert call(zoho, "recentcampaigns", cachebuster="1")["status"] == "success"


class TestEnvelopes:
	@pytest.mark.parametrize("resfmt", [None, "xml", "Json"])
	def test_every_answer_is_xml_without_resfmt_json(self, zoho, resfmt):
		answer = get(zoho, "recentcampaigns", resfmt=resfmt)
		assert answer.status_code == 200 and "xml" in answer.headers["Content-Type"]
		root = ElementTree.fromstring(answer.content)
		assert root.get("uri") == "/api/v1.1/recentcampaigns"
		names = [each.text for each in root.findall("./recent-campaigns/item/fl[@val='campaign_name']")]
		assert names == [each["campaign_name"] for each in call(zoho, "recentcampaigns")["recent_campaigns"]]
		refused = get(zoho, RECIPIENTS, resfmt=resfmt, **ask(RECIPIENTS, "3zdead"))
		assert ElementTree.fromstring(refused.content).findtext("code") == "6301"

	def test_payloads_have_zohos_names(self, zoho):
		recent = call(zoho, "recentcampaigns", range=1)
		assert recent["requestdetails"] == "{range=1, status=All, fromindex=1}"
		assert recent["total_record_count"] == 18 and isinstance(recent["range"], int)
		assert "campaignId" in recent["recent_campaigns"][0]
		report = call(zoho, "campaignreports", campaignkey=first_key(zoho))
		assert [len(report[f"campaign-{block}"]) for block in ("details", "reach", "reports")] == [1, 1, 1]
		assert len(report["campaign-reports"][0]) == 26
		assert all(isinstance(value, str) for value in report["campaign-reports"][0].values())
		lists = call(zoho, "getmailinglists", scope="ZohoCampaigns.contact.READ")
		assert lists["requestdetails"]["total_list_count"] == 3

	def test_a_post_takes_parameters_from_the_query_or_a_form_but_not_from_json(self, zoho):
		key = first_key(zoho)
		assert get(zoho, RECIPIENTS, http="POST", **ask(RECIPIENTS, key)).json()["status"] == "success"
		headers = {"Authorization": f"Zoho-oauthtoken {zoho.grant_tokens()['access_token']}"}
		form = {"resfmt": "JSON", **ask(RECIPIENTS, key)}
		url = f"{zoho.url}/api/v1.1/{RECIPIENTS}"
		assert requests.post(url, form, headers=headers, timeout=30).json()["status"] == "success"
		url += "?resfmt=JSON"
		body = requests.post(url, json=ask(RECIPIENTS, key), headers=headers, timeout=30)
		assert body.json()["code"] == "903"


class TestPaging:
	def test_pages_have_zohos_default_sizes(self, zoho):
		assert len(call(zoho, "recentcampaigns")["recent_campaigns"]) == 5
		page = call(zoho, RECIPIENTS, **ask(RECIPIENTS, first_key(zoho)))
		assert len(page["list_of_details"]) == 20
		assert page["requestdetails"] == {"range": 20, "action": "sentcontacts", "fromindex": 1}

	def test_pages_that_count_from_zero_overlap_by_one_row(self, zoho):
		page = ask(RECIPIENTS, first_key(zoho))
		first = call(zoho, RECIPIENTS, fromindex=0, range=10, **page)["list_of_details"]
		second = call(zoho, RECIPIENTS, fromindex=10, range=10, **page)["list_of_details"]
		assert first[-1] == second[0]

	@pytest.mark.parametrize("form", [*NO_ROWS, "text", "empty", "absent"])
	def test_the_end_of_a_list_has_the_form_of_the_setting(self, zoho, form):
		zoho.set(end_of_list=form)
		key = zoho.expected()["campaigns"][-1]["campaign_key"]  # nobody opened it
		for params in ({"action": "openedcontacts"}, {"action": "sentcontacts", "fromindex": 9999}):
			answer = get(zoho, RECIPIENTS, campaignkey=key, **params)
			assert answer.status_code == 200
			payload = answer.json()
			if form in NO_ROWS:
				assert (payload["status"], payload["code"]) == ("error", form)
			elif form == "text":
				assert payload["code"] not in NO_ROWS and "no contacts" in payload["message"]
			else:
				assert payload["status"] == "success"
				assert payload.get("list_of_details", "absent") == ([] if form == "empty" else "absent")

	def test_an_empty_page_of_campaigns_is_6101(self, zoho):
		assert call(zoho, "recentcampaigns", status="reviewed")["code"] == "6101"
		assert call(zoho, "recentcampaigns", fromindex=19)["code"] == "6101"

	def test_campaigns_are_sorted_and_filtered(self, zoho):
		def created(**params):
			found = call(zoho, "recentcampaigns", range=100, **params)["recent_campaigns"]
			return [int(each["created_time_gmt"]) for each in found]

		assert created() == sorted(created(), reverse=True) == created(sort="desc")
		assert created(sort="asc") == sorted(created())
		assert len(created(status="sent")) == 12 < len(created()) == len(created(status="all"))
		zoho.set(status_filter=False)
		assert created(status="sent") == created()

	def test_a_setting_lists_the_children_of_ab_campaigns(self, zoho):
		children = {key for each in zoho.expected()["campaigns"] for key in each["child_keys"]}
		assert children and not children & listed_keys(zoho)
		zoho.set(list_children=True)
		assert children <= listed_keys(zoho)

	def test_a_setting_puts_new_rows_first(self, zoho):
		page = {"campaignkey": first_key(zoho), "action": "openedcontacts", "range": 500}
		usual = call(zoho, RECIPIENTS, **page)["list_of_details"]
		zoho.set(new_rows="first")
		assert call(zoho, RECIPIENTS, **page)["list_of_details"] == usual[::-1]

	def test_a_list_can_grow_while_it_is_read(self, zoho):
		zoho.set(grow_every=2)
		key = first_key(zoho)
		before = zoho.expected()["campaigns"][0]["actions"]["Opened"]["listed"]
		for _call in range(4):
			call(zoho, RECIPIENTS, campaignkey=key, action="openedcontacts", range=10)
		assert zoho.expected()["campaigns"][0]["actions"]["Opened"]["listed"] == before + 2


@pytest.mark.parametrize(("data_center", "zone"), [("in", "Asia/Kolkata"), ("us", "America/New_York")])
@pytest.mark.parametrize("skew", [8, 0, -3.5])
def test_epochs_are_skewed_and_date_strings_are_in_the_time_zone_of_the_account(data_center, zone, skew):
	with Simulator(data_center=data_center, skew_hours=skew, today="2026-06-30") as zoho:
		expected = {each["campaign_key"]: each for each in zoho.expected()["campaigns"]}
		for each in call(zoho, "recentcampaigns", range=100, status="sent")["recent_campaigns"]:
			true = int(each["sent_time_gmt"]) / 1000
			utc = datetime.fromtimestamp(true, timezone.utc)
			assert utc.isoformat().replace("+00:00", "Z") == expected[each["campaign_key"]]["sent_time"]
			assert int(each["sent_time"]) / 1000 - true == skew * 3600
			local = utc.astimezone(ZoneInfo(zone)).strftime("%d %b %Y, %I:%M %p")
			assert each["sent_date_string"] == local
			assert each["updated_time_gmt"] == each["sent_time_gmt"]
		assert {each["sent_time_zone"] for each in sent(zoho)} == {"Asia/Kolkata", "Europe/Berlin"}
