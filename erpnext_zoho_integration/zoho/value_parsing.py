"""Read single values as Zoho writes them: nearly all are texts, and "nothing" has several spellings.

No function raises for a value from Zoho: a value that cannot be read becomes None.
"""

import ast
import json
import re
from collections.abc import Iterator
from typing import Any, Final

# A missing value is one of these texts or null, or its key is absent.
NOTHING: Final = ("", "null", "undefined")
# The largest signed integer of 64 bits, which is the largest that databases store.
LARGEST: Final = 2**63 - 1
# A longer text is not parsed as a structure.
LONGEST_STRUCTURE: Final = 200_000

_GROUPED = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_PLAIN = re.compile(r"[+-]?\d{1,30}(?:\.\d{0,30})?")
_COUNT_THEN_NAME = re.compile(r"\s*(-?\d[\d,]*\d|-?\d)\s*,?(.*)", re.S)
_NEXT_URL = re.compile(r",\s+(?=[A-Za-z][A-Za-z0-9+.-]*:)")
_NEXT_PAIR = re.compile(r",\s*(?=[A-Za-z_][\w ]*=)")


def text(value: Any) -> str | None:
	"""Return the trimmed text; None for nothing and for anything but a text or a number."""
	if value is None:
		return None
	if type(value) is str:
		value = value.strip()
		return None if value in NOTHING else value
	if isinstance(value, int | float) and not isinstance(value, bool):
		return str(value)
	return None


def number(value: Any) -> int | float | None:
	"""Return a number from `90`, `"90"`, `"50.3"`, `"50.3%"` or `"1,234"`; None for anything else.

	A comma is accepted only between groups of three digits, because "50,3" is ambiguous. Infinity, NaN and
	numbers that do not fit into 64 bits give None too.
	"""
	if value is None or isinstance(value, bool):
		return None
	if isinstance(value, int):
		return value if -LARGEST <= value <= LARGEST else None
	if isinstance(value, float):
		return value if abs(value) <= LARGEST else None
	if not isinstance(value, str):
		return None
	digits = value.strip()
	if digits.isdigit() and digits.isascii() and len(digits) < 19:  # the usual case
		return int(digits)
	digits = digits.removesuffix("%").rstrip()
	if _GROUPED.fullmatch(digits):
		digits = digits.replace(",", "")
	elif not _PLAIN.fullmatch(digits) or not digits.isascii():
		return None
	return number(float(digits) if "." in digits else int(digits))


def count(value: Any) -> int | None:
	"""Return a whole number that is not negative; None for anything else."""
	if value is None:
		return None
	found = number(value)
	if found is None or found < 0 or found != int(found):
		return None
	return int(found)


def percentage(value: Any) -> float | None:
	"""Return a percentage that is not negative, `50.3` for `"50.3"` and `"50.3%"`; None for anything else."""
	found = number(value)
	return None if found is None or found < 0 else float(found)


def is_nothing(value: Any) -> bool:
	"""Tell whether a value is missing, as opposed to one that cannot be read."""
	return value is None or (isinstance(value, str) and value.strip() in NOTHING)


def flag(value: Any) -> bool:
	"""Return False for nothing and for every spelling of "no", True for anything else."""
	if isinstance(value, str):
		return value.strip().casefold() not in ("", "0", "false", "no", "null", "undefined")
	return bool(value)


def rows(value: Any) -> list[Any]:
	"""Return a list of rows from a list, a single row, or nothing in any spelling."""
	if isinstance(value, list):
		return value
	return [value] if isinstance(value, dict) and value else []


def first(value: Any) -> dict[str, Any]:
	"""Return the mapping in a container that is a one-element list, a bare mapping, or empty."""
	for row in rows(value):
		if isinstance(row, dict):
			return row
	return {}


def counts_by_name(value: Any) -> dict[str, int]:
	"""Return counts by name from `{"India": 12}`, `"{in=2, us=3}"`, a list of these, or nothing."""
	found: dict[str, int] = {}
	for name, raw in _named(value):
		how_many = count(raw)
		if how_many is not None:
			found[name] = found.get(name, 0) + how_many
	return found


def _named(value: Any) -> Iterator[tuple[str, Any]]:
	if isinstance(value, dict):
		yield from value.items()
	elif isinstance(value, list):
		for item in value:
			yield from _named(item)
	elif isinstance(value, str):
		inner = value.strip()
		if inner.startswith("{") and inner.endswith("}"):
			parsed = structure(inner) if '"' in inner or "'" in inner else None
			yield from parsed.items() if isinstance(parsed, dict) else _java_counts(inner[1:-1])


def _java_counts(inner: str) -> Iterator[tuple[str, str]]:
	"""Yield the entries of `Korea, Republic of=3, in=2`; names and counts may contain commas."""
	name, *pieces = inner.split("=")
	for piece in pieces:
		match = _COUNT_THEN_NAME.match(piece)
		if not match:
			return
		yield name.strip(), match[1]
		name = match[2]


def urls(value: Any) -> list[str]:
	"""Return the addresses in `"[https://a.example/?x=1,2, https://b.example]"` or in a list of texts.

	Java prints a list like this, so a comma may belong to an address. It is a separator only if another
	address follows or, if no address has a scheme, if a space follows.
	"""
	if isinstance(value, list):
		found = [text(item) for item in value]
		return [item for item in found if item]
	inner = text(value)
	if inner is None:
		return []
	inner = inner.removeprefix("[").removesuffix("]").strip()
	parts = _NEXT_URL.split(inner) if ":" in inner else inner.split(", ")
	return [part.strip() for part in parts if part.strip()]


def structure(value: Any) -> Any:
	"""Return the list or mapping that is written in a text, or `value` itself if there is none.

	The text may be JSON, Python's notation (single quotes) or Java's notation for maps and lists:
	`[{time=Feb 12, 2026 12:08 PM, url=https://a.example}]`.
	"""
	if not isinstance(value, str) or len(value) > LONGEST_STRUCTURE:
		return value
	inner = value.strip()
	if not inner or inner[0] not in "[{":
		return value
	for reader in (json.loads, ast.literal_eval, _java):
		try:
			found = reader(inner)
		except (ValueError, SyntaxError, RecursionError, MemoryError):
			continue
		if isinstance(found, list | dict):
			return found
	return value


def _java(printed: str) -> Any:
	"""Return the structure in `{a=1, b=x, y}` or `[{…}, {…}]`; raise `ValueError` if it is ambiguous."""
	if printed.startswith("[") and printed.endswith("]"):
		inner = printed[1:-1].strip()
		if not inner:
			return []
		if inner.startswith("{") and inner.endswith("}"):
			return [_java_map(part) for part in re.split(r"\}\s*,\s*\{", inner[1:-1])]
		raise ValueError("not a list of maps")
	if printed.startswith("{") and printed.endswith("}"):
		return _java_map(printed[1:-1])
	raise ValueError("not a map")


def _java_map(inner: str) -> dict[str, str]:
	found = {}
	for pair in _NEXT_PAIR.split(inner) if inner.strip() else ():
		key, separator, value = pair.partition("=")
		if not separator:
			raise ValueError("not a map entry")
		found[key.strip()] = value.strip()
	return found
