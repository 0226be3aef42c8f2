"""The row keys that came in a list, kept in little memory, to detect duplicates and rows that are gone at Zoho."""

import base64
from array import array
from collections.abc import Collection, Iterable

# `distinct` counts in buckets of about so many keys.
_BUCKET = 1 << 16
# Up to so many keys are stored with the cursor of a sync; more would make every commit slower.
_MAX_DUMPED = 4096
# Up to so many keys are also kept as a set, which takes some megabytes.
_MAX_SET = 1 << 15


class SeenKeys:
	"""The keys that came in the lists of one action: eight bytes each, so a million take eight megabytes."""

	def __init__(self) -> None:
		self._keys = array("Q")
		self._set: set[int] = set()  # the first keys

	def add(self, keys: Iterable[str]) -> None:
		"""Add row keys."""
		self._keys.extend(map(key_number, keys))

	def among(self, keys: Collection[str]) -> Collection[str]:
		"""Return those of these keys that may have come before; all of them once there are too many to look up."""
		if len(self._keys) > _MAX_SET:
			self._set.clear()
			return keys
		self._set.update(self._keys[len(self._set) :])  # the set is smaller than the array if keys came twice
		return [key for key in keys if key_number(key) in self._set]

	def add_ids(self, identifiers: Iterable[str | None]) -> None:
		"""Add Zoho contact ids; those that are no number of at most 19 digits are left out."""
		self._keys.extend([int(each) for each in identifiers if each and each.isdecimal() and len(each) < 20])

	def repeated(self) -> int:
		"""Return how many keys were repetitions of one that had come before."""
		return len(self._keys) - self.distinct()

	def distinct(self) -> int:
		"""Return the number of different keys, using little memory."""
		buckets = len(self._keys) // _BUCKET + 1
		if buckets == 1:
			return len(set(self._keys))
		return sum(len({key for key in self._keys if key % buckets == b}) for b in range(buckets))

	def as_set(self) -> frozenset[int]:
		"""Return the different keys, see `key_number`."""
		return frozenset(self._keys)

	def dump(self) -> str | None:
		"""Return the keys as text, or None if there are too many."""
		return base64.b64encode(self._keys.tobytes()).decode() if len(self._keys) <= _MAX_DUMPED else None

	@classmethod
	def load(cls, text: str | None) -> "SeenKeys | None":
		"""Return the keys that `dump` returned as text, or None if it returned None."""
		if text is None:
			return None
		seen = cls()
		seen._keys.frombytes(base64.b64decode(text))
		return seen


def key_number(key: str) -> int:
	"""Return the last 64 bits of a row key as a number. The first part of a key is the same for all rows of a list."""
	return int(key[-16:], 16)
