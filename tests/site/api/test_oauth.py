"""Connecting through the browser: authorize, the consent page, the callback."""

from __future__ import annotations

import socket
from collections.abc import Callable
from urllib.parse import quote, unquote, urlsplit

import pytest

import frappe

from tests.site.connecting import (
	API,
	AUTHORIZE,
	CALLBACK,
	SETTINGS,
	Background,
	begin,
	come_back,
	consent,
	decide,
	enter_client,
	exchanges,
	is_live,
	messages,
	outcome,
	query_of,
	refreshes,
	secret,
	settings,
	wait_until,
)
from tests.site.server import Session, Web
from zoho_simulator import Simulator

CHEATS = [
	"https://evil.example",
	"http://accounts.zoho.in",
	"https://accounts.zoho.in.evil.example",
	"https://accounts.zoho.in@evil.example",
	"https://evil.example/accounts.zoho.in",
	"https://evil.example#https://accounts.zoho.in",
	"https://accounts.zoho.in:444",
	"https://accounts.zoho.in/../../evil",
	"https://ACCOUNTS.ZOHO.IN",
	"//accounts.zoho.in",
	"accounts.zoho.in",
	"https://accounts.zoho.xyz",
	"https://campaigns.zoho.in",
]


@pytest.fixture
def manager(web: Web, make_user: Callable[..., str]) -> Session:
	return web.session(make_user("System Manager"))


@pytest.fixture
def client(simulator: Simulator) -> Simulator:
	"""The simulator, with its client entered in Zoho Settings."""
	enter_client()
	return simulator


def why(session: Session) -> str:
	"""Return what Zoho Settings says about the last failed authorization."""
	return session.call(f"{API}.oauth.take_failure").json().get("message") or ""


# Authorize


def test_a_guest_is_sent_to_log_in_and_resumes(web: Web, make_user: Callable[..., str], client) -> None:
	browser = web.session()
	login = browser.get(AUTHORIZE, allow_redirects=False)
	assert login.status_code in (302, 303)
	assert urlsplit(login.headers["Location"]).path == "/login"
	resume = query_of(login.headers["Location"])["redirect-to"]
	assert resume == AUTHORIZE
	user = make_user("System Manager")
	browser.post("/api/method/login", data={"usr": user, "pwd": web._passwords[user]})
	assert begin(browser).startswith(f"{client.url}/oauth/v2/auth?")
	assert not client.requests


@pytest.mark.parametrize("roles", [(), ("Sales User",), ("Sales Manager",)])
def test_only_a_system_manager_may_begin(
	web: Web, make_user: Callable[..., str], client: Simulator, roles: tuple[str, ...]
) -> None:
	answer = web.session(make_user(*roles)).get(AUTHORIZE, allow_redirects=False)
	assert answer.status_code == 403 and "Location" not in answer.headers


def test_the_consent_page_is_asked_for_exactly_what_is_needed(manager: Session, client: Simulator) -> None:
	url = begin(manager)
	query = query_of(url)
	state = query.pop("state")
	assert url.partition("?")[0] == f"{client.url}/oauth/v2/auth"
	assert query == {
		"response_type": "code",
		"client_id": "sim-client",
		"scope": "ZohoCampaigns.campaign.READ",
		"redirect_uri": f"{manager.base_url}{CALLBACK}",
		"access_type": "offline",
		"prompt": "consent",
	}
	assert len(state) >= 32 and query_of(begin(manager))["state"] != state
	assert settings().redirect_uri == query["redirect_uri"]


def test_without_a_client_the_user_is_told_what_to_enter(manager: Session, simulator: Simulator) -> None:
	answer = manager.get(AUTHORIZE, allow_redirects=False)
	assert answer.status_code == 417 and "Client Secret" in messages(answer)


# The way there and back


def test_authorizing_connects_the_site(manager: Session, start_simulator: Callable[..., Simulator]) -> None:
	zoho = start_simulator(campaigns=1, recipients=10, data_center="eu")
	enter_client(data_center="in")
	page = manager.get(AUTHORIZE, headers={"Accept": "text/html"})
	assert page.ok and query_of(page.url) == {"zoho": "connected"}
	assert unquote(urlsplit(page.url).path).endswith(f"zoho-settings/{SETTINGS}")
	stored = settings()
	assert stored.data_center == "eu" and stored.api_domain == "https://www.zohoapis.eu"
	assert (stored.connection_status, stored.is_active, stored.connection_error) == ("Connected", 1, None)
	assert stored.connected_by.startswith("zoho-test-") and stored.token_expiry and stored.connected_on
	assert zoho.tokens.scopes_of(secret("access_token")) == {"ZohoCampaigns.campaign.READ"}
	assert is_live(zoho, secret("refresh_token"))
	assert why(manager) == ""


