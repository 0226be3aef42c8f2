"""Every shape of answer is a success, empty, or the right error."""

import json

import pytest

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.zoho import EmptyAnswer, HTTPAnswer, interpret

RECIPIENTS = "getcampaignrecipientsdata"


def answer(body, status=200, headers=None):
	if not isinstance(body, bytes):
		body = (body if isinstance(body, str) else json.dumps(body)).encode()
	return HTTPAnswer(status, headers or {}, body)


def error(code, message="", **more):
	return {
		"status": "error",
		"code": code,
		"message": message,
		"uri": "/api/v1.1/x",
		"version": "1.1",
		**more,
	}


@pytest.mark.parametrize(
	"body",
	[
		{"status": "success", "code": "0", "list_of_details": []},
		{"status": "success", "code": 0},
		{"code": "200", "message": ""},
		{"status": "success"},
		{"message": "success", "campaign-reports": [{}]},
		{"campaign-reports": []},
		{"topicDetails": [], "code": "0", "uri": "/api/v1.1/topics"},
		{"status": "success", "code": "3023"},
		{"status": "success", "code": "6201"},
	],
)
def test_success_in_all_its_shapes(body):
	assert interpret("recentcampaigns", answer(body)) == body


def test_a_nested_success_is_unwrapped():
	inner = {"code": "200", "message": "", "campaign_status": "inprogress"}
	assert interpret("sendcampaign", answer({"response": inner})) == inner


def test_a_byte_order_mark_is_ignored():
	assert interpret("topics", answer(b"\xef\xbb\xbf{}")) == {}


def test_texts_that_no_database_stores_are_repaired():
	body = rb'{"status":"success","a":["half \ud83d smile","whole \ud83d\ude00","nul\u0000!"]}'
	assert interpret("topics", answer(body))["a"] == ["half \ufffd smile", "whole 😀", "nul!"]


@pytest.mark.parametrize(
	"endpoint, code, message",
	[
		("recentcampaigns", "6101", "No campaign available in this view."),
		("recentcampaigns", "6101", "No campaign was sent."),
		("recentcampaigns", 6101, ""),
		("recentsentcampaigns", "6002", "No sent campaigns."),
		(RECIPIENTS, "6303", "There are no contacts in the selected mailing list."),
		(RECIPIENTS, "6303", "Es gibt keine Kontakte in der Liste."),
		(RECIPIENTS, "6302", "No contacts found."),
		(RECIPIENTS, "6501", "No contacts present for this criteria."),
		(RECIPIENTS, "2502", "Yet,There are no contacts in this list."),
		(RECIPIENTS, "9999", "No Contacts available"),
		("getlistsubscribers", "2502", "Yet,There are no contacts in this list."),
		("getlistsubscribers", "2203", "No contacts"),
		("getmailinglists", "2401", "No mailing list has been created"),
	],
)
def test_nothing_to_list_is_not_an_error(endpoint, code, message):
	found = interpret(endpoint, answer(error(code, message)))
	assert isinstance(found, EmptyAnswer)
	assert found == {}
	assert (found.code, found.message) == (str(code), message)
	assert json.dumps(found) == "{}"


