"""OAuth: the requests, the callback, and the meaning of the token endpoint's answers."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from erpnext_zoho_integration.zoho import (
	DATA_CENTERS,
	AuthorizationRefused,
	OAuthClient,
	OAuthError,
	ReauthorizationRequired,
	TokenThrottled,
	Transport,
	Unavailable,
	parse_callback,
	scopes_for,
	scopes_lacking,
)
from tests.unit.zoho.stub_server import Reply

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


def test_scopes_for_writing_are_asked_for_only_if_something_writes():
	assert scopes_for(writing=False) == ("ZohoCampaigns.campaign.READ",)
	assert scopes_for(writing=True) == (
		"ZohoCampaigns.campaign.READ",
		"ZohoCampaigns.contact.READ",
		"ZohoCampaigns.contact.UPDATE",
	)


@pytest.mark.parametrize(
	"granted, lacking",
	[
		("", ["contact.READ", "contact.UPDATE"]),
		("ZohoCampaigns.campaign.READ", ["contact.READ", "contact.UPDATE"]),
		("ZohoCampaigns.campaign.ALL,ZohoCampaigns.contact.READ", ["contact.UPDATE"]),
		("ZohoCampaigns.contact.READ ZohoCampaigns.contact.UPDATE", []),
		("ZohoCampaigns.contact.READ,ZohoCampaigns.contact.UPDATE", []),
		("ZohoCampaigns.contact.READ, ZohoCampaigns.contact.UPDATE", []),
		("zohocampaigns.contact.read zohocampaigns.contact.update", []),
		("ZohoCampaigns.contact.ALL", []),
	],
)
def test_scopes_may_come_with_spaces_or_commas_and_all_includes_each(granted, lacking):
	needed = scopes_for(writing=True)[1:]
	assert scopes_lacking(granted, needed) == tuple(f"ZohoCampaigns.{scope}" for scope in lacking)


def test_several_scopes_are_joined_with_commas(client):
	url = client.authorization_url("https://accounts.zoho.in", "s", ["A.READ", "B.READ"])
	assert dict(parse_qsl(urlsplit(url).query))["scope"] == "A.READ,B.READ"


def test_exchanging_a_code(client, server):
	server.say(GOOD)
	tokens = client.exchange_code(server.url, "1000.code.x")
	request = server.requests[0]
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


def test_refreshing(client, server):
	server.say({key: value for key, value in GOOD.items() if key != "refresh_token"})
	tokens = client.refresh(server.url + "/", REFRESH)
	request = server.requests[0]
	assert (request.method, request.path, request.query) == ("POST", "/oauth/v2/token", {})
	assert request.form == {
		"grant_type": "refresh_token",
		"client_id": "1000.CLIENT",
		"client_secret": "very-secret",
		"refresh_token": REFRESH,
	}
	assert (tokens.access_token, tokens.refresh_token) == (ACCESS, None)


def test_revoking(client, server):
	server.say({"status": "success"})
	assert client.revoke(server.url, REFRESH) is None
	request = server.requests[0]
	assert (request.method, request.path, request.query) == ("POST", "/oauth/v2/token/revoke", {})
	assert request.form == {"token": REFRESH}


@pytest.mark.parametrize(
	"body", [{"error": "invalid_token"}, {"status": "failure", "error": "invalid_code"}, ""]
)
def test_a_token_that_zoho_does_not_know_is_revoked_already(body, client, server):
	server.say(Reply(body, status=400))
	assert client.revoke(server.url, REFRESH) is None


THROTTLE = {
	"error_description": "You have made too many requests continuously. Please try again after some time.",
	"error": "Access Denied",
	"status": "failure",
}
CHINESE = {"error_description": "您的请求过于频繁,请稍后重试。", "error": "访问被拒绝", "status": "failure"}


@pytest.mark.parametrize("reply", [Reply(THROTTLE, 400), Reply(status=429)])
def test_revoking_may_be_throttled(reply, client, server):
	server.say(reply)
	with pytest.raises(TokenThrottled):
		client.revoke(server.url, REFRESH)


@pytest.mark.parametrize("status", [401, 404])
def test_revoking_may_fail(status, client, server):
	server.say(Reply({}, status))
	with pytest.raises(OAuthError):
		client.revoke(server.url, REFRESH)


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
def test_lifetime_in_every_unit(lifetime, seconds, client, server):
	server.say({"access_token": ACCESS, **lifetime})
	assert client.refresh(server.url, REFRESH).expires_in == seconds


def test_a_token_answer_with_only_an_access_token(client, server):
	server.say({"access_token": ACCESS})
	tokens = client.refresh(server.url, REFRESH)
	assert (tokens.refresh_token, tokens.api_domain, tokens.scope, tokens.scopes) == (None, None, "", ())


def test_a_gateway_without_https_is_ignored(client, server):
	server.say({"access_token": ACCESS, "api_domain": "javascript:alert(1)"})
	assert client.refresh(server.url, REFRESH).api_domain is None


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
def test_permanent_errors_ask_for_a_person(error, status, client, server):
	server.say(Reply({"error": error}, status))
	with pytest.raises(ReauthorizationRequired) as caught:
		client.refresh(server.url, REFRESH)
	assert (caught.value.reason, caught.value.action) == (error, "stop")
	assert len(server.requests) == 1


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
def test_a_throttle_is_never_taken_for_a_lost_connection(reply, client, server):
	server.say(reply)
	with pytest.raises(TokenThrottled) as caught:
		client.refresh(server.url, REFRESH)
	assert (caught.value.action, caught.value.retry_after) == ("wait", 600)
	assert len(server.requests) == 1


def test_a_throttle_may_give_a_waiting_time(client, server):
	server.say(Reply(THROTTLE, 400, headers={"Retry-After": "120"}))
	with pytest.raises(TokenThrottled) as caught:
		client.refresh(server.url, REFRESH)
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
def test_an_odd_answer_to_a_refresh_is_tried_again(reply, client, server):
	server.say(reply, GOOD)
	assert client.refresh(server.url, REFRESH).access_token == ACCESS


@pytest.mark.parametrize("reply", ODD)
def test_a_code_is_never_sent_twice(reply, client, server):
	server.say(reply, GOOD)
	with pytest.raises(Unavailable) as caught:
		client.exchange_code(server.url, "1000.code.x")
	assert caught.value.action == "wait"
	assert len(server.requests) == 1


def test_tokens_do_not_show_themselves(client, server):
	server.say(GOOD)
	tokens = client.refresh(server.url, REFRESH)
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


def test_the_location_is_used_if_no_accounts_server_is_named():
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


def test_an_administrators_server_overrides_the_query():
	url = "http://127.0.0.1:8900"
	for server in ("https://accounts.zoho.eu", "https://evil.example", ""):
		callback = parse_callback({**CALLBACK, "location": "eu", "accounts-server": server}, accounts_url=url)
		assert callback.accounts_url == url
		assert callback.data_center is DATA_CENTERS["eu"]
