"""Tokens: fetched, refreshed by one worker at a time, refused, throttled, revoked, wiped."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

import frappe
from frappe.utils import get_datetime, now_datetime

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection.errors import NotConnected
from erpnext_zoho_integration.connection.tokens import TokenSource
from erpnext_zoho_integration.erpnext_zoho_integration.api import campaigns, oauth
from tests.site.connecting import (
	API,
	asked,
	connect,
	enter_client,
	exchanges,
	is_live,
	let_expire,
	messages,
	refreshes,
	secret,
	settings,
)
from tests.site.server import Session, TestSite, Web
from zoho_simulator import Simulator

WHAT_TO_DO = "click Authorize with Zoho"
RACERS, CALLS_EACH = 4, 2
RACE = """
import sys, threading
import frappe
from erpnext_zoho_integration.erpnext_zoho_integration.api.campaigns import get_valid_token

def connect():
	frappe.init(sys.argv[1])
	frappe.connect()

def call():
	connect()
	start.wait()
	tokens.append(get_valid_token())
	frappe.destroy()

connect()
start, tokens = threading.Barrier(int(sys.argv[2]) + 1), []
threads = [threading.Thread(target=call) for _ in range(int(sys.argv[2]))]
for thread in threads:
	thread.start()
print("ready", flush=True)
sys.stdin.readline()
start.wait()
for thread in threads:
	thread.join()
print(*tokens)
"""


@pytest.fixture
def connected(simulator: Simulator) -> Simulator:
	connect(simulator)
	return simulator


@pytest.fixture
def manager(web: Web, make_user: Callable[..., str]) -> Session:
	return web.session(make_user("System Manager"))


def revoke_at_zoho(simulator: Simulator) -> None:
	"""Withdraw the consent as the account's owner can at Zoho."""
	simulator.tokens.revoke_all()


def forget_cache(site: TestSite) -> None:
	"""Lose everything of the site in Redis, as at its restart."""
	for key in frappe.cache.scan_iter(f"*{frappe.conf.db_name}*"):
		frappe.cache.delete(key)


# Fetching


def test_a_self_clients_code_connects(manager: Session, simulator: Simulator) -> None:
	enter_client()
	answer = manager.call(f"{API}.oauth.fetch_tokens", code=f" {simulator.grant_code()}\n").json()["message"]
	assert answer["expires_in"] == 3600 and answer["api_domain"] == "https://www.zohoapis.in"
	assert settings().connection_status == "Connected" and settings().is_active
	assert simulator.tokens.scopes_of(secret("access_token"))
	assert is_live(simulator, secret("refresh_token"))
	minutes = (get_datetime(settings().token_expiry) - now_datetime()).total_seconds() / 60
	assert 55 < minutes <= 60


def test_the_code_entered_in_the_form_serves_and_is_removed(manager: Session, simulator: Simulator) -> None:
	enter_client(code=simulator.grant_code())
	assert manager.call(f"{API}.oauth.fetch_tokens").ok
	assert settings().code is None and settings().is_active


def test_without_a_code_the_user_is_told_what_to_enter(manager: Session, simulator: Simulator) -> None:
	enter_client()
	answer = manager.call(f"{API}.oauth.fetch_tokens", code="  ")
	assert answer.status_code == 417 and "Enter the authorization code" in messages(answer)
	assert not simulator.requests


def test_a_used_or_wrong_code_is_explained_and_leaves_the_connection_as_it_is(
	manager: Session, connected: Simulator
) -> None:
	before = secret("access_token"), secret("refresh_token")
	answer = manager.call(f"{API}.oauth.fetch_tokens", code="1000.0123456789.0123456789")
	assert answer.status_code == 417
	assert "has expired or was used before" in messages(answer) and WHAT_TO_DO in messages(answer)
	assert (secret("access_token"), secret("refresh_token")) == before and settings().is_active


def test_without_a_data_centre_no_code_is_wasted(manager: Session, simulator: Simulator) -> None:
	enter_client()
	frappe.db.set_single_value("Zoho Settings", "data_center", "")
	answer = manager.call(f"{API}.oauth.fetch_tokens", code=simulator.grant_code())
	assert answer.status_code == 417 and "Choose the data centre" in messages(answer)
	assert exchanges(simulator) == 0


def test_python_gets_whole_tokens(simulator: Simulator) -> None:
	enter_client()
	answer = oauth.fetch_tokens(simulator.grant_code())
	assert set(answer) == {"access_token", "refresh_token", "expires_in", "api_domain"}
	assert simulator.tokens.scopes_of(answer["access_token"])
	assert answer["refresh_token"] == secret("refresh_token")


# Refreshing


def test_refreshing_gives_a_new_access_token_and_keeps_the_refresh_token(
	manager: Session, connected: Simulator
) -> None:
	access, refresh = secret("access_token"), secret("refresh_token")
	let_expire(-10)
	assert manager.call(f"{API}.oauth.refresh_access_token").ok
	assert secret("access_token") != access and connected.tokens.scopes_of(secret("access_token"))
	assert secret("refresh_token") == refresh and is_live(connected, refresh)
	assert get_datetime(settings().token_expiry) > now_datetime()
	[request] = asked(connected, "oauth/token", grant_type="refresh_token")
	assert request["method"] == "POST" and request["secrets_in_url"] == []


