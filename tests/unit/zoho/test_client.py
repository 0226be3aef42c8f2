"""The endpoints: parameters, errors, and one refresh for a token that was refused."""

import threading

import pytest

from erpnext_zoho_integration.zoho import (
	ACTIONS,
	AuthenticationError,
	CampaignsClient,
	CampaignUnavailable,
	EmptyAnswer,
	InvalidRequest,
	RateLimited,
	ReauthorizationRequired,
	Transport,
	Unavailable,
)
from tests.unit.zoho.scripted_lists import TOKEN, Lists, campaigns, error, keys, make, page, people
from tests.unit.zoho.stub_server import Reply

DEAD = Reply(
	{"message": "Unauthorized request.", "URI": "/api/v1.1/x", "Code": "1007", "status": "error"}, status=401
)


RECIPIENTS = "/api/v1.1/getcampaignrecipientsdata"


def test_a_call_asks_for_json_and_carries_the_token_in_its_header(client, server):
	server.say({"status": "success", "a": 1})
	answer = client.call("getmailinglists", {"fromindex": 1, "range": 20, "sort": None})
	request = server.requests[0]
	assert answer == {"status": "success", "a": 1}
	assert (request.method, request.path) == ("GET", "/api/v1.1/getmailinglists")
	assert request.query == {"resfmt": "JSON", "fromindex": "1", "range": "20"}
	assert request.headers["authorization"] == f"Zoho-oauthtoken {TOKEN}"
	assert request.body == ""


def test_parameters_of_a_post_go_into_the_query_too(client, server):
	server.say({"status": "success"})
	client.call("getmailinglists", {"sort": "asc"}, "POST", {"a": 1})
	request = server.requests[0]
	assert (request.method, request.query) == ("POST", {"resfmt": "JSON", "sort": "asc"})
	assert request.form == {"a": "1"}


def test_the_only_endpoint_without_resfmt_gets_none(client, server):
	server.say({"response": {"fieldnames": {}}})
	assert client.call("contact/allfields") == {"fieldnames": {}}
	assert server.requests[0].query == {"type": "json"}


@pytest.mark.parametrize(
	"endpoint, method",
	[("../oauth", "GET"), ("https://evil.example", "GET"), ("a?b", "GET"), ("", "GET"), ("x", "DELETE")],
)
def test_only_methods_of_the_api_are_called(endpoint, method, client, server):
	with pytest.raises(InvalidRequest):
		client.call(endpoint, method=method)
	assert server.requests == []


def test_no_contacts_is_an_empty_answer(client, server):
	server.say(error("6303", "There are no contacts in the selected mailing list."))
	answer = client.call("getcampaignrecipientsdata", {"campaignkey": "k", "action": "sentcontacts"})
	assert isinstance(answer, EmptyAnswer)
	assert answer == {} and answer.code == "6303"


def test_an_error_that_zoho_asks_to_retry_is_retried(client, server):
	busy = error("6001", "Error in displaying reports. Please retry after sometime.")
	server.say(busy, Reply("<html>Maintenance</html>"), '{"half', {"status": "success"})
	assert client.call("campaignreports") == {"status": "success"}
	assert len(server.requests) == 4


def test_a_post_is_not_repeated(client, server):
	server.say(Reply(status=503), {"status": "success"})
	with pytest.raises(Unavailable):
		client.call("getmailinglists", {"sort": "asc"}, "POST")
	assert len(server.requests) == 1


def test_a_lock_is_not_waited_for(client, server):
	message = "Cannot execute more than 500 requests per API in 5 minutes. Try again after 22 minutes."
	throttle = {"error": {"title": "URL_ROLLING_THROTTLES_LIMIT_EXCEEDED", "details": {"message": message}}}
	server.say(Reply(throttle, status=400))
	with pytest.raises(RateLimited) as caught:
		client.report("k")
	assert (caught.value.endpoint, caught.value.retry_after) == ("campaignreports", 1320)
	assert len(server.requests) == 1


@pytest.mark.parametrize("refusal", [DEAD, Reply(error("1007", "Unauthorized key.")), Reply("", status=401)])
def test_a_dead_token_is_refreshed_once_and_the_call_repeated_once(refusal, server):
	dead = []

	def refresh(token):
		dead.append(token)
		return "new"

	server.say(refusal, {"status": "success"})
	assert make(server, refresh=refresh).call("recentcampaigns", {"status": "sent"}) == {"status": "success"}
	assert dead == [TOKEN]
	first, second = server.requests
	assert first.headers["authorization"] == f"Zoho-oauthtoken {TOKEN}"
	assert second.headers["authorization"] == "Zoho-oauthtoken new"
	assert first.query == second.query


def test_a_second_refusal_is_final_and_no_more_tokens_are_requested(server):
	dead = []
	client = make(server, refresh=lambda token: dead.append(token) or "new")
	server.say(DEAD, DEAD, DEAD)
	for _ in range(2):
		with pytest.raises(AuthenticationError):
			client.call("recentcampaigns")
	assert len(dead) == 1
	assert len(server.requests) == 3


def test_after_a_success_a_token_may_be_refreshed_again(server):
	dead = []
	client = make(server, refresh=lambda token: dead.append(token) or "new")
	good = {"status": "success"}
	server.say(DEAD, DEAD, good, DEAD, good)
	with pytest.raises(AuthenticationError):
		client.call("recentcampaigns")
	client.call("recentcampaigns")
	client.call("recentcampaigns")
	assert len(dead) == 2


