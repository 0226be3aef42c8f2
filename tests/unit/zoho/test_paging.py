"""Lists: every row comes once for every kind of list end, and no list is read for ever."""

import json

import pytest

from erpnext_zoho_integration.zoho import (
	CampaignsClient,
	MalformedAnswer,
	PageTooLarge,
	PagingError,
	Transport,
	Unavailable,
	paging,
)
from tests.unit.zoho.scripted_lists import TOKEN, Lists, campaigns, error, keys, make, page, people
from tests.unit.zoho.stub_server import Reply


def test_a_page_has_the_length_of_the_whole_list(client, server):
	server.say(campaigns(1, 2, total_record_count="44"))
	assert client.campaign_page(1, 2).total == 44


def test_a_campaign_without_a_key_is_listed_and_the_others_come(client, server):
	answer = campaigns(1, 3)
	answer["recent_campaigns"][1] = {"campaign_name": "broken"}
	server.say(answer)
	(only,) = client.campaign_pages()
	assert [campaign.key for campaign in only.items] == ["k1", "k3"]
	assert [record.raw for record in only.bad] == [{"campaign_name": "broken"}]
	assert len(only.raw) == 3


def test_a_server_that_gives_less_than_asked_for_is_read_to_the_end(client, server):
	"""recentcampaigns repeats the page size in a text. A page of a smaller size is then a full page."""
	details = "{range=2, status=sent, fromindex=1}"
	server.say(
		campaigns(1, 2, requestdetails=details), campaigns(3, 4, requestdetails=details), campaigns(5, 5)
	)
	assert sum(len(each.items) for each in client.campaign_pages()) == 5


def test_a_total_that_says_there_is_more_is_believed(client, server):
	server.say(campaigns(1, 2, total_record_count=3), campaigns(3, 3, total_record_count=3))
	assert sum(len(each.items) for each in client.campaign_pages()) == 3


def test_a_total_that_says_there_is_no_more_is_ignored(client, server):
	server.say(campaigns(1, 2, total_record_count=2), campaigns(3, 3, total_record_count=2))
	assert sum(len(each.items) for each in client.campaign_pages(page_size=2)) == 3


@pytest.mark.parametrize("end", ["6303", "6302", "6501", "empty", "absent"])
@pytest.mark.parametrize("size, calls", [(1, 5), (2, 3), (3, 2), (4, 2), (5, 1)])
def test_every_row_comes_once_for_every_kind_of_list_end(size, calls, end, client, server):
	server.answer = Lists(people(1, 4), end=end)
	pages = list(client.recipient_pages("k", "openedcontacts", page_size=size))
	assert keys(pages) == ["1", "2", "3", "4"]
	assert len(server.requests) == calls
	assert all(each.items for each in pages)


@pytest.mark.parametrize("end", ["6303", "empty", "absent"])
def test_an_empty_list_has_no_pages(end, client, server):
	server.answer = Lists([], end=end)
	assert list(client.recipient_pages("k", "openedcontacts")) == []


@pytest.mark.parametrize("nothing", ["", "null", None, {}])
def test_nothing_instead_of_a_list_is_the_end(nothing, client, server):
	server.say({"status": "success", "list_of_details": nothing})
	assert list(client.recipient_pages("k", "openedcontacts")) == []


def test_one_row_may_come_without_a_list(client, server):
	server.say({"status": "success", "list_of_details": people(7, 7)[0]})
	assert keys(client.recipient_pages("k", "openedcontacts")) == ["7"]


def test_a_list_of_another_name_is_not_taken_for_an_empty_one(client, server):
	server.say({"status": "success", "recipients": people(1, 2)})
	with pytest.raises(MalformedAnswer, match="recipients"):
		list(client.recipient_pages("k", "openedcontacts"))


def test_bad_rows_are_listed(client, server):
	server.say(page([*people(1, 1), None, "x", {"contactfn": "Anna"}]))
	(only,) = client.recipient_pages("k", "openedcontacts")
	assert [recipient.contact_id for recipient in only.items] == ["1"]
	assert [record.raw for record in only.bad] == [None, "x", {"contactfn": "Anna"}]


def test_paging_begins_at_a_given_position(client, server):
	server.answer = Lists(people(1, 9))
	pages = client.recipient_pages("k", "openedcontacts", from_index=4, page_size=3)
	first = next(pages)
	assert (first.from_index, first.next_index) == (4, 7)
	assert keys([first]) == ["4", "5", "6"]
	rest = client.recipient_pages("k", "openedcontacts", from_index=first.next_index, page_size=3)
	assert keys(rest) == ["7", "8", "9"]


def test_pages_are_read_only_when_they_are_wanted(client, server):
	server.answer = Lists(people(1, 9))
	next(client.recipient_pages("k", "openedcontacts", page_size=3))
	assert len(server.requests) == 1


