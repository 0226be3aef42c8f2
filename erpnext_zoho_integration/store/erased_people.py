"""The register of erased persons: by it a sync knows them again, and nobody can tell who they are.

It has digests keyed with the site's encryption key, of addresses and of Zoho's contact ids, each with the stand-in that
the person's rows bear. Two restores must go together: a database put back under another encryption key knows nobody.
"""

import re
from collections.abc import Collection, Iterable

import frappe

from erpnext_zoho_integration.store import sql_lookups, sql_writes
from erpnext_zoho_integration.store.digests import (
	PersonKey,
	_person_digests,
	digests_of,
	pseudonym,
	site_key,
)
from erpnext_zoho_integration.store.doctypes import ERASED_PERSON

AT_ZOHO, HERE = "Zoho", "This Site"
_SIZE = "zoho_erased_size"  # a flag: how many entries the register has been seen to have
# So many entries are read in the time that it takes to look for one digest.
_READ_PER_DIGEST = 4
_WORD_WITH_ADDRESS = re.compile(r"[^\s<>\"]+@[^\s<>\"]+")


class ErasedLookup:
	"""The erased ones among some people.

	Args:
		stand_ins: by digest.
		digests: of the people asked about: making them costs more than looking them up.
	"""

	def __init__(self, stand_ins: dict[str, str], digests: dict[PersonKey, list[str]] | None = None) -> None:
		self._stand_ins = stand_ins
		self._digests = digests or {}

	def __eq__(self, other: object) -> bool:
		return isinstance(other, ErasedLookup) and self._stand_ins == other._stand_ins

	def stand_in(self, email: str | None, zoho_contact_id: str | None) -> str | None:
		"""Return the stand-in of a person, or None if they are not erased."""
		if not self._stand_ins:
			return None
		for digest in self._digests.get((email, zoho_contact_id)) or _person_digests(email, zoho_contact_id):
			if digest in self._stand_ins:
				return self._stand_ins[digest]
		return None

	def is_registered(self, email: str | None, zoho_contact_id: str | None) -> bool:
		"""Return whether Zoho's erasure of a person has been carried out here already: by the id, if there is one."""
		if not self._stand_ins:
			return False
		return all(map(self.has, _person_digests(None if zoho_contact_id else email, zoho_contact_id)))

	def has(self, digest: str) -> bool:
		return digest in self._stand_ins

	def with_more(self, stand_ins: dict[str, str]) -> "ErasedLookup":
		return ErasedLookup(self._stand_ins | stand_ins, self._digests)


def among(people: Iterable[PersonKey]) -> ErasedLookup:
	"""Return which of these people are erased; see `known_by`."""
	return known_by(digests_of(people, site_key()))


def known_by(digests: dict[PersonKey, list[str]]) -> ErasedLookup:
	"""Return which of these people are erased: one query, of the whole register while few are in it.

	On MariaDB the rows, and the places where they would be, stay locked until the transaction ends: an erasure that
	comes at the same moment waits until the page has been written, and then finds its rows.
	"""
	wanted = {digest for each in digests.values() for digest in each}
	columns, flags = ("name", "stand_in"), frappe.local.flags
	if wanted and _SIZE not in flags:
		flags[_SIZE] = frappe.db.count(ERASED_PERSON)
	if wanted and flags[_SIZE] <= _READ_PER_DIGEST * len(wanted):
		rows = sql_lookups.select_all(ERASED_PERSON, columns, sql_lookups.shared_lock())
		flags[_SIZE] = len(rows)
	else:
		rows = sql_lookups.select_in(ERASED_PERSON, columns, "name", wanted, sql_lookups.shared_lock())
	return ErasedLookup({digest: stand_in for digest, stand_in in rows if digest in wanted}, digests)


def named_in(texts: Iterable[str]) -> set[str]:
	"""Return the addresses of erased people that stand in these texts; nothing is asked if there is no address."""
	words = {word.strip(".,:;()[]'") for text in texts for word in _WORD_WITH_ADDRESS.findall(text)}
	known = among((word, None) for word in words) if words else ErasedLookup({})
	return {word for word in words if known.stand_in(word, None)}


def register(people: Collection[PersonKey], origin: str, known: ErasedLookup | None = None) -> ErasedLookup:
	"""Enter people into the register and return them with their stand-ins; who is in it keeps theirs.

	Args:
		people: of those erased at Zoho only the id counts where there is one, since another contact there may share
			the address.
		origin: `AT_ZOHO` or `HERE`.
		known: what the register has of them, if it was asked in this transaction.
	"""
	known = known or among(people)
	fresh: dict[str, str] = {}
	for email, identifier in people:
		stand_in = known.stand_in(email, identifier) or pseudonym(
			email or "", _leading(email, identifier, origin)
		)
		wanted = _person_digests(None if identifier and origin == AT_ZOHO else email, identifier)
		fresh |= {digest: stand_in for digest in wanted if not known.has(digest)}
	now, user = frappe.utils.now_datetime(), frappe.session.user
	rows = [(digest, now, now, user, user, 0, 0, stand_in, origin) for digest, stand_in in fresh.items()]
	if rows:
		sql_writes.insert_rows(ERASED_PERSON, _COLUMNS, rows)
	return known.with_more(fresh)


_COLUMNS = (*sql_writes.STANDARD_COLUMNS, "stand_in", "origin")


def _leading(email: str | None, identifier: str | None, origin: str) -> str | None:
	"""Return Zoho's id where it names the person: erased here, a person is an address."""
	return identifier if origin == AT_ZOHO or not email else None
