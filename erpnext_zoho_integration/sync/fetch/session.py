"""What a run needs to talk to Zoho: clients, one token, one budget, and a thread that fetches ahead."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import frappe
from frappe.utils import cint

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection.clients import make_rate_limiter
from erpnext_zoho_integration.connection.settings import campaigns_url, get_settings
from erpnext_zoho_integration.connection.tokens import TokenSource
from erpnext_zoho_integration.store.doctypes import SETTINGS

# Zoho publishes no largest page; it refuses a larger one with code 6502, and what it accepts is remembered.
LARGEST_PAGE = 1000


class ZohoSession:
	"""The connection of a run. Close it at the end.

	Attributes:
		client: for the thread of the run; refreshes the token by itself.
		reader: for the fetching thread; does not.
		tokens: the token that both use.
		limiter: the budget of calls.
	"""

	def __init__(self, patience: float | None = None) -> None:
		settings = get_settings()
		self.limiter = make_rate_limiter(settings, patience)
		self.transport = zoho.Transport(before_call=self.limiter.before_call)
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
			campaigns_url(), self.tokens.cached, self.transport, page_size=self._page_size
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
		until = self.limiter.lock(error.endpoint or "", error.retry_after)
		locks = {name: end for name, end in self.limiter.locks.items() if end > time.time()}
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
