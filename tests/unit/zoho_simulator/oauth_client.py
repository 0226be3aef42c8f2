"""An OAuth client and a browser for the simulator's accounts server."""

from urllib.parse import parse_qsl

import requests

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


def authorize(zoho, **changes):
	params = {name: value for name, value in {**ASKED, **changes}.items() if value is not None}
	return requests.get(f"{zoho.url}/oauth/v2/auth", params, allow_redirects=False, timeout=30)


def returned(answer):
	"""Return the parameters with which the browser is redirected to the redirect URI."""
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
