"""Makes the Zoho client and the rate limiter from Zoho Settings."""

import json
import time
from collections.abc import Callable
from functools import partial

import redis

import frappe
from frappe.model.document import Document
from frappe.utils import cint

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection.settings import campaigns_url, get_settings
from erpnext_zoho_integration.connection.tokens import TokenSource
from erpnext_zoho_integration.connection.zoho_rate_limit import (
	DEFAULT_CALLS,
	PATIENCE_SECONDS,
	WINDOW_SECONDS,
	RateLimiter,
)
from erpnext_zoho_integration.store.doctypes import SETTINGS


def campaigns_client(
	token_provider: Callable[[], str] | None = None,
	transport: zoho.Transport | None = None,
	*,
	patience: float | None = None,
) -> zoho.CampaignsClient:
	"""Return a client for the connected account.

	Args:
		token_provider: returns the access token for each call; by default the stored one, refreshed when it expires.
		transport: sends the calls; by default one that keeps the budget of calls which all workers share.
		patience: how many seconds a call waits for that budget; by default not at all in a web request, and else
			`PATIENCE_SECONDS`.

	Raises:
		BudgetUsedUp: by a call, if it would have to wait for longer than that.
	"""
	source = TokenSource()
	return zoho.CampaignsClient(
		campaigns_url(),
		token_provider or source.current,
		transport or _limited_transport(patience),
		refresh=source.renew,
	)


def _limited_transport(patience: float | None) -> zoho.Transport:
	if patience is None and getattr(frappe.local, "request", None):
		patience = 0
	limiter = make_rate_limiter(patience=patience)
	return zoho.Transport(before_call=limiter.before_call, on_limit=partial(remember_lock, limiter))


def make_rate_limiter(settings: Document | None = None, patience: float | None = None) -> RateLimiter:
	"""Return the rate limiter of the site, whose budget all its workers share.

	`zoho_rate_window_seconds` in site_config.json shortens the window for a simulator that scales its time.

	Args:
		settings: Zoho Settings; read if they are not given.
		patience: the longest wait in seconds; by default `PATIENCE_SECONDS`.
	"""
	settings = settings or get_settings()
	cache = frappe.cache
	return RateLimiter(
		redis.Redis(connection_pool=cache.connection_pool),
		cache.make_key("zoho-").decode(),
		calls=cint(settings.calls_per_window) or DEFAULT_CALLS,
		window=float(frappe.conf.get("zoho_rate_window_seconds") or WINDOW_SECONDS),
		locks=json.loads(settings.method_locks or "{}"),
		patience=PATIENCE_SECONDS if patience is None else patience,
	)


def remember_lock(limiter: RateLimiter, error: zoho.RateLimited) -> float:
	"""Tell all workers that Zoho has locked a method. Commits.

	Returns:
		The end of the lock, in seconds since the epoch.
	"""
	until = limiter.lock(error.endpoint or "", error.retry_after)
	locks = {name: end for name, end in limiter.locks.items() if end > time.time()}
	frappe.db.set_single_value(SETTINGS, {"method_locks": json.dumps(locks)}, update_modified=False)
	frappe.db.commit()  # nosemgrep - must stay whatever happens to the caller
	return until
