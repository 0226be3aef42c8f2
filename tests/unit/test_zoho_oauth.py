"""OAuth: what is asked, and what the token endpoint's answers mean."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from erpnext_zoho_integration.zoho import (
	DATA_CENTERS,
	SCOPES,
	AuthorizationRefused,
	OAuthClient,
	OAuthError,
	ReauthorizationRequired,
	TokenThrottled,
	Transport,
	Unavailable,
	parse_callback,
)
from tests.unit.zoho_server import FarEnd, Reply

ACCESS = "1000.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
REFRESH = "1000.cccccccccccccccccccccccccccccccc.dddddddddddddddddddddddddddddddd"
GOOD = {
	"access_token": ACCESS,
	"refresh_token": REFRESH,
	"scope": "ZohoCampaigns.campaign.READ ZohoCampaigns.contact.READ",
	"api_domain": "https://www.zohoapis.eu",
	"token_type": "Bearer",
	"expires_in": 3600,
}
REDIRECT = "https://erp.example/api/method/callback"


@pytest.fixture
def far_end():
	with FarEnd() as server:
		yield server


@pytest.fixture
def client():
	return OAuthClient("1000.CLIENT", "very-secret", REDIRECT, Transport(sleep=lambda _: None))


def test_the_consent_page_is_asked_for_a_refresh_token_and_one_scope(client):
	url = urlsplit(client.authorization_url("https://accounts.zoho.in", "st&te"))
	assert f"{url.scheme}://{url.netloc}{url.path}" == "https://accounts.zoho.in/oauth/v2/auth"
	assert dict(parse_qsl(url.query)) == {
		"response_type": "code",
		"client_id": "1000.CLIENT",
		"scope": "ZohoCampaigns.campaign.READ",
		"redirect_uri": REDIRECT,
		"access_type": "offline",
		"prompt": "consent",
		"state": "st&te",
	}
	assert SCOPES == ("ZohoCampaigns.campaign.READ",)


def test_several_scopes_are_joined_with_commas(client):
	url = client.authorization_url("https://accounts.zoho.in", "s", ["A.READ", "B.READ"])
	assert dict(parse_qsl(urlsplit(url).query))["scope"] == "A.READ,B.READ"


def test_exchanging_a_code(client, far_end):
	far_end.say(GOOD)
	tokens = client.exchange_code(far_end.url, "1000.code.x")
	request = far_end.requests[0]
	assert (request.method, request.path, request.query) == ("POST", "/oauth/v2/token", {})
	assert request.form == {
		"grant_type": "authorization_code",
		"client_id": "1000.CLIENT",
		"client_secret": "very-secret",
		"redirect_uri": REDIRECT,
		"code": "1000.code.x",
	}
	assert (tokens.access_token, tokens.refresh_token, tokens.expires_in) == (ACCESS, REFRESH, 3600)
	assert tokens.api_domain == "https://www.zohoapis.eu"
	assert tokens.scopes == ("ZohoCampaigns.campaign.READ", "ZohoCampaigns.contact.READ")


def test_refreshing(client, far_end):
	far_end.say({key: value for key, value in GOOD.items() if key != "refresh_token"})
	tokens = client.refresh(far_end.url + "/", REFRESH)
	request = far_end.requests[0]
	assert (request.method, request.path, request.query) == ("POST", "/oauth/v2/token", {})
	assert request.form == {
		"grant_type": "refresh_token",
		"client_id": "1000.CLIENT",
		"client_secret": "very-secret",
		"refresh_token": REFRESH,
	}
	assert (tokens.access_token, tokens.refresh_token) == (ACCESS, None)


def test_revoking(client, far_end):
	far_end.say({"status": "success"})
	assert client.revoke(far_end.url, REFRESH) is None
	request = far_end.requests[0]
	assert (request.method, request.path, request.query) == ("POST", "/oauth/v2/token/revoke", {})
	assert request.form == {"token": REFRESH}


@pytest.mark.parametrize(
	"body", [{"error": "invalid_token"}, {"status": "failure", "error": "invalid_code"}, ""]
)
def test_a_token_that_zoho_does_not_know_is_revoked_already(body, client, far_end):
	far_end.say(Reply(body, status=400))
	assert client.revoke(far_end.url, REFRESH) is None


THROTTLE = {
	"error_description": "You have made too many requests continuously. Please try again after some time.",
	"error": "Access Denied",
	"status": "failure",
}
CHINESE = {"error_description": "您的请求过于频繁,请稍后重试。", "error": "访问被拒绝", "status": "failure"}


@pytest.mark.parametrize("reply", [Reply(THROTTLE, 400), Reply(status=429)])
def test_revoking_may_be_throttled(reply, client, far_end):
	far_end.say(reply)
	with pytest.raises(TokenThrottled):
		client.revoke(far_end.url, REFRESH)


@pytest.mark.parametrize("status", [401, 404])
def test_revoking_may_fail(status, client, far_end):
	far_end.say(Reply({}, status))
	with pytest.raises(OAuthError):
		client.revoke(far_end.url, REFRESH)


@pytest.mark.parametrize(
	"lifetime, seconds",
	[
		({"expires_in": 3600}, 3600),
		({"expires_in": "3600"}, 3600),
		({"expires_in": 3600000, "expires_in_sec": 3600}, 3600),
		({"expires_in": 3600000}, 3600),
		({"expires_in_sec": "1800"}, 1800),
		({"expires_in": 60000, "expires_in_sec": 60}, 60),
		({"expires_in": None}, 3600),
		({"expires_in": "soon"}, 3600),
		({"expires_in": 0}, 3600),
		({}, 3600),
	],
)
def test_lifetime_in_every_unit(lifetime, seconds, client, far_end):
	far_end.say({"access_token": ACCESS, **lifetime})
	assert client.refresh(far_end.url, REFRESH).expires_in == seconds


def test_the_least_that_a_token_answer_may_hold(client, far_end):
	far_end.say({"access_token": ACCESS})
	tokens = client.refresh(far_end.url, REFRESH)
	assert (tokens.refresh_token, tokens.api_domain, tokens.scope, tokens.scopes) == (None, None, "", ())


def test_a_gateway_that_is_no_https_address_is_ignored(client, far_end):
	far_end.say({"access_token": ACCESS, "api_domain": "javascript:alert(1)"})
	assert client.refresh(far_end.url, REFRESH).api_domain is None


@pytest.mark.parametrize("status", [200, 400, 401])
@pytest.mark.parametrize(
	"error",
	[
		"invalid_code",
		"invalid_client",
		"invalid_client_secret",
		"invalid_redirect_uri",
		"invalid_grant",
		"unauthorized_client",
		"invalid_scope",
		"unsupported_grant_type",
	],
)
def test_permanent_errors_ask_for_a_person(error, status, client, far_end):
	far_end.say(Reply({"error": error}, status))
	with pytest.raises(ReauthorizationRequired) as caught:
		client.refresh(far_end.url, REFRESH)
	assert (caught.value.reason, caught.value.action) == (error, "stop")
	assert len(far_end.requests) == 1


@pytest.mark.parametrize(
	"reply",
	[
		Reply(THROTTLE, 400),
		Reply(THROTTLE, 200),
		Reply(CHINESE, 200),
		Reply(CHINESE, 400),
		Reply({"error": "access_denied"}),
		Reply("", 429),
		Reply({"error": "x"}, 429),
	],
)
def test_a_throttle_is_never_taken_for_a_lost_connection(reply, client, far_end):
	far_end.say(reply)
	with pytest.raises(TokenThrottled) as caught:
		client.refresh(far_end.url, REFRESH)
	assert (caught.value.action, caught.value.retry_after) == ("wait", 600)
	assert len(far_end.requests) == 1


def test_a_throttle_may_say_how_long(client, far_end):
	far_end.say(Reply(THROTTLE, 400, headers={"Retry-After": "120"}))
	with pytest.raises(TokenThrottled) as caught:
		client.refresh(far_end.url, REFRESH)
	assert caught.value.retry_after == 120


ODD = [
	Reply("<html><body>Sorry</body></html>", 200),
	Reply("<html><body>Sorry</body></html>", 503),
	Reply("", 200),
	Reply("", 500),
	Reply({}, 200),
	Reply([], 200),
	Reply({"access_token": ""}, 200),
	Reply({"access_token": None, "expires_in": 3600}, 200),
	Reply({"error": "general_error"}, 200),
	Reply({"error": None}, 500),
]


@pytest.mark.parametrize("reply", ODD)
def test_an_odd_answer_to_a_refresh_is_tried_again(reply, client, far_end):
	far_end.say(reply, GOOD)
	assert client.refresh(far_end.url, REFRESH).access_token == ACCESS


@pytest.mark.parametrize("reply", ODD)
def test_a_code_is_never_sent_twice(reply, client, far_end):
	far_end.say(reply, GOOD)
	with pytest.raises(Unavailable) as caught:
		client.exchange_code(far_end.url, "1000.code.x")
	assert caught.value.action == "wait"
	assert len(far_end.requests) == 1


def test_tokens_do_not_show_themselves(client, far_end):
	far_end.say(GOOD)
	tokens = client.refresh(far_end.url, REFRESH)
	for text in (repr(tokens), str(tokens), repr(tokens.access_token), repr([tokens.refresh_token])):
		assert ACCESS not in text
		assert REFRESH not in text
	assert "very-secret" not in repr(vars(client))


CALLBACK = {
	"code": "1000.code.x",
	"location": "in",
	"accounts-server": "https://accounts.zoho.in",
	"state": "s",
}


def test_the_callback_names_the_users_data_centre():
	callback = parse_callback(CALLBACK)
	assert (callback.code, callback.state) == ("1000.code.x", "s")
	assert callback.accounts_url == "https://accounts.zoho.in"
	assert callback.data_center is DATA_CENTERS["in"]
	assert "1000.code.x" not in repr(callback)


def test_the_location_counts_where_no_accounts_server_is_named():
	callback = parse_callback({"code": "c", "location": "ca"})
	assert callback.accounts_url == "https://accounts.zohocloud.ca"


@pytest.mark.parametrize(
	"change, error",
	[
		({"accounts-server": "https://evil.example"}, "unknown_server"),
		({"accounts-server": "https://accounts.zoho.in.evil.example"}, "unknown_server"),
		({"accounts-server": "http://accounts.zoho.in"}, "unknown_server"),
		({"accounts-server": "", "location": "zz"}, "unknown_location"),
		({"accounts-server": None, "location": None}, "unknown_location"),
		({"code": ""}, "no_code"),
		({"error": "access_denied"}, "access_denied"),
		({"error": "something_new"}, "something_new"),
	],
)
def test_a_callback_that_must_not_be_followed(change, error):
	with pytest.raises(AuthorizationRefused) as caught:
		parse_callback({**CALLBACK, **change})
	assert caught.value.error == error


def test_an_administrators_server_wins_over_what_the_browser_says():
	url = "http://127.0.0.1:8900"
	for server in ("https://accounts.zoho.eu", "https://evil.example", ""):
		callback = parse_callback({**CALLBACK, "location": "eu", "accounts-server": server}, accounts_url=url)
		assert callback.accounts_url == url
		assert callback.data_center is DATA_CENTERS["eu"]