def test_the_code_travels_in_the_body_with_the_same_redirect_uri(manager: Session, client: Simulator) -> None:
	manager.get(AUTHORIZE)
	[exchange] = [each for each in client.requests if each["endpoint"] == "oauth/token"]
	assert exchange["method"] == "POST" and exchange["secrets_in_url"] == []
	assert exchange["params"]["grant_type"] == "authorization_code"
	assert exchange["params"]["redirect_uri"] == f"{manager.base_url}{CALLBACK}"


def test_accepting_on_the_consent_page_connects(
	manager: Session, start_simulator: Callable[..., Simulator]
) -> None:
	zoho = start_simulator(campaigns=1, recipients=10, auto_approve=False)
	enter_client()
	answer = decide(manager, zoho, "accept")
	assert query_of(answer.url) == {"zoho": "connected"} and settings().is_active


def test_refusing_on_the_consent_page_is_told_and_connects_nothing(
	manager: Session, start_simulator: Callable[..., Simulator]
) -> None:
	zoho = start_simulator(campaigns=1, recipients=10, auto_approve=False)
	enter_client()
	answer = decide(manager, zoho, "reject")
	assert query_of(answer.url) == {"zoho": "failed"}
	assert "did not grant access" in why(manager)
	assert not settings().is_active and exchanges(zoho) == 0


def test_a_wrong_client_secret_is_explained(manager: Session, simulator: Simulator) -> None:
	enter_client(client_secret="wrong")
	assert query_of(manager.get(AUTHORIZE).url) == {"zoho": "failed"}
	reason = why(manager)
	assert "Client Secret" in reason and "click Authorize with Zoho" in reason
	assert why(manager) == "", "told once"
	assert settings().connection_status == "Not Connected" and secret("access_token") is None


def test_the_reason_of_a_failure_is_not_told_to_another_user(
	web: Web, manager: Session, client: Simulator
) -> None:
	come_back(manager, {"code": "1000.aa.bb", "state": "wrong", "location": "in"})
	assert why(web.session("Administrator")) == ""
	assert why(manager)


@pytest.mark.parametrize(
	"disturb",
	[
		lambda: frappe.rename_doc("Campaign", "Before", "After", force=True),
		lambda: frappe.clear_cache(),
	],
	ids=["a rename", "clearing the cache"],
)
def test_an_authorization_under_way_survives(
	manager: Session, client: Simulator, disturb: Callable[[], object]
) -> None:
	frappe.get_doc({"doctype": "Campaign", "campaign_name": "Before"}).insert()
	url = begin(manager)
	disturb()
	assert outcome(come_back(manager, consent(url))) == "connected"


def test_connecting_again_revokes_the_previous_refresh_token(manager: Session, client: Simulator) -> None:
	manager.get(AUTHORIZE)
	first = secret("refresh_token")
	manager.get(AUTHORIZE)
	second = secret("refresh_token")
	assert first != second
	assert not is_live(client, first) and is_live(client, second)


def test_connecting_again_while_a_token_is_being_refreshed_keeps_the_new_connection(
	web: Web, manager: Session, client: Simulator
) -> None:
	manager.get(AUTHORIZE)
	client.plan(
		{"fault": "delay", "endpoint": "oauth/token", "match": {"grant_type": "refresh_token"}, "seconds": 2}
	)
	with Background(manager.copy(), f"{API}.oauth.refresh_access_token") as refreshing:
		wait_until(lambda: refreshes(client))
		assert outcome(come_back(manager, consent(begin(manager)))) == "connected"
	assert refreshing.status_code == 200
	assert settings().connection_status == "Connected" and is_live(client, secret("refresh_token"))
	assert client.tokens.scopes_of(secret("access_token"))


# Whose state it is


def test_a_state_is_good_once(manager: Session, client: Simulator) -> None:
	query = consent(begin(manager))
	back = come_back(manager, query)
	assert outcome(back) == "connected", why(manager)
	again = come_back(manager, {**query, "code": client.grant_code()})
	assert outcome(again) == "failed" and exchanges(client) == 1
	assert "not started here, has expired or was used before" in why(manager)


@pytest.mark.parametrize("state", [None, "", "wrong", "ünïcode", "x" * 5000])
def test_a_missing_or_wrong_state_is_refused_and_uses_up_the_right_one(
	manager: Session, client: Simulator, state: str | None
) -> None:
	query = consent(begin(manager))
	wrong = {name: value for name, value in {**query, "state": state}.items() if value is not None}
	assert outcome(come_back(manager, wrong)) == "failed"
	assert outcome(come_back(manager, query)) == "failed"
	assert exchanges(client) == 0 and not settings().is_active


