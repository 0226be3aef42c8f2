"""Values of a page as SQL, column by column; MariaDB's driver, which is written in Python, binds one after the other.

For MariaDB only. The drivers of other databases bind by themselves, and faster than this.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import accumulate, chain

import frappe

from erpnext_zoho_integration.store import sql_values

# Text that means nothing but itself within quotes: the connection speaks UTF-8, in which no part of a character beyond
# ASCII is a quote.
_PLAIN = r"\w\n @.:/+\-?=&,;#!~*|$^{}\[\]<>\""
_ODD = re.compile(rf"[^{_PLAIN}\x80-\ud7ff\ue000-\U0010ffff]")
_HARMLESS_ASCII = re.compile(rf"[{_PLAIN}]*", re.ASCII)


class Sql:
	"""SQL that is ready: where it is bound to a statement, it stands as it is.

	Frappe searches the text of a statement for `ifnull(`, letter by letter, which takes as long as to write it; what is
	bound it leaves alone.
	"""

	__slots__ = ("text",)

	def __init__(self, text: str) -> None:
		self.text = text
		if not frappe.db._conn:
			frappe.db.connect()
		frappe.db._conn.encoders[Sql] = _as_it_is


def by_driver(value: object) -> str:
	"""Return a value as the driver writes it."""
	if not frappe.db._conn:
		frappe.db.connect()
	written = frappe.db._conn.literal(value)
	return written.decode() if isinstance(written, bytes) else written


def of_rows(
	rows: Sequence[Sequence], same: Iterable = (), literal: Callable[[object], str] = by_driver
) -> str:
	"""Return rows as they stand behind VALUES.

	Args:
		rows: of equal length, at least one.
		same: what stands in all of them, ahead of what each row has.
		literal: writes what is not plain.
	"""
	form: list[str] = []  # of a row
	varying: list[Sequence] = []  # what goes into the form, by column
	for values in chain(((value,) for value in same), zip(*rows, strict=True)):
		if values.count(values[0]) == len(values):
			form.append(of_column(values[:1], literal)[0].replace("%", "%%"))
		elif _are_harmless(values):
			form.append("'%s'")
			varying.append(values)
		else:
			form.append("%s")
			varying.append(of_column(values, literal))
	row = f"({', '.join(form)})"
	return ", ".join(row % places for places in zip(*varying, strict=True)) if varying else row % ()


def of_column(values: Sequence, literal: Callable[[object], str] = by_driver) -> list[str]:
	"""Return values as SQL, one by one.

	Args:
		values: of a column, or those to be found in it.
		literal: writes what is not plain.
	"""
	types = set(map(type, values)) - {type(None)}
	if types <= {str}:
		written = ["NULL" if value is None else f"'{value}'" for value in values]
		for place in _odd(values):
			written[place] = literal(values[place])
		return written
	if types == {int}:
		return ["NULL" if value is None else str(value) for value in values]
	if types == {datetime} and (texts := moments_as_text(values)) is not values:
		return ["NULL" if text is None else f"'{text}'" for text in texts]
	return [literal(value) for value in values]


def moments_as_text(values: Sequence) -> Sequence:
	"""Return times without a zone as text, each but once made into it: many rows of a page share one; others as they are."""
	if set(map(type, values)) - {type(None)} != {datetime} or any(value.tzinfo for value in values if value):
		return values
	texts = {value: value.isoformat(" ", "microseconds") for value in set(values) if value}
	return [texts.get(value) for value in values]


def is_plain(value: object) -> bool:
	"""Return whether a value needs no driver to be written, in any dialect, and in a statement that binds others."""
	if isinstance(value, str):
		return bool(_HARMLESS_ASCII.fullmatch(value))
	return value is None or type(value) is int or (type(value) is datetime and not value.tzinfo)


def _are_harmless(values: Sequence) -> bool:
	"""Return whether these are texts, all of them, that mean nothing but themselves within quotes."""
	try:
		text = "".join(values)
	except TypeError:
		return False
	return bool(_HARMLESS_ASCII.fullmatch(text)) if text.isascii() else not _ODD.search(text)


def _odd(values: Sequence[str | None]) -> set[int]:
	"""Return the places of texts with anything in them that could mean something else within quotes."""
	texts = [value or "" for value in values]
	joined = "".join(texts)
	if joined.isascii() and _HARMLESS_ASCII.fullmatch(joined):  # nearly every column
		return set()
	ends = list(accumulate(map(len, texts)))
	return {bisect_right(ends, found.start()) for found in _ODD.finditer(joined)}


def _as_it_is(sql: Sql, _encoders: object = None) -> str:
	return sql.text


def placeholders(values: Sequence[str]) -> tuple[str, tuple]:
	"""Return what stands for values behind IN, and what is bound."""
	if frappe.db.db_type == "mariadb":
		return "%s", (sql_values.Sql(", ".join(sql_values.of_column(values))),)
	return ",".join(["%s"] * len(values)), tuple(values)


def quote_character() -> str:
	return "`" if frappe.db.db_type == "mariadb" else '"'