def test_without_a_way_to_refresh_a_refusal_is_final(client, server):
	server.say(DEAD)
	with pytest.raises(AuthenticationError):
		client.call("recentcampaigns")
	assert len(server.requests) == 1


def test_a_refresh_that_fails_says_why(server):
	def refresh(_):
		raise ReauthorizationRequired("authorise again", "invalid_code")

	server.say(DEAD)
	with pytest.raises(ReauthorizationRequired):
		make(server, refresh=refresh).call("recentcampaigns")


def test_a_token_that_expires_between_pages_costs_no_row(server):
	lists = Lists(people(1, 5))
	calls = []

	def answer(request):
		calls.append(request)
		return DEAD if len(calls) == 2 else lists(request)

	server.answer = answer
	client = make(server, refresh=lambda _: "new", page_size=2)
	assert keys(client.recipient_pages("k", "openedcontacts")) == ["1", "2", "3", "4", "5"]


def test_campaigns_are_asked_for_page_by_page_the_newest_first(client, server):
	server.say(campaigns(1, 2), campaigns(3, 3))
	pages = list(client.campaign_pages(page_size=2))
	assert [[campaign.key for campaign in each.items] for each in pages] == [["k1", "k2"], ["k3"]]
	assert [(each.from_index, each.next_index) for each in pages] == [(1, 3), (3, None)]
	assert [request.path for request in server.requests] == ["/api/v1.1/recentcampaigns"] * 2
	asked = {"resfmt": "JSON", "status": "sent", "sort": "desc", "range": "2"}
	assert [request.query for request in server.requests] == [
		{**asked, "fromindex": "1"},
		{**asked, "fromindex": "3"},
	]


def test_a_client_asks_for_200_rows_unless_told_otherwise(client, server):
	server.say(campaigns(1, 1), campaigns(1, 1), campaigns(1, 1))
	list(client.campaign_pages("all"))
	list(client.campaign_pages(page_size=500))
	list(make(server, page_size=100).campaign_pages())
	assert [request.query["range"] for request in server.requests] == ["200", "500", "100"]
	assert server.requests[0].query["status"] == "all"


def test_an_account_without_campaigns(client, server):
	server.say(error("6101", "No campaign available in this view."))
	assert list(client.campaign_pages()) == []


def test_a_report_is_asked_for_by_key(client, server):
	server.say({"status": "success", "code": "0", "campaign-reports": [{"opens_count": "90"}]})
	assert client.report("3zkey").metrics["opens_count"] == 90
	request = server.requests[0]
	assert (request.path, request.query) == (
		"/api/v1.1/campaignreports",
		{"resfmt": "JSON", "campaignkey": "3zkey"},
	)


@pytest.mark.parametrize(
	"given, sent", [("abtesting", "abtesting"), ("ABTesting", "abtesting"), (None, "normal")]
)
def test_details_are_asked_for_by_key_and_type(given, sent, client, server):
	split = {"a_child_campaignkey": "ka", "b_child_campaignkey": "kb"}
	server.say({"status": "success", "AB-split-details": [split]})
	details = client.campaign_details("3zkey", given)
	assert [(child.variant, child.key) for child in details.children] == [("A", "ka"), ("B", "kb")]
	request = server.requests[0]
	assert request.path == "/api/v1.1/getcampaigndetails"
	assert request.query == {"resfmt": "JSON", "campaignkey": "3zkey", "campaigntype": sent}


def test_a_deleted_campaign_is_skipped(client, server):
	server.say(error("6503", "Campaign has been deleted."))
	with pytest.raises(CampaignUnavailable) as caught:
		client.report("k")
	assert caught.value.action == "skip"
	assert len(server.requests) == 1


@pytest.mark.parametrize("action", ACTIONS)
def test_each_action_is_asked_for_by_its_name(action, client, server):
	server.say(page(people(1, 1), 200))
	assert keys(client.recipient_pages("3zkey", action)) == ["1"]
	request = server.requests[0]
	assert (request.method, request.path) == ("GET", RECIPIENTS)
	asked = {"resfmt": "JSON", "campaignkey": "3zkey", "action": action, "fromindex": "1", "range": "200"}
	assert request.query == asked


@pytest.mark.parametrize("action", ["bouncedcontacts", "sentleads", "", "openedcontacts "])
def test_an_action_that_zoho_does_not_know_is_refused_by_name(action, client, server):
	with pytest.raises(InvalidRequest, match="sentcontacts") as caught:
		list(client.recipient_pages("k", action))
	assert repr(action) in str(caught.value)
	assert server.requests == []


def test_names_come_through_in_every_script(client, server):
	row = {
		"contactid": "1",
		"contactemailaddress": "müller@exämple.de",
		"contactfn": "Zoë 🎉",
		"contactln": "李",
	}
	server.say(page([row]))
	(only,) = client.recipient_pages("k", "openedcontacts")
	person = only.items[0]
	assert (person.email, person.first_name, person.last_name) == ("müller@exämple.de", "Zoë 🎉", "李")
	assert only.raw == [row]


def test_one_client_may_be_shared_by_threads(server):
	server.answer = Lists(people(1, 60))
	transport = Transport()
	client = CampaignsClient(server.url, lambda: TOKEN, transport, page_size=7)
	found = {}

	def read(action):
		found[action] = keys(client.recipient_pages("k", action))

	threads = [threading.Thread(target=read, args=(action,)) for action in ACTIONS]
	for thread in threads:
		thread.start()
	for thread in threads:
		thread.join()
	assert found == {action: [str(n) for n in range(1, 61)] for action in ACTIONS}
	assert transport.calls == len(server.requests) == len(ACTIONS) * 9
