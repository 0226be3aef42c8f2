"""Zoho's limit on API calls: a number of calls per method and window, then a lock.

ref: https://www.zoho.com/campaigns/help/developers/campaign-recipient-data.html (500 calls in 5 minutes, 30 minutes lock)
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from zoho_simulator.clock import Clock
from zoho_simulator.http_messages import Answer, error, json_answer
from zoho_simulator.settings import Settings


class RateLimits:
	"""Count calls per method in a rolling or fixed window; lock a method that exceeds its limit.

	`fullest` has the largest number of calls that each method had in one rolling window, even without a limit.
	`refused` has the number of refused calls per method.
	"""

	def __init__(self, clock: Clock, settings: Callable[[], Settings]) -> None:
		self.fullest: dict[str, int] = {}
		self.refused: dict[str, int] = {}
		self._clock = clock
		self._settings = settings
		self._lock = threading.Lock()
		self._calls: dict[str, deque[float]] = {}
		self._fixed: dict[str, tuple[int, int]] = {}
		self._locked_until: dict[str, float] = {}

	def clear(self) -> None:
		"""Forget all calls and locks."""
		with self._lock:
			for counts in (self.fullest, self.refused, self._calls, self._fixed, self._locked_until):
				counts.clear()

	def admit(self, method: str) -> float | None:
		"""Count a call. Return None if it is admitted, else the seconds for which the method stays locked."""
		settings, now = self._settings(), self._clock.now()
		with self._lock:
			until = self._locked_until.get(method, 0.0) if settings.rate_limit else 0.0
			if now < until:
				self.refused[method] = self.refused.get(method, 0) + 1
				if settings.lock_extends:
					until = self._locked_until[method] = now + settings.rate_lock
				return until - now
			rolling, fixed = self._count(method, now, settings.rate_window)
			self.fullest[method] = max(self.fullest.get(method, 0), rolling)
			calls = rolling if settings.rate_windows == "rolling" else fixed
			if not settings.rate_limit or calls <= settings.rate_limit:
				return None
			self._locked_until[method] = now + settings.rate_lock
			self.refused[method] = self.refused.get(method, 0) + 1
			return settings.rate_lock

	def _count(self, method: str, now: float, window: float) -> tuple[int, int]:
		"""Count a call. Return the calls in the rolling window that ends now and in the current fixed window."""
		calls = self._calls.setdefault(method, deque())
		calls.append(now)
		while calls[0] <= now - window:
			calls.popleft()
		number = int(now // window)
		current, counted = self._fixed.get(method, (number, 0))
		self._fixed[method] = (number, counted + 1 if current == number else 1)
		return len(calls), self._fixed[method][1]


def refusal(form: str, seconds: float, settings: Settings, uri: str) -> Answer:
	"""Return a refusal in one of the forms that Zoho might use; Zoho documents none for Campaigns.

	Args:
		form: one of `settings.REFUSALS`.
		seconds: how long the method stays locked.
		settings: the limit and window that the refusal names.
		uri: the path of the refused call.
	"""
	if form == "200-envelope":
		text = f"Calls limit exceeded. Permitted calls per 5 minutes {settings.rate_limit}."
		return json_answer(error("2008", uri, text))
	headers = {"Retry-After": str(max(1, round(seconds)))} if form.endswith("retry-after") else {}
	if form.startswith("429"):
		return Answer(429, b"<html><body>Too Many Requests</body></html>", "text/html", headers)
	message = (
		f"Cannot execute more than {settings.rate_limit} requests per API in {round(settings.rate_window / 60)}"
		f" minutes. Try again after {max(1, round(seconds / 60))} minutes."
	)
	payload: dict[str, Any] = {
		"status_code": 400,
		"title": "URL_ROLLING_THROTTLES_LIMIT_EXCEEDED",
		"details": {"message": message},
	}
	return json_answer({"error": payload}, 200 if form == "200-filter" else 400, headers)
