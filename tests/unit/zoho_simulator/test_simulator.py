"""Latency and the front page."""

from urllib.parse import urlsplit

import pytest
import requests

from zoho_simulator import Simulator


@pytest.fixture
def zoho():
	with Simulator(campaigns=1, recipients=10) as simulator:
		yield simulator


def test_latency_delays_every_answer_but_those_of_the_control_interface(zoho):
	zoho.set(latency_ms=5000)
	with pytest.raises(requests.ReadTimeout):
		requests.get(f"{zoho.url}/api/v1.1/recentcampaigns", timeout=0.2)
	assert requests.get(f"{zoho.url}/_simulator/stats", timeout=3).status_code == 200


def test_the_front_page_shows_no_secret(zoho):
	page = requests.get(zoho.url, timeout=30).text
	assert "sim-client" in page and "sim-secret" not in page
	assert "sim-secret" not in requests.get(f"{zoho.url}/_simulator/settings", timeout=30).text
	assert urlsplit(zoho.url).hostname == "127.0.0.1"
