"""Writing: what goes out, what the answers mean, what is sent twice, and that no address leaves a trace."""

import inspect
import json
import logging
import traceback

import pytest

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.zoho import CampaignsClient, CampaignsWriter, Transport
from tests.unit.zoho.scripted_lists import TOKEN, error
from tests.unit.zoho.stub_server import Reply

DO_NOT_MAIL, SUBSCRIBE = "/api/v1.1/json/contactdonotmail", "/api/v1.1/json/listsubscribe"
MOVED = {"code": "0", "message": "User successfully moved to Do-Not-Mail."}  # it has no status
ADDED = {"status": "success", "code": "0", "message": "Success"}
MISSING = error("903", "Mandatory fields are missing.")
XML_DONE = (
	"<response uri='/x' version='1'><status>success</status><code>0</code><message>ok</message></response>"
)
XML_MISSING = "<response><status>error</status><code>903</code><message>missing</message></response>"
ANNA = "anna.bell@example.com"


def make_writer(server, may_write=lambda: None, **kwargs):
	transport = Transport(sleep=lambda _: None, read_timeout=5)
	return CampaignsWriter(server.url, lambda: TOKEN, transport, may_write=may_write, **kwargs)


@pytest.fixture
def writer(server):
	return make_writer(server)


# -- what goes out ---------------------------------------------------------------------------------------------


def test_an_address_travels_in_the_body_and_never_in_a_url(writer, server):
	server.say(MOVED)
	written = writer.do_not_mail(ANNA)
	request = server.requests[0]
	assert (request.method, request.path, request.query) == ("POST", DO_NOT_MAIL, {})
	assert request.form == {"resfmt": "JSON", "contactinfo": '{"Contact Email":"anna.bell@example.com"}'}
	assert request.headers["content-type"] == "application/x-www-form-urlencoded"
	assert (written.code, written.message) == ("0", "User successfully moved to Do-Not-Mail.")


def test_a_subscription_carries_names_topics_and_source(writer, server):
	server.say(ADDED)
	fields = {"First Name": "Zoë, 🎉", "Last Name": 'O"Neil: {x}', "Company Name": None}
	writer.subscribe("3zlist", "müller@example.com", fields, topic_ids=["7", "8"], source="ERPNext")
	request = server.requests[0]
	assert (request.method, request.path, request.query) == ("POST", SUBSCRIBE, {})
	assert json.loads(request.form["contactinfo"]) == {
		"First Name": "Zoë, 🎉",
		"Last Name": 'O"Neil: {x}',
		"Contact Email": "müller@example.com",
	}
	rest = {name: value for name, value in request.form.items() if name != "contactinfo"}
	assert rest == {"resfmt": "JSON", "listkey": "3zlist", "topic_id": "7,8", "source": "ERPNext"}


def test_what_is_not_given_is_not_sent(writer, server):
	server.say(ADDED)
	writer.subscribe("3zlist", ANNA)
	assert set(server.requests[0].form) == {"resfmt", "listkey", "contactinfo"}


def test_no_field_replaces_the_address(writer, server):
	server.say(ADDED)
	writer.subscribe("3zlist", ANNA, {"Contact Email": "somebody@else.example"})
	assert json.loads(server.requests[0].form["contactinfo"]) == {"Contact Email": ANNA}


@pytest.mark.parametrize("refusal", [MISSING, XML_MISSING], ids=["JSON", "XML"])
def test_where_zoho_reads_no_body_the_query_is_used_and_remembered_for_that_endpoint(refusal, writer, server):
	server.say(refusal, MOVED, MOVED, ADDED)
	writer.do_not_mail(ANNA)
	writer.do_not_mail("b@example.com")
	writer.subscribe("3zlist", ANNA)
	assert [(bool(each.query), bool(each.body)) for each in server.requests] == [
		(False, True),
		(True, False),
		(True, False),
		(False, True),
	]
	assert json.loads(server.requests[1].query["contactinfo"]) == {"Contact Email": ANNA}
	assert writer.query_endpoints == {"json/contactdonotmail"}


def test_what_is_missing_in_the_query_too_is_a_bug_and_is_not_remembered(writer, server):
	server.say(MISSING, MISSING)
	with pytest.raises(zoho.InvalidRequest):
		writer.subscribe("3zlist", ANNA)
	assert writer.query_endpoints == set() and len(server.requests) == 2


