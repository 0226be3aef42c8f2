"""Planned faults happen at the planned calls, as a client sees them."""

import time
from xml.etree import ElementTree

import pytest
import requests

from zoho_simulator import Simulator


@pytest.fixture
def zoho():
	with Simulator(campaigns=3, recipients=300) as simulator:
		yield simulator


@pytest.fixture
def ask(zoho):
	tokens = zoho.grant_tokens()
	headers = {"Authorization": f"Zoho-oauthtoken {tokens['access_token']}"}

	def call(method="recentcampaigns", timeout=30, **params):
		url = f"{zoho.url}/api/v1.1/{method}"
		return requests.get(url, {"resfmt": "JSON", **params}, headers=headers, timeout=timeout)

	return call


class TestWhichCallsFail:
	def statuses(self, ask, count=6):
		return [ask().status_code for _nth in range(count)]

	def test_one_call(self, zoho, ask):
		zoho.plan({"endpoint": "recentcampaigns", "nth": 2, "fault": "status", "status": 502})
		assert self.statuses(ask, 4) == [200, 502, 200, 200]

	def test_several_calls(self, zoho, ask):
		zoho.plan({"nth": [1, 4], "fault": "html"})
		assert self.statuses(ask) == [503, 200, 200, 503, 200, 200]

	def test_every_other_call_up_to_a_limit(self, zoho, ask):
		zoho.plan({"every": 2, "times": 2, "fault": "html"})
		assert self.statuses(ask) == [200, 503, 200, 503, 200, 200]

	def test_only_calls_with_certain_parameters(self, zoho, ask):
		key = zoho.expected()["campaigns"][0]["campaign_key"]
		zoho.plan({"match": {"action": "openedcontacts", "fromindex": 1}, "fault": "html"})
		page = {"method": "getcampaignrecipientsdata", "campaignkey": key}
		assert ask(**page, action="sentcontacts", fromindex=1).status_code == 200
		assert ask(**page, action="openedcontacts", fromindex=21).status_code == 200
		assert ask(**page, action="openedcontacts", fromindex=1).status_code == 503

	def test_only_one_endpoint_until_the_plan_changes(self, zoho, ask):
		zoho.plan({"endpoint": "oauth/token", "fault": "html"})
		assert ask().status_code == 200
		assert requests.post(f"{zoho.url}/oauth/v2/token", timeout=30).status_code == 503
		zoho.plan()
		assert requests.post(f"{zoho.url}/oauth/v2/token", timeout=30).status_code == 200

	def test_the_first_of_two_due_faults_happens_and_both_count(self, zoho, ask):
		zoho.plan({"nth": 1, "fault": "html"}, {"nth": 2, "fault": "status", "status": 500})
		assert self.statuses(ask, 3) == [503, 500, 200]
		assert [each["calls"] for each in zoho.faults.as_list()] == [3, 3]
		assert [each["fault"] for each in zoho.requests] == ["html", "status", ""]
		assert zoho.stats()["faults"] == {"html": 1, "status": 1}