def test_refreshing_does_not_make_an_open_form_stale(connected: Simulator) -> None:
	modified = settings().modified
	oauth.refresh_access_token()
	assert settings().modified == modified


def test_without_a_refresh_token_the_user_is_told_what_to_do(manager: Session, simulator: Simulator) -> None:
	enter_client()
	answer = manager.call(f"{API}.oauth.refresh_access_token")
	assert answer.status_code == 417
	assert "No refresh token available" in messages(answer) and WHAT_TO_DO in messages(answer)
	with pytest.raises(NotConnected, match=r"No refresh token available.*click Authorize with Zoho"):
		oauth.refresh_access_token()
	assert not simulator.requests


def test_revoked_access_stops_the_integration_and_says_why(manager: Session, connected: Simulator) -> None:
	revoke_at_zoho(connected)
	answer = manager.call(f"{API}.oauth.refresh_access_token")
	assert answer.status_code == 417 and "access was revoked" in messages(answer)
	stored = settings()
	assert (stored.is_active, stored.connection_status) == (0, "Needs Attention")
	assert "access was revoked" in stored.connection_error and WHAT_TO_DO in stored.connection_error
	with pytest.raises(NotConnected, match=r"Zoho integration is not active.*click Authorize with Zoho"):
		campaigns.get_valid_token()
	assert refreshes(connected) == 1, "Zoho is not asked again in vain"


def test_a_refresh_that_works_again_ends_the_need_for_attention(
	manager: Session, connected: Simulator
) -> None:
	enter_client(client_secret="rotated at Zoho")
	assert manager.call(f"{API}.oauth.refresh_access_token").status_code == 417
	assert settings().connection_status == "Needs Attention"
	enter_client(client_secret="sim-secret")
	assert manager.call(f"{API}.oauth.refresh_access_token").ok
	stored = settings()
	assert (stored.is_active, stored.connection_status, stored.connection_error) == (1, "Connected", None)
	assert campaigns.get_valid_token() == secret("access_token")


@pytest.mark.parametrize("form", ["200", "400", "localised"])
def test_a_throttled_refresh_is_remembered_and_not_repeated(
	site: TestSite, manager: Session, connected: Simulator, form: str
) -> None:
	connected.set(token_limit=1, throttle=form)
	for again in range(3):
		answer = manager.call(f"{API}.oauth.refresh_access_token")
		assert answer.status_code == 417 and "Wait at least ten minutes" in messages(answer), again
		forget_cache(site) if again else frappe.clear_cache()
	assert refreshes(connected) == 1
	stored = settings()
	assert (stored.is_active, stored.connection_status) == (1, "Connected"), "nobody has to authorize again"
	let_expire(-1)
	with pytest.raises(zoho.TokenThrottled):
		campaigns.get_valid_token()
	assert refreshes(connected) == 1


def test_a_throttle_passes(connected: Simulator) -> None:
	connected.set(token_limit=1)
	with pytest.raises(frappe.ValidationError):
		oauth.refresh_access_token()
	connected.set(token_limit=10)
	frappe.db.set_single_value("Zoho Settings", "no_tokens_before", now_datetime(), update_modified=False)
	assert connected.tokens.scopes_of(oauth.refresh_access_token())


def test_authorizing_anew_forgets_a_throttle(manager: Session, connected: Simulator) -> None:
	connected.set(token_limit=1)
	assert manager.call(f"{API}.oauth.refresh_access_token").status_code == 417
	assert manager.call(f"{API}.oauth.fetch_tokens", code=connected.grant_code()).ok
	connected.set(token_limit=10)
	assert manager.call(f"{API}.oauth.refresh_access_token").ok


def test_an_accounts_server_that_is_down_changes_nothing(manager: Session, connected: Simulator) -> None:
	connected.plan(
		{"fault": "status", "endpoint": "oauth/token", "status": 503, "headers": {"Retry-After": "0"}}
	)
	answer = manager.call(f"{API}.oauth.refresh_access_token")
	assert answer.status_code == 417 and "Try again in a few minutes" in messages(answer)
	assert (settings().is_active, settings().connection_status) == (1, "Connected")


# A valid token


def test_a_token_with_more_than_five_minutes_left_is_used_as_it_is(connected: Simulator) -> None:
	let_expire(5.5)
	assert campaigns.get_valid_token() == secret("access_token")
	assert refreshes(connected) == 0


@pytest.mark.parametrize("minutes_left", [4.9, 0, -600])
def test_a_token_is_refreshed_five_minutes_early(connected: Simulator, minutes_left: float) -> None:
	old = secret("access_token")
	let_expire(minutes_left)
	new = campaigns.get_valid_token()
	assert new != old and new == secret("access_token") and refreshes(connected) == 1
	assert campaigns.get_valid_token() == new and refreshes(connected) == 1