def test_without_a_list_or_an_address_nothing_is_sent(writer, server):
	for write in (
		lambda: writer.subscribe("", ANNA),
		lambda: writer.subscribe("3zlist", " "),
		lambda: writer.do_not_mail(""),
	):
		with pytest.raises(zoho.InvalidRequest):
			write()
	assert server.requests == []


# -- what an answer means --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
	"answer",
	[
		MOVED,
		{"code": "0", "message": "User already in Do-Not-Mail."},
		{"code": 0},
		{"status": "success"},
		{"code": "200", "status": "success"},
		{"response": {"code": "0", "message": "ok"}},
		{"code": "0", "message": "Der Kontakt wurde verschoben."},
		XML_DONE,
		"<response><code>0</code><message>ok</message></response>",
	],
	ids=str,
)
def test_a_success_in_every_shape_is_done_and_not_repeated(answer, writer, server):
	server.say(answer)
	assert writer.do_not_mail(ANNA).code in ("", "0", "200")
	assert len(server.requests) == 1


@pytest.mark.parametrize("answer", [{}, {"message": "hello"}, "<response></response>"], ids=str)
def test_an_answer_that_says_neither_yes_nor_no_is_no_success(answer, server):
	server.answer = lambda _request: Reply(answer)
	with pytest.raises(zoho.MalformedAnswer):
		make_writer(server).subscribe("3zlist", ANNA)
	assert len(server.requests) == 1


REFUSALS = [
	("2001", zoho.InvalidRequest, "Please enter correct XML(or)JSON format."),
	("910", zoho.InvalidRequest, ""),
	("916", zoho.InvalidRequest, ""),
	*(
		(code, zoho.AddressRefused, "Bitte eine gültige Adresse.")
		for code in ("2004", "2005", "2006", "2007")
	),
	("914", zoho.ContactLimitReached, "limit exceeded"),
	("2302", zoho.ContactLimitReached, "You cannot add contacts as you've reached the maximum limit."),
	*((code, zoho.ListUnavailable, "Privilege?") for code in ("2501", "2002", "2102", "2202", "2206")),
	("2101", zoho.Unavailable, ""),
	("2008", zoho.RateLimited, ""),
	("2104", zoho.UnknownRefusal, ""),
]


@pytest.mark.parametrize(("code", "kind", "message"), REFUSALS, ids=lambda value: str(value)[:12])
@pytest.mark.parametrize("form", ["JSON", "XML"])
def test_codes_of_listsubscribe(form, code, kind, message, writer, server):
	xml = f"<response><status>error</status><code>{code}</code><message>{message}</message></response>"
	server.say(error(code, message) if form == "JSON" else xml)
	with pytest.raises(zoho.ZohoError) as caught:
		writer.subscribe("3zlist", ANNA)
	assert type(caught.value) is kind
	assert (caught.value.code, caught.value.endpoint) == (code, "json/listsubscribe")
	assert len(server.requests) == 1


@pytest.mark.parametrize(
	("code", "kind"),
	[
		("2004", zoho.AddressRefused),
		("2103", zoho.AddressRefused),
		("2104", zoho.Unavailable),
		("2101", zoho.Unavailable),
		("2001", zoho.Unavailable),
		("901", zoho.AccountError),
		("4711", zoho.UnknownRefusal),
	],
)
def test_codes_of_contactdonotmail(code, kind, server):
	server.answer = lambda _request: Reply(error(code, "Fehler"))
	with pytest.raises(zoho.ZohoError) as caught:
		make_writer(server).do_not_mail(ANNA)
	assert type(caught.value) is kind


def test_what_the_caller_does_about_each_kind():
	assert (zoho.AddressRefused.action, zoho.ListUnavailable.action) == ("skip", "skip")
	assert zoho.ContactLimitReached.action == "stop" and issubclass(
		zoho.ContactLimitReached, zoho.AccountError
	)
	assert issubclass(zoho.ListUnavailable, zoho.RecordUnavailable)


def test_a_server_that_fails_is_no_refusal_whatever_its_body_says(writer, server):
	server.say(Reply(error("2004", "Invalid"), status=503))
	with pytest.raises(zoho.Unavailable):
		writer.subscribe("3zlist", ANNA)


