"""The campaigns server answers in the shapes of the reference: envelopes, codes, names, times, paging."""

from datetime import datetime, timezone
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
import requests

from zoho_simulator import Simulator

RECIPIENTS = "getcampaignrecipientsdata"
KEYED = ("campaignreports", "getcampaignreports", "getcampaigndetails", RECIPIENTS)
NO_ROWS = ("6303", "6302", "6501")


@pytest.fixture(scope="module")
def zoho():
	with Simulator(today="2026-06-30") as simulator:
		yield simulator


@pytest.fixture(autouse=True)
def as_it_was(request):
	yield
	if "zoho" in request.fixturenames:
		request.getfixturevalue("zoho").reset()


def get(zoho, method, /, scope="ZohoCampaigns.campaign.READ", http="GET", resfmt="JSON", **params):
	"""Call a method with a fresh token; return the HTTP answer."""
	headers = {"Authorization": f"Zoho-oauthtoken {zoho.grant_tokens(scope)['access_token']}"}
	params = {"resfmt": resfmt, **params} if resfmt else params
	url = f"{zoho.url}/api/v1.1/{method}"
	return requests.request(http, url, params=params, headers=headers, timeout=30)


def call(zoho, method, **params):
	return get(zoho, method, **params).json()


def first_key(zoho):
	return zoho.truth()["campaigns"][0]["campaign_key"]


def key_of(zoho, status):
	return next(each["campaign_key"] for each in zoho.truth()["not_stored"] if each["status"] == status)


def ask(method, key):
	"""Return the parameters a method needs for a key."""
	more = {"getcampaigndetails": {"campaigntype": "normal"}, RECIPIENTS: {"action": "sentcontacts"}}
	return {"campaignkey": key, **more.get(method, {})}


class TestRefusals:
	@pytest.mark.parametrize(
		"authorization", [None, "", "Zoho-oauthtoken", "Zoho-oauthtoken 1000.dead.beef", "Bearer {}"]
	)
	def test_without_a_good_token_every_method_answers_alike(self, zoho, authorization):
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

	def test_a_token_without_the_scope_gets_1007_with_the_status_that_is_set(self, zoho):
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
	def test_codes_for_keys(self, zoho, method):
		answer = get(zoho, method)
		assert (answer.status_code, answer.json()["code"]) == (200, "903")
		assert call(zoho, method, **ask(method, "3zdead"))["code"] == "6301"
		key = first_key(zoho)
		zoho.evolve(deleted=1, campaign=key)
		gone = "2206" if method == "getcampaigndetails" else "6503"
		assert call(zoho, method, **ask(method, key))["code"] == gone
		assert key not in str(call(zoho, "recentcampaigns", range=100))

	def test_a_campaign_not_sent_has_no_recipients(self, zoho):
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
	def test_codes_for_parameters(self, zoho, params, code):
		answer = get(zoho, "recentcampaigns", **params)
		assert (answer.status_code, answer.json()["code"]) == (200, code)

	def test_the_largest_page_is_a_setting(self, zoho):
		key = first_key(zoho)
		zoho.set(max_range=50)
		page = ask(RECIPIENTS, key)
		assert call(zoho, RECIPIENTS, range=51, **page)["code"] == "6502"
		assert len(call(zoho, RECIPIENTS, range=50, **page)["list_of_details"]) == 50

	def test_extra_parameters_pass_if_asked(self, zoho):
		zoho.set(strict_params=False)
		assert call(zoho, "recentcampaigns", cachebuster="1")["status"] == "success"


