"""The accounts server: consent, codes, tokens, limits and revoking, as a browser and a client meet them."""

import base64
import hashlib
import re
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from zoho_simulator import Simulator

HOME = "http://erp.localhost:8000/api/method/callback"
ASKED = {
	"client_id": "sim-client",
	"response_type": "code",
	"redirect_uri": HOME,
	"scope": "ZohoCampaigns.campaign.READ,ZohoCampaigns.contact.READ",
	"access_type": "offline",
	"prompt": "consent",
	"state": "s+t/a=t e",
}
CLIENT = {"client_id": "sim-client", "client_secret": "sim-secret"}


@pytest.fixture
def zoho():
	with Simulator(campaigns=1, recipients=10, data_center="eu") as simulator:
		yield simulator


def authorise(zoho, **changes):
	params = {name: value for name, value in {**ASKED, **changes}.items() if value is not None}
	return requests.get(f"{zoho.url}/oauth/v2/auth", params, allow_redirects=False, timeout=30)


def returned(answer):
	"""Return what the browser brings back to the redirect URI."""
	assert answer.status_code == 302
	url, _mark, query = answer.headers["Location"].partition("?")
	assert url == HOME
	return dict(parse_qsl(query))


def token(zoho, **params):
	return requests.post(f"{zoho.url}/oauth/v2/token", data={**CLIENT, **params}, timeout=30)


def exchange(zoho, code, **params):
	wanted = {"grant_type": "authorization_code", "redirect_uri": HOME, "code": code, **params}
	return token(zoho, **wanted).json()


def refresh(zoho, refresh_token, **params):
	return token(zoho, grant_type="refresh_token", refresh_token=refresh_token, **params)


def works(zoho, access_token):
	headers = {"Authorization": f"Zoho-oauthtoken {access_token}"}
	url = f"{zoho.url}/api/v1.1/recentcampaigns?resfmt=JSON"
	return requests.get(url, headers=headers, timeout=30).status_code == 200


class TestConsent:
	def test_accepting_brings_code_place_and_state_back(self, zoho):
		back = returned(authorise(zoho))
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
	def test_each_data_centre_names_its_own_hosts(self, data_center, host, api):
		with Simulator(campaigns=0, data_center=data_center) as zoho:
			back = returned(authorise(zoho))
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
	def test_a_wrong_request_gets_a_page_and_no_redirect(self, zoho, wrong, named):
		answer = authorise(zoho, **wrong)
		assert answer.status_code == 400 and named in answer.text
		assert "Location" not in answer.headers

	def test_registered_redirect_uris_must_match_exactly(self, zoho):
		zoho.set(redirect_uris=["https://erp.example.com/cb"])
		assert authorise(zoho).status_code == 400
		assert authorise(zoho, redirect_uri="https://erp.example.com/cb/").status_code == 400
		assert authorise(zoho, redirect_uri="https://erp.example.com/cb").status_code == 302

	@pytest.mark.parametrize("decision", ["accept", "reject"])
	def test_the_page_asks_and_each_button_answers_once(self, zoho, decision):
		zoho.set(auto_approve=False)
		page = authorise(zoho)
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

	def test_the_page_escapes_what_it_shows(self, zoho):
		zoho.set(auto_approve=False, client_id="<script>x</script>")
		page = authorise(zoho, client_id="<script>x</script>")
		assert "<script>" not in page.text and "&lt;script&gt;" in page.text

	def test_who_consented_before_is_asked_only_with_prompt_consent(self, zoho):
		returned(authorise(zoho))
		zoho.set(auto_approve=False)
		assert authorise(zoho, prompt=None).status_code == 302
		assert authorise(zoho).status_code == 200


