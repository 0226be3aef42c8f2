"""The limit on calls per method: rolling and fixed windows, the lock, and the forms of the refusal."""

import pytest
import requests

from zoho_simulator import Simulator


@pytest.fixture
def zoho():
	with Simulator(campaigns=1, recipients=10, rate_limit=5) as simulator:
		yield simulator


@pytest.fixture
def ask(zoho):
	session = requests.Session()
	session.headers["Authorization"] = f"Zoho-oauthtoken {zoho.grant_tokens()['access_token']}"
	zoho.set(access_token_ttl=10**9)
	session.headers["Authorization"] = f"Zoho-oauthtoken {zoho.grant_tokens()['access_token']}"

	def call(method="recentcampaigns", **params):
		return session.get(f"{zoho.url}/api/v1.1/{method}", params={"resfmt": "JSON", **params}, timeout=30)

	return call


def test_one_call_too_many_locks_the_method_for_half_an_hour(zoho, ask):
	assert [ask().status_code for _nth in range(6)] == [200] * 5 + [429]
	assert ask("campaignreports").status_code == 200, "other methods are not locked"
	zoho.advance(1700)
	assert ask().status_code == 429
	zoho.advance(110)
	assert ask().status_code == 200


def test_a_call_during_a_lock_can_restart_it(zoho, ask):
	zoho.set(lock_extends=True)
	for _nth in range(6):
		ask()
	zoho.advance(1700)
	assert ask().status_code == 429
	zoho.advance(110)
	assert ask().status_code == 429


def test_a_rolling_window_counts_the_last_five_minutes(zoho, ask):
	for _nth in range(4):
		ask()
	zoho.advance(200)
	assert ask().status_code == 200
	zoho.advance(110)
	assert [ask().status_code for _nth in range(4)] == [200] * 4
	assert ask().status_code == 429, "the call made 110 seconds ago still counts"
	assert zoho.stats()["fullest_windows"]["recentcampaigns"] == 6


def test_a_fixed_window_starts_counting_from_zero(zoho, ask):
	zoho.set(rate_windows="fixed")
	zoho.advance(300 - zoho.clock.now() % 300 - 100)
	assert [ask().status_code for _nth in range(5)] == [200] * 5
	zoho.advance(100)
	assert [ask().status_code for _nth in range(6)] == [200] * 5 + [429]


def test_windows_are_measured_without_a_limit(zoho, ask):
	zoho.set(rate_limit=0)
	assert [ask().status_code for _nth in range(9)] == [200] * 9
	assert zoho.stats()["fullest_windows"] == {"recentcampaigns": 9}
	assert zoho.stats()["refused"] == {}


@pytest.mark.parametrize(
	("form", "status", "retry", "text"),
	[
		("429", 429, False, "Too Many Requests"),
		("429-retry-after", 429, True, "Too Many Requests"),
		("400", 400, False, "URL_ROLLING_THROTTLES_LIMIT_EXCEEDED"),
		("400-retry-after", 400, True, "Try again after 30 minutes."),
		("200-filter", 200, False, "Cannot execute more than 5 requests per API in 5 minutes."),
		("200-envelope", 200, False, '"code":"2008"'),
	],
)
def test_a_refusal_has_the_form_of_the_setting(zoho, ask, form, status, retry, text):
	zoho.set(rate_refusal=form)
	for _nth in range(5):
		ask()
	answer = ask()
	assert answer.status_code == status and text in answer.text
	assert answer.headers.get("Retry-After") == ("1800" if retry else None)
	assert zoho.stats()["refused"] == {"recentcampaigns": 1}


def test_calls_without_a_good_token_are_not_counted(zoho, ask):
	for _nth in range(9):
		assert requests.get(f"{zoho.url}/api/v1.1/recentcampaigns", timeout=30).status_code == 401
	assert ask().status_code == 200


def test_the_clock_can_run_faster():
	with Simulator(campaigns=1, recipients=10, rate_limit=1, time_scale=1e6, access_token_ttl=1e12) as zoho:
		headers = {"Authorization": f"Zoho-oauthtoken {zoho.grant_tokens()['access_token']}"}
		url = f"{zoho.url}/api/v1.1/recentcampaigns"
		assert [requests.get(url, headers=headers, timeout=30).status_code for _nth in range(5)] == [200] * 5


def test_a_reset_removes_the_lock(zoho, ask):
	for _nth in range(6):
		ask()
	zoho.reset()
	assert ask().status_code == 200