def test_the_page_shrinks_until_zoho_accepts_it_and_no_row_is_lost_or_doubled(server):
	server.answer = Lists(people(1, 250), most=60)
	client = make(server, page_size=200)
	assert keys(client.recipient_pages("k", "openedcontacts")) == [str(n) for n in range(1, 251)]
	sizes = [int(request.query["range"]) for request in server.requests]
	assert sizes == [200, 100, 50, 50, 50, 50, 50, 50]
	assert client.page_limits == {"getcampaignrecipientsdata": 50}


def test_the_size_that_was_found_is_remembered_for_that_endpoint_only(server):
	server.answer = Lists(people(1, 10), most=60)
	client = make(server, page_size=100)
	list(client.recipient_pages("k", "openedcontacts"))
	list(client.recipient_pages("k", "clickedcontacts"))
	list(client.recipient_pages("k", "clickedcontacts", page_size=20))
	server.answer = lambda _: Reply(campaigns(1, 1))
	list(client.campaign_pages())
	assert [int(request.query["range"]) for request in server.requests] == [100, 50, 50, 20, 100]


def test_a_limit_found_in_the_middle_of_a_list_loses_nothing(server):
	lists = Lists(people(1, 100), most=40)

	def answer(request):
		if len(server.requests) == 3:
			lists.most = 15
		return lists(request)

	server.answer = answer
	found = keys(make(server, page_size=40).recipient_pages("k", "openedcontacts"))
	assert found == [str(n) for n in range(1, 101)]


def test_a_server_that_accepts_no_page_at_all(server):
	server.answer = Lists(people(1, 10), most=0)
	with pytest.raises(PageTooLarge):
		list(make(server, page_size=4).recipient_pages("k", "openedcontacts"))
	assert [int(request.query["range"]) for request in server.requests] == [4, 2, 1]


def test_an_answer_that_is_too_large_is_asked_for_in_smaller_pieces(server):
	server.answer = Lists(people(1, 40))
	client = CampaignsClient(server.url, lambda: TOKEN, Transport(max_body=1500), page_size=40)
	assert keys(client.recipient_pages("k", "openedcontacts")) == [str(n) for n in range(1, 41)]


def test_recipients_too_are_read_to_the_end_if_zoho_gives_less_than_asked_for(server):
	server.answer = Lists(people(1, 50), given=20)
	found = keys(make(server, page_size=200).recipient_pages("k", "openedcontacts"))
	assert found == [str(n) for n in range(1, 51)]


def test_a_repeated_page_raises(client, server):
	server.answer = lambda _: Reply(page(people(1, 2)))
	pages = client.recipient_pages("k", "openedcontacts", page_size=2)
	assert keys([next(pages)]) == ["1", "2"]
	with pytest.raises(PagingError, match="same page"):
		next(pages)
	assert len(server.requests) == 2


def test_alternating_pages_raise(client, server):
	server.answer = lambda _: Reply(page(people(1, 2) if len(server.requests) % 2 else people(3, 4)))
	with pytest.raises(PagingError, match="same page"):
		list(client.recipient_pages("k", "openedcontacts", page_size=2))
	assert len(server.requests) == 3


def test_rows_that_move_to_the_next_page_are_not_a_repeated_page(client, server):
	server.say(page(people(1, 2)), page(people(2, 3)), page(people(4, 4)))
	assert keys(client.recipient_pages("k", "openedcontacts", page_size=2)) == ["1", "2", "2", "3", "4"]


def test_pages_of_rows_without_identity_are_told_apart(client, server):
	server.say(page([{"note": "a"}, {"note": "b"}]), page([{"note": "c"}, {"note": "d"}]), page([]))
	pages = list(client.recipient_pages("k", "openedcontacts", page_size=2))
	assert [len(each.bad) for each in pages] == [2, 2]


def test_a_list_begins_at_1(client, server):
	server.answer = Lists(people(1, 4))
	assert keys(client.recipient_pages("k", "openedcontacts", from_index=0, page_size=2)) == list("1234")
	assert client.recipient_page("k", "openedcontacts", 0).from_index == 1
	assert [request.query["fromindex"] for request in server.requests] == ["1", "3", "5", "1"]


def test_a_list_without_end_raises(server, monkeypatch):
	monkeypatch.setattr(paging, "MAX_PAGES", 7)

	def answer(request):
		start = int(request.query["fromindex"])
		return Reply(page(people(start, start + 1)))

	server.answer = answer
	with pytest.raises(PagingError, match="no end after 7 pages"):
		list(make(server, page_size=2).recipient_pages("k", "openedcontacts"))
	assert len(server.requests) == 7


def test_an_error_in_the_middle_is_not_the_end_of_the_list(client, server):
	server.say(page(people(1, 2)), *[Reply(error("6303"), status=500)] * 4)
	pages = client.recipient_pages("k", "openedcontacts", page_size=2)
	next(pages)
	with pytest.raises(Unavailable):
		next(pages)


def test_raw_pages_can_be_stored_as_json(client, server):
	server.say(page(people(1, 3)))
	(only,) = client.recipient_pages("k", "openedcontacts")
	assert json.loads(json.dumps(only.raw)) == people(1, 3)
