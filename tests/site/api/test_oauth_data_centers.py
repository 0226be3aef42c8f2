"""Which of Zoho's hosts a site turns to when site_config.json names no other: a proxy on loopback sees and stops it."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator

import pytest

import frappe

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection import authorization
from erpnext_zoho_integration.connection.authorization import StateRefused
from erpnext_zoho_integration.connection.clients import campaigns_client
from erpnext_zoho_integration.connection.tokens import store_tokens
from erpnext_zoho_integration.erpnext_zoho_integration.api import oauth
from tests.site.connecting import enter_client, query_of, secret
from tests.site.server import TestSite
from zoho_simulator import Simulator

TOKENS = zoho.Tokens("1000.new-access-token", "1000.new-refresh-token", 3600, None, "")


class Proxy(socketserver.ThreadingTCPServer):
	"""Notes which hosts are asked for, and refuses to connect to them."""

	daemon_threads = True

	def __init__(self) -> None:
		super().__init__(("127.0.0.1", 0), Refusal)
		self.hosts: list[str] = []


class Refusal(socketserver.StreamRequestHandler):
	server: Proxy

	def handle(self) -> None:
		self.server.hosts.append(self.rfile.readline().split()[1].decode())
		while self.rfile.readline().strip():
			pass
		self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")


@pytest.fixture
def proxy(site: TestSite, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
	"""The world outside; site_config.json names no Zoho while it is there."""
	with Proxy() as server:
		thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
		thread.start()
		monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.server_address[1]}")
		config = site.config()
		site.write_config({name: value for name, value in config.items() if not name.startswith("zoho_")})
		yield server
		site.write_config(config)
		server.shutdown()
		thread.join()


@pytest.mark.parametrize("center", zoho.DATA_CENTERS)
def test_the_consent_page_is_that_of_the_chosen_data_centre(proxy: Proxy, center: str) -> None:
	enter_client(data_center=center)
	url = authorization.begin()
	assert url.startswith(f"{zoho.DATA_CENTERS[center].accounts_url}/oauth/v2/auth?")
	assert proxy.hosts == []


@pytest.mark.parametrize(("center", "host"), [("eu", "accounts.zoho.eu"), ("ca", "accounts.zohocloud.ca")])
def test_the_code_goes_to_the_data_centre_that_the_callback_names(
	proxy: Proxy, center: str, host: str
) -> None:
	enter_client(data_center="in")
	state = query_of(authorization.begin())["state"]
	server = zoho.DATA_CENTERS[center].accounts_url
	with pytest.raises(zoho.Unavailable):
		authorization.complete({"code": "1000.a-code", "state": state, "accounts-server": server})
	assert set(proxy.hosts) == {f"{host}:443"}


@pytest.mark.parametrize(
	"server",
	[
		"https://evil.example",
		"https://accounts.zoho.in.evil.example",
		"https://accounts.zoho.in@evil.example",
	],
)
def test_a_foreign_server_is_never_asked(proxy: Proxy, server: str) -> None:
	enter_client()
	state = query_of(authorization.begin())["state"]
	with pytest.raises(zoho.AuthorizationRefused):
		authorization.complete({"code": "1000.a-code", "state": state, "accounts-server": server})
	with pytest.raises(StateRefused):
		authorization.complete({"code": "1000.a-code", "state": "wrong", "accounts-server": server})
	assert proxy.hosts == []


def test_campaigns_are_read_and_tokens_refreshed_in_the_accounts_data_centre(
	simulator: Simulator, proxy: Proxy
) -> None:
	enter_client(data_center="jp")
	store_tokens(TOKENS, "jp", "Administrator")
	with pytest.raises(zoho.Unavailable):
		campaigns_client().call("recentcampaigns")
	assert set(proxy.hosts) == {"campaigns.zoho.jp:443"}
	proxy.hosts.clear()
	with pytest.raises(frappe.ValidationError):
		oauth.refresh_access_token()
	assert set(proxy.hosts) == {"accounts.zoho.jp:443"}


def test_a_previous_token_is_revoked_where_it_came_from(simulator: Simulator, proxy: Proxy) -> None:
	enter_client(data_center="in")
	store_tokens(TOKENS, "in", "Administrator")
	newer = zoho.Tokens("1000.newer-access-token", "1000.newer-refresh-token", 3600, None, "")
	store_tokens(newer, "eu", "Administrator")
	assert set(proxy.hosts) == {"accounts.zoho.in:443"}
	assert secret("refresh_token") == newer.refresh_token
	assert frappe.db.count("Error Log", {"method": "Zoho: refresh token not revoked"}) == 1
