"""The simulated clock for rate limits, locks, and the lifetimes of codes and tokens."""

from __future__ import annotations

import time


class Clock:
	"""Count simulated seconds: real seconds times `scale`, plus skipped ones. It starts at 0."""

	def __init__(self, scale: float) -> None:
		self._scale = scale
		self._base = 0.0
		self._started = time.monotonic()

	def now(self) -> float:
		return self._base + (time.monotonic() - self._started) * self._scale

	def set_scale(self, scale: float) -> None:
		self._base, self._started, self._scale = self.now(), time.monotonic(), scale

	def advance(self, seconds: float) -> None:
		"""Skip `seconds` simulated seconds."""
		self._base += seconds
