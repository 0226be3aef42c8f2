"""The simulator as Python sees it."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from zoho_simulator import evolve as evolution
from zoho_simulator import truth as truths
from zoho_simulator.api import PREFIX, CampaignsServer
from zoho_simulator.campaigns import Campaign
from zoho_simulator.consent import error_page, front_page
from zoho_simulator.control import Control
from zoho_simulator.faults import Fault, FaultPlan, spoil
from zoho_simulator.formats import zone
from zoho_simulator.limits import Clock, PageCache, RateLimits, refusal
from zoho_simulator.messages import Answer, Request, html_answer
from zoho_simulator.oauth import AccountsServer
from zoho_simulator.server import Server
from zoho_simulator.settings import DATA_KNOBS, Settings
from zoho_simulator.world import World

ENDPOINTS = {
	"/oauth/v2/auth": "oauth/auth",
	"/oauth/v2/auth/decision": "oauth/decision",
	"/oauth/v2/token": "oauth/token",
	"/oauth/v2/token/revoke": "oauth/revoke",
	"/oauth/user/info": "oauth/user",
}
REQUESTS_KEPT = 5000


class Simulator:
	"""A Zoho on this machine: its accounts server and its campaigns server, on one port of 127.0.0.1.

	Args are the knobs of `Settings`. Use it as a context manager, or with `start` and `stop`.
	"""

	def __init__(self, **knobs: Any) -> None:
		self.settings = self._first_settings = Settings().changed(knobs)
		zone(self.settings.zone)  # fail here, not at the first request
		self.clock = Clock(self.settings.time_scale)
		self.limits = RateLimits(self.clock, lambda: self.settings)
		self.pages = PageCache(self.settings.page_cache_mb << 20)
		self.faults = FaultPlan()
		self.world = World(self.settings)
		self.accounts = AccountsServer(self)
		self._campaigns_server = CampaignsServer(self)
		self._control = Control(self)
		self._server: Server | None = None
		self._lock = threading.Lock()
		self._forget_requests()

	# -- running -------------------------------------------------------------------------------------------

	def start(self, port: int = 0) -> Simulator:
		"""Serve on 127.0.0.1 from a thread of its own; port 0 takes any free one."""
		if not self._server:
			self._server = Server(self.serve, port)
			self._server.start()
		return self

	def stop(self) -> None:
		"""Close the port and every connection."""
		if self._server:
			self._server.stop()
			self._server = None

	def __enter__(self) -> Simulator:
		return self.start()

	def __exit__(self, *_exception: object) -> None:
		self.stop()

	@property
	def port(self) -> int:
		if not self._server:
			raise RuntimeError("the simulator is not running")
		return self._server.port

	@property
	def url(self) -> str:
		return f"http://127.0.0.1:{self.port}"

	@property
	def site_config(self) -> dict[str, str]:
		"""Return the two keys that point a site at this simulator."""
		return {"zoho_accounts_base_url": self.url, "zoho_campaigns_base_url": self.url}

	# -- the data ------------------------------------------------------------------------------------------

	def truth(self) -> dict[str, Any]:
		"""Return what a correct and complete sync stores (see `truth.truth`)."""
		return truths.truth(self.world)

	def rows(self, campaign_key: str, action: str) -> Iterator[dict[str, Any]]:
		"""Yield the rows a sync stores for a campaign and action, such as "Opened" (see `truth.rows`)."""
		return truths.rows(self.world, campaign_key, action)

	def contacts(self, actions: Sequence[str] | None = None) -> int:
		"""Return the number of distinct e-mails among the rows of `actions`, by default all."""
		return truths.contacts(self.world, set(actions) if actions else None)

	def evolve(self, days: float = 1, campaign: str = "", **what: int) -> dict[str, Any]:
		"""Let days pass and things happen (see `evolve.evolve`)."""
		return evolution.evolve(self.world, days, campaign, **what)

	def page_read(self, campaign: Campaign) -> None:
		"""Count a page of recipients read, and let the campaign grow if `grow_every` says so."""
		every = self.settings.grow_every
		if every:
			with self._lock:
				self._pages_read[campaign.key] += 1
				due = self._pages_read[campaign.key] % every == 0
			if due:
				evolution.evolve(self.world, 0, campaign.key, opens=1)

	# -- settings ------------------------------------------------------------------------------------------

	def set(self, **knobs: Any) -> Settings:
		"""Change knobs while running. Those that shape the data need `reset`; ValueError tells so."""
		fixed = sorted(DATA_KNOBS & set(knobs))
		if fixed:
			raise ValueError(f"{', '.join(fixed)} shape the data: use reset()")
		self.settings = self.settings.changed(knobs)
		self.clock.set_scale(self.settings.time_scale)
		self.pages.limit = self.settings.page_cache_mb << 20
		self.pages.clear()
		return self.settings

	def reset(self, tokens: bool = False, **knobs: Any) -> None:
		"""Begin anew: data, requests, faults, limits, and the settings as constructed, but for `knobs`.

		Codes and tokens stay good, so that a connected site stays connected, unless `tokens` drops them.
		"""
		settings = self._first_settings.changed(knobs)
		zone(settings.zone)
		self.world, self.settings = World(settings), settings
		self.clock.set_scale(settings.time_scale)
		self.pages.limit = settings.page_cache_mb << 20
		self.pages.clear()
		self.plan()
		self.limits.clear()
		self._forget_requests()
		if tokens:
			self.accounts.forget()

	def advance(self, seconds: float) -> None:
		"""Let `seconds` pass for tokens, limits and locks, at once."""
		self.clock.advance(seconds)

	def plan(self, *faults: Mapping[str, Any]) -> None:
		"""Plan faults (see `faults.Fault`) in place of those planned before; none: everything works."""
		self.faults.plan(faults)
		if self._server:
			self._server.come_back()

	# -- tokens without a browser --------------------------------------------------------------------------

	def grant_code(self, scope: str = "ZohoCampaigns.campaign.READ", ttl: float = 600) -> str:
		"""Return a code as the developer console's Self Client shows it, to be pasted and exchanged."""
		return self.accounts.self_client_code(tuple(scope.split(",")), ttl)

	def grant_tokens(self, scope: str = "ZohoCampaigns.campaign.READ") -> dict[str, Any]:
		"""Return a token answer, as if a code had been exchanged."""
		return self.accounts.issue(tuple(scope.split(",")))

	# -- requests ------------------------------------------------------------------------------------------

	@property
	def requests(self) -> list[dict[str, Any]]:
		"""Return the last requests received, oldest first, with every secret replaced by a mark."""
		with self._lock:
			return list(self._requests)

	def stats(self) -> dict[str, Any]:
		"""Return calls per endpoint, answers by status, the fullest windows, and refusals for too many calls."""
		with self._lock:
			return {
				"calls": dict(self._calls),
				"statuses": dict(self._statuses),
				"faults": dict(self._faulty),
				"fullest_windows": dict(self.limits.fullest),
				"refused": dict(self.limits.refused),
			}

	def _forget_requests(self) -> None:
		with self._lock:
			self._requests: deque[dict[str, Any]] = deque(maxlen=REQUESTS_KEPT)
			self._number = itertools.count(1)
			self._calls: Counter[str] = Counter()
			self._statuses: Counter[int] = Counter()
			self._faulty: Counter[str] = Counter()
			self._pages_read: Counter[str] = Counter()

	def serve(self, request: Request) -> Answer:
		"""Answer one request: the whole simulator, but for the socket."""
		if request.path.startswith("/_simulator/"):
			return self._control.handle(request)
		if request.path == "/":
			return html_answer(front_page(self.settings, self.url, len(self.world.sent())))
		endpoint = ENDPOINTS.get(request.path) or request.path.removeprefix(PREFIX)
		record = {"endpoint": endpoint, **request.record()}
		with self._lock:
			record["number"] = next(self._number)
			self._requests.append(record)
			self._calls[endpoint] += 1
		fault = self.faults.pick(endpoint, request.params)
		answer = self._answer(request, fault)
		if self.settings.latency_ms:
			time.sleep(self.settings.latency_ms / 1000)
		record["status"] = answer.status
		record["fault"] = fault.fault if fault else ""
		with self._lock:
			self._statuses[answer.status] += 1
			if fault:
				self._faulty[fault.fault] += 1
		return answer

	def _answer(self, request: Request, fault: Fault | None) -> Answer:
		if fault and fault.fault == "expire":
			self.accounts.expire_access_tokens()
		elif fault and fault.fault == "revoke":
			self.accounts.revoke_all()
		elif fault and fault.fault == "refuse" and self._server:
			self._server.go_away(fault.seconds)
		elif fault and fault.fault == "delay":
			time.sleep(fault.seconds)
		elif fault and fault.fault == "xml":
			request.query = [pair for pair in request.query if pair[0] != "resfmt"]
		answer = self._route(request) if not fault or fault.lets_through else Answer()
		if fault and fault.fault == "throttle":
			form = fault.form or self.settings.rate_refusal
			answer = refusal(form, self.settings.rate_lock, self.settings, request.path)
		return spoil(fault, answer, request.path) if fault else answer

	def _route(self, request: Request) -> Answer:
		if request.path.startswith("/oauth/"):
			return self.accounts.handle(request)
		if request.path.startswith(PREFIX):
			return self._campaigns_server.handle(request)
		return html_answer(error_page("not_found", "There is nothing at this address."), 404)
