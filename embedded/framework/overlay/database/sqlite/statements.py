"""Translate statements and values that Frappe makes for MariaDB for sqlite3, and convert values back."""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

PLACEHOLDER = re.compile(r"%%|%s|%\((\w+)\)s")
FIRST_WORD = re.compile(r"\s*(\w*)")
FOR_UPDATE = re.compile(
	r"\s+for\s+update(\s+(nowait|skip\s+locked|wait\s+\d+))?\s*;?\s*(/\*.*?\*/\s*)?$",
	re.IGNORECASE | re.DOTALL,
)
INSERT_IGNORE = re.compile(r"^\s*insert\s+ignore\b", re.IGNORECASE)
LOCATE = re.compile(r"\blocate\(([^,]+),([^)]+)\)", re.IGNORECASE)
WRITES_AFTER_ALL = re.compile(
	r"\b(?:insert\s+into|update\s+\S+\s+set|delete\s+from|replace\s+into)\b", re.IGNORECASE
)

# SQLite refuses more than 32,766 parameters. Values beyond this number are written into the statement.
MOST_PARAMETERS = 30_000
_STORED_UNCHANGED = frozenset({int, float, str, bytes, bool, type(None)})
_LISTS = frozenset({list, tuple, set, frozenset})


class Kind(Enum):
	"""The kind of transaction that a statement needs."""

	READ = "a snapshot"
	WRITE = "the write lock"
	SCHEMA = "none: it commits by itself, as on MariaDB"
	OTHER = "nothing"


KINDS = {
	**dict.fromkeys(("insert", "update", "delete", "replace", "savepoint"), Kind.WRITE),
	**dict.fromkeys(("create", "alter", "drop"), Kind.SCHEMA),
}


def translate(query: str) -> tuple[str, Kind]:
	"""Return the statement in SQLite's dialect, and its kind.

	`SELECT … FOR UPDATE` counts as writing: SQLite has no row locks, so it takes the write lock.
	"""
	lowered = query.lower()
	word = FIRST_WORD.match(lowered)[1]
	if "locate(" in lowered:
		query = LOCATE.sub(r"instr(\2, \1)", query)
	if word == "select":
		# The expression is slow on statements with thousands of values.
		statement = FOR_UPDATE.sub("", query) if "update" in lowered else query
		return statement, Kind.READ if statement == query else Kind.WRITE
	if word == "with":
		return query, Kind.WRITE if WRITES_AFTER_ALL.search(query) else Kind.READ
	return INSERT_IGNORE.sub("INSERT OR IGNORE", query), KINDS.get(word, Kind.OTHER)


def bind(query: str, values: Sequence | dict | None) -> tuple[str, list]:
	"""Replace `%s` and `%(name)s` by `?` and return the values in that order.

	Like MariaDB's drivers, turn lists, tuples and sets into `(?, ?, …)`, and replace nothing, not even `%%`, if
	there are no values.
	"""
	if not values:
		return query, []
	if plain := _bind_plainly(query, values):
		return plain
	parameters: list = []
	positional = None if isinstance(values, dict) else iter(values)

	def place(match: re.Match) -> str:
		if match[0] == "%%":
			return "%"
		value = values[match[1]] if positional is None else next_value(positional, query)
		if isinstance(value, list | tuple | set | frozenset):
			return "(" + ", ".join(hold(item) for item in value) + ")" if value else "(NULL)"
		return hold(value)

	def hold(value: Any) -> str:
		value = to_sqlite(value)
		if len(parameters) >= MOST_PARAMETERS:
			return literal(value)
		parameters.append(value)
		return "?"

	return PLACEHOLDER.sub(place, query), parameters


def _bind_plainly(query: str, values: Sequence | dict) -> tuple[str, list] | None:
	"""Bind plain values to as many `%s` at once, for speed: a page of rows has thousands. Else return None."""
	if isinstance(values, dict) or len(values) > MOST_PARAMETERS or "%%" in query or "%(" in query:
		return None
	types = set(map(type, values))
	if query.count("%s") != len(values) or not _LISTS.isdisjoint(types):
		return None
	return query.replace("%s", "?"), list(values if types <= _STORED_UNCHANGED else map(to_sqlite, values))


def next_value(values: Iterator, query: str) -> Any:
	for value in values:
		return value
	raise sqlite3.ProgrammingError(f"Fewer values than placeholders in: {query[:200]}")


def literal(value: Any) -> str:
	"""Return a value that is already converted as SQL."""
	if value is None:
		return "NULL"
	if isinstance(value, bytes):
		return f"x'{value.hex()}'"
	if isinstance(value, str):
		return "'" + value.replace("'", "''") + "'"
	return repr(value)


def to_sqlite(value: Any) -> Any:
	"""Convert a Python value to one that sqlite3 stores: dates and times as text in MariaDB's format."""
	if type(value) in _STORED_UNCHANGED:
		return value
	if isinstance(value, datetime):
		return value.replace(tzinfo=None).isoformat(" ", "microseconds")
	if isinstance(value, date):
		return value.isoformat()
	if isinstance(value, time):
		return value.isoformat("microseconds")
	if isinstance(value, timedelta):
		minutes, seconds = divmod(value.total_seconds(), 60)
		return f"{int(minutes) // 60:02}:{int(minutes) % 60:02}:{seconds:09.6f}"
	if isinstance(value, Decimal):
		return float(value)
	return value if isinstance(value, int | float | str | bytes) else str(value)


def read_datetime(stored: bytes) -> datetime | str:
	text = stored.decode()
	try:
		return datetime.strptime(text[:26], "%Y-%m-%d %H:%M:%S.%f" if "." in text else "%Y-%m-%d %H:%M:%S")
	except ValueError:
		pass
	try:
		return datetime.fromisoformat(text).replace(tzinfo=None)
	except ValueError:
		return text


def read_date(stored: bytes) -> date | str:
	try:
		return date.fromisoformat(stored.decode()[:10])
	except ValueError:
		return stored.decode()


def read_time(stored: bytes) -> timedelta | str:
	"""Return a time of day as a timedelta, like MariaDB's drivers."""
	try:
		hours, minutes, seconds = stored.decode().split(":")
		return timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds))
	except ValueError:
		return stored.decode()


def register_converters() -> None:
	"""Convert columns declared as dates and times to Python's types."""
	for name, converter in {
		"timestamp": read_datetime,
		"datetime": read_datetime,
		"date": read_date,
		"time": read_time,
	}.items():
		sqlite3.register_converter(name, converter)
