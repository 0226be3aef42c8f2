"""A cache of encoded pages of recipients."""

from __future__ import annotations

import threading
from collections import OrderedDict


class PageCache:
	"""Keep at most `limit` bytes of pages; drop the least recently used page first."""

	def __init__(self, limit: int) -> None:
		self.limit = limit
		self._pages: OrderedDict[tuple, bytes] = OrderedDict()
		self._size = 0
		self._lock = threading.Lock()

	def get(self, key: tuple) -> bytes | None:
		with self._lock:
			body = self._pages.get(key)
			if body is not None:
				self._pages.move_to_end(key)
			return body

	def put(self, key: tuple, body: bytes) -> None:
		with self._lock:
			self._size += len(body) - len(self._pages.pop(key, b""))
			self._pages[key] = body
			while self._size > self.limit:
				_key, dropped = self._pages.popitem(last=False)
				self._size -= len(dropped)

	def clear(self) -> None:
		with self._lock:
			self._pages.clear()
			self._size = 0
