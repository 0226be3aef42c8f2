"""Mailing lists, subscribers, topics and fields: what is asked for, and what becomes of the answers."""

import json

import pytest

from erpnext_zoho_integration import zoho
from tests.unit.zoho.scripted_lists import error
from tests.unit.zoho.stub_server import Reply


def listed(rows, key="list_of_details", **more):
	return {"status": "success", "code": "0", key: rows, "version": "1.1", **more}


# -- mailing lists ---------------------------------------------------------------------------------------------

LIST = {
	"listkey": "3zabc",
	"listname": "Customers",
	"noofcontacts": "1,204",
	"noofunsubcnt": "12",
	"noofbouncecnt": "null",
	"is_public": "false",
	"issmart": "false",
	"otherslist": "true",
	"owner": "Acme",
	"zuid": "600",
	"created_time": "1783038249000",
	"created_time_gmt": "1783009449000",
}


def test_mailing_lists_are_read_page_by_page(client, server):
	more = [{**LIST, "listkey": f"3z{number}"} for number in range(3)]
	server.say(listed(more[:2]), listed(more[2:]))
	pages = list(client.mailing_list_pages(page_size=2))
	assert [each.key for page in pages for each in page.items] == ["3z0", "3z1", "3z2"]
	assert [request.query for request in server.requests] == [
		{"resfmt": "JSON", "fromindex": "1", "range": "2"},
		{"resfmt": "JSON", "fromindex": "3", "range": "2"},
	]


def test_a_mailing_list(client, server):
	server.say(listed([LIST, {"listname": "without a key"}]))
	(page,) = client.mailing_list_pages()
	(found,) = page.items
	assert (found.key, found.name) == ("3zabc", "Customers")
	assert (found.contacts, found.unsubscribed, found.bounced) == (1204, 12, None)
	assert (found.has_signup_form, found.is_smart, found.of_other_user) == (False, False, True)
	assert found.created.gmt_ms == 1783009449000
	assert [bad.reason for bad in page.bad] == ["a mailing list without a key"]


@pytest.mark.parametrize(
	"row, has_form",
	[
		({"is_public": "true"}, True),
		({"is_public": "false"}, False),
		({"signupform": "public"}, True),
		({"signupform": "Private", "is_public": "true"}, False),
		({"listtype": "public"}, True),
		({"listtype": "3"}, None),
		({"is_public": "null"}, None),
		({}, None),
	],
)
def test_whether_a_list_mails_a_confirmation_may_be_unknown(row, has_form):
	assert zoho.MailingList.from_zoho({"listkey": "k", **row}).has_signup_form is has_form


def test_an_account_without_lists(client, server):
	server.say(error("2401", "No mailing list has been created."))
	assert list(client.mailing_list_pages()) == []


# -- subscribers -----------------------------------------------------------------------------------------------


def people(first, last):
	return [
		{"contact_email": f"p{number}@example.com", "firstname": "P", "added_time": "1783009449000"}
		for number in range(first, last + 1)
	]


def test_subscribers_are_read_to_the_end_that_zoho_reports_as_an_error(client, server):
	server.say(
		listed(people(1, 2)), listed(people(3, 4)), error("2502", "Yet,There are no contacts in this list.")
	)
	pages = client.subscriber_pages("3zabc", "unsub", page_size=2)
	assert [each.email for page in pages for each in page.items] == [
		f"p{n}@example.com" for n in (1, 2, 3, 4)
	]
	asked = {"resfmt": "JSON", "listkey": "3zabc", "status": "unsub", "range": "2"}
	assert [each.query for each in server.requests] == [
		{**asked, "fromindex": start} for start in ("1", "3", "5")
	]


def test_a_subscriber(client, server):
	row = {
		"contact_email": " Anna@Example.com ",
		"firstname": "Anna",
		"lastname": "null",
		"companyname": "Acme",
		"phone": "+49 1",
		"added_time": "02 Jul 2026, 12:24 PM",
		"zuid": "1",
	}
	server.say(listed([row, {"firstname": "nobody"}]))
	(page,) = client.subscriber_pages("3zabc")
	(found,) = page.items
	assert (found.email, found.first_name, found.last_name) == ("Anna@Example.com", "Anna", None)
	assert (found.company, found.phone, found.added.written) == ("Acme", "+49 1", "02 Jul 2026, 12:24 PM")
	assert len(page.bad) == 1