class TestKinds:
	def test_an_error_code(self, zoho, ask):
		zoho.plan({"fault": "code", "code": "6001"})
		answer = ask()
		assert answer.status_code == 200
		assert (answer.json()["status"], answer.json()["code"]) == ("error", "6001")

	def test_unauthorised_although_the_token_is_good(self, zoho, ask):
		zoho.plan({"fault": "unauthorised", "nth": 1})
		assert (ask().status_code, ask().status_code) == (401, 200)

	def test_expired_tokens_stay_expired(self, zoho, ask):
		zoho.plan({"fault": "expire", "nth": 1})
		assert (ask().status_code, ask().status_code) == (401, 401)

	def test_any_body_and_headers(self, zoho, ask):
		zoho.plan({"fault": "body", "body": {"a": 1}, "headers": {"Content-Type": "text/plain", "X-A": "b"}})
		answer = ask()
		assert (answer.status_code, answer.text, answer.headers["X-A"]) == (200, '{"a": 1}', "b")
		assert answer.headers["Content-Type"] == "text/plain"
		zoho.plan({"fault": "headers", "headers": {"Retry-After": "7"}, "status": 503})
		answer = ask()
		assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
		assert answer.json()["status"] == "success"

	@pytest.mark.parametrize(("form", "status"), [("429", 429), ("400", 400), ("200-envelope", 200)])
	def test_a_throttle_in_a_chosen_form(self, zoho, ask, form, status):
		zoho.plan({"fault": "throttle", "form": form})
		assert ask().status_code == status
		assert "recent_campaigns" not in ask().text

	def test_xml_although_json_was_requested(self, zoho, ask):
		zoho.plan({"fault": "xml"})
		root = ElementTree.fromstring(ask().content)
		assert root.findtext("status") == "success" and root.find("recent-campaigns") is not None

	def test_an_empty_and_a_garbled_body(self, zoho, ask):
		zoho.plan({"fault": "empty", "nth": 1}, {"fault": "garble", "nth": 2})
		assert ask().content == b""
		with pytest.raises(requests.JSONDecodeError):
			ask().json()

	@pytest.mark.parametrize("fault", ["reset", "close"])
	def test_a_lost_connection(self, zoho, ask, fault):
		zoho.plan({"fault": fault, "nth": 1})
		with pytest.raises(requests.ConnectionError) as lost:
			ask()
		assert ("reset" in str(lost.value).lower()) == (fault == "reset")
		assert ask().status_code == 200

	def test_a_truncated_body_promises_its_full_length(self, zoho, ask):
		zoho.plan({"fault": "truncate", "share": 0.3})
		with pytest.raises(requests.exceptions.ChunkedEncodingError):
			ask()

	def test_an_answer_that_never_comes(self, zoho, ask):
		zoho.plan({"fault": "hang", "seconds": 5})
		with pytest.raises(requests.ReadTimeout):
			ask(timeout=0.2)

	def test_a_slow_answer_is_complete(self, zoho, ask):
		usual = ask().json()
		zoho.plan({"fault": "slow", "seconds": 0.1})
		assert ask().json() == usual

	def test_a_delayed_answer_exceeds_a_short_timeout(self, zoho, ask):
		zoho.plan({"fault": "delay", "seconds": 5, "nth": 1})
		with pytest.raises(requests.ReadTimeout):
			ask(timeout=0.2)
		assert ask().json()["status"] == "success"

	@pytest.mark.parametrize(("after", "consumed"), [(False, False), (True, True)])
	def test_an_answer_can_be_lost_before_or_after_the_request_is_handled(self, zoho, after, consumed):
		params = {
			"grant_type": "authorization_code",
			"client_id": "sim-client",
			"client_secret": "sim-secret",
		}
		params["code"] = zoho.grant_code()
		zoho.plan({"endpoint": "oauth/token", "fault": "reset", "nth": 1, "after": after})
		with pytest.raises(requests.ConnectionError):
			requests.post(f"{zoho.url}/oauth/v2/token", data=params, timeout=30)
		second = requests.post(f"{zoho.url}/oauth/v2/token", data=params, timeout=30).json()
		assert ("error" in second) == consumed

	@pytest.mark.parametrize(
		"wrong",
		[
			{"fault": "fire"},
			{"endpoint": "*"},
			{"fault": "html", "when": 1},
			{"fault": "throttle", "form": "x"},
		],
	)
	def test_a_wrong_plan_is_refused(self, zoho, wrong):
		with pytest.raises(ValueError, match=r"fault|form"):
			zoho.plan(wrong)


class TestPortAndBody:
	def test_a_port_can_be_closed_for_a_time(self, zoho, ask):
		zoho.plan({"fault": "refuse", "nth": 1, "seconds": 60})
		for _nth in range(3):
			with pytest.raises(requests.ConnectionError):
				ask()
		assert len(zoho.requests) == 1  # the others found a closed port
		zoho.plan()
		assert ask().status_code == 200
		zoho.plan({"fault": "refuse", "nth": 1, "seconds": 0.05})
		with pytest.raises(requests.ConnectionError):
			ask()
		assert zoho.faults.as_list()[0]["done"] == 1
		for _nth in range(200):
			try:
				assert ask().status_code == 200
				return
			except requests.ConnectionError:
				time.sleep(0.02)
		pytest.fail("the port stayed closed")

	def test_a_reset_in_the_middle_of_the_body(self, zoho, ask):
		zoho.plan({"fault": "cut", "nth": 1})
		with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
			ask()
		assert ask().status_code == 200

	def test_an_edited_answer(self, zoho, ask):
		put = {
			"recent_campaigns.*.subject": None,
			"recent_campaigns.0.reply_to": 7,
			"recent_campaigns.+": "odd",
		}
		zoho.plan(
			{"fault": "edit", "put": put, "drop": ["recent_campaigns.1.campaign_key", "code", "no.such"]}
		)
		answer = ask().json()
		rows = answer["recent_campaigns"]
		assert [row["subject"] for row in rows[:-1]] == [None] * (len(rows) - 1)
		assert (rows[0]["reply_to"], rows[-1]) == (7, "odd")
		assert "campaign_key" in rows[0] and "campaign_key" not in rows[1] and "code" not in answer
