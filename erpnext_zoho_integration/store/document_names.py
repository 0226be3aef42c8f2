"""Names of new documents: numbers for recipient rows, reserved in blocks, and names that no document has yet.

This module alone counts in Frappe's Series table under `Campaign Recipient-`.
"""

import frappe
from frappe.query_builder import DocType

from erpnext_zoho_integration.store import sql_lookups

MAX_NAME = 140
_SERIES = "Campaign Recipient-"
_RUNS = "ZSR-"
_CONTACT_PART = 50
_EMAIL_PART = 70
_MARKUP = str.maketrans({"<": "‹", ">": "›"})


def recipient_name(contact: str | None, email: str, number: int) -> str:
	"""Return the name of a recipient row, `{contact}-{email}-{number}`, at most 140 characters long."""
	parts = [contact[:_CONTACT_PART].strip()] if contact else []
	name = "-".join([*parts, email[:_EMAIL_PART].strip(), f"{number:02d}"])
	return name.translate(_MARKUP)


def reserve_numbers(count: int) -> range:
	"""Reserve the next numbers for names of recipient rows; locks the counter until the transaction ends."""
	series = DocType("Series")
	current = (
		frappe.qb.from_(series).select(series.current).where(series.name == _SERIES).for_update()
	).run()
	if not current:
		frappe.qb.into(series).columns(series.name, series.current).insert(_SERIES, count).run()
		return range(1, count + 1)
	start = int(current[0][0] or 0)
	frappe.qb.update(series).set(series.current, start + count).where(series.name == _SERIES).run()
	return range(start + 1, start + count + 1)


class NumberBlock:
	"""A reserve of numbers, some thousands at a time, so that workers seldom wait for each other's lock on the counter.

	A rollback takes back the counter as well, and another worker may then get the same numbers: so the reserve is
	dropped.
	"""

	SIZE = 2000

	def __init__(self) -> None:
		self._free: list[range] = []

	def take(self, count: int) -> list[int]:
		"""Return the next numbers."""
		taken: list[int] = []
		while len(taken) < count:
			if not self._free:
				self._free = [reserve_numbers(max(self.SIZE, count))]
				frappe.db.after_rollback.add(self._free.clear)
			block = self._free.pop()
			part = block[: count - len(taken)]
			taken += part
			if len(part) < len(block):
				self._free.append(block[len(part) :])
		return taken


def delete_counters() -> None:
	"""Delete the counters of recipients and of runs; used when the app is uninstalled."""
	series = DocType("Series")
	frappe.qb.from_(series).delete().where((series.name == _SERIES) | series.name.like(f"{_RUNS}%")).run()


def free_name(doctype: str, wanted: str) -> str:
	"""Return a name that Frappe accepts and no document has: the wanted one, or the wanted one with the next number.

	Frappe's own function counts only names in exactly this spelling, but MariaDB treats Adà-1 and Ada-1 as one name.
	"""
	base = acceptable_name(doctype, wanted)
	if not frappe.db.exists(doctype, base):
		return base
	number = _highest_number(doctype, base) + 1
	while frappe.db.exists(doctype, f"{base}-{number}"):
		number += 1
	return f"{base}-{number}"


def _highest_number(doctype: str, base: str) -> int:
	"""Return the highest number that follows a name, in any spelling that the database treats as equal."""
	field = DocType(doctype).name
	query = frappe.qb.from_(doctype).select(field).where(sql_lookups.begins_with_any(field, [f"{base}-"]))
	tails = [name[len(base) + 1 :] for name in query.run(pluck=True)]
	return max((int(tail) for tail in tails if tail.isdecimal() and len(tail) < 10), default=0)


def acceptable_name(doctype: str, wanted: str) -> str:
	"""Return a name that Frappe accepts, short enough for a number behind it.

	Frappe refuses `<` and `>`, a name equal to the DocType's, and one that begins with "New " and the DocType.
	"""
	name = wanted.translate(_MARKUP).strip()
	if name == doctype or name.startswith(f"New {doctype}"):
		name = f"Zoho {name}"
	return name[: MAX_NAME - 10].strip()