@pytest.mark.parametrize(
	"endpoint, code, message, kind",
	[
		# Codes with several meanings
		("recentcampaigns", "6303", "User agent unknown.", zoho.UnknownRefusal),
		(RECIPIENTS, "6303", "User agent unknown.", zoho.UnknownRefusal),
		("getcampaigndetails", "6302", "There are no details in this campaign.", zoho.CampaignUnavailable),
		(
			RECIPIENTS,
			"6601",
			"AB campaign cannot be sent to less than 4 recipients",
			zoho.CampaignUnavailable,
		),
		(RECIPIENTS, "6601", "Insufficient privileges", zoho.PermissionDenied),
		(
			"recentcampaigns",
			"6601",
			"Insufficient privilege to perform this operation",
			zoho.PermissionDenied,
		),
		(RECIPIENTS, "6607", "Insufficient privileges", zoho.PermissionDenied),
		(RECIPIENTS, "6607", "No content for this campaign.", zoho.CampaignUnavailable),
		("getcampaigndetails", "2206", "Campaign deleted or does not exist", zoho.CampaignUnavailable),
		("getlistsubscribers", "2206", "List deleted", zoho.ListUnavailable),
		("getlistsubscribers", "2203", "List has been deleted", zoho.ListUnavailable),
		("getlistsubscribers", "2501", "Listkey is empty or invalid.", zoho.ListUnavailable),
		("listsubscriberscount", "2501", "", zoho.ListUnavailable),
		(
			"getlistsubscribers",
			"2502",
			"Error in displaying contacts details.Please try after sometime.",
			zoho.Unavailable,
		),
		("getmailinglists", "2706", "Insufficient privilege", zoho.PermissionDenied),
		("recentcampaigns", "6002", "Invalid campaign key", zoho.RecordUnavailable),
		# Missing campaigns
		(RECIPIENTS, "6002", "Invalid campaign key (or) campaign is not yet sent.", zoho.CampaignUnavailable),
		("campaignreports", "3001", "", zoho.CampaignUnavailable),
		("campaignreports", "6301", "Invalid campaign key.", zoho.CampaignUnavailable),
		("campaignreports", "6503", "Campaign has been deleted.", zoho.CampaignUnavailable),
		# Temporary failures
		(
			"campaignreports",
			"6001",
			"Error in displaying reports. Please retry after sometime.",
			zoho.Unavailable,
		),
		("recentcampaigns", "500", "Internal error", zoho.Unavailable),
		("getmailinglists", "2402", "", zoho.Unavailable),
		*((RECIPIENTS, code, "", zoho.Unavailable) for code in ("2001", "2101", "2201", "2601", "2707")),
		*((RECIPIENTS, code, "", zoho.Unavailable) for code in ("6610", "7002")),
		# Settings and permissions
		*((RECIPIENTS, code, "", zoho.AccountError) for code in ("901", "902", "910", "914", "916")),
		("x", "914", "Contact limit exceeded", zoho.AccountError),
		*((RECIPIENTS, code, "", zoho.PermissionDenied) for code in ("2701", "2704", "6304", "6601", "6607")),
		# Bugs of this program
		*((RECIPIENTS, code, "", zoho.InvalidRequest) for code in ("903", "1001", "1002", "1003", "1004")),
		*((RECIPIENTS, code, "", zoho.InvalidRequest) for code in ("1005", "1006", "404")),
		(RECIPIENTS, "6502", "Limit given is more than the maximum.", zoho.PageTooLarge),
		(RECIPIENTS, "4711", "Whatever", zoho.UnknownRefusal),
		(RECIPIENTS, "", "", zoho.UnknownRefusal),
	],
)
def test_a_refusal_is_read_from_endpoint_code_and_message(endpoint, code, message, kind):
	with pytest.raises(zoho.ZohoError) as caught:
		interpret(endpoint, answer(error(code, message)))
	assert type(caught.value) is kind
	assert caught.value.endpoint == endpoint
	assert caught.value.code == (code or None)
	assert not message or message in str(caught.value)


@pytest.mark.parametrize("code", ["6002", 6002])
def test_codes_may_be_numbers(code):
	with pytest.raises(zoho.CampaignUnavailable):
		interpret("campaignreports", answer(error(code)))


def test_an_envelope_with_only_an_error_code_is_an_error():
	with pytest.raises(zoho.InvalidRequest):
		interpret("x", answer({"code": "1004", "message": "You have specified a wrong URL."}))


def test_a_success_with_an_error_code_is_an_error():
	with pytest.raises(zoho.CampaignUnavailable):
		interpret("campaignreports", answer({"status": "success", "code": "6301"}))


def test_a_long_message_is_cut():
	with pytest.raises(zoho.UnknownRefusal) as caught:
		interpret(RECIPIENTS, answer(error("4711", "x" * 10_000)))
	assert len(str(caught.value)) < 500


UNAUTHORISED = {
	"message": "Unauthorized request.",
	"version": "1.1",
	"URI": "/api/v1.1/getmailinglists",
	"Code": "1007",
	"status": "error",
}


@pytest.mark.parametrize(
	"reply",
	[
		answer(UNAUTHORISED, 401),
		answer(UNAUTHORISED, 200),
		answer(UNAUTHORISED, 500),
		answer(error("1007", "Unauthorized key.")),
		answer(error("401", "")),
		answer("", 401),
		answer("<html>Login</html>", 401),
		answer({}, 401),
		answer("<response><status>error</status><code>1007</code><message>x</message></response>"),
	],
)
def test_a_token_that_is_not_accepted(reply):
	with pytest.raises(zoho.AuthenticationError):
		interpret("recentcampaigns", reply)


def throttle(minutes):
	text = f"Cannot execute more than 100 requests per API in 2 minutes. Try again after {minutes} minutes."
	return {
		"error": {
			"status_code": 400,
			"title": "URL_ROLLING_THROTTLES_LIMIT_EXCEEDED",
			"details": {"message": text},
		}
	}


