"""The keys that came in a list, kept in little memory, so that duplicates and missing rows can be told."""

import base64
from array import array
from collections.abc import Collection, Iterable

_BUCKET = 1 << 16


# So many keys are kept with the position of a sync, for whoever goes on with it; more would weigh on every page.
_KEPT = 4096


# So many can be looked up one by one, in some megabytes.
_LOOKED_UP = 1 << 15


class SeenKeys:
	"""The keys that came in the lists of one action: eight bytes each, so that a million fit into eight megabytes."""

	def __init__(self) -> None:
		self._keys = array("Q")
		self._set: set[int] = set()  # of the first ones

	def add(self, keys: Iterable[str]) -> None:
		"""Add keys of rows."""
		self._keys.extend(map(_number, keys))

	def among(self, keys: Collection[str]) -> Collection[str]:
		"""Return at least those of these keys that have come before."""
		if len(self._keys) > _LOOKED_UP:
			self._set.clear()
			return keys
		self._set.update(self._keys[len(self._set) :])  # some of them once more, where keys were equal
		return [key for key in keys if _number(key) in self._set]

	def add_ids(self, identifiers: Iterable[str | None]) -> None:
		"""Add Zoho's ids of contacts, which are numbers; others are left out."""
		self._keys.extend([int(each) for each in identifiers if each and each.isdecimal() and len(each) < 20])

	def repeated(self) -> int:
		"""Return how many came more than once."""
		return len(self._keys) - self.distinct()

	def distinct(self) -> int:
		"""Return how many different keys there are, with little memory beyond them."""
		buckets = len(self._keys) // _BUCKET + 1
		if buckets == 1:
			return len(set(self._keys))
		return sum(len({key for key in self._keys if key % buckets == b}) for b in range(buckets))

	def as_set(self) -> frozenset[int]:
		return frozenset(self._keys)

	def dump(self) -> str | None:
		"""Return the keys as text, or None if they are too many to be kept."""
		return base64.b64encode(self._keys.tobytes()).decode() if len(self._keys) <= _KEPT else None

	@classmethod
	def load(cls, text: str | None) -> "SeenKeys | None":
		"""Return the keys of `dump`, or None if they were not kept."""
		if text is None:
			return None
		seen = cls()
		seen._keys.frombytes(base64.b64decode(text))
		return seen


def _number(key: str) -> int:
	"""Return the last 64 bits of a row's key, which are its own; it begins with what stands for the list."""
	return int(key[-16:], 16)
