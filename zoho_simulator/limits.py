"""Zoho's limits on calls, page memory, and the clock they are counted by."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any

from zoho_simulator.messages import Answer, json_answer
from zoho_simulator.settings import Settings


class Clock:
	"""Seconds as the simulator counts them: real ones times a scale, plus what was skipped."""

	def __init__(self, scale: float) -> None:
		self._scale = scale
		self._base = 0.0
		self._started = time.monotonic()

	def now(self) -> float:
		return self._base + (time.monotonic() - self._started) * self._scale

	def set_scale(self, scale: float) -> None:
		self._base, self._started, self._scale = self.now(), time.monotonic(), scale

	def advance(self, seconds: float) -> None:
		"""Let `seconds` pass at once."""
		self._base += seconds


class RateLimits:
	"""Counts calls per method, in a rolling or fixed window, and locks a method after one too many.

	The fullest window of each method is measured even if no limit is set.
	"""

	def __init__(self, clock: Clock, settings: Callable[[], Settings]) -> None:
		self._clock = clock
		self._settings = settings
		self._lock = threading.Lock()
		self.clear()

	def clear(self) -> None:
		with self._lock:
			self._calls: dict[str, deque[float]] = {}
			self._fixed: dict[str, tuple[int, int]] = {}
			self._locked_until: dict[str, float] = {}
			self.fullest: dict[str, int] = {}
			self.refused: dict[str, int] = {}

	def admit(self, method: str) -> float | None:
		"""Count a call. Return None if it is admitted, else for how many seconds the method stays locked."""
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
		"""Count a call and return the calls in the rolling window that ends now and in the fixed one around now."""
		calls = self._calls.setdefault(method, deque())
		calls.append(now)
		while calls[0] <= now - window:
			calls.popleft()
		number = int(now // window)
		current, counted = self._fixed.get(method, (number, 0))
		self._fixed[method] = (number, counted + 1 if current == number else 1)
		return len(calls), self._fixed[method][1]


def refusal(form: str, seconds: float, settings: Settings, uri: str) -> Answer:
	"""Return a refusal in one of the forms Zoho might use (none is documented for Campaigns)."""
	minutes = max(1, round(seconds / 60))
	headers = {"Retry-After": str(max(1, round(seconds)))} if form.endswith("retry-after") else {}
	if form == "200-envelope":
		text = f"Calls limit exceeded. Permitted calls per 5 minutes {settings.rate_limit}."
		payload: dict[str, Any] = {
			"status": "error",
			"code": "2008",
			"message": text,
			"uri": uri,
			"version": "1.1",
		}
		return json_answer(payload)
	window = round(settings.rate_window / 60)
	message = (
		f"Cannot execute more than {settings.rate_limit} requests per API in {window} minutes."
		f" Try again after {minutes} minutes."
	)
	filtered = {
		"error": {
			"status_code": 400,
			"title": "URL_ROLLING_THROTTLES_LIMIT_EXCEEDED",
			"details": {"message": message},
		}
	}
	if form.startswith("429"):
		return Answer(429, b"<html><body>Too Many Requests</body></html>", "text/html", headers)
	return json_answer(filtered, 200 if form == "200-filter" else 400, headers)


class PageCache:
	"""Encoded pages, the least recently used dropped first, within a limit of bytes."""

	def __init__(self, limit: int) -> None:
		self.limit = limit
		self._pages: OrderedDict[tuple, bytes] = OrderedDict()
		self._size = 0
		self._lock = threading.Lock()

	def get(self, place: tuple) -> bytes | None:
		with self._lock:
			body = self._pages.get(place)
			if body is not None:
				self._pages.move_to_end(place)
			return body

	def put(self, place: tuple, body: bytes) -> None:
		with self._lock:
			self._size += len(body) - len(self._pages.pop(place, b""))
			self._pages[place] = body
			while self._size > self.limit:
				_place, dropped = self._pages.popitem(last=False)
				self._size -= len(dropped)

	def clear(self) -> None:
		with self._lock:
			self._pages.clear()
			self._size = 0
