"""Document names for many new Contacts at once, by Frappe's rule: the full name, then `-1`, `-2` … if it is taken."""

import re
import unicodedata
from collections.abc import Container
from datetime import datetime

import frappe
from frappe.query_builder import DocType
from frappe.utils import now_datetime

from erpnext_zoho_integration.store import sql_lookups
from erpnext_zoho_integration.store.document_names import acceptable_name

_NUMBERED = re.compile(r"(.*)-(\d{1,9})", re.DOTALL)


class ContactNames:
	"""Gives names; remembers the highest number of every name that was given, so that each is looked up once."""

	def __init__(self) -> None:
		self._last: dict[str, int] = {}  # folded name → highest number in use, 0 for the bare name
		self._as_of: datetime | None = None
		# SQLite compares names exactly.
		self._fold = fold if frappe.db.db_type == "mariadb" else str

	def give(self, full_names: list[str]) -> list[str]:
		"""Return a free name for each of these full names, in at most two queries."""
		frappe.db.after_rollback.add(self._last.clear)  # after a rollback they are free again
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
		"""Note the names that others have given since the last call, in one query.

		A name can be missed because clocks differ; the database then refuses it, and the page is repeated.
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
		"""Note for each name whether it is taken, and up to which number.

		Args:
			bases: names by their folded form.
		"""
		contact = DocType("Contact")
		found = sql_lookups.select_in("Contact", ("name",), "name", bases.values())
		taken = {self._fold(name) for (name,) in found} & bases.keys()
		for folded in taken:
			self._last[folded] = 0
		if not taken:
			return
		numbered = sql_lookups.begins_with_any(contact.name, [f"{bases[folded]}-" for folded in taken])
		for name in frappe.qb.from_(contact).select(contact.name).where(numbered).run(pluck=True):
			self._note(name, taken)


def fold(name: str) -> str:
	"""Return a name roughly as MariaDB's collation compares it: without case, accents, ligatures and trailing blanks.

	Where this is wrong, the database refuses the name, and the page is written document by document.
	"""
	if name.isascii():
		return name.lower().rstrip()
	decomposed = unicodedata.normalize("NFKD", name.casefold())
	return "".join(c for c in decomposed if not unicodedata.combining(c)).rstrip()
