"""Consent and codes, as a browser and an OAuth client use them."""

import re

import pytest
import requests

from tests.unit.zoho_simulator.oauth_client import (
	ASKED,
	CLIENT,
	HOME,
	authorize,
	exchange,
	returned,
	token,
	works,
)
from zoho_simulator import Simulator


@pytest.fixture
def zoho():
	with Simulator(campaigns=1, recipients=10, data_center="eu") as simulator:
		yield simulator


class TestConsent:
	def test_accepting_returns_code_location_and_state(self, zoho):
		back = returned(authorize(zoho))
		assert back["state"] == ASKED["state"]
		assert back["location"] == "eu"
		assert back["accounts-server"] == "https://accounts.zoho.eu"
		assert back["code"].startswith("1000.")

	@pytest.mark.parametrize(
		("data_center", "host", "api"),
		[
			("in", "zoho.in", "in"),
			("ca", "zohocloud.ca", "ca"),
			("au", "zoho.com.au", "com.au"),
			("us", "zoho.com", "com"),
		],
	)
	def test_each_data_centre_returns_its_own_hosts(self, data_center, host, api):
		with Simulator(campaigns=0, data_center=data_center) as zoho:
			back = returned(authorize(zoho))
			assert back["accounts-server"] == f"https://accounts.{host}"
			assert exchange(zoho, back["code"])["api_domain"] == f"https://www.zohoapis.{api}"

	@pytest.mark.parametrize(
		("wrong", "named"),
		[
			({"client_id": "other"}, "invalid_client"),
			({"client_id": None}, "invalid_client"),
			({"redirect_uri": "https://erp.example.com/callback"}, "invalid_redirect_uri"),
			({"redirect_uri": "ftp://localhost/x"}, "invalid_redirect_uri"),
			({"redirect_uri": None}, "invalid_redirect_uri"),
			({"response_type": "token"}, "invalid_response_type"),
			({"scope": None}, "invalid_scope"),
			({"scope": "ZohoCampaigns.report.READ"}, "invalid_scope"),
			({"scope": "ZohoCampaigns.campaign.READ,everything"}, "invalid_scope"),
		],
	)
	def test_a_wrong_request_gets_an_error_page_and_no_redirect(self, zoho, wrong, named):
		answer = authorize(zoho, **wrong)
		assert answer.status_code == 400 and named in answer.text
		assert "Location" not in answer.headers

	def test_registered_redirect_uris_must_match_exactly(self, zoho):
		zoho.set(redirect_uris=["https://erp.example.com/cb"])
		assert authorize(zoho).status_code == 400
		assert authorize(zoho, redirect_uri="https://erp.example.com/cb/").status_code == 400
		assert authorize(zoho, redirect_uri="https://erp.example.com/cb").status_code == 302

	@pytest.mark.parametrize("decision", ["accept", "reject"])
	def test_each_button_of_the_consent_page_works_once(self, zoho, decision):
		zoho.set(auto_approve=False)
		page = authorize(zoho)
		assert page.status_code == 200 and "ZohoCampaigns.contact.READ" in page.text
		ticket = re.search(r'name="consent" value="([^"]+)"', page.text).group(1)
		pressed = {"consent": ticket, "decision": decision}
		url = f"{zoho.url}/oauth/v2/auth/decision"
		back = returned(requests.post(url, data=pressed, allow_redirects=False, timeout=30))
		assert back["state"] == ASKED["state"]
		assert ("code" in back, back.get("error")) == (
			(True, None) if decision == "accept" else (False, "access_denied")
		)
		again = requests.post(url, data=pressed, allow_redirects=False, timeout=30)
		assert again.status_code == 400

	def test_the_consent_page_escapes_its_values(self, zoho):
		zoho.set(auto_approve=False, client_id="<script>x</script>")
		page = authorize(zoho, client_id="<script>x</script>")
		assert "<script>" not in page.text and "&lt;script&gt;" in page.text

	def test_after_a_consent_only_prompt_consent_shows_the_page_again(self, zoho):
		returned(authorize(zoho))
		zoho.set(auto_approve=False)
		assert authorize(zoho, prompt=None).status_code == 302
		assert authorize(zoho).status_code == 200


class TestCodes:
	def test_a_code_is_exchanged_for_tokens_that_work(self, zoho):
		answer = exchange(zoho, returned(authorize(zoho))["code"])
		assert answer["token_type"] == "Bearer" and answer["expires_in"] == 3600
		assert answer["scope"] == "ZohoCampaigns.campaign.READ ZohoCampaigns.contact.READ"
		assert works(zoho, answer["access_token"])
		assert {"refresh_token"} <= set(answer)

	def test_a_code_is_valid_once(self, zoho):
		code = returned(authorize(zoho))["code"]
		exchange(zoho, code)
		answer = token(zoho, grant_type="authorization_code", redirect_uri=HOME, code=code)
		assert (answer.status_code, answer.json()) == (200, {"error": "invalid_code"})

	def test_a_code_expires_after_a_minute(self, zoho):
		young, old = returned(authorize(zoho))["code"], returned(authorize(zoho))["code"]
		zoho.advance(30)
		assert "access_token" in exchange(zoho, young)
		zoho.advance(31)
		assert exchange(zoho, old) == {"error": "invalid_code"}

	@pytest.mark.parametrize(
		("wrong", "error"),
		[
			({"client_id": "other"}, "invalid_client"),
			({"client_secret": "guess"}, "invalid_client_secret"),
			({"redirect_uri": HOME + "/"}, "invalid_redirect_uri"),
			({"code": "1000.dead.beef"}, "invalid_code"),
			({"grant_type": "password"}, "unsupported_grant_type"),
		],
	)
	def test_a_wrong_exchange_gets_http_200_and_keeps_the_code_valid(self, zoho, wrong, error):
		code = returned(authorize(zoho))["code"]
		params = {"grant_type": "authorization_code", "redirect_uri": HOME, "code": code, **wrong}
		answer = token(zoho, **params)
		assert (answer.status_code, answer.json()) == (200, {"error": error})
		assert "access_token" in exchange(zoho, code)

	def test_without_offline_or_renewed_consent_there_is_no_refresh_token(self, zoho):
		online = returned(authorize(zoho, access_type="online"))["code"]
		assert "refresh_token" not in exchange(zoho, online)
		known = returned(authorize(zoho, prompt=None))["code"]
		assert "refresh_token" not in exchange(zoho, known)
		asked = returned(authorize(zoho))["code"]
		assert "refresh_token" in exchange(zoho, asked)

	def test_a_self_clients_code_needs_no_redirect_uri(self, zoho):
		code = zoho.grant_code("ZohoCampaigns.campaign.READ")
		answer = token(zoho, grant_type="authorization_code", code=code).json()
		assert works(zoho, answer["access_token"]) and answer["refresh_token"]

	def test_parameters_may_be_in_the_query(self, zoho):
		code = zoho.grant_code()
		params = {**CLIENT, "grant_type": "authorization_code", "code": code}
		answer = requests.post(f"{zoho.url}/oauth/v2/token", params=params, timeout=30)
		assert "access_token" in answer.json()
