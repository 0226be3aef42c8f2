"""The endpoints: what is asked, how lists end, how a page shrinks, and one refresh for a dead token."""

import json
import threading

import pytest

from erpnext_zoho_integration.zoho import (
	ACTIONS,
	AuthenticationError,
	CampaignsClient,
	CampaignUnavailable,
	EmptyAnswer,
	InvalidRequest,
	MalformedAnswer,
	PageTooLarge,
	PagingError,
	RateLimited,
	ReauthorizationRequired,
	Transport,
	Unavailable,
)
from tests.unit.zoho_server import FarEnd, Reply

TOKEN = "1000.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
DEAD = Reply(
	{"message": "Unauthorized request.", "URI": "/api/v1.1/x", "Code": "1007", "status": "error"}, status=401
)
RECIPIENTS = "/api/v1.1/getcampaignrecipientsdata"


@pytest.fixture
def far_end():
	with FarEnd() as server:
		yield server


@pytest.fixture
def client(far_end):
	return make(far_end)


def make(far_end, **kwargs):
	return CampaignsClient(far_end.url, lambda: TOKEN, Transport(sleep=lambda _: None), **kwargs)


def error(code, message=""):
	return {"status": "error", "code": code, "message": message, "uri": "/api/v1.1/x", "version": "1.1"}


def page(rows, size=None, start=1, action="openedcontacts"):
	"""Return a page of recipients as Zoho sends it."""
	details = {"action": action, "fromindex": start, **({"range": size} if size else {})}
	return {
		"requestdetails": details,
		"status": "success",
		"list_of_details": rows,
		"code": "0",
		"uri": RECIPIENTS,
		"version": "1.1",
	}


def people(first, last):
	return [{"contactid": str(n), "contactemailaddress": f"p{n}@example.com"} for n in range(first, last + 1)]


class Lists:
	"""A far end that pages through `rows` and refuses pages of more than `most` rows."""

	def __init__(self, rows, most=500, end="6303", given=None, key="list_of_details"):
		self.rows, self.most, self.end, self.given, self.key = rows, most, end, given, key

	def __call__(self, request):
		start, size = int(request.query["fromindex"]), int(request.query["range"])
		if size > self.most:
			return Reply(error("6502", "Limit given is more than the maximum."))
		rows = self.rows[start - 1 : start - 1 + min(size, self.given or size)]
		if rows:
			return Reply(page(rows, self.given or size, start))
		if self.end == "empty":
			return Reply(page([], size, start))
		if self.end == "absent":
			return Reply({"status": "success", "code": "0"})
		return Reply(error(self.end, "There are no contacts in the selected mailing list."))


def keys(pages):
	return [recipient.contact_id for each in pages for recipient in each.items]


# -- one call --------------------------------------------------------------------------------------------------


def test_a_call_asks_for_json_and_carries_the_token_in_its_header(client, far_end):
	far_end.say({"status": "success", "a": 1})
	answer = client.call("getmailinglists", {"fromindex": 1, "range": 20, "sort": None})
	request = far_end.requests[0]
	assert answer == {"status": "success", "a": 1}
	assert (request.method, request.path) == ("GET", "/api/v1.1/getmailinglists")
	assert request.query == {"resfmt": "JSON", "fromindex": "1", "range": "20"}
	assert request.headers["authorization"] == f"Zoho-oauthtoken {TOKEN}"
	assert request.body == ""


def test_parameters_of_a_post_go_into_the_query_too(client, far_end):
	far_end.say({"status": "success"})
	client.call("sendcampaign", {"campaignkey": "k"}, "POST", {"a": 1})
	request = far_end.requests[0]
	assert (request.method, request.query) == ("POST", {"resfmt": "JSON", "campaignkey": "k"})
	assert request.form == {"a": "1"}


def test_the_one_endpoint_that_knows_no_resfmt_gets_none(client, far_end):
	far_end.say({"response": {"fieldnames": {}}})
	assert client.call("contact/allfields") == {"fieldnames": {}}
	assert far_end.requests[0].query == {"type": "json"}


