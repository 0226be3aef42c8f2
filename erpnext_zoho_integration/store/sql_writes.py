"""Statements that write many rows at once.

Names of DocTypes and columns come from this app's code only; values are always bound.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from types import MappingProxyType

import frappe

# SQLite takes at most 32,766 parameters a statement; a page of 1,000 recipients has about as many.
_MAX_PARAMETERS = 32_000
# The columns that every DocType's table has, in the order in which our statements fill them.
STANDARD_COLUMNS = ("name", "creation", "modified", "modified_by", "owner", "docstatus", "idx")


def is_duplicate(error: Exception) -> bool:
	"""Return whether the database refused a row because its key is there already."""
	if isinstance(error, frappe.DuplicateEntryError | frappe.UniqueValidationError):
		return True
	return bool(error.args) and frappe.db.is_duplicate_entry(error)


def insert_rows(
	doctype: str,
	columns: Sequence[str],
	rows: Sequence[Sequence],
	same: Mapping[str, object] = MappingProxyType({}),
) -> None:
	"""Insert rows of a DocType in as few statements as the database allows.

	Args:
		doctype: its name.
		columns: every column to fill, except those of `same`: no default is filled in.
		rows: the values of each row, in the order of `columns`.
		same: columns that have one value in all rows.
	"""
	_insert(doctype, columns, rows, same, "")


def upsert_rows(
	doctype: str,
	columns: Sequence[str],
	rows: Sequence[Sequence],
	unique: str,
	updated: Sequence[str],
	same: Mapping[str, object] = MappingProxyType({}),
) -> None:
	"""Insert rows, or update those whose `unique` value exists, in as few statements as the database allows.

	Args:
		doctype: its name.
		columns: every column to fill, except those of `same`.
		rows: the values of each row, in the order of `columns`.
		unique: a column with a unique index.
		updated: the columns of an existing row that get the new values.
		same: columns that have one value in all rows.
	"""
	if frappe.db.db_type == "mariadb":
		changes = ", ".join(f"`{column}` = VALUES(`{column}`)" for column in updated)
		tail = f" ON DUPLICATE KEY UPDATE {changes}"
	else:
		changes = ", ".join(f"`{column}` = excluded.`{column}`" for column in updated)
		tail = f" ON CONFLICT (`{unique}`) DO UPDATE SET {changes}"
	_insert(doctype, columns, rows, same, tail)


def set_by_name(doctype: str, column: str, values: Mapping[str, object]) -> None:
	"""Set one column of many documents to a value each, in one statement.

	Args:
		doctype: its name.
		column: the column.
		values: by name of the document.
	"""
	if not values:
		return
	cases = " WHEN %s THEN %s" * len(values)
	places = ",".join(["%s"] * len(values))
	query = (
		f"UPDATE `tab{doctype}` SET `{column}` = CASE `name`{cases} ELSE `{column}` END "
		f"WHERE `name` IN ({places})"
	)
	bound = (*chain.from_iterable(values.items()), *values)
	frappe.db.sql(query, bound)  # nosemgrep - names of columns are ours, values are bound


def _insert(
	doctype: str, columns: Sequence[str], rows: Sequence[Sequence], same: Mapping[str, object], tail: str
) -> None:
	columns, shared = (*same, *columns), tuple(same.values())
	names = ", ".join(f"`{column}`" for column in columns)
	places = f"({','.join(['%s'] * len(columns))})"
	step = max(1, _MAX_PARAMETERS // len(columns))
	for start in range(0, len(rows), step):
		part = rows[start : start + step]
		query = f"INSERT INTO `tab{doctype}` ({names}) VALUES {','.join([places] * len(part))}{tail}"
		bound = tuple(chain.from_iterable((*shared, *row) for row in part))
		frappe.db.sql(query, bound)  # nosemgrep - names of columns are ours, values are bound
