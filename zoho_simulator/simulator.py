"""The simulator: an account that is served over HTTP."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from zoho_simulator.account import Account
from zoho_simulator.accounts_server import AccountsServer
from zoho_simulator.campaigns_server import PREFIX, CampaignsServer
from zoho_simulator.control_server import ControlServer
from zoho_simulator.faults import Fault, apply_fault
from zoho_simulator.html_pages import error_page, front_page
from zoho_simulator.http_messages import Answer, Request, html_answer
from zoho_simulator.http_server import HttpServer
from zoho_simulator.rate_limits import refusal
from zoho_simulator.settings import Settings
from zoho_simulator.sizing import make_world

# Endpoints of the accounts server, as the log and the planned faults name them.
ENDPOINTS = {
	"/oauth/v2/auth": "oauth/auth",
	"/oauth/v2/auth/decision": "oauth/decision",
	"/oauth/v2/token": "oauth/token",
	"/oauth/v2/token/revoke": "oauth/revoke",
}


class Simulator(Account):
	"""A simulated Zoho account: its accounts server and its campaigns server, on one port of 127.0.0.1.

	Use it as a context manager, or call `start` and `stop`. The data can be read without starting it.

	Args:
		options: the fields of `Settings`.

	Raises:
		ValueError: for an unknown option or a value that is not allowed.
	"""

	def __init__(self, **options: Any) -> None:
		settings = Settings().changed(options)
		super().__init__(settings, make_world(settings))
		self._accounts_server = AccountsServer(self)
		self._campaigns_server = CampaignsServer(self)
		self._control_server = ControlServer(self)
		self._http_server: HttpServer | None = None

	# -- running -------------------------------------------------------------------------------------------

	def start(self, port: int = 0) -> Simulator:
		"""Serve on 127.0.0.1 from a thread; port 0 takes any free one. Raises OSError if the port is taken."""
		if not self._http_server:
			server = HttpServer(self.serve, port)
			server.start()
			self._http_server = server
		return self

	def stop(self) -> None:
		"""Close the port and every connection."""
		if self._http_server:
			self._http_server.stop()
			self._http_server = None

	def __enter__(self) -> Simulator:
		return self.start()

	def __exit__(self, *_exception: object) -> None:
		self.stop()

	@property
	def port(self) -> int:
		if not self._http_server:
			raise RuntimeError("the simulator is not running")
		return self._http_server.port

	@property
	def url(self) -> str:
		return f"http://127.0.0.1:{self.port}"

	@property
	def site_config(self) -> dict[str, str]:
		"""The two keys of site_config.json that make a site use this simulator."""
		return {"zoho_accounts_base_url": self.url, "zoho_campaigns_base_url": self.url}

	def plan(self, *faults: Mapping[str, Any]) -> None:
		"""Replace the planned faults, see `faults.Fault`. Open the port again if a fault closed it."""
		super().plan(*faults)
		if self._http_server:
			self._http_server.reopen()

	def reset(self, tokens: bool = False, **options: Any) -> None:
		"""Return to the initial data and settings, see `Account.reset`. `tokens` also invalidates open consent pages."""
		super().reset(tokens, **options)
		if tokens:
			self._accounts_server.forget_pending()

	# -- answering -----------------------------------------------------------------------------------------

	def serve(self, request: Request) -> Answer:
		"""Answer one request: log it, apply planned faults, and let a server handle it."""
		if request.path.startswith("/_simulator/"):
			return self._control_server.handle(request)
		if request.path == "/":
			return html_answer(front_page(self.settings, self.url, len(self.world.sent())))
		endpoint = ENDPOINTS.get(request.path) or request.path.removeprefix(PREFIX)
		entry = self.log.add(endpoint, request)
		fault = self.faults.pick(endpoint, request.params)
		answer = self._answer_with_fault(request, fault) if fault else self._route(request)
		if self.settings.latency_ms:
			time.sleep(self.settings.latency_ms / 1000)
		self.log.complete(entry, answer.status, fault.fault if fault else "")
		return answer

	def _answer_with_fault(self, request: Request, fault: Fault) -> Answer:
		if fault.fault == "expire":
			self.tokens.expire_access_tokens()
		elif fault.fault == "revoke":
			self.tokens.revoke_all()
		elif fault.fault == "refuse" and self._http_server:
			self._http_server.close_for(fault.seconds)
		elif fault.fault == "delay":
			time.sleep(fault.seconds)
		elif fault.fault == "xml":
			request.query = [pair for pair in request.query if pair[0] not in ("resfmt", "type")]
			if request.form:
				request.body = urlencode([pair for pair in request.form if pair[0] != "resfmt"]).encode()
		answer = self._route(request) if fault.needs_answer else Answer()
		if fault.fault == "throttle":
			form = fault.form or self.settings.rate_refusal
			answer = refusal(form, self.settings.rate_lock, self.settings, request.path)
		return apply_fault(fault, answer, request.path)

	def _route(self, request: Request) -> Answer:
		if request.path.startswith("/oauth/"):
			return self._accounts_server.handle(request)
		if request.path.startswith(PREFIX):
			return self._campaigns_server.handle(request)
		return html_answer(error_page("not_found", "There is nothing at this address."), 404)
