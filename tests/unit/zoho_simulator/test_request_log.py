"""The request log tells secrets apart, but does not contain them."""

import re

import pytest
import requests

from tests.unit.zoho_simulator.oauth_client import ASKED, authorize, exchange, refresh, returned, works
from zoho_simulator import Simulator


@pytest.fixture
def zoho():
	with Simulator(campaigns=1, recipients=10, data_center="eu") as simulator:
		yield simulator


def test_the_log_contains_no_secret(zoho):
	code = returned(authorize(zoho))["code"]
	answer = exchange(zoho, code)
	refreshed = refresh(zoho, answer["refresh_token"]).json()
	works(zoho, refreshed["access_token"])
	for header in (refreshed["access_token"], f"Bearer {refreshed['access_token']}"):
		requests.get(f"{zoho.url}/api/v1.1/recentcampaigns", headers={"Authorization": header}, timeout=30)
	requests.post(f"{zoho.url}/oauth/v2/token/revoke?token={answer['refresh_token']}", timeout=30)
	seen = str(zoho.requests) + requests.get(f"{zoho.url}/_simulator/requests", timeout=30).text
	for secret in (
		code,
		answer["access_token"],
		answer["refresh_token"],
		refreshed["access_token"],
		"sim-secret",
	):
		assert secret not in seen
	assert ASKED["state"] not in seen
	assert [each["endpoint"] for each in zoho.requests][:3] == ["oauth/auth", "oauth/token", "oauth/token"]
	assert zoho.requests[1]["params"]["client_id"] == "sim-client"
	assert zoho.requests[-1]["secrets_in_url"] == ["token"]


def test_equal_secrets_have_equal_masks(zoho):
	first, second = zoho.grant_tokens()["access_token"], zoho.grant_tokens()["access_token"]
	for each in (first, second, first):
		works(zoho, each)
	masks = [each["headers"]["authorization"] for each in zoho.requests]
	assert masks[0] == masks[2] != masks[1]
	assert all(re.fullmatch(r"Zoho-oauthtoken \*\*\*[0-9a-f]{8}", each) for each in masks)
