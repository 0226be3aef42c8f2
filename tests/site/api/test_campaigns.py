"""Reading Zoho live: what is asked of Zoho, what comes back, and what an error becomes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests

import frappe

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection import tokens
from erpnext_zoho_integration.connection.errors import NotConnected
from erpnext_zoho_integration.erpnext_zoho_integration.api import campaigns
from tests.site.connecting import API, asked, connect, let_expire, messages, refreshes, secret, settings
from tests.site.server import Session, Web
from zoho_simulator import Simulator
from zoho_simulator.http_messages import mask

RECENT, REPORT, RECIPIENTS = "recentcampaigns", "campaignreports", "getcampaignrecipientsdata"
AT_ONCE = {"Retry-After": "0"}
LISTS = {
	"opened_contacts": ["Opened"],
	"clicked_contacts": ["Clicked"],
	"bounced_contacts": ["Hard Bounced", "Soft Bounced"],
	"unsubscribed_contacts": ["Unsubscribed"],
}


@pytest.fixture
def zoho_account(simulator: Simulator) -> Simulator:
	"""The simulator, connected; a large page is 500 rows."""
	connect(simulator)
	simulator.reset()
	return simulator


@pytest.fixture
def manager(web: Web, make_user: Callable[..., str]) -> Session:
	return web.session(make_user("System Manager"))


def get(session: Session, function: str, **arguments: object) -> requests.Response:
	return session.call(f"{API}.campaigns.{function}", "GET", **arguments)


def campaign(simulator: Simulator, **wanted: object) -> dict:
	"""Return the truth about the largest sent campaign that has these values."""
	fitting = [
		each
		for each in simulator.expected()["campaigns"]
		if all(each[name] == value for name, value in wanted.items())
	]
	return max(fitting, key=lambda each: each["rows"])


def listed(truth: dict, *actions: str) -> int:
	"""Return how many rows Zoho lists for these actions under the campaign's own key."""
	return sum(truth["actions"][action]["by_key"][truth["campaign_key"]] for action in actions)


def emails(rows: list[dict]) -> list[str]:
	return [row.get("contactemailaddress") for row in rows]


def asked_of(simulator: Simulator, endpoint: str) -> list[dict]:
	return [each["params"] for each in asked(simulator, endpoint)]


# Recent campaigns


def test_recent_campaigns_are_asked_for_in_one_small_page(manager: Session, zoho_account: Simulator) -> None:
	answer = get(manager, "get_recent_campaigns", limit=3).json()["message"]
	[request] = zoho_account.requests
	assert (request["method"], request["path"]) == ("GET", f"/api/v1.1/{RECENT}")
	assert request["params"] == {
		"resfmt": "JSON",
		"status": "all",
		"sort": "desc",
		"fromindex": "1",
		"range": "3",
	}
	assert request["headers"]["authorization"] == f"Zoho-oauthtoken {mask(secret('access_token'))}"
	assert (len(answer["campaigns"]), answer["fetched_count"]) == (3, 3)
	assert answer["total_count"] == 5 + 6, "sent ones and others"
	assert {"campaign_key", "campaign_name", "subject", "campaign_status"} <= set(answer["campaigns"][0])


def test_recent_campaigns_come_newest_first_and_in_every_status(
	manager: Session, zoho_account: Simulator
) -> None:
	found = get(manager, "get_recent_campaigns").json()["message"]["campaigns"]
	assert len(found) == 11 and {"Sent", "Draft", "Scheduled"} <= {each["campaign_status"] for each in found}
	created = [int(each["created_time_gmt"]) for each in found]
	assert created == sorted(created, reverse=True)
	assert asked_of(zoho_account, RECENT)[0]["range"] == "20"


