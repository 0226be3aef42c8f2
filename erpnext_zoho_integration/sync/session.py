"""What a run needs to talk to Zoho: clients, one token, one budget, and a thread that fetches ahead."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import redis

import frappe
from frappe.model.document import Document
from frappe.utils import cint

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection import TokenSource, campaigns_url
from erpnext_zoho_integration.connection.clients import SETTINGS, get_settings
from erpnext_zoho_integration.sync.governor import DEFAULT_CALLS, PATIENCE_SECONDS, WINDOW_SECONDS, Governor

# Zoho publishes no largest page; it refuses a larger one with code 6502, and what it accepts is remembered.
LARGEST_PAGE = 1000


class Session:
	"""The connection of a run. Close it at the end.

	Attributes:
		client: for the thread of the run; refreshes the token by itself.
		reader: for the fetching thread; does not.
		tokens: the token that both use.
		governor: the budget of calls.
	"""

	def __init__(self, patience: float | None = None) -> None:
		settings = get_settings()
		self.governor = make_governor(settings, patience)
		self.transport = zoho.Transport(before_call=self.governor.before_call)
		self.tokens = TokenSource()
		self.executor = ThreadPoolExecutor(1, thread_name_prefix="zoho-fetch")
		self._page_size = cint(settings.page_size) or LARGEST_PAGE
		self.client = zoho.CampaignsClient(
			campaigns_url(),
			self.tokens.current,
			self.transport,
			refresh=self.tokens.renew,
		)
		self.reader = zoho.CampaignsClient(
			campaigns_url(), self.tokens.held, self.transport, page_size=self._page_size
		)

	@property
	def calls(self) -> int:
		"""How many requests have been sent."""
		return self.transport.calls

	@property
	def page_size(self) -> int:
		"""The page size that Zoho accepts, as far as is known."""
		return min([self._page_size, *self.reader.page_limits.values()])

	def remember_lock(self, error: zoho.RateLimited) -> float:
		"""Tell all workers that Zoho has locked a method; return the end as seconds since the epoch. Commits."""
		until = self.governor.lock(error.endpoint or "", error.retry_after)
		locks = {name: end for name, end in self.governor.locks.items() if end > time.time()}
		frappe.db.set_single_value(SETTINGS, {"method_locks": json.dumps(locks)}, update_modified=False)
		frappe.db.commit()  # nosemgrep - must outlive whatever happens to this run
		return until

	def close(self, *, remember: bool = True) -> None:
		"""End the fetching thread.

		Args:
			remember: note the page size that Zoho accepts; not where the app was uninstalled meanwhile.
		"""
		self.executor.shutdown(wait=True, cancel_futures=True)
		if remember and self.page_size != self._page_size:
			frappe.db.set_single_value(SETTINGS, {"page_size": self.page_size}, update_modified=False)


def make_governor(settings: Document | None = None, patience: float | None = None) -> Governor:
	"""Return the budget of the site, shared by all its workers.

	`zoho_rate_window_seconds` in site_config.json shortens the window for a simulator that scales its time.
	"""
	settings = settings or get_settings()
	cache = frappe.cache
	return Governor(
		redis.Redis(connection_pool=cache.connection_pool),
		cache.make_key("zoho-").decode(),
		calls=cint(settings.calls_per_window) or DEFAULT_CALLS,
		window=float(frappe.conf.get("zoho_rate_window_seconds") or WINDOW_SECONDS),
		locks=json.loads(settings.method_locks or "{}"),
		patience=PATIENCE_SECONDS if patience is None else patience,
	)