@pytest.mark.parametrize(
	"endpoint, method",
	[("../oauth", "GET"), ("https://evil.example", "GET"), ("a?b", "GET"), ("", "GET"), ("x", "DELETE")],
)
def test_only_methods_of_the_api_are_called(endpoint, method, client, far_end):
	with pytest.raises(InvalidRequest):
		client.call(endpoint, method=method)
	assert far_end.requests == []


def test_no_contacts_is_an_empty_answer(client, far_end):
	far_end.say(error("6303", "There are no contacts in the selected mailing list."))
	answer = client.call("getcampaignrecipientsdata", {"campaignkey": "k", "action": "sentcontacts"})
	assert isinstance(answer, EmptyAnswer)
	assert answer == {} and answer.code == "6303"


def test_what_zoho_asks_to_retry_is_retried(client, far_end):
	busy = error("6001", "Error in displaying reports. Please retry after sometime.")
	far_end.say(busy, Reply("<html>Maintenance</html>"), '{"half', {"status": "success"})
	assert client.call("campaignreports") == {"status": "success"}
	assert len(far_end.requests) == 4


def test_a_post_is_not_repeated(client, far_end):
	far_end.say(Reply(status=503), {"status": "success"})
	with pytest.raises(Unavailable):
		client.call("sendcampaign", {"campaignkey": "k"}, "POST")
	assert len(far_end.requests) == 1


def test_a_lock_is_not_waited_for(client, far_end):
	message = "Cannot execute more than 500 requests per API in 5 minutes. Try again after 22 minutes."
	throttle = {"error": {"title": "URL_ROLLING_THROTTLES_LIMIT_EXCEEDED", "details": {"message": message}}}
	far_end.say(Reply(throttle, status=400))
	with pytest.raises(RateLimited) as caught:
		client.report("k")
	assert (caught.value.endpoint, caught.value.retry_after) == ("campaignreports", 1320)
	assert len(far_end.requests) == 1


# -- the token -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("refusal", [DEAD, Reply(error("1007", "Unauthorized key.")), Reply("", status=401)])
def test_a_dead_token_is_refreshed_once_and_the_call_repeated_once(refusal, far_end):
	dead = []

	def refresh(token):
		dead.append(token)
		return "new"

	far_end.say(refusal, {"status": "success"})
	assert make(far_end, refresh=refresh).call("recentcampaigns", {"status": "sent"}) == {"status": "success"}
	assert dead == [TOKEN]
	first, second = far_end.requests
	assert first.headers["authorization"] == f"Zoho-oauthtoken {TOKEN}"
	assert second.headers["authorization"] == "Zoho-oauthtoken new"
	assert first.query == second.query


def test_a_second_refusal_is_final_and_no_more_tokens_are_asked_for(far_end):
	dead = []
	client = make(far_end, refresh=lambda token: dead.append(token) or "new")
	far_end.say(DEAD, DEAD, DEAD)
	for _ in range(2):
		with pytest.raises(AuthenticationError):
			client.call("recentcampaigns")
	assert len(dead) == 1
	assert len(far_end.requests) == 3


def test_after_a_success_a_token_may_be_refreshed_again(far_end):
	dead = []
	client = make(far_end, refresh=lambda token: dead.append(token) or "new")
	good = {"status": "success"}
	far_end.say(DEAD, DEAD, good, DEAD, good)
	with pytest.raises(AuthenticationError):
		client.call("recentcampaigns")
	client.call("recentcampaigns")
	client.call("recentcampaigns")
	assert len(dead) == 2


def test_without_a_way_to_refresh_a_refusal_is_final(client, far_end):
	far_end.say(DEAD)
	with pytest.raises(AuthenticationError):
		client.call("recentcampaigns")
	assert len(far_end.requests) == 1