@pytest.mark.parametrize(("limit", "fetched"), [(0, 1), (-5, 1), (1, 1), (120, 120), (100_000, 136)])
def test_a_limit_is_kept_and_pages_are_read_as_needed(
	manager: Session, start_simulator: Callable[..., Simulator], limit: int, fetched: int
) -> None:
	simulator = start_simulator(campaigns=130, recipients=130, other_campaigns=6)
	connect(simulator)
	answer = get(manager, "get_recent_campaigns", limit=limit).json()["message"]
	assert (answer["fetched_count"], answer["total_count"]) == (fetched, 136)
	keys = {each["campaign_key"] for each in answer["campaigns"]}
	assert len(keys) == len(answer["campaigns"]) == fetched
	pages = [(each["fromindex"], each["range"]) for each in asked_of(simulator, RECENT)]
	assert pages == ([("1", "1")] if fetched == 1 else [("1", "100"), ("101", "100")])


def test_an_account_without_campaigns_is_no_error(
	manager: Session, start_simulator: Callable[..., Simulator]
) -> None:
	connect(start_simulator(campaigns=0, recipients=0, other_campaigns=0))
	answer = get(manager, "get_recent_campaigns")
	assert answer.json()["message"] == {"campaigns": [], "total_count": 0, "fetched_count": 0}


def test_an_argument_of_a_wrong_type_is_refused_before_zoho_is_asked(
	manager: Session, zoho_account: Simulator
) -> None:
	assert get(manager, "get_recent_campaigns", limit="many").status_code == 417
	assert zoho_account.requests == []


# The report


def test_a_report_has_zohos_four_blocks(manager: Session, zoho_account: Simulator) -> None:
	truth = campaign(zoho_account)
	key = truth["campaign_key"]
	report = get(manager, "get_campaign_report", campaign_key=key).json()["message"]
	assert asked_of(zoho_account, REPORT) == [{"resfmt": "JSON", "campaignkey": key}]
	raw = campaigns.make_api_call(REPORT, params={"campaignkey": key})
	assert set(report) == {"campaign_details", "campaign_reports", "campaign_reach", "campaign_by_location"}
	assert report["campaign_details"] == raw["campaign-details"][0]
	assert report["campaign_reports"] == raw["campaign-reports"][0]
	assert report["campaign_reach"] == raw["campaign-reach"][0]
	assert report["campaign_reports"]["opens_count"] == truth["reports"][key]["opens_count"]
	assert report["campaign_by_location"] and all(
		isinstance(count, int) for count in report["campaign_by_location"].values()
	)


def test_a_report_without_figures_has_empty_blocks(manager: Session, zoho_account: Simulator) -> None:
	zoho_account.plan(
		{
			"fault": "body",
			"endpoint": REPORT,
			"body": {"status": "success", "code": "0", "campaign-reports": [], "campaign-reach": "null"},
		}
	)
	key = campaign(zoho_account)["campaign_key"]
	report = get(manager, "get_campaign_report", campaign_key=key).json()["message"]
	assert len(report) == 4 and all(block == {} for block in report.values())


# Recipients


def test_a_page_of_recipients_is_one_request(manager: Session, zoho_account: Simulator) -> None:
	truth = campaign(zoho_account)
	key = truth["campaign_key"]
	answer = get(manager, "get_campaign_recipients", campaign_key=key).json()["message"]
	asked_for = {
		"resfmt": "JSON",
		"campaignkey": key,
		"action": "openedcontacts",
		"fromindex": "1",
		"range": "20",
	}
	assert asked_of(zoho_account, RECIPIENTS) == [asked_for]
	assert answer["action"] == "openedcontacts"
	assert answer["total_fetched"] == len(answer["recipients"]) == 20


def test_pages_follow_each_other_without_gap_to_the_end(manager: Session, zoho_account: Simulator) -> None:
	truth = campaign(zoho_account)
	key, length = truth["campaign_key"], listed(truth, "Opened")
	whole = campaigns.get_campaign_recipients(key, range_val=500)["recipients"]
	assert len(whole) == length > 50
	found: list[str] = []
	while True:
		page = get(
			manager, "get_campaign_recipients", campaign_key=key, fromindex=len(found) + 1, range_val=40
		).json()["message"]
		if not page["total_fetched"]:
			break
		found += emails(page["recipients"])
	assert found == emails(whole)


