"""Zoho's limits on API calls: numbers of calls per method and window, then a lock.

ref: https://www.zoho.com/campaigns/help/developers/campaign-recipient-data.html (500 calls in 5 minutes, 30 minutes lock)
ref: https://www.zoho.com/campaigns/help/developers/contact-subscribe.html (500 a minute, 12,500 an hour, 75,000 a day)
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Callable
from typing import Any

from zoho_simulator.clock import Clock
from zoho_simulator.http_messages import Answer, error, json_answer
from zoho_simulator.settings import Settings

# Per method with other windows than `rate_window`: the length of each window in rate_windows, and its calls in rate_limits.
OTHER_WINDOWS = {"json/listsubscribe": ((1 / 5, 1), (12, 25), (288, 150))}


class RateLimits:
	"""Count calls per method in a rolling or fixed window; lock a method that exceeds its limit.

	`fullest` has the largest number of calls that each method had in one rolling window, even without a limit; longer
	windows are "method seconds".
	`refused` has the number of refused calls per method.
	"""

	def __init__(self, clock: Clock, settings: Callable[[], Settings]) -> None:
		self.fullest: dict[str, int] = {}
		self.refused: dict[str, int] = {}
		self._clock = clock
		self._settings = settings
		self._lock = threading.Lock()
		self._calls: dict[str, list[float]] = {}
		self._fixed: dict[tuple[str, float], tuple[int, int]] = {}
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
			if not self._count(method, now, settings):
				return None
			self._locked_until[method] = now + settings.rate_lock
			self.refused[method] = self.refused.get(method, 0) + 1
			return settings.rate_lock

	def _count(self, method: str, now: float, settings: Settings) -> bool:
		"""Count a call in every window of its method. Return whether one has too many."""
		calls = self._calls.setdefault(method, [])
		calls.append(now)
		exceeded = False
		windows = OTHER_WINDOWS.get(method, ((1, 1),))
		for number, (length, share) in enumerate(windows):
			seconds = settings.rate_window * length
			rolling = len(calls) - bisect_right(calls, now - seconds)
			place = f"{method} {seconds:g}" if number else method
			self.fullest[place] = max(self.fullest.get(place, 0), rolling)
			fixed = self._count_fixed((method, seconds), int(now // seconds))
			counted = rolling if settings.rate_windows == "rolling" else fixed
			exceeded = exceeded or 0 < settings.rate_limit * share < counted
		old = bisect_right(calls, now - settings.rate_window * windows[-1][0])
		if old > 1000:
			del calls[:old]
		return exceeded

	def _count_fixed(self, place: tuple[str, float], number: int) -> int:
		current, counted = self._fixed.get(place, (number, 0))
		self._fixed[place] = (number, counted + 1 if current == number else 1)
		return self._fixed[place][1]


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