def test_a_refresh_that_fails_says_why(far_end):
	def refresh(_):
		raise ReauthorizationRequired("authorise again", "invalid_code")

	far_end.say(DEAD)
	with pytest.raises(ReauthorizationRequired):
		make(far_end, refresh=refresh).call("recentcampaigns")


def test_a_token_that_dies_between_pages_costs_no_row(far_end):
	lists = Lists(people(1, 5))
	calls = []

	def answer(request):
		calls.append(request)
		return DEAD if len(calls) == 2 else lists(request)

	far_end.answer = answer
	client = make(far_end, refresh=lambda _: "new", page_size=2)
	assert keys(client.recipient_pages("k", "openedcontacts")) == ["1", "2", "3", "4", "5"]


# -- campaigns -------------------------------------------------------------------------------------------------


def campaigns(first, last, **more):
	rows = [
		{"campaign_key": f"k{n}", "campaign_name": "News", "campaign_status": "Sent"}
		for n in range(first, last + 1)
	]
	envelope = {
		"status": "success",
		"code": "0",
		"recent_campaigns": rows,
		"uri": "/api/v1.1/recentcampaigns",
	}
	return {**envelope, **more}


def test_campaigns_are_asked_for_page_by_page_the_newest_first(client, far_end):
	far_end.say(campaigns(1, 2), campaigns(3, 3))
	pages = list(client.campaign_pages(page_size=2))
	assert [[campaign.key for campaign in each.items] for each in pages] == [["k1", "k2"], ["k3"]]
	assert [(each.from_index, each.next_index) for each in pages] == [(1, 3), (3, None)]
	assert [request.path for request in far_end.requests] == ["/api/v1.1/recentcampaigns"] * 2
	asked = {"resfmt": "JSON", "status": "sent", "sort": "desc", "range": "2"}
	assert [request.query for request in far_end.requests] == [
		{**asked, "fromindex": "1"},
		{**asked, "fromindex": "3"},
	]


def test_a_client_asks_for_200_rows_unless_told_otherwise(client, far_end):
	far_end.say(campaigns(1, 1), campaigns(1, 1), campaigns(1, 1))
	list(client.campaign_pages("all"))
	list(client.campaign_pages(page_size=500))
	list(make(far_end, page_size=100).campaign_pages())
	assert [request.query["range"] for request in far_end.requests] == ["200", "500", "100"]
	assert far_end.requests[0].query["status"] == "all"


def test_an_account_without_campaigns(client, far_end):
	far_end.say(error("6101", "No campaign available in this view."))
	assert list(client.campaign_pages()) == []


def test_the_length_of_the_list_is_told(client, far_end):
	far_end.say(campaigns(1, 2, total_record_count="44"))
	assert client.campaign_page(1, 2).total == 44


def test_a_campaign_without_a_key_is_listed_and_the_others_come(client, far_end):
	answer = campaigns(1, 3)
	answer["recent_campaigns"][1] = {"campaign_name": "broken"}
	far_end.say(answer)
	(only,) = client.campaign_pages()
	assert [campaign.key for campaign in only.items] == ["k1", "k3"]
	assert [record.raw for record in only.bad] == [{"campaign_name": "broken"}]
	assert len(only.raw) == 3


def test_a_server_that_gives_less_than_asked_for_is_read_to_the_end(client, far_end):
	"""recentcampaigns repeats the size in a text; a smaller one means that a short page is a full one."""
	details = "{range=2, status=sent, fromindex=1}"
	far_end.say(
		campaigns(1, 2, requestdetails=details), campaigns(3, 4, requestdetails=details), campaigns(5, 5)
	)
	assert sum(len(each.items) for each in client.campaign_pages()) == 5


def test_a_total_that_says_there_is_more_is_believed(client, far_end):
	far_end.say(campaigns(1, 2, total_record_count=3), campaigns(3, 3, total_record_count=3))
	assert sum(len(each.items) for each in client.campaign_pages()) == 3


def test_a_total_that_says_there_is_no_more_is_not(client, far_end):
	far_end.say(campaigns(1, 2, total_record_count=2), campaigns(3, 3, total_record_count=2))
	assert sum(len(each.items) for each in client.campaign_pages(page_size=2)) == 3


