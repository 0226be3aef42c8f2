"""Tokens expire, are limited, evicted and revoked as at Zoho."""

import pytest
import requests

from tests.unit.zoho_simulator.oauth_client import refresh, token, works
from zoho_simulator import Simulator


@pytest.fixture
def zoho():
	with Simulator(campaigns=1, recipients=10, data_center="eu") as simulator:
		yield simulator


def test_refreshing_keeps_the_refresh_token(zoho):
	first = zoho.grant_tokens()
	answer = refresh(zoho, first["refresh_token"]).json()
	assert "refresh_token" not in answer
	assert answer["access_token"] != first["access_token"]
	assert works(zoho, first["access_token"]) and works(zoho, answer["access_token"])


def test_an_access_token_expires(zoho):
	first = zoho.grant_tokens()
	zoho.advance(3500)
	assert works(zoho, first["access_token"])
	zoho.advance(101)
	assert not works(zoho, first["access_token"])
	assert works(zoho, refresh(zoho, first["refresh_token"]).json()["access_token"])


@pytest.mark.parametrize(("form", "status"), [("200", 200), ("400", 400), ("localised", 200)])
def test_the_eleventh_token_in_ten_minutes_is_refused(zoho, form, status):
	zoho.set(throttle=form)
	refresh_token = zoho.grant_tokens()["refresh_token"]
	for _nth in range(9):
		assert "access_token" in refresh(zoho, refresh_token).json()
	answer = refresh(zoho, refresh_token)
	assert answer.status_code == status and answer.json()["status"] == "failure"
	assert (answer.json()["error"] == "Access Denied") == (form != "localised")
	assert "access_token" in refresh(zoho, zoho.grant_tokens()["refresh_token"]).json()
	zoho.advance(601)
	assert "access_token" in refresh(zoho, refresh_token).json()


def test_the_sixteenth_access_token_evicts_the_first(zoho):
	zoho.set(token_limit=0)
	first = zoho.grant_tokens()
	others = [refresh(zoho, first["refresh_token"]).json()["access_token"] for _nth in range(14)]
	assert works(zoho, first["access_token"])
	last = refresh(zoho, first["refresh_token"]).json()["access_token"]
	assert not works(zoho, first["access_token"])
	assert works(zoho, others[0]) and works(zoho, last)


def test_the_twenty_first_refresh_token_evicts_the_first_and_its_access_tokens(zoho):
	first, second = zoho.grant_tokens(), zoho.grant_tokens()
	for _nth in range(19):
		zoho.grant_tokens()
	assert refresh(zoho, first["refresh_token"]).json() == {"error": "invalid_code"}
	assert not works(zoho, first["access_token"])
	assert works(zoho, second["access_token"])


@pytest.mark.parametrize("where", ["params", "data"])
def test_revoking_a_refresh_token_revokes_its_access_tokens(zoho, where):
	mine, other = zoho.grant_tokens(), zoho.grant_tokens()
	url = f"{zoho.url}/oauth/v2/token/revoke"
	answer = requests.post(url, timeout=30, **{where: {"token": mine["refresh_token"]}})
	assert (answer.status_code, answer.json()) == (200, {"status": "success"})
	assert not works(zoho, mine["access_token"]) and works(zoho, other["access_token"])
	assert refresh(zoho, mine["refresh_token"]).json() == {"error": "invalid_code"}
	again = requests.post(url, timeout=30, **{where: {"token": mine["refresh_token"]}})
	assert again.status_code == 400


def test_legacy_answers_count_in_milliseconds(zoho):
	zoho.set(legacy_expires_in=True)
	answer = refresh(zoho, zoho.grant_tokens()["refresh_token"]).json()
	assert (answer["expires_in"], answer["expires_in_sec"]) == (3_600_000, 3600)


def test_withdrawing_the_consent_revokes_every_token(zoho):
	mine = zoho.grant_tokens()
	assert requests.post(f"{zoho.url}/_simulator/revoke", timeout=30).status_code == 200
	assert not works(zoho, mine["access_token"])
	assert refresh(zoho, mine["refresh_token"]).json() == {"error": "invalid_code"}


def test_a_reset_keeps_tokens_unless_asked_to_drop_them(zoho):
	mine = zoho.grant_tokens()
	zoho.reset()
	assert works(zoho, mine["access_token"])
	zoho.reset(tokens=True)
	assert not works(zoho, mine["access_token"])


def test_time_can_run_faster():
	with Simulator(campaigns=1, recipients=10, time_scale=1e6) as zoho:
		code = zoho.grant_code(ttl=1)
		assert token(zoho, grant_type="authorization_code", code=code).json() == {"error": "invalid_code"}
