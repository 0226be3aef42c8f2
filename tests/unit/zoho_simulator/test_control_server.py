"""The control interface at /_simulator/ does what the methods of the simulator do."""

import pytest
import requests

from zoho_simulator import Simulator


@pytest.fixture
def zoho():
	with Simulator(campaigns=3, recipients=300) as simulator:
		yield simulator


@pytest.fixture
def ask(zoho):
	tokens = zoho.grant_tokens()
	headers = {"Authorization": f"Zoho-oauthtoken {tokens['access_token']}"}

	def call(method="recentcampaigns", timeout=30, **params):
		url = f"{zoho.url}/api/v1.1/{method}"
		return requests.get(url, {"resfmt": "JSON", **params}, headers=headers, timeout=timeout)

	return call


def control(zoho, name, body=None, **params):
	url = f"{zoho.url}/_simulator/{name}"
	return (
		requests.get(url, params, timeout=30) if body is None else requests.post(url, json=body, timeout=30)
	)


def test_faults_settings_and_activity(zoho, ask):
	assert control(zoho, "faults", [{"fault": "html", "nth": 1}]).json()[0]["fault"] == "html"
	assert ask().status_code == 503
	assert control(zoho, "faults").json()[0]["done"] == 1
	assert control(zoho, "settings", {"max_range": "9"}).json()["max_range"] == 9
	assert ask(range=10).json()["code"] == "6502"
	opened = zoho.expected()["actions"]["Opened"]["listed"]
	assert sum(control(zoho, "evolve", {"days": 0, "opens": 4}).json()["opens"].values()) == 4
	assert control(zoho, "expected").json()["actions"]["Opened"]["listed"] == opened + 4
	assert control(zoho, "reset", {}).json()["max_range"] == 500
	assert control(zoho, "expected").json() == zoho.expected()


def test_expected_figures_with_contacts_and_rows(zoho):
	found = control(zoho, "expected", contacts=1).json()
	assert 0 < found["engaged_contacts"] < found["contacts"] == zoho.contacts()
	key = found["campaigns"][0]["campaign_key"]
	rows = control(zoho, "expected", rows=1, campaign=key, action="Opened").json()
	assert rows == list(zoho.rows(key, "Opened"))


def test_requests_by_endpoint_and_number(zoho, ask):
	ask()
	ask("campaignreports")
	found = control(zoho, "requests", endpoint="campaignreports").json()
	assert [each["path"] for each in found] == ["/api/v1.1/campaignreports"]
	assert control(zoho, "requests", after=found[0]["number"]).json() == []
	assert control(zoho, "stats").json()["calls"] == {"recentcampaigns": 1, "campaignreports": 1}


@pytest.mark.parametrize(
	("name", "body"),
	[
		("settings", {"colour": "red"}),
		("settings", {"campaigns": 9}),
		("settings", {"end_of_list": "never"}),
		("settings", {"max_range": -1}),
		("evolve", {"opened": 1}),
		("reset", {"today": "tomorrow"}),
		("reset", {"time_zone": "Mars/Olympus"}),
		("advance", {}),
	],
)
def test_a_wrong_request_is_refused_and_changes_nothing(zoho, name, body):
	before = (zoho.settings, zoho.expected())
	answer = control(zoho, name, body)
	assert answer.status_code == 400 and answer.json()["error"]
	assert (zoho.settings, zoho.expected()) == before


def test_the_error_lists_the_known_endpoints(zoho):
	answer = control(zoho, "explode")
	assert answer.status_code == 404 and "get /expected" in answer.json()["known"]


def test_control_requests_are_neither_logged_nor_subject_to_faults(zoho):
	zoho.plan({"fault": "html"})
	assert control(zoho, "expected").status_code == 200
	assert zoho.requests == []