def test_a_lifetime_in_milliseconds_is_understood(connected: Simulator) -> None:
	connected.set(legacy_expires_in=True)
	oauth.refresh_access_token()
	minutes = (get_datetime(settings().token_expiry) - now_datetime()).total_seconds() / 60
	assert 55 < minutes <= 60


def test_an_integration_that_is_not_active_gives_no_token_and_says_what_to_do(simulator: Simulator) -> None:
	enter_client()
	with pytest.raises(NotConnected, match=r"^Zoho integration is not active\. .*click Authorize with Zoho"):
		campaigns.get_valid_token()
	assert not simulator.requests


def test_a_refreshed_token_outlives_the_callers_rollback(connected: Simulator) -> None:
	let_expire(0)
	new = campaigns.get_valid_token()
	frappe.db.rollback()
	assert secret("access_token") == new


def test_of_eight_callers_at_once_one_asks_zoho(site: TestSite, connected: Simulator) -> None:
	let_expire(0)
	environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
	racers = [
		subprocess.Popen(
			[sys.executable, "-c", RACE, site.name, str(CALLS_EACH)],
			cwd=site.sites_path,
			env=environment,
			stdin=subprocess.PIPE,
			stdout=subprocess.PIPE,
			text=True,
		)
		for _ in range(RACERS)
	]
	for racer in racers:
		assert racer.stdout.readline().strip() == "ready"
	for racer in racers:
		racer.stdin.write("\n")
		racer.stdin.flush()
	tokens = [token for racer in racers for token in racer.communicate(timeout=300)[0].split()]
	assert len(tokens) == RACERS * CALLS_EACH
	assert set(tokens) == {secret("access_token")}
	assert refreshes(connected) == 1


# In mid-call


def test_a_token_refused_in_mid_call_is_refreshed_once_and_the_call_repeated(connected: Simulator) -> None:
	connected.tokens.expire_access_tokens()
	answer = campaigns.make_api_call("recentcampaigns", params={"status": "sent"})
	assert len(answer["recent_campaigns"]) == 5
	assert [each["endpoint"] for each in connected.requests[-3:]] == [
		"recentcampaigns",
		"oauth/token",
		"recentcampaigns",
	]
	assert connected.tokens.scopes_of(secret("access_token"))


def test_a_token_that_is_refused_again_is_not_asked_for_again(manager: Session, connected: Simulator) -> None:
	connected.plan({"fault": "unauthorised", "endpoint": "recentcampaigns"})
	answer = manager.call(f"{API}.campaigns.get_recent_campaigns", "GET")
	assert answer.status_code == 417 and "Zoho rejects the access token" in messages(answer)
	assert len(asked(connected, "recentcampaigns")) == 2 and refreshes(connected) == 1


def test_a_missing_scope_stops_after_one_refresh(simulator: Simulator) -> None:
	enter_client()
	oauth.fetch_tokens(simulator.grant_code(scope="ZohoCampaigns.contact.READ"))
	with pytest.raises(zoho.AuthenticationError):
		campaigns.make_api_call("recentcampaigns")
	assert len(asked(simulator, "recentcampaigns")) == 2 and refreshes(simulator) == 1


def test_workers_whose_token_died_share_the_first_new_one(connected: Simulator) -> None:
	workers = [TokenSource() for _ in range(5)]
	dead = {worker.current() for worker in workers}
	assert len(dead) == 1
	connected.tokens.expire_access_tokens()
	renewed = {worker.renew(*dead) for worker in workers}
	assert renewed == {secret("access_token")} and refreshes(connected) == 1


# Disconnecting


def test_disconnecting_revokes_at_zoho_and_wipes_here(manager: Session, connected: Simulator) -> None:
	refresh, access = secret("refresh_token"), secret("access_token")
	assert manager.call(f"{API}.oauth.disconnect").json()["message"] == {"revoked": True}
	assert not is_live(connected, refresh) and connected.tokens.scopes_of(access) is None
	[request] = asked(connected, "oauth/revoke")
	assert request["method"] == "POST" and request["secrets_in_url"] == []
	stored = settings()
	assert secret("access_token") is None and secret("refresh_token") is None
	assert not stored.access_token and not stored.refresh_token and not stored.token_expiry
	assert (stored.is_active, stored.connection_status) == (0, "Not Connected")
	assert stored.client_id == "sim-client" and secret("client_secret") == "sim-secret"
	with pytest.raises(NotConnected, match="Zoho integration is not active"):
		campaigns.get_valid_token()


def test_disconnecting_wipes_here_even_if_zoho_does_not_answer(
	manager: Session, connected: Simulator
) -> None:
	connected.plan(
		{"fault": "status", "endpoint": "oauth/revoke", "status": 503, "headers": {"Retry-After": "0"}}
	)
	assert manager.call(f"{API}.oauth.disconnect").json()["message"] == {"revoked": False}
	assert secret("refresh_token") is None and not settings().is_active


def test_disconnecting_twice_is_no_error(manager: Session, connected: Simulator) -> None:
	for _ in range(2):
		assert manager.call(f"{API}.oauth.disconnect").json()["message"] == {"revoked": True}
	assert len(asked(connected, "oauth/revoke")) == 1