# -- one campaign ----------------------------------------------------------------------------------------------


def test_a_report_is_asked_for_by_key(client, far_end):
	far_end.say({"status": "success", "code": "0", "campaign-reports": [{"opens_count": "90"}]})
	assert client.report("3zkey").metrics["opens_count"] == 90
	request = far_end.requests[0]
	assert (request.path, request.query) == (
		"/api/v1.1/campaignreports",
		{"resfmt": "JSON", "campaignkey": "3zkey"},
	)


@pytest.mark.parametrize(
	"given, sent", [("abtesting", "abtesting"), ("ABTesting", "abtesting"), (None, "normal")]
)
def test_details_are_asked_for_by_key_and_type(given, sent, client, far_end):
	split = {"a_child_campaignkey": "ka", "b_child_campaignkey": "kb"}
	far_end.say({"status": "success", "AB-split-details": [split]})
	details = client.campaign_details("3zkey", given)
	assert [(child.variant, child.key) for child in details.children] == [("A", "ka"), ("B", "kb")]
	request = far_end.requests[0]
	assert request.path == "/api/v1.1/getcampaigndetails"
	assert request.query == {"resfmt": "JSON", "campaignkey": "3zkey", "campaigntype": sent}


def test_a_deleted_campaign_is_skipped(client, far_end):
	far_end.say(error("6503", "Campaign has been deleted."))
	with pytest.raises(CampaignUnavailable) as caught:
		client.report("k")
	assert caught.value.action == "skip"
	assert len(far_end.requests) == 1


# -- recipients ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ACTIONS)
def test_each_action_is_asked_for_by_its_name(action, client, far_end):
	far_end.say(page(people(1, 1), 200))
	assert keys(client.recipient_pages("3zkey", action)) == ["1"]
	request = far_end.requests[0]
	assert (request.method, request.path) == ("GET", RECIPIENTS)
	asked = {"resfmt": "JSON", "campaignkey": "3zkey", "action": action, "fromindex": "1", "range": "200"}
	assert request.query == asked


@pytest.mark.parametrize("action", ["bouncedcontacts", "sentleads", "", "openedcontacts "])
def test_an_action_that_zoho_does_not_know_is_refused_by_name(action, client, far_end):
	with pytest.raises(InvalidRequest, match="sentcontacts") as caught:
		list(client.recipient_pages("k", action))
	assert repr(action) in str(caught.value)
	assert far_end.requests == []


@pytest.mark.parametrize("end", ["6303", "6302", "6501", "empty", "absent"])
@pytest.mark.parametrize("size, calls", [(1, 5), (2, 3), (3, 2), (4, 2), (5, 1)])
def test_every_row_comes_once_however_the_list_ends(size, calls, end, client, far_end):
	far_end.answer = Lists(people(1, 4), end=end)
	pages = list(client.recipient_pages("k", "openedcontacts", page_size=size))
	assert keys(pages) == ["1", "2", "3", "4"]
	assert len(far_end.requests) == calls
	assert all(each.items for each in pages)


@pytest.mark.parametrize("end", ["6303", "empty", "absent"])
def test_an_empty_list_has_no_pages(end, client, far_end):
	far_end.answer = Lists([], end=end)
	assert list(client.recipient_pages("k", "openedcontacts")) == []


@pytest.mark.parametrize("nothing", ["", "null", None, {}])
def test_nothing_instead_of_a_list_is_the_end(nothing, client, far_end):
	far_end.say({"status": "success", "list_of_details": nothing})
	assert list(client.recipient_pages("k", "openedcontacts")) == []


def test_one_row_may_come_without_a_list(client, far_end):
	far_end.say({"status": "success", "list_of_details": people(7, 7)[0]})
	assert keys(client.recipient_pages("k", "openedcontacts")) == ["7"]