def test_more_rows_than_zoho_gives_at_once_are_put_together(
	manager: Session, zoho_account: Simulator
) -> None:
	truth = campaign(zoho_account)
	key = truth["campaign_key"]
	whole = campaigns.get_campaign_recipients(key, "sentcontacts", range_val=120)["recipients"]
	zoho_account.set(max_range=30)
	answer = get(
		manager, "get_campaign_recipients", campaign_key=key, action="sentcontacts", range_val=120
	).json()["message"]
	assert answer["total_fetched"] == 120 and emails(answer["recipients"]) == emails(whole)


@pytest.mark.parametrize(
	("given", "asked_for"), [((0, 0), ("1", "1")), ((-3, 5), ("1", "5")), ((7, 3), ("7", "3"))]
)
def test_positions_count_from_one(
	manager: Session, zoho_account: Simulator, given: tuple[int, int], asked_for: tuple[str, str]
) -> None:
	key = campaign(zoho_account)["campaign_key"]
	answer = get(manager, "get_campaign_recipients", campaign_key=key, fromindex=given[0], range_val=given[1])
	assert answer.json()["message"]["total_fetched"] == int(asked_for[1])
	[params] = asked_of(zoho_account, RECIPIENTS)
	assert (params["fromindex"], params["range"]) == asked_for


def test_no_more_than_500_rows_come_at_once(
	manager: Session, start_simulator: Callable[..., Simulator]
) -> None:
	simulator = start_simulator(campaigns=1, recipients=3000)
	connect(simulator)
	key = campaign(simulator)["campaign_key"]
	answer = get(manager, "get_campaign_recipients", campaign_key=key, action="sentcontacts", range_val=10**6)
	assert answer.json()["message"]["total_fetched"] == 500


def test_bounces_are_hard_and_soft_ones_together(manager: Session, zoho_account: Simulator) -> None:
	truth = campaign(zoho_account)
	key, length = truth["campaign_key"], listed(truth, "Hard Bounced", "Soft Bounced")
	hard = campaigns.get_campaign_recipients(key, "senthardbounce", range_val=500)["recipients"]
	soft = campaigns.get_campaign_recipients(key, "sentsoftbounce", range_val=500)["recipients"]
	assert hard and soft and len(hard) + len(soft) == length
	before = len(zoho_account.requests)
	answer = get(
		manager, "get_campaign_recipients", campaign_key=key, action="bouncedcontacts", range_val=500
	).json()["message"]
	assert answer == {
		"recipients": hard + soft,
		"action": "bouncedcontacts",
		"total_fetched": length,
	}
	actions = [each["params"]["action"] for each in zoho_account.requests[before:]]
	assert set(actions) == {"senthardbounce", "sentsoftbounce"}, "Zoho knows no bouncedcontacts"
	over_the_border = get(
		manager,
		"get_campaign_recipients",
		campaign_key=key,
		action="bouncedcontacts",
		fromindex=len(hard),
		range_val=2,
	).json()["message"]
	assert over_the_border["recipients"] == [hard[-1], soft[0]]


def test_an_unknown_action_is_refused_by_name_without_asking_zoho(
	manager: Session, zoho_account: Simulator
) -> None:
	key = campaign(zoho_account)["campaign_key"]
	answer = get(manager, "get_campaign_recipients", campaign_key=key, action="<b>readers</b>")
	assert answer.status_code == 417
	said = messages(answer)
	assert "&lt;b&gt;readers&lt;/b&gt;" in said and "<b>" not in said.replace("\\", "")
	assert all(action in said for action in (*zoho.ACTIONS, "bouncedcontacts"))
	assert zoho_account.requests == []


@pytest.fixture
def silent_key(zoho_account: Simulator) -> str:
	"""Zoho's key of a campaign that nobody opened."""
	zoho_account.reset(campaigns=12)
	campaigns_there = zoho_account.expected()["campaigns"]
	return next(each["campaign_key"] for each in campaigns_there if not each["actions"]["Opened"]["listed"])


@pytest.mark.parametrize("form", ["6303", "6302", "6501", "text", "empty", "absent"])
def test_an_empty_list_is_no_error(
	manager: Session, zoho_account: Simulator, silent_key: str, form: str
) -> None:
	zoho_account.set(end_of_list=form)
	answer = get(manager, "get_campaign_recipients", campaign_key=silent_key)
	assert answer.json()["message"] == {"recipients": [], "action": "openedcontacts", "total_fetched": 0}


