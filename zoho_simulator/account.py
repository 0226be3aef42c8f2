"""The state of a simulated Zoho account, which its three servers share."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from zoho_simulator import activity
from zoho_simulator import expected as expectation
from zoho_simulator.campaigns import Campaign
from zoho_simulator.clock import Clock
from zoho_simulator.contacts import ContactBook
from zoho_simulator.faults import FaultPlan
from zoho_simulator.page_cache import PageCache
from zoho_simulator.rate_limits import RateLimits
from zoho_simulator.request_log import RequestLog
from zoho_simulator.settings import DATA_OPTIONS, Settings
from zoho_simulator.sizing import make_world
from zoho_simulator.tokens import TokenStore
from zoho_simulator.world import World


class Account:
	"""An account: its settings, data, tokens, limits, planned faults and received requests.

	Args:
		settings: the initial settings; `reset` returns to them.
		world: the data, from `sizing.make_world(settings)`.

	Attributes:
		contact_book: contacts, lists and topics, with what people do: `confirm`, `unsubscribe`, `leave_topic`.
	"""

	def __init__(self, settings: Settings, world: World) -> None:
		self.settings = settings
		self.world = world
		self.contact_book = ContactBook(world, lambda: self.settings)
		self.clock = Clock(settings.time_scale)
		self.limits = RateLimits(self.clock, lambda: self.settings)
		self.tokens = TokenStore(self.clock, lambda: self.settings)
		self.page_cache = PageCache(settings.page_cache_mb << 20)
		self.faults = FaultPlan()
		self.log = RequestLog()
		self._initial_settings = settings
		self._pages_read: Counter[str] = Counter()
		self._lock = threading.Lock()

	# -- data ----------------------------------------------------------------------------------------------

	def expected(self) -> dict[str, Any]:
		"""Return the figures of a complete and correct sync, see `expected.expected`."""
		return expectation.expected(self.world)

	def rows(self, campaign_key: str, action: str) -> Iterator[dict[str, Any]]:
		"""Yield the rows that a sync stores for an action ("Opened") of a campaign, see `expected.rows`."""
		return expectation.rows(self.world, campaign_key, action)

	def contacts(self, actions: Sequence[str] | None = None) -> int:
		"""Return the number of distinct e-mails among the rows of `actions`, by default of all actions."""
		return expectation.contacts(self.world, set(actions) if actions else None)

	def contact(self, email: str) -> dict[str, Any] | None:
		"""Return a contact's state, lists, topics and fields; None if no contact has the e-mail."""
		found = self.contact_book.find(email)
		return found.as_dict() if found else None

	def writes(self) -> dict[str, Any]:
		"""Return confirmation mails, re-subscriptions and calls by e-mail, see `ContactBook.writes`."""
		return self.contact_book.writes()

	def evolve(self, days: float = 1, campaign: str = "", **what: int) -> dict[str, Any]:
		"""Let days pass and add activity, see `activity.evolve`."""
		return activity.evolve(self.world, days, campaign, **what)

	def count_page(self, campaign: Campaign) -> None:
		"""Count a page of recipients that was read. Add an open to the campaign if the setting grow_every says so."""
		every = self.settings.grow_every
		if every:
			with self._lock:
				self._pages_read[campaign.key] += 1
				due = self._pages_read[campaign.key] % every == 0
			if due:
				activity.evolve(self.world, 0, campaign.key, opens=1)

	# -- settings ------------------------------------------------------------------------------------------

	def set(self, **options: Any) -> Settings:
		"""Change options while running. Raises ValueError for an option that shapes the data; use `reset` for those."""
		fixed = sorted(DATA_OPTIONS & options.keys())
		if fixed:
			raise ValueError(f"{', '.join(fixed)} shape the data: use reset()")
		self._apply(self.settings.changed(options))
		return self.settings

	def reset(self, tokens: bool = False, **options: Any) -> None:
		"""Return to the initial data and settings, changed by `options`. Forget requests, faults and limits.

		Codes and tokens stay valid, so that a connected site stays connected, unless `tokens` is true.
		"""
		settings = self._initial_settings.changed(options)
		self.world = make_world(settings)
		self.contact_book = ContactBook(self.world, lambda: self.settings)
		self._apply(settings)
		self.plan()
		self.limits.clear()
		self.log.clear()
		with self._lock:
			self._pages_read.clear()
		if tokens:
			self.tokens.clear()

	def _apply(self, settings: Settings) -> None:
		self.settings = settings
		self.clock.set_scale(settings.time_scale)
		self.page_cache.limit = settings.page_cache_mb << 20
		self.page_cache.clear()

	def advance(self, seconds: float) -> None:
		"""Skip `seconds` simulated seconds for tokens, limits and locks."""
		self.clock.advance(seconds)

	def plan(self, *faults: Mapping[str, Any]) -> None:
		"""Replace the planned faults, see `faults.Fault`. Without arguments, everything works."""
		self.faults.plan(faults)

	# -- tokens without a browser --------------------------------------------------------------------------

	def grant_code(self, scope: str = "ZohoCampaigns.campaign.READ", ttl: float = 600) -> str:
		"""Return a Self Client's code for comma-separated scopes, valid for `ttl` simulated seconds."""
		return self.tokens.self_client_code(tuple(scope.split(",")), ttl)

	def grant_tokens(self, scope: str = "ZohoCampaigns.campaign.READ") -> dict[str, Any]:
		"""Return a token answer for comma-separated scopes, as if a code had been exchanged."""
		return self.tokens.issue(tuple(scope.split(",")))

	# -- requests ------------------------------------------------------------------------------------------

	@property
	def requests(self) -> list[dict[str, Any]]:
		"""The last requests, oldest first, with every secret masked."""
		return self.log.entries()

	def stats(self) -> dict[str, Any]:
		"""Return calls per endpoint, answers per status, faults, the fullest windows and the refused calls per method."""
		return {
			**self.log.counts(),
			"fullest_windows": dict(self.limits.fullest),
			"refused": dict(self.limits.refused),
		}
