"""The connection of a run to Zoho: clients, one token, one budget of calls, and a thread that fetches ahead."""

from concurrent.futures import ThreadPoolExecutor

import frappe
from frappe.utils import cint

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection.clients import make_rate_limiter, remember_lock
from erpnext_zoho_integration.connection.settings import campaigns_url, get_settings
from erpnext_zoho_integration.connection.tokens import TokenSource
from erpnext_zoho_integration.connection.zoho_rate_limit import RateLimiter
from erpnext_zoho_integration.store.doctypes import SETTINGS

# Zoho does not publish its largest page. It refuses a larger one with code 6502; the accepted size is remembered.
LARGEST_PAGE = 1000


class ZohoSession:
	"""The connection of a run, see `open_session`. Close it at the end.

	Args:
		url: of the API.
		limiter: the budget of calls.
		page_size: the largest page that Zoho has accepted.

	Attributes:
		client: for the thread of the run; refreshes the token by itself.
		reader: for the fetching thread; does not refresh the token.
		tokens: the access token that both use.
	"""

	def __init__(self, url: str, limiter: RateLimiter, page_size: int) -> None:
		self.limiter = limiter
		self.transport = zoho.Transport(before_call=limiter.before_call)
		self.tokens = TokenSource()
		self.executor = ThreadPoolExecutor(1, thread_name_prefix="zoho-fetch")
		self._page_size = page_size
		self.client = zoho.CampaignsClient(
			url, self.tokens.current, self.transport, refresh=self.tokens.renew
		)
		self.reader = zoho.CampaignsClient(url, self.tokens.cached, self.transport, page_size=page_size)

	@property
	def calls(self) -> int:
		"""How many requests have been sent."""
		return self.transport.calls

	@property
	def page_size(self) -> int:
		"""The page size that Zoho accepts, as far as is known."""
		return min([self._page_size, *self.reader.page_limits.values()])

	def remember_lock(self, error: zoho.RateLimited) -> float:
		"""Tell all workers that Zoho has locked a method. Commits.

		Returns:
			The end of the lock, in seconds since the epoch.
		"""
		return remember_lock(self.limiter, error)

	def close(self, *, remember: bool = True) -> None:
		"""End the fetching thread.

		Args:
			remember: note the page size that Zoho accepts; False if the app was uninstalled meanwhile.
		"""
		self.executor.shutdown(wait=True, cancel_futures=True)
		if remember and self.page_size != self._page_size:
			frappe.db.set_single_value(SETTINGS, {"page_size": self.page_size}, update_modified=False)


def open_session(patience: float | None = None) -> ZohoSession:
	"""Return a connection with the settings of this site.

	Args:
		patience: how many seconds a call waits for the budget, see `connection.zoho_rate_limit`.
	"""
	settings = get_settings()
	limiter = make_rate_limiter(settings, patience)
	return ZohoSession(campaigns_url(), limiter, cint(settings.page_size) or LARGEST_PAGE)