# A whole campaign


@pytest.mark.parametrize("kind", ["normal", "abtesting"])
def test_a_campaigns_data_are_complete(manager: Session, zoho_account: Simulator, kind: str) -> None:
	truth = campaign(zoho_account, type=kind)
	frappe.get_doc(
		{
			"doctype": "Campaign",
			"campaign_name": "Whole",
			"zoho_campaign_key": truth["campaign_key"],
			"zoho_campaign_type": kind,
		}
	).insert()
	zoho_account.set(max_range=25)
	data = get(manager, "sync_campaign_data", campaign_key=truth["campaign_key"]).json()["message"]
	assert set(data) == {"report", *LISTS}
	assert data["report"]["campaign_details"]["campaign_name"] == truth["campaign_name"]
	for name, actions in LISTS.items():
		assert len(data[name]) == sum(truth["actions"][action]["listed"] for action in actions), name
	assert frappe.db.count("Campaign Recipient") == 0, "nothing is stored"


# Errors


@pytest.mark.parametrize(
	("fault", "said"),
	[
		(
			{"fault": "code", "code": "6503", "message": "Campaign has been deleted."},
			"no longer has this campaign",
		),
		(
			{"fault": "code", "code": "6301", "message": "Invalid campaign key."},
			"no longer has this campaign",
		),
		({"fault": "code", "code": "6304", "message": "No privilege."}, "may read its reports"),
		({"fault": "code", "code": "902", "message": "Account is not active."}, "Check that it is active"),
		({"fault": "code", "code": "1002", "message": "Extra parameter found."}, "Zoho refused the request"),
		({"fault": "code", "code": "9999", "message": "What is this?"}, "What is this?"),
		({"fault": "throttle", "form": "200-filter"}, "call limit has been reached"),
		({"fault": "throttle", "form": "429"}, "call limit has been reached"),
		({"fault": "html", "headers": AT_ONCE}, "Try again in a few minutes"),
		({"fault": "status", "status": 500, "headers": AT_ONCE}, "Try again in a few minutes"),
		({"fault": "body", "body": "[1, 2]"}, "an answer that cannot be read"),
		({"fault": "unauthorised"}, "Zoho rejects the access token"),
	],
	ids=lambda value: (
		"-".join(str(part) for part in value.values() if isinstance(part, str))[:30]
		if isinstance(value, dict)
		else ""
	),
)
def test_an_error_of_zoho_becomes_a_message_that_says_what_to_do(
	manager: Session, zoho_account: Simulator, fault: dict, said: str
) -> None:
	zoho_account.plan({**fault, "endpoint": REPORT})
	key = campaign(zoho_account)["campaign_key"]
	answer = get(manager, "get_campaign_report", campaign_key=key)
	assert answer.status_code == 417, answer.text[:500]
	assert said in messages(answer) and "Traceback" not in messages(answer)
	assert secret("access_token") not in answer.text


def test_what_zoho_says_is_escaped(manager: Session, zoho_account: Simulator) -> None:
	hostile = "<img src=x onerror=alert(1)>"
	zoho_account.plan({"fault": "code", "endpoint": REPORT, "code": "9999", "message": hostile})
	answer = get(manager, "get_campaign_report", campaign_key=campaign(zoho_account)["campaign_key"])
	assert hostile not in answer.json()["_server_messages"]
	assert "‹img src=x onerror=alert(1)›" in messages(answer)


@pytest.mark.parametrize("status", ["Draft", "Scheduled"])
def test_a_campaign_that_was_not_sent_is_told_so(
	manager: Session, zoho_account: Simulator, status: str
) -> None:
	hidden = next(each for each in zoho_account.expected()["not_stored"] if each["status"] == status)
	for function in ("get_campaign_report", "get_campaign_recipients", "sync_campaign_data"):
		answer = get(manager, function, campaign_key=hidden["campaign_key"])
		assert answer.status_code == 417 and "has not been sent yet" in messages(answer), function