class TestCodes:
	def test_a_code_is_exchanged_for_tokens_that_work(self, zoho):
		answer = exchange(zoho, returned(authorise(zoho))["code"])
		assert answer["token_type"] == "Bearer" and answer["expires_in"] == 3600
		assert answer["scope"] == "ZohoCampaigns.campaign.READ ZohoCampaigns.contact.READ"
		assert works(zoho, answer["access_token"])
		assert {"refresh_token"} <= set(answer)

	def test_a_code_is_good_once(self, zoho):
		code = returned(authorise(zoho))["code"]
		exchange(zoho, code)
		answer = token(zoho, grant_type="authorization_code", redirect_uri=HOME, code=code)
		assert (answer.status_code, answer.json()) == (200, {"error": "invalid_code"})

	def test_a_code_dies_after_a_minute(self, zoho):
		young, old = returned(authorise(zoho))["code"], returned(authorise(zoho))["code"]
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
	def test_a_wrong_exchange_is_told_with_http_200_and_leaves_the_code_good(self, zoho, wrong, error):
		code = returned(authorise(zoho))["code"]
		params = {"grant_type": "authorization_code", "redirect_uri": HOME, "code": code, **wrong}
		answer = token(zoho, **params)
		assert (answer.status_code, answer.json()) == (200, {"error": error})
		assert "access_token" in exchange(zoho, code)

	def test_without_offline_or_renewed_consent_there_is_no_refresh_token(self, zoho):
		online = returned(authorise(zoho, access_type="online"))["code"]
		assert "refresh_token" not in exchange(zoho, online)
		known = returned(authorise(zoho, prompt=None))["code"]
		assert "refresh_token" not in exchange(zoho, known)
		asked = returned(authorise(zoho))["code"]
		assert "refresh_token" in exchange(zoho, asked)

	def test_a_challenge_must_be_met(self, zoho):
		verifier = "v" * 50
		digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
		code = returned(authorise(zoho, code_challenge=digest, code_challenge_method="S256"))["code"]
		assert exchange(zoho, code) == {"error": "invalid_code"}
		assert exchange(zoho, code, code_verifier="w" * 50) == {"error": "invalid_code"}
		assert "access_token" in exchange(zoho, code, code_verifier=verifier)

	def test_a_self_clients_code_needs_no_redirect_uri(self, zoho):
		code = zoho.grant_code("ZohoCampaigns.campaign.READ")
		answer = token(zoho, grant_type="authorization_code", code=code).json()
		assert works(zoho, answer["access_token"]) and answer["refresh_token"]

	def test_parameters_may_come_in_the_query_and_the_secret_by_basic(self, zoho):
		code = zoho.grant_code()
		url = f"{zoho.url}/oauth/v2/token?grant_type=authorization_code&code={code}"
		assert "access_token" in requests.post(url, auth=("sim-client", "sim-secret"), timeout=30).json()


