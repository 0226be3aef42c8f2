"""Look-ups of many values in one statement, for each database."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from pypika.terms import Criterion

import frappe
from frappe.query_builder import Field

from erpnext_zoho_integration.store.sql_values import placeholders, quote_character

# What MariaDB puts between, behind and in place of the values of packed rows.
_NEXT, _END, _NULL = "\x1f", "\x1e", "\x1d"


class Lookup(NamedTuple):
	"""What is looked up, with the arguments of `select_in`.

	Attributes:
		numbers: those of the columns that are whole numbers; all others are texts.
	"""

	doctype: str
	columns: Sequence[str]
	column: str
	values: Collection[str]
	condition: str = ""
	any_case: bool = False
	numbers: Collection[str] = ()


def select_in(
	doctype: str,
	columns: Sequence[str],
	column: str,
	values: Iterable[str],
	condition: str = "",
	*,
	any_case: bool = False,
) -> list[tuple]:
	"""Return columns of the rows whose `column` the database holds for one of `values`.

	The same as a query of `frappe.qb`, which takes longer to write a thousand values than the database to find them.

	Args:
		doctype: its name.
		columns: to select.
		column: with an index.
		values: a page of them; nothing is asked for none.
		condition: further fixed SQL, such as ` AND contact IS NULL`.
		any_case: compare what the database's own lower() makes of the column.
	"""
	lookup = Lookup(doctype, columns, column, list(values), condition, any_case)
	if not lookup.values:
		return []
	query, bound = _sql_of(lookup)
	return list(frappe.db.sql(query, bound))  # nosemgrep - names of columns are ours, values are bound


def look_up(lookup: Lookup) -> list[tuple]:
	"""Return what `select_in` does, of texts and whole numbers only.

	MariaDB's driver takes longer to read a row than the server to find it; so the rows come as one text.
	"""
	if not lookup.values:
		return []
	if frappe.db.db_type == "mariadb":
		query, bound = _sql_of(lookup, packed=True)
		found = _ask_packed(query, bound, [column in lookup.numbers for column in lookup.columns])
		if found is not None:
			return found
	return select_in(*lookup[:5], any_case=lookup.any_case)


def select_all(doctype: str, columns: Sequence[str], end: str = "") -> list[tuple]:
	"""Return columns of all rows of a small table, texts only.

	Args:
		doctype: its name.
		columns: to select.
		end: fixed SQL behind the table, such as `shared_lock()`.
	"""
	names = [f"{quote_character()}{name}{quote_character()}" for name in columns]
	table = f"FROM {quote_character()}tab{doctype}{quote_character()}{end}"
	if frappe.db.db_type == "mariadb":
		found = _ask_packed(f"SELECT {_pack(names)} {table}", (), [False] * len(names))
		if found is not None:
			return found
	return list(frappe.db.sql(f"SELECT {', '.join(names)} {table}"))  # nosemgrep - names are ours


def _ask_packed(query: str, bound: tuple, numbers: Sequence[bool]) -> list[tuple] | None:
	"""Return the rows of a query whose columns are packed, see `unpacked`."""
	((count, text),) = frappe.db.sql(query, bound)  # nosemgrep - names of columns are ours, values are bound
	return unpacked(count, text, numbers)


def unpacked(count: int, text: str | None, numbers: Sequence[bool]) -> list[tuple] | None:
	"""Return rows that came as one text.

	Args:
		count: how many they are.
		text: values and what stands between them.
		numbers: whether it is a whole number, of each column.

	Returns:
		The rows; None where they cannot be told: cut off, since longer than the server's `group_concat_max_len`, or with
		what stands between values in one of them.
	"""
	text = text or ""
	if text.count(_END) != count or text[-1:] not in (_END, ""):
		return None
	rows: list = [row.split(_NEXT) for row in text.split(_END)[:-1]]
	if any(len(row) != len(numbers) for row in rows):
		return None
	if _NULL in text:
		rows = [[None if value == _NULL else value for value in row] for row in rows]
	for place in [place for place, is_number in enumerate(numbers) if is_number]:
		for row in rows:
			row[place] = row[place] if row[place] is None else int(row[place])
	return list(map(tuple, rows))


def select_together(*lookups: Lookup) -> list[list[tuple]]:
	"""Return what `select_in` finds for each of some lookups, in one statement; numbers may come as text."""
	asked = {number: lookup for number, lookup in enumerate(lookups) if lookup.values}
	found: list[list[tuple]] = [[] for _each in lookups]
	if frappe.db.db_type == "postgres":  # which unites only columns of one type
		for number, lookup in asked.items():
			found[number] = look_up(lookup)
		return found
	width = max((len(lookup.columns) for lookup in lookups), default=0)
	queries = [_sql_of(lookup, f"{number}, ", width) for number, lookup in asked.items()]
	if queries:
		query = " UNION ALL ".join(query for query, _bound in queries)
		bound = tuple(value for _query, bound in queries for value in bound)
		for number, *values in frappe.db.sql(query, bound):  # nosemgrep - as above
			found[number].append(tuple(values[: len(lookups[number].columns)]))
	return found


def latest_of_each(
	doctype: str, column: str, values: Iterable[str], word: str, time: str
) -> list[tuple[str, str, datetime | str]]:
	"""Return what is said of each of `values`, word by word, compared exactly, with the latest time of it.

	Args:
		doctype: its name.
		column: with an index; what is spoken of.
		values: a page of them; nothing is asked for none.
		word: the column that says something.
		time: the column that says when.
	"""
	values = list(values)
	if not values:
		return []
	quote = quote_character()
	column, word, time = (f"{quote}{name}{quote}" for name in (column, word, time))
	# Postgres compares exactly by itself.
	exactly = {"mariadb": f"BINARY {word}", "sqlite": f"{word} COLLATE BINARY"}.get(frappe.db.db_type, word)
	places, bound = placeholders(values)
	query = (
		f"SELECT {column} AS subject, {word} AS word, MAX({time}) AS moment FROM {quote}tab{doctype}{quote} "
		f"WHERE {column} IN ({places}) GROUP BY {column}, {exactly}"
	)
	if frappe.db.db_type == "mariadb":
		columns = _pack(("subject", "word", "moment"))
		found = _ask_packed(f"SELECT {columns} FROM ({query}) AS latest", bound, [False] * 3)
		if found is not None:
			return found
	return list(frappe.db.sql(query, bound))  # nosemgrep - as above


def shared_lock() -> str:
	"""Return what makes a SELECT read what is committed now, and keeps others from changing it until the commit.

	SQLite has one writer at a time and needs nothing.
	"""
	return {"mariadb": " LOCK IN SHARE MODE", "postgres": " FOR SHARE"}.get(frappe.db.db_type, "")


def any_case(
	doctype: str, columns: Sequence[str], column: str, values: Collection[str], condition: str = ""
) -> Lookup:
	"""Return a lookup of at least the rows whose text equals one of `values` in any letter case.

	Blanks behind the text do not matter. What it finds is compared again in Python: MariaDB's collation finds more than
	that (see `identity`).

	Args:
		values: in lower case.
	"""
	if frappe.db.db_type == "mariadb":  # ignores case and blanks by itself and uses the index
		return Lookup(doctype, columns, column, values, condition)
	# SQLite's lower() knows ASCII only.
	upper = {
		"".join(c if c.isascii() else c.upper() for c in value) for value in values if not value.isascii()
	}
	return Lookup(doctype, columns, column, [*{*values, *upper}], condition, any_case=True)


def values_of(*wanted: tuple[str, str, str]) -> tuple:
	"""Return one column of each of some documents, None for what is not there, in one statement.

	For what is asked with every page: a query of `frappe.db.get_value` takes longer to write than to answer.

	Args:
		wanted: DocType, name and column of each.
	"""
	quote = quote_character()
	columns = ", ".join(
		f"(SELECT {quote}{column}{quote} FROM {quote}tab{doctype}{quote} WHERE {quote}name{quote} = %s)"
		for doctype, _name, column in wanted
	)
	names = tuple(name for _doctype, name, _column in wanted)
	return frappe.db.sql(f"SELECT {columns}", names)[
		0
	]  # nosemgrep - names of columns are ours, values are bound


def begins_with_any(field: Field, prefixes: Iterable[str]) -> Criterion:
	"""Return a condition that finds at least the rows whose text begins with one of `prefixes`, by the index.

	Args:
		field: the column.
		prefixes: not empty; none ends in the last character of Unicode.
	"""
	condition = None
	for prefix in prefixes:
		if frappe.db.db_type == "mariadb":
			one = field.like(_escaped(prefix) + "%")
		else:
			one = (field >= prefix) & (field < prefix[:-1] + chr(ord(prefix[-1]) + 1))
		condition = one if condition is None else condition | one
	return condition


def _sql_of(lookup: Lookup, lead: str = "", width: int = 0, packed: bool = False) -> tuple[str, tuple]:
	"""Return a lookup as SQL with what is bound in it.

	Args:
		lead: what is selected ahead of its columns.
		width: as many columns it has at least.
		packed: its rows are to come as one text, see `unpacked`.
	"""
	quote = quote_character()
	columns = [f"{quote}{name}{quote}" for name in lookup.columns]
	selected = _pack(columns) if packed else ", ".join(columns)
	padding = ", NULL" * (width - len(columns))
	places, bound = placeholders(list(lookup.values))
	compared = f"{quote}{lookup.column}{quote}"
	if lookup.any_case:
		compared = f"lower(trim({compared}))"
	table = f"{quote}tab{lookup.doctype}{quote}"
	query = f"SELECT {lead}{selected}{padding} FROM {table} WHERE {compared} IN ({places}){lookup.condition}"
	return query, bound


def _pack(columns: Sequence[str]) -> str:
	"""Return what makes MariaDB count rows and put them into one text."""
	values = f", '{_NEXT}', ".join(f"COALESCE({column}, '{_NULL}')" for column in columns)
	return f"COUNT(*), GROUP_CONCAT({values}, '{_END}' SEPARATOR '')"


def _escaped(prefix: str) -> str:
	return prefix.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