def test_a_callback_that_nobody_began_is_refused(manager: Session, client: Simulator) -> None:
	query = {"code": client.grant_code(), "state": "anything", "location": "in"}
	assert outcome(come_back(manager, query)) == "failed" and exchanges(client) == 0


def test_a_state_lives_ten_minutes(manager: Session, client: Simulator) -> None:
	query = consent(begin(manager))
	[key] = list(frappe.cache.scan_iter(frappe.cache.make_key("zoho-oauth-state-*")))
	assert 0 < frappe.cache.ttl(key) <= 600
	frappe.cache.expire(key, 0)
	assert outcome(come_back(manager, query)) == "failed" and exchanges(client) == 0


def test_another_session_cannot_use_a_state(
	web: Web, manager: Session, make_user: Callable[..., str], client: Simulator
) -> None:
	same_user_elsewhere = web.session(make_user("System Manager"), fresh=True)
	strangers = [web.session("Administrator"), same_user_elsewhere]
	query = consent(begin(manager))
	for stranger in strangers:
		assert outcome(come_back(stranger, query)) == "failed"
	assert exchanges(client) == 0
	back = come_back(manager, query)
	assert outcome(back) == "connected", why(manager)


def test_each_of_two_users_finishes_what_they_began(web: Web, manager: Session, client: Simulator) -> None:
	administrator = web.session("Administrator")
	mine, theirs = begin(manager), begin(administrator)
	assert outcome(come_back(manager, consent(mine))) == "connected"
	assert outcome(come_back(administrator, consent(theirs))) == "connected"
	assert settings().connected_by == "Administrator"


# Where the code is sent


@pytest.mark.parametrize("server", CHEATS)
def test_a_code_is_sent_to_no_server_but_zohos(manager: Session, client: Simulator, server: str) -> None:
	query = {**consent(begin(manager)), "accounts-server": server}
	before = len(client.requests)
	assert outcome(come_back(manager, query)) == "failed"
	assert len(client.requests) == before, "not even to the server that site_config.json names"
	assert "accounts server is not one of Zoho's" in why(manager)
	assert secret("access_token") is None


def test_a_server_that_would_answer_is_not_asked(manager: Session, client: Simulator) -> None:
	with socket.create_server(("127.0.0.1", 0)) as evil:
		server = f"http://127.0.0.1:{evil.getsockname()[1]}"
		query = {**consent(begin(manager)), "accounts-server": server}
		assert outcome(come_back(manager, query)) == "failed"
		evil.setblocking(False)
		with pytest.raises(BlockingIOError):
			evil.accept()


def test_an_unknown_location_is_refused(manager: Session, client: Simulator) -> None:
	query = consent(begin(manager))
	del query["accounts-server"]
	assert outcome(come_back(manager, {**query, "location": "moon"})) == "failed"
	assert exchanges(client) == 0


def test_the_location_serves_where_zoho_names_no_accounts_server(manager: Session, client: Simulator) -> None:
	query = consent(begin(manager))
	del query["accounts-server"]
	assert outcome(come_back(manager, {**query, "location": "jp"})) == "connected"
	assert settings().data_center == "jp"


def test_an_error_of_zoho_with_a_good_state_is_told_as_it_is(manager: Session, client: Simulator) -> None:
	state = query_of(begin(manager))["state"]
	assert outcome(come_back(manager, {"error": "access_denied", "state": state})) == "failed"
	assert "did not grant access" in why(manager)
	state = query_of(begin(manager))["state"]
	hostile = "<script>alert(1)</script>"
	answer = come_back(manager, {"error": hostile, "state": state})
	assert outcome(answer) == "failed" and quote(hostile) not in answer.headers["Location"]
	assert exchanges(client) == 0


# Who comes back


def test_a_guest_is_told_why_and_the_code_stays_unused(web: Web, manager: Session, client: Simulator) -> None:
	query = consent(begin(manager))
	answer = web.session().get(CALLBACK, params=query, headers={"Accept": "text/html"}, allow_redirects=False)
	assert answer.status_code == 403
	assert "redirect URI registered at Zoho has a different host" in answer.text and "/login" in answer.text
	assert query["code"] not in answer.text and query["state"] not in answer.text
	assert exchanges(client) == 0
	assert outcome(come_back(manager, query)) == "connected", "nothing was used up"


@pytest.mark.parametrize("roles", [(), ("Sales User",), ("Sales Manager",)])
def test_only_a_system_manager_may_come_back(
	web: Web, make_user: Callable[..., str], manager: Session, client: Simulator, roles: tuple[str, ...]
) -> None:
	query = consent(begin(manager))
	answer = come_back(web.session(make_user(*roles)), query)
	assert answer.status_code == 403 and exchanges(client) == 0 and not settings().is_active