def test_while_not_connected_every_function_says_what_to_do(manager: Session, simulator: Simulator) -> None:
	key = campaign(simulator)["campaign_key"]
	for function, arguments in {
		"get_recent_campaigns": {},
		"get_campaign_report": {"campaign_key": key},
		"get_campaign_recipients": {"campaign_key": key},
		"sync_campaign_data": {"campaign_key": key},
	}.items():
		answer = get(manager, function, **arguments)
		assert answer.status_code == 417, function
		assert "Zoho integration is not active" in messages(answer), function
		assert "click Authorize with Zoho" in messages(answer), function
	assert simulator.requests == []


def test_a_sync_that_zoho_does_not_authorize_is_refused_with_what_to_do(
	manager: Session, zoho_account: Simulator
) -> None:
	frappe.get_doc(
		{
			"doctype": "Campaign",
			"campaign_name": "Any",
			"zoho_campaign_key": campaign(zoho_account)["campaign_key"],
		}
	).insert()
	zoho_account.tokens.revoke_all()
	let_expire(0)
	answer = manager.call(f"{API}.sync.sync_campaign_by_name", campaign_name="Any")
	assert answer.status_code == 417 and "access was revoked" in messages(answer)
	answer = manager.call(f"{API}.sync.sync_all_campaigns")
	assert answer.status_code == 417 and "Zoho integration is not active" in messages(answer)
	assert frappe.db.count("Zoho Sync Run") == 0


# From Python


def test_nothing_to_list_is_an_empty_answer(zoho_account: Simulator, silent_key: str) -> None:
	params = {"campaignkey": silent_key, "action": "openedcontacts", "fromindex": 1, "range": 20}
	assert campaigns.make_api_call(RECIPIENTS, params=params) == {}


def test_a_call_goes_out_as_it_was_asked_for(zoho_account: Simulator) -> None:
	with pytest.raises(zoho.ZohoError):
		campaigns.make_api_call(RECENT, "POST", params={"status": "ü & co"}, data={"mode": "new"})
	[request] = zoho_account.requests
	assert (request["method"], request["path"]) == ("POST", f"/api/v1.1/{RECENT}")
	assert request["params"] == {"resfmt": "JSON", "status": "ü & co", "mode": "new"}


@pytest.mark.parametrize(
	"endpoint",
	[
		*("../oauth/v2/token", "https://evil.example/x", "", "a?b=c", "a b"),
		*("json/listsubscribe", "json/contactdonotmail", "sendcampaign", "deletemailinglist"),
	],
)
def test_only_methods_of_the_api_that_read_are_called(zoho_account: Simulator, endpoint: str) -> None:
	with pytest.raises(zoho.InvalidRequest):
		campaigns.make_api_call(endpoint)
	assert zoho_account.requests == []


def test_without_a_connection_python_gets_the_same_words(simulator: Simulator) -> None:
	with pytest.raises(NotConnected, match="Zoho integration is not active"):
		campaigns.make_api_call(RECENT)


# Test Connection


def test_the_connection_can_be_tested(manager: Session, zoho_account: Simulator) -> None:
	answer = manager.call(f"{API}.campaigns.test_connection").json()["message"]
	assert answer == {"data_center": "India", "total_count": 11}
	[request] = zoho_account.requests
	assert (request["endpoint"], request["params"]["range"]) == (RECENT, "1")


def test_a_test_that_succeeds_ends_the_need_for_attention(manager: Session, zoho_account: Simulator) -> None:
	tokens.mark_refused("Zoho rejects the access token")
	assert manager.call(f"{API}.campaigns.test_connection").ok
	assert (settings().connection_status, settings().connection_error) == ("Connected", None)


def test_a_test_that_fails_says_why_and_asks_for_one_token(manager: Session, zoho_account: Simulator) -> None:
	zoho_account.plan({"fault": "unauthorised", "endpoint": RECENT})
	answer = manager.call(f"{API}.campaigns.test_connection")
	assert answer.status_code == 417 and "data centre is wrong" in messages(answer)
	assert refreshes(zoho_account) == 1