class TestEnvelopes:
	@pytest.mark.parametrize("resfmt", [None, "xml", "Json"])
	def test_without_resfmt_json_everything_is_xml(self, zoho, resfmt):
		answer = get(zoho, "recentcampaigns", resfmt=resfmt)
		assert answer.status_code == 200 and "xml" in answer.headers["Content-Type"]
		root = ElementTree.fromstring(answer.content)
		assert root.get("uri") == "/api/v1.1/recentcampaigns"
		names = [each.text for each in root.findall("./recent-campaigns/item/fl[@val='campaign_name']")]
		assert names == [each["campaign_name"] for each in call(zoho, "recentcampaigns")["recent_campaigns"]]
		refused = get(zoho, RECIPIENTS, resfmt=resfmt, **ask(RECIPIENTS, "3zdead"))
		assert ElementTree.fromstring(refused.content).findtext("code") == "6301"

	def test_xml_recipients_carry_the_times_of_events(self, zoho):
		key = first_key(zoho)
		opened = get(zoho, RECIPIENTS, resfmt=None, campaignkey=key, action="openedcontacts", range=500)
		contacts = ElementTree.fromstring(opened.content).findall("./contacts/contact")
		by_email = {}
		for each in contacts:  # of two contacts with one e-mail, the first counts
			by_email.setdefault(each.findtext("fl[@val='contact_email']").strip().lower(), each)
		for row in zoho.rows(key, "Opened"):
			when = by_email[row["email"]].findtext("reports/report/fl[@val='time']")
			local = datetime.strptime(when, "%b %d, %Y %I:%M %p").replace(tzinfo=ZoneInfo("Asia/Kolkata"))
			assert local == datetime.fromisoformat(row["action_time"].replace("Z", "+00:00")).replace(
				second=0
			)
		over = get(zoho, RECIPIENTS, resfmt=None, campaignkey=key, action="openedcontacts", fromindex=9999)
		assert ElementTree.fromstring(over.content).findtext("code") == "6303"

	def test_methods_name_things_as_zoho_does(self, zoho):
		recent = call(zoho, "recentcampaigns", range=1)
		assert recent["requestdetails"] == "{range=1, status=All, fromindex=1}"
		assert recent["total_record_count"] == 18 and isinstance(recent["range"], int)
		assert "campaignId" in recent["recent_campaigns"][0]
		sent = call(zoho, "recentsentcampaigns", limit=3)
		assert len(sent["recent_sent_campaigns"]) == 3 and sent["orderby"] == "CREATED"
		assert "campaignid" in sent["recent_sent_campaigns"][0]
		last = call(zoho, "getlastcampaignreport")
		assert last["url"] == "/getlastcampaignreport" and "uri" not in last
		assert "campaign_name" not in last["campaign-reports"][0]
		report = call(zoho, "campaignreports", campaignkey=first_key(zoho))
		assert [len(report[f"campaign-{block}"]) for block in ("details", "reach", "reports")] == [1, 1, 1]
		assert len(report["campaign-reports"][0]) == 26
		assert all(isinstance(value, str) for value in report["campaign-reports"][0].values())
		lists = call(zoho, "getmailinglists", scope="ZohoCampaigns.contact.READ")
		assert lists["requestdetails"]["total_list_count"] == 1

	def test_own_campaigns_are_not_those_of_the_organisation(self, zoho):
		everyone = call(zoho, "recentcampaigns", range=100, status="sent")["recent_campaigns"]
		own = call(zoho, "recentsentcampaigns", limit=100)["recent_sent_campaigns"]
		assert {each["zuid"] for each in own} == {"700000001"}
		assert len(own) < len(everyone)
		sent = {each["campaign_key"]: int(each["sent_time_gmt"]) for each in everyone}
		assert all(3000 <= sent[each["campaign_key"]] - int(each["sent_time_gmt"]) <= 65000 for each in own)

	def test_posts_are_read_from_the_query_string_alone(self, zoho):
		key = first_key(zoho)
		assert get(zoho, RECIPIENTS, http="POST", **ask(RECIPIENTS, key)).json()["status"] == "success"
		headers = {"Authorization": f"Zoho-oauthtoken {zoho.grant_tokens()['access_token']}"}
		url = f"{zoho.url}/api/v1.1/{RECIPIENTS}?resfmt=JSON"
		body = requests.post(url, json=ask(RECIPIENTS, key), headers=headers, timeout=30)
		assert body.json()["code"] == "903"