def test_a_list_of_another_name_is_not_taken_for_an_empty_one(client, far_end):
	far_end.say({"status": "success", "recipients": people(1, 2)})
	with pytest.raises(MalformedAnswer, match="recipients"):
		list(client.recipient_pages("k", "openedcontacts"))


def test_rows_that_are_none_are_listed(client, far_end):
	far_end.say(page([*people(1, 1), None, "x", {"contactfn": "Anna"}]))
	(only,) = client.recipient_pages("k", "openedcontacts")
	assert [recipient.contact_id for recipient in only.items] == ["1"]
	assert [record.raw for record in only.bad] == [None, "x", {"contactfn": "Anna"}]


def test_paging_begins_and_resumes_where_it_is_told_to(client, far_end):
	far_end.answer = Lists(people(1, 9))
	pages = client.recipient_pages("k", "openedcontacts", from_index=4, page_size=3)
	first = next(pages)
	assert (first.from_index, first.next_index) == (4, 7)
	assert keys([first]) == ["4", "5", "6"]
	rest = client.recipient_pages("k", "openedcontacts", from_index=first.next_index, page_size=3)
	assert keys(rest) == ["7", "8", "9"]


def test_pages_are_read_only_when_they_are_wanted(client, far_end):
	far_end.answer = Lists(people(1, 9))
	next(client.recipient_pages("k", "openedcontacts", page_size=3))
	assert len(far_end.requests) == 1


def test_the_page_shrinks_until_zoho_accepts_it_and_no_row_is_lost_or_doubled(far_end):
	far_end.answer = Lists(people(1, 250), most=60)
	client = make(far_end, page_size=200)
	assert keys(client.recipient_pages("k", "openedcontacts")) == [str(n) for n in range(1, 251)]
	sizes = [int(request.query["range"]) for request in far_end.requests]
	assert sizes == [200, 100, 50, 50, 50, 50, 50, 50]
	assert client.page_limits == {"getcampaignrecipientsdata": 50}


def test_the_size_that_was_found_is_remembered_for_that_endpoint_only(far_end):
	far_end.answer = Lists(people(1, 10), most=60)
	client = make(far_end, page_size=100)
	list(client.recipient_pages("k", "openedcontacts"))
	list(client.recipient_pages("k", "clickedcontacts"))
	list(client.recipient_pages("k", "clickedcontacts", page_size=20))
	far_end.answer = lambda _: Reply(campaigns(1, 1))
	list(client.campaign_pages())
	assert [int(request.query["range"]) for request in far_end.requests] == [100, 50, 50, 20, 100]


def test_a_limit_found_in_the_middle_of_a_list_loses_nothing(far_end):
	lists = Lists(people(1, 100), most=40)

	def answer(request):
		if len(far_end.requests) == 3:
			lists.most = 15
		return lists(request)

	far_end.answer = answer
	found = keys(make(far_end, page_size=40).recipient_pages("k", "openedcontacts"))
	assert found == [str(n) for n in range(1, 101)]


def test_a_server_that_accepts_no_page_at_all(far_end):
	far_end.answer = Lists(people(1, 10), most=0)
	with pytest.raises(PageTooLarge):
		list(make(far_end, page_size=4).recipient_pages("k", "openedcontacts"))
	assert [int(request.query["range"]) for request in far_end.requests] == [4, 2, 1]


def test_an_answer_that_is_too_large_is_asked_for_in_smaller_pieces(far_end):
	far_end.answer = Lists(people(1, 40))
	client = CampaignsClient(far_end.url, lambda: TOKEN, Transport(max_body=1500), page_size=40)
	assert keys(client.recipient_pages("k", "openedcontacts")) == [str(n) for n in range(1, 41)]


def test_recipients_too_are_read_to_the_end_if_zoho_gives_less_than_asked_for(far_end):
	far_end.answer = Lists(people(1, 50), given=20)
	found = keys(make(far_end, page_size=200).recipient_pages("k", "openedcontacts"))
	assert found == [str(n) for n in range(1, 51)]


