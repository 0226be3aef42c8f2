"""The table of data centres: the only hosts that may receive a secret."""

import pytest

from erpnext_zoho_integration.zoho import DATA_CENTERS, by_accounts_server, by_location

HOSTS = {
	"us": ("https://accounts.zoho.com", "https://campaigns.zoho.com", "https://www.zohoapis.com"),
	"eu": ("https://accounts.zoho.eu", "https://campaigns.zoho.eu", "https://www.zohoapis.eu"),
	"in": ("https://accounts.zoho.in", "https://campaigns.zoho.in", "https://www.zohoapis.in"),
	"au": ("https://accounts.zoho.com.au", "https://campaigns.zoho.com.au", "https://www.zohoapis.com.au"),
	"jp": ("https://accounts.zoho.jp", "https://campaigns.zoho.jp", "https://www.zohoapis.jp"),
	"ca": ("https://accounts.zohocloud.ca", "https://campaigns.zohocloud.ca", "https://www.zohoapis.ca"),
	"cn": ("https://accounts.zoho.com.cn", "https://campaigns.zoho.com.cn", "https://www.zohoapis.com.cn"),
	"sa": ("https://accounts.zoho.sa", "https://campaigns.zoho.sa", "https://www.zohoapis.sa"),
	"uk": ("https://accounts.zoho.uk", "https://campaigns.zoho.uk", "https://www.zohoapis.uk"),
	"ae": ("https://accounts.zoho.ae", "https://campaigns.zoho.ae", None),
}


def test_every_region_has_its_hosts():
	found = {code: (c.accounts_url, c.campaigns_url, c.api_domain) for code, c in DATA_CENTERS.items()}
	assert found == HOSTS


@pytest.mark.parametrize("location, code", [("in", "in"), (" EU ", "eu"), ("xx", None), ("", None)])
def test_location_of_a_callback_finds_its_data_centre(location, code):
	center = by_location(location)
	assert (center.code if center else None) == code


@pytest.mark.parametrize("code", HOSTS)
def test_accounts_server_of_each_region_is_known(code):
	assert by_accounts_server(HOSTS[code][0]) is DATA_CENTERS[code]


@pytest.mark.parametrize(
	"url",
	[
		"http://accounts.zoho.in",
		"https://accounts.zoho.in/",
		"https://accounts.zoho.in:443",
		"https://accounts.zoho.in:8443",
		"https://accounts.zoho.in/oauth",
		"https://accounts.zoho.in@evil.example",
		"https://evil.example/https://accounts.zoho.in",
		"https://accounts.zoho.in.evil.example",
		"https://ACCOUNTS.zoho.in",
		"https://campaigns.zoho.in",
		"//accounts.zoho.in",
		"accounts.zoho.in",
		" https://accounts.zoho.in",
		"",
	],
)
def test_no_other_accounts_server_is_accepted(url):
	assert by_accounts_server(url) is None