# -- what is sent twice ----------------------------------------------------------------------------------------

FAILURES = [Reply(status=503), Reply(error("2104", "Please retry")), Reply(raw=b""), Reply('{"half')]


@pytest.mark.parametrize("failure", FAILURES, ids=["503", "2104", "lost", "half"])
def test_do_not_mail_is_repeated_because_zoho_does_it_once(failure, writer, server):
	server.say(failure, MOVED)
	writer.do_not_mail(ANNA)
	assert len(server.requests) == 2
	assert server.requests[0].body == server.requests[1].body


@pytest.mark.parametrize("failure", [Reply(status=503), Reply(raw=b""), Reply('{"half')])
def test_a_subscription_is_repeated_only_on_demand(failure, writer, server):
	server.say(failure)
	with pytest.raises((zoho.Unavailable, zoho.MalformedAnswer)):
		writer.subscribe("3zlist", ANNA)
	server.say(failure, ADDED)
	writer.subscribe("3zlist", ANNA, retry=True)
	assert len(server.requests) == 3


def test_a_refused_token_is_renewed_and_the_write_sent_again(server):
	server.say(Reply({"Code": "1007", "status": "error"}, status=401), MOVED)
	make_writer(server, refresh=lambda _dead: "new").do_not_mail(ANNA)
	assert [each.headers["authorization"] for each in server.requests] == [
		f"Zoho-oauthtoken {TOKEN}",
		"Zoho-oauthtoken new",
	]


# -- who may write ---------------------------------------------------------------------------------------------


class Stopped(Exception):
	pass


def test_permission_is_asked_for_before_every_request_also_before_a_repetition(server):
	asked = []

	def may_write():
		asked.append(len(server.requests))
		if len(asked) == 3:
			raise Stopped

	writer = make_writer(server, may_write)
	server.say(MOVED, Reply(status=503), MOVED)
	writer.do_not_mail(ANNA)
	with pytest.raises(Stopped):
		writer.do_not_mail(ANNA)
	assert asked == [0, 1, 2] and len(server.requests) == 2


def test_reading_needs_no_permission_to_write(server):
	def may_write():
		raise Stopped

	server.say({"status": "success", "code": "0", "no_of_contacts": 3})
	assert make_writer(server, may_write).subscriber_count("3zlist") == 3


def test_the_ordinary_client_cannot_write(client, server):
	assert not hasattr(CampaignsClient, "do_not_mail") and not hasattr(CampaignsClient, "subscribe")
	writes = ("json/listsubscribe", "json/contactdonotmail", "sendcampaign", "deletemailinglist", "tag/add")
	for endpoint in (*writes, "JSON/listsubscribe", "addlistandcontacts", "custom/add", "something/new"):
		for method in ("GET", "POST"):
			with pytest.raises(zoho.InvalidRequest, match="writer"):
				client.call(endpoint, {"a": 1}, method)
	assert server.requests == []


def test_a_writer_cannot_be_made_without_somebody_who_permits():
	assert inspect.signature(CampaignsWriter).parameters["may_write"].default is inspect.Parameter.empty


# -- no trace of an address ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
	"reply",
	[
		Reply(error("2004", f"Invalid contact email address {ANNA}.")),
		Reply(error("4711", "anna.bell%40example.com")),
		Reply(status=503),
		Reply(raw=b""),
		Reply(f"no json {ANNA}"),
	],
	ids=["refused", "encoded", "503", "lost", "garbage"],
)
def test_no_address_in_an_error_its_frames_or_the_log(reply, server, caplog):
	caplog.set_level(logging.DEBUG)
	server.answer = lambda _request: reply
	with pytest.raises(zoho.ZohoError) as caught:
		make_writer(server).do_not_mail(ANNA)
	for text in (_frames_of_the_package(caught.value), caplog.text, str(caught.value)):
		assert "anna.bell" not in text


def _frames_of_the_package(failure):
	"""Return the frames of the package with their variables, as an error log prints them."""
	summary = traceback.TracebackException.from_exception(failure, capture_locals=True)
	frames = [frame for frame in summary.stack if "/erpnext_zoho_integration/zoho/" in frame.filename]
	assert frames
	return "\n".join(f"{frame.name}: {frame.locals}" for frame in frames)