def test_a_page_that_comes_again_ends_the_list_with_an_error(client, far_end):
	far_end.answer = lambda _: Reply(page(people(1, 2)))
	pages = client.recipient_pages("k", "openedcontacts", page_size=2)
	assert keys([next(pages)]) == ["1", "2"]
	with pytest.raises(PagingError, match="same page"):
		next(pages)
	assert len(far_end.requests) == 2


def test_pages_that_come_in_turns_end_with_an_error(client, far_end):
	far_end.answer = lambda _: Reply(page(people(1, 2) if len(far_end.requests) % 2 else people(3, 4)))
	with pytest.raises(PagingError, match="same page"):
		list(client.recipient_pages("k", "openedcontacts", page_size=2))
	assert len(far_end.requests) == 3


def test_rows_that_move_to_the_next_page_are_no_repetition(client, far_end):
	far_end.say(page(people(1, 2)), page(people(2, 3)), page(people(4, 4)))
	assert keys(client.recipient_pages("k", "openedcontacts", page_size=2)) == ["1", "2", "2", "3", "4"]


def test_pages_of_rows_without_identity_are_told_apart(client, far_end):
	far_end.say(page([{"note": "a"}, {"note": "b"}]), page([{"note": "c"}, {"note": "d"}]), page([]))
	pages = list(client.recipient_pages("k", "openedcontacts", page_size=2))
	assert [len(each.bad) for each in pages] == [2, 2]


def test_a_list_begins_at_1(client, far_end):
	far_end.answer = Lists(people(1, 4))
	assert keys(client.recipient_pages("k", "openedcontacts", from_index=0, page_size=2)) == list("1234")
	assert client.recipient_page("k", "openedcontacts", 0).from_index == 1
	assert [request.query["fromindex"] for request in far_end.requests] == ["1", "3", "5", "1"]


def test_a_list_without_end_is_given_up(far_end):
	def answer(request):
		start = int(request.query["fromindex"])
		return Reply(page(people(start, start + 1)))

	far_end.answer = answer
	with pytest.raises(PagingError, match="no end after 7 pages"):
		list(make(far_end, page_size=2, max_pages=7).recipient_pages("k", "openedcontacts"))
	assert len(far_end.requests) == 7


def test_an_error_in_the_middle_is_not_the_end_of_the_list(client, far_end):
	far_end.say(page(people(1, 2)), *[Reply(error("6303"), status=500)] * 4)
	pages = client.recipient_pages("k", "openedcontacts", page_size=2)
	next(pages)
	with pytest.raises(Unavailable):
		next(pages)


def test_names_come_through_in_every_script(client, far_end):
	row = {
		"contactid": "1",
		"contactemailaddress": "müller@exämple.de",
		"contactfn": "Zoë 🎉",
		"contactln": "李",
	}
	far_end.say(page([row]))
	(only,) = client.recipient_pages("k", "openedcontacts")
	person = only.items[0]
	assert (person.email, person.first_name, person.last_name) == ("müller@exämple.de", "Zoë 🎉", "李")
	assert only.raw == [row]


def test_one_client_may_be_shared_by_threads(far_end):
	far_end.answer = Lists(people(1, 60))
	transport = Transport()
	client = CampaignsClient(far_end.url, lambda: TOKEN, transport, page_size=7)
	found = {}

	def read(action):
		found[action] = keys(client.recipient_pages("k", action))

	threads = [threading.Thread(target=read, args=(action,)) for action in ACTIONS]
	for thread in threads:
		thread.start()
	for thread in threads:
		thread.join()
	assert found == {action: [str(n) for n in range(1, 61)] for action in ACTIONS}
	assert transport.calls == len(far_end.requests) == len(ACTIONS) * 9


def test_raw_pages_can_be_stored_as_json(client, far_end):
	far_end.say(page(people(1, 3)))
	(only,) = client.recipient_pages("k", "openedcontacts")
	assert json.loads(json.dumps(only.raw)) == people(1, 3)
