"""Names for many new contacts at once, by Frappe's own rule: the full name, and `-1`, `-2` … where it is taken."""

import re
import unicodedata
from collections.abc import Container
from datetime import datetime

import frappe
from frappe.query_builder import DocType
from frappe.utils import now_datetime

from erpnext_zoho_integration.store import sql_lookups
from erpnext_zoho_integration.store.names import acceptable_name

_NUMBERED = re.compile(r"(.*)-(\d{1,9})", re.DOTALL)


class ContactNames:
	"""Gives names; remembers the last number of every name that was given, so that each is looked up once."""

	def __init__(self) -> None:
		self._last: dict[str, int] = {}  # folded name → highest number in use, 0 for the bare name
		self._as_of: datetime | None = None
		# SQLite and Postgres hold two names for equal only if they are.
		self._fold = fold if frappe.db.db_type == "mariadb" else str

	def give(self, full_names: list[str]) -> list[str]:
		"""Return a free name for each of these full names, in two queries at most."""
		frappe.db.after_rollback.add(self._last.clear)  # then they have not been given
		bases = [acceptable_name("Contact", name) for name in full_names]
		all_folded = [self._fold(base) for base in bases]
		self._look_up(
			{folded: base for folded, base in zip(all_folded, bases, strict=True) if folded not in self._last}
		)
		names = []
		for folded, base in zip(all_folded, bases, strict=True):
			number = self._last.get(folded)
			self._last[folded] = 0 if number is None else number + 1
			names.append(base if number is None else f"{base}-{number + 1}")
		return names

	def follow(self) -> None:
		"""Take note of what others have named since this was last called, in one query.

		A name that escapes it, since clocks differ, is refused by the database, and the page is done again.
		"""
		since, self._as_of = self._as_of, now_datetime()
		if not since or not self._last:
			return
		contact = DocType("Contact")
		for name in (
			frappe.qb.from_(contact).select(contact.name).where(contact.modified >= since).run(pluck=True)
		):
			self._note(name, self._last.keys())

	def _note(self, name: str, bases: Container[str]) -> None:
		"""Note the number of a name, if it is one of these folded names with a number."""
		match = _NUMBERED.fullmatch(name)
		if match and (folded := self._fold(match[1])) in bases:
			self._last[folded] = max(self._last[folded], int(match[2]))

	def _look_up(self, bases: dict[str, str]) -> None:
		"""Note for each name whether it is taken, and up to which number."""
		if not bases:
			return
		contact = DocType("Contact")
		query = frappe.qb.from_(contact).select(contact.name)
		taken = {
			self._fold(name)
			for (name,) in sql_lookups.select_in("Contact", ("name",), "name", bases.values())
		}
		taken &= bases.keys()
		for folded in taken:
			self._last[folded] = 0
		if not taken:
			return
		numbered = query.where(
			sql_lookups.begins_with_any(contact.name, [f"{bases[folded]}-" for folded in taken])
		)
		for name in numbered.run(pluck=True):
			self._note(name, taken)


def fold(name: str) -> str:
	"""Return a name as MariaDB's collation compares it, closely enough: without case, accents and ligatures.

	Where it is not close enough the database refuses the name, and the page is written document by document.
	"""
	if name.isascii():
		return name.lower().rstrip()
	decomposed = unicodedata.normalize("NFKD", name.casefold())
	return "".join(c for c in decomposed if not unicodedata.combining(c)).rstrip()