class TestTokens:
	def test_refreshing_keeps_the_refresh_token(self, zoho):
		first = zoho.grant_tokens()
		answer = refresh(zoho, first["refresh_token"]).json()
		assert "refresh_token" not in answer
		assert answer["access_token"] != first["access_token"]
		assert works(zoho, first["access_token"]) and works(zoho, answer["access_token"])

	def test_an_access_token_expires(self, zoho):
		first = zoho.grant_tokens()
		zoho.advance(3500)
		assert works(zoho, first["access_token"])
		zoho.advance(101)
		assert not works(zoho, first["access_token"])
		assert works(zoho, refresh(zoho, first["refresh_token"]).json()["access_token"])

	@pytest.mark.parametrize(("form", "status"), [("200", 200), ("400", 400), ("localised", 200)])
	def test_the_eleventh_token_in_ten_minutes_is_refused(self, zoho, form, status):
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

	def test_the_sixteenth_access_token_evicts_the_first(self, zoho):
		zoho.set(token_limit=0)
		first = zoho.grant_tokens()
		others = [refresh(zoho, first["refresh_token"]).json()["access_token"] for _nth in range(14)]
		assert works(zoho, first["access_token"])
		last = refresh(zoho, first["refresh_token"]).json()["access_token"]
		assert not works(zoho, first["access_token"])
		assert works(zoho, others[0]) and works(zoho, last)

	def test_the_twenty_first_refresh_token_evicts_the_first_with_its_access_tokens(self, zoho):
		first, second = zoho.grant_tokens(), zoho.grant_tokens()
		for _nth in range(19):
			zoho.grant_tokens()
		assert refresh(zoho, first["refresh_token"]).json() == {"error": "invalid_code"}
		assert not works(zoho, first["access_token"])
		assert works(zoho, second["access_token"])

	@pytest.mark.parametrize("where", ["params", "data"])
	def test_revoking_a_refresh_token_kills_its_access_tokens(self, zoho, where):
		mine, other = zoho.grant_tokens(), zoho.grant_tokens()
		url = f"{zoho.url}/oauth/v2/token/revoke"
		answer = requests.post(url, timeout=30, **{where: {"token": mine["refresh_token"]}})
		assert (answer.status_code, answer.json()) == (200, {"status": "success"})
		assert not works(zoho, mine["access_token"]) and works(zoho, other["access_token"])
		assert refresh(zoho, mine["refresh_token"]).json() == {"error": "invalid_code"}
		again = requests.post(url, timeout=30, **{where: {"token": mine["refresh_token"]}})
		assert again.status_code == 400

	def test_old_answers_counted_in_milliseconds(self, zoho):
		zoho.set(legacy_expires_in=True)
		answer = refresh(zoho, zoho.grant_tokens()["refresh_token"]).json()
		assert (answer["expires_in"], answer["expires_in_sec"]) == (3_600_000, 3600)

	def test_withdrawing_the_consent_kills_everything(self, zoho):
		mine = zoho.grant_tokens()
		assert requests.post(f"{zoho.url}/_simulator/revoke", timeout=30).status_code == 200
		assert not works(zoho, mine["access_token"])
		assert refresh(zoho, mine["refresh_token"]).json() == {"error": "invalid_code"}

	def test_a_reset_keeps_tokens_unless_told(self, zoho):
		mine = zoho.grant_tokens()
		zoho.reset()
		assert works(zoho, mine["access_token"])
		zoho.reset(tokens=True)
		assert not works(zoho, mine["access_token"])

	def test_time_can_run_faster(self):
		with Simulator(campaigns=1, recipients=10, time_scale=1e6) as zoho:
			code = zoho.grant_code(ttl=1)
			assert token(zoho, grant_type="authorization_code", code=code).json() == {"error": "invalid_code"}


def test_who_am_i_needs_the_scope_for_it(zoho):
	url = f"{zoho.url}/oauth/user/info"

	def ask(scope):
		headers = {"Authorization": f"Zoho-oauthtoken {zoho.grant_tokens(scope)['access_token']}"}
		return requests.get(url, headers=headers, timeout=30)

	assert ask("ZohoCampaigns.campaign.READ").status_code == 401
	assert ask("AaaServer.profile.Read").json()["ZUID"] == "700000001"


def test_no_secret_is_kept_of_any_request(zoho):
	code = returned(authorise(zoho))["code"]
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


def test_a_marked_secret_still_tells_tokens_apart(zoho):
	first, second = zoho.grant_tokens()["access_token"], zoho.grant_tokens()["access_token"]
	for each in (first, second, first):
		works(zoho, each)
	marks = [each["headers"]["authorization"] for each in zoho.requests]
	assert marks[0] == marks[2] != marks[1]
	assert all(re.fullmatch(r"Zoho-oauthtoken \*\*\*[0-9a-f]{8}", each) for each in marks)


def test_the_front_page_shows_no_secret(zoho):
	page = requests.get(zoho.url, timeout=30).text
	assert "sim-client" in page and "sim-secret" not in page
	assert "sim-secret" not in requests.get(f"{zoho.url}/_simulator/settings", timeout=30).text
	assert urlsplit(zoho.url).hostname == "127.0.0.1"