def test_pages_of_subscribers_shrink_when_zoho_refuses_their_size(client, server):
	def answer(request):
		if int(request.query["range"]) > 50:
			return Reply(error("6502", "Limit given is more than the maximum."))
		return Reply(listed(people(1, 1)))

	server.answer = answer
	assert len(list(client.subscriber_pages("3zabc"))) == 1
	assert client.page_limits == {"getlistsubscribers": 50}


def test_a_repeated_page_of_subscribers_is_noticed(client, server):
	server.answer = lambda _request: Reply(listed(people(1, 2)))
	with pytest.raises(zoho.PagingError):
		list(client.subscriber_pages("3zabc", page_size=2))


def test_a_deleted_list_and_a_passing_failure_are_not_an_empty_list(client, server):
	server.say(error("2501", "Listkey is empty or invalid."))
	with pytest.raises(zoho.ListUnavailable):
		list(client.subscriber_pages("3zdead"))
	passing = error("2502", "Error in displaying contacts details.Please try after sometime.")
	server.say(passing, listed(people(1, 1)))
	assert len(list(client.subscriber_pages("3zabc"))) == 1


@pytest.mark.parametrize("number", [2, "2", "0"])
def test_the_number_of_subscribers(number, client, server):
	server.say({"status": "success", "code": "0", "no_of_contacts": number})
	assert client.subscriber_count("3zabc", "spam") == int(number)
	request = server.requests[0]
	assert request.path == "/api/v1.1/listsubscriberscount"
	assert request.query == {"resfmt": "JSON", "listkey": "3zabc", "status": "spam"}


def test_an_answer_without_a_number_is_not_zero(client, server):
	server.say({"status": "success", "code": "0"})
	with pytest.raises(zoho.MalformedAnswer):
		client.subscriber_count("3zabc")


@pytest.mark.parametrize("ask", ["subscriber_pages", "subscriber_count"])
def test_an_unknown_status_is_refused_by_name(ask, client, server):
	with pytest.raises(zoho.InvalidRequest, match="active"):
		list(getattr(client, ask)("3zabc", "gone"))
	assert server.requests == []


# -- topics and fields -----------------------------------------------------------------------------------------


def test_topics_are_asked_for_with_details(server, client):
	rows = [{"topicId": number, "topicName": f"T{number}", "topicDesc": "null"} for number in (1, 2)]
	client.page_size = 2
	server.say(listed(rows, "topicDetails"), listed([], "topicDetails"))
	assert client.topics() == [zoho.Topic("1", "T1", None), zoho.Topic("2", "T2", None)]
	assert [json.loads(each.query["details"]) for each in server.requests] == [
		{"from_index": 1, "range": 2},
		{"from_index": 3, "range": 2},
	]
	assert all(set(each.query) == {"resfmt", "details"} for each in server.requests)


FIELDS = [
	{
		"DISPLAY_NAME": "Contact Email",
		"FIELD_NAME": "contact_email",
		"FIELD_ID": 12,
		"IS_MANDATORY": "true",
		"UITYPE": "email",
		"MAXLENGTH": "100",
	},
	{"DISPLAY_NAME": "Shoe Size", "type": "picklist", "maxlength": 20, "values": "36;37, 38"},
	{"FIELD_NAME": "nameless"},
]


@pytest.mark.parametrize(
	"answer",
	[
		{"response": {"fieldnames": {"fieldname": FIELDS}}},
		{"response": {"fieldname": FIELDS}},
		{"response": {"fieldnames": [{"fieldname": FIELDS}], "code": "0"}},
		{"fieldnames": {"fieldname": FIELDS}, "status": "success"},
	],
	ids=["nested", "flat", "in a list", "unwrapped"],
)
def test_fields_of_contacts_in_all_shapes(answer, client, server):
	server.say(answer)
	email, size = client.contact_fields()
	assert (email.display_name, email.name, email.id, email.type) == (
		"Contact Email",
		"contact_email",
		"12",
		"email",
	)
	assert (email.is_mandatory, email.max_length, email.options) == (True, 100, ())
	assert (size.type, size.is_mandatory, size.max_length) == ("picklist", False, 20)
	assert size.options == ("36", "37", "38")
	assert server.requests[0].query == {"type": "json"}


@pytest.mark.parametrize(
	"values, options",
	[
		(["a", "b"], ("a", "b")),
		([{"value": "a"}, {"value": "b"}], ("a", "b")),
		('["a", "b"]', ("a", "b")),
		("", ()),
		(None, ()),
		({"x": 1}, ()),
	],
)
def test_options_of_a_choice_in_all_shapes(values, options):
	field = zoho.ContactField.from_zoho({"DISPLAY_NAME": "X", "values": values})
	assert field.options == options