class TestPaging:
	def test_pages_have_zohos_sizes_unless_asked_for(self, zoho):
		assert len(call(zoho, "recentcampaigns")["recent_campaigns"]) == 5
		page = call(zoho, RECIPIENTS, **ask(RECIPIENTS, first_key(zoho)))
		assert len(page["list_of_details"]) == 20
		assert page["requestdetails"] == {"range": 20, "action": "sentcontacts", "fromindex": 1}

	def test_counting_from_zero_makes_pages_overlap_by_one_row(self, zoho):
		page = ask(RECIPIENTS, first_key(zoho))
		first = call(zoho, RECIPIENTS, fromindex=0, range=10, **page)["list_of_details"]
		second = call(zoho, RECIPIENTS, fromindex=10, range=10, **page)["list_of_details"]
		assert first[-1] == second[0]

	@pytest.mark.parametrize("form", [*NO_ROWS, "text", "empty", "absent"])
	def test_the_end_of_a_list_has_the_form_that_is_set(self, zoho, form):
		zoho.set(end_of_list=form)
		key = zoho.truth()["campaigns"][-1]["campaign_key"]  # nobody opened it
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

	def test_a_view_without_campaigns_and_the_end_of_one_are_6101(self, zoho):
		assert call(zoho, "recentcampaigns", status="reviewed")["code"] == "6101"
		assert call(zoho, "recentcampaigns", fromindex=19)["code"] == "6101"

	def test_campaigns_are_sorted_and_filtered_as_asked(self, zoho):
		def created(**params):
			found = call(zoho, "recentcampaigns", range=100, **params)["recent_campaigns"]
			return [int(each["created_time_gmt"]) for each in found]

		assert created() == sorted(created(), reverse=True) == created(sort="desc")
		assert created(sort="asc") == sorted(created())
		assert len(created(status="sent")) == 12 < len(created()) == len(created(status="all"))
		zoho.set(status_filter=False)
		assert created(status="sent") == created()

	def test_children_of_ab_campaigns_are_listed_only_if_set(self, zoho):
		children = {key for each in zoho.truth()["campaigns"] for key in each["child_keys"]}
		assert children and not children & listed_keys(zoho)
		zoho.set(list_children=True)
		assert children <= listed_keys(zoho)

	def test_new_rows_come_first_if_set(self, zoho):
		page = {"campaignkey": first_key(zoho), "action": "openedcontacts", "range": 500}
		usual = call(zoho, RECIPIENTS, **page)["list_of_details"]
		zoho.set(new_rows="first")
		assert call(zoho, RECIPIENTS, **page)["list_of_details"] == usual[::-1]

	def test_a_list_can_grow_while_it_is_read(self, zoho):
		zoho.set(grow_every=2)
		key = first_key(zoho)
		before = zoho.truth()["campaigns"][0]["actions"]["Opened"]["listed"]
		for _call in range(4):
			call(zoho, RECIPIENTS, campaignkey=key, action="openedcontacts", range=10)
		assert zoho.truth()["campaigns"][0]["actions"]["Opened"]["listed"] == before + 2


def listed_keys(zoho):
	return {each["campaign_key"] for each in call(zoho, "recentcampaigns", range=100)["recent_campaigns"]}


class TestTimes:
	@pytest.mark.parametrize(("data_center", "zone"), [("in", "Asia/Kolkata"), ("us", "America/New_York")])
	@pytest.mark.parametrize("skew", [8, 0, -3.5])
	def test_epochs_are_skewed_and_strings_are_in_the_accounts_zone(self, data_center, zone, skew):
		with Simulator(data_center=data_center, skew_hours=skew, today="2026-06-30") as zoho:
			truth = {each["campaign_key"]: each for each in zoho.truth()["campaigns"]}
			for each in call(zoho, "recentcampaigns", range=100, status="sent")["recent_campaigns"]:
				true = int(each["sent_time_gmt"]) / 1000
				utc = datetime.fromtimestamp(true, timezone.utc)
				assert utc.isoformat().replace("+00:00", "Z") == truth[each["campaign_key"]]["sent_time"]
				assert int(each["sent_time"]) / 1000 - true == skew * 3600
				local = utc.astimezone(ZoneInfo(zone)).strftime("%d %b %Y, %I:%M %p")
				assert each["sent_date_string"] == local
				assert each["updated_time_gmt"] == each["sent_time_gmt"]
			assert {each["sent_time_zone"] for each in sent(zoho)} == {"Asia/Kolkata", "Europe/Berlin"}

	def test_recipients_have_the_skewed_epoch_alone(self, zoho):
		truth = zoho.truth()["campaigns"][0]
		row = call(zoho, RECIPIENTS, **ask(RECIPIENTS, truth["campaign_key"]))["list_of_details"][0]
		sent_at = datetime.fromisoformat(truth["sent_time"].replace("Z", "+00:00"))
		assert 0 <= int(row["sent_time"]) / 1000 - sent_at.timestamp() - 8 * 3600 < 60
		assert "sent_time_gmt" not in row and row["sentdate"].endswith(("AM", "PM"))

	def test_bounces_and_opt_outs_have_dates_unless_unset(self, zoho):
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

	def test_the_form_of_events_can_be_fixed(self, zoho):
		for shape, kind in (("list", list), ("dict", dict), ("json", str), ("java", str)):
			zoho.set(event_shapes=shape)
			for campaign in zoho.truth()["campaigns"][:3]:
				for row in rows(zoho, campaign["campaign_key"], "openedcontacts"):
					assert isinstance(row["openreports"], kind)
		assert row["openreports"].startswith("[{time=")


def rows(zoho, key, action):
	found = call(zoho, RECIPIENTS, campaignkey=key, action=action, range=500)["list_of_details"]
	assert found
	return found


def sent(zoho):
	return call(zoho, "recentcampaigns", range=100, status="sent")["recent_campaigns"]