@pytest.mark.parametrize(
	"reply, seconds",
	[
		(answer("<html>Too Many Requests</html>", 429), 1800),
		(answer("", 429, {"retry-after": "60"}), 60),
		(answer(throttle(22), 400), 1320),
		(answer(throttle(22), 200), 1320),
		(answer(throttle(22), 429, {"retry-after": "60"}), 1320),
		(answer(throttle(1), 400, {"retry-after": "1700"}), 1700),
		(answer(error("2008", "Calls limit exceeded. Permitted calls per hour 500.")), 1800),
		(answer(error("409909", "You have exceeded the API rate limit")), 1800),
		(answer(error("4711", "API locked. Try again after 2 hours.")), 7200),
		(answer(error("4711", "Please try again after 45 seconds.")), 45),
		(answer(error("4711", "Too many requests")), 1800),
		(answer({"error": "TOO_MANY", "message": "API calls limit exceeded"}), 1800),
		(answer("<response><status>error</status><code>2008</code><message>x</message></response>"), 1800),
		(answer("<html>too many requests</html>", 200), 1800),
		(answer("Rate limit reached", 503), 1800),
	],
)
def test_a_refusal_for_too_many_calls_in_every_shape(reply, seconds):
	with pytest.raises(zoho.RateLimited) as caught:
		interpret(RECIPIENTS, reply)
	assert caught.value.retry_after == seconds
	assert caught.value.endpoint == RECIPIENTS
	assert "<html" not in str(caught.value)


def test_words_in_the_data_are_not_a_refusal():
	body = {
		"status": "success",
		"recent_campaigns": [{"campaign_name": "Too many requests? Limit exceeded!"}],
	}
	assert interpret("recentcampaigns", answer(body)) == body
	half = json.dumps(body)[:-10]
	with pytest.raises(zoho.MalformedAnswer):
		interpret("recentcampaigns", answer(half))


@pytest.mark.parametrize(
	"reply, kind",
	[
		(answer(""), zoho.Unavailable),
		(answer("", 204), zoho.Unavailable),
		(answer("<!DOCTYPE html><html><body>Maintenance</body></html>"), zoho.Unavailable),
		(answer("<html>Bad gateway</html>", 502), zoho.Unavailable),
		(answer(error("6303", "There are no contacts"), 500), zoho.Unavailable),
		(answer(error("6002", ""), 503), zoho.Unavailable),
		(answer({"list_of_details": []}, 500), zoho.Unavailable),
		(answer('{"status":"success","list_of_de'), zoho.MalformedAnswer),
		(answer("[1, 2]"), zoho.MalformedAnswer),
		(answer("null"), zoho.MalformedAnswer),
		(answer("[" * 100_000), zoho.MalformedAnswer),
		(answer('{"a": ' + "9" * 5000 + "}"), zoho.MalformedAnswer),
		(answer("<response><status>success</status><code>0</code></response>"), zoho.MalformedAnswer),
		(
			answer('<!DOCTYPE x [<!ENTITY a "b">]><response><code>6303</code></response>'),
			zoho.MalformedAnswer,
		),
		(answer("<response><status>error"), zoho.MalformedAnswer),
		(answer({}, 302, {"location": "https://x.example"}), zoho.MalformedAnswer),
		(answer({}, 403), zoho.PermissionDenied),
		(answer("<html>", 404), zoho.InvalidRequest),
		(answer({"message": "bad"}, 400), zoho.InvalidRequest),
		(answer({"error": {"code": "X", "message": "no"}}), zoho.UnknownRefusal),
	],
)
def test_an_answer_that_is_not_data(reply, kind):
	with pytest.raises(zoho.ZohoError) as caught:
		interpret(RECIPIENTS, reply)
	assert type(caught.value) is kind


XML_ERROR = (
	'<?xml version="1.0" encoding="UTF-8" ?>\n<response uri="/api/v1.1/x" version="1">'
	"<status>error</status><code>{code}</code><message>{message}</message></response>"
)


def test_an_error_may_come_as_xml():
	with pytest.raises(zoho.InvalidRequest, match="wrong URL"):
		interpret("x", answer(XML_ERROR.format(code="1004", message="You have specified a wrong URL.")))


def test_nothing_to_list_may_come_as_xml():
	found = interpret(RECIPIENTS, answer(XML_ERROR.format(code="6303", message="There are no contacts")))
	assert isinstance(found, EmptyAnswer)
	assert found.code == "6303"


def test_an_answer_does_not_show_its_body():
	assert "anna" not in repr(answer({"contactemailaddress": "anna@example.com"}))
