"""Queries that look up a whole page of values in one statement.

They are written as text: `frappe.qb` takes longer to build a query of a thousand values than the database to answer it.
Names of DocTypes and columns come from this app's code only; values are always bound.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from pypika.terms import Criterion

import frappe
from frappe.query_builder import Field


def select_in(
	doctype: str,
	columns: Sequence[str],
	column: str,
	values: Iterable[str],
	condition: str = "",
	seconds: int = 0,
) -> list[tuple]:
	"""Return columns of the rows whose `column` equals one of `values` in the database's collation.

	MariaDB's usual collation ignores case, accents and trailing blanks: compare the result again in Python.

	Args:
		doctype: its name.
		columns: to select.
		column: with an index.
		values: a page of them; an empty collection sends no query.
		condition: further fixed SQL, such as ` AND contact IS NULL`.
		seconds: on MariaDB, the longest wait for a locked table; 0 for the server's own.

	Raises:
		frappe.QueryTimeoutError: the table was locked for longer.
	"""
	return _select_in(doctype, columns, f"`{column}`", values, condition, seconds)


def select_in_any_case(
	doctype: str, columns: Sequence[str], column: str, values: Collection[str], condition: str = ""
) -> list[tuple]:
	"""Return what `select_in` does, for values in any letter case, with or without surrounding blanks.

	Args:
		doctype: its name.
		columns: to select.
		column: with an index, see `indexes.index_addresses`.
		values: in lower case and trimmed.
		condition: further fixed SQL.
	"""
	if frappe.db.db_type == "mariadb":  # its collation ignores case, and this uses the index
		return select_in(doctype, columns, column, values, condition)
	# SQLite's lower() changes ASCII letters only.
	upper = {
		"".join(c if c.isascii() else c.upper() for c in value) for value in values if not value.isascii()
	}
	return _select_in(doctype, columns, f"lower(trim(`{column}`))", {*values, *upper}, condition)


def _select_in(
	doctype: str,
	columns: Sequence[str],
	compared: str,
	values: Iterable[str],
	condition: str,
	seconds: int = 0,
) -> list[tuple]:
	values = tuple(values)
	if not values:
		return []
	places = ",".join(["%s"] * len(values))
	query = f"SELECT {_listed(columns)} FROM `tab{doctype}` WHERE {compared} IN ({places}){condition}"
	if seconds and frappe.db.db_type == "mariadb":
		query = f"SET STATEMENT lock_wait_timeout={seconds}, max_statement_time={seconds} FOR {query}"
	return list(frappe.db.sql(query, values))  # nosemgrep - names of columns are ours, values are bound


def unusual_texts(doctype: str, column: str, characters: Iterable[str]) -> list[str]:
	"""Return the different texts of a column that contain one of some characters, or that the database would not compare
	as trimmed. SQLite compares exactly, so that there every text with a character outside ASCII is unusual.

	Args:
		doctype: its name.
		column: with an index, which is read whole.
		characters: that make a text unusual.
	"""
	conditions = [f"`{column}` LIKE %s"] * (len(tuple(characters)) + 1)
	if frappe.db.db_type != "mariadb":
		conditions.append(f"`{column}` GLOB '*[^ -~]*'")
	query = f"SELECT DISTINCT `{column}` FROM `tab{doctype}` WHERE {' OR '.join(conditions)}"
	bound = (" %", *(f"%{character}%" for character in characters))
	return [text for (text,) in frappe.db.sql(query, bound)]  # nosemgrep - columns are ours, values are bound


def select_all(doctype: str, columns: Sequence[str], end: str = "") -> list[tuple]:
	"""Return columns of all rows of a small table.

	Args:
		doctype: its name.
		columns: to select.
		end: fixed SQL behind the table, such as `shared_lock()`.
	"""
	query = f"SELECT {_listed(columns)} FROM `tab{doctype}`{end}"
	return list(frappe.db.sql(query))  # nosemgrep - names of columns are ours


def latest_of_each(
	doctype: str, column: str, values: Iterable[str], text: str, time: str
) -> list[tuple[str, str, datetime | str]]:
	"""Return, for each of `values`, every different text of its rows with the latest time of that text.

	Texts are compared exactly.

	Args:
		doctype: its name.
		column: with an index; grouped by.
		values: a page of them; an empty collection sends no query.
		text: name of the text column.
		time: name of the Datetime column.

	Returns:
		Value, text and time (a text on SQLite) of each group.
	"""
	values = tuple(values)
	if not values:
		return []
	exactly = f"BINARY `{text}`" if frappe.db.db_type == "mariadb" else f"`{text}` COLLATE BINARY"
	places = ",".join(["%s"] * len(values))
	query = (
		f"SELECT `{column}`, `{text}`, MAX(`{time}`) FROM `tab{doctype}` "
		f"WHERE `{column}` IN ({places}) GROUP BY `{column}`, {exactly}"
	)
	return list(frappe.db.sql(query, values))  # nosemgrep - names of columns are ours, values are bound


def values_of(*wanted: tuple[str, str, str]) -> tuple:
	"""Return one column of each of several documents in one statement, None for a document that does not exist.

	For what is asked with every batch: `frappe.db.get_value` would need a statement for each.

	Args:
		wanted: DocType, name and column of each.
	"""
	columns = ", ".join(
		f"(SELECT `{column}` FROM `tab{doctype}` WHERE `name` = %s)" for doctype, _name, column in wanted
	)
	names = tuple(name for _doctype, name, _column in wanted)
	return frappe.db.sql(f"SELECT {columns}", names)[0]  # nosemgrep - columns are ours, values are bound


def shared_lock() -> str:
	"""Return the end of a SELECT that reads the latest committed rows and locks them against changes until the commit.

	SQLite has one writer at a time and needs none.
	"""
	return " LOCK IN SHARE MODE" if frappe.db.db_type == "mariadb" else ""


def begins_with_any(field: Field, prefixes: Iterable[str]) -> Criterion:
	"""Return a condition for rows whose text begins with one of `prefixes`; both databases use the index for it.

	It may find more rows, where the database's collation ignores case or accents.

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


def _listed(columns: Sequence[str]) -> str:
	return ", ".join(f"`{column}`" for column in columns)


def _escaped(prefix: str) -> str:
	return prefix.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
