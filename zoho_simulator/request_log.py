"""The requests a simulator received, without secrets, and statistics about them."""

from __future__ import annotations

import itertools
import threading
from collections import Counter, deque
from typing import Any

from zoho_simulator.http_messages import Request

REQUESTS_KEPT = 5000


class RequestLog:
	"""Keep the last `REQUESTS_KEPT` requests, and count all of them."""

	def __init__(self) -> None:
		self._lock = threading.Lock()
		self._entries: deque[dict[str, Any]] = deque(maxlen=REQUESTS_KEPT)
		self._numbers = itertools.count(1)
		self._calls: Counter[str] = Counter()
		self._statuses: Counter[int] = Counter()
		self._faults: Counter[str] = Counter()

	def add(self, endpoint: str, request: Request) -> dict[str, Any]:
		"""Log a request before it is answered. Return its entry, which `complete` takes."""
		entry = {"endpoint": endpoint, **request.masked()}
		with self._lock:
			entry["number"] = next(self._numbers)
			self._entries.append(entry)
			self._calls[endpoint] += 1
		return entry

	def complete(self, entry: dict[str, Any], status: int, fault: str) -> None:
		"""Add the HTTP status of the answer and the kind of the fault ("" for none) to an entry."""
		entry["status"] = status
		entry["fault"] = fault
		with self._lock:
			self._statuses[status] += 1
			if fault:
				self._faults[fault] += 1

	def clear(self) -> None:
		"""Forget all requests and start numbering from 1 again."""
		with self._lock:
			self._numbers = itertools.count(1)
			for kept in (self._entries, self._calls, self._statuses, self._faults):
				kept.clear()

	def entries(self) -> list[dict[str, Any]]:
		"""Return the entries, oldest first."""
		with self._lock:
			return list(self._entries)

	def counts(self) -> dict[str, dict]:
		"""Return the number of calls per endpoint, of answers per status, and of faults per kind."""
		with self._lock:
			return {
				"calls": dict(self._calls),
				"statuses": dict(self._statuses),
				"faults": dict(self._faults),
			}
