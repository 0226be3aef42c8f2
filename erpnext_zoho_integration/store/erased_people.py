"""The register of erased people: a sync recognises them by it, and nobody can tell from it who they are.

This module alone writes Zoho Erased Person. An entry is a digest of an e-mail address or of a Zoho contact id, keyed with
the site's encryption key, and the pseudonym in that person's rows. A database that is restored together with another
encryption key recognises nobody.
"""

import re
from collections.abc import Collection, Iterable

import frappe

from erpnext_zoho_integration.store import sql_lookups, sql_writes
from erpnext_zoho_integration.store.addresses import spellings
from erpnext_zoho_integration.store.doctypes import ERASED_PERSON, RECIPIENT
from erpnext_zoho_integration.store.row_keys_and_digests import (
	PersonKey,
	digests_of,
	keyed_digest,
	person_digests,
	pseudonym,
	site_key,
)

AT_ZOHO, HERE = "Zoho", "This Site"
KEY = "Key"  # the entry by which a change of the key is noticed; it is nobody's
_SIZE = "zoho_erased_size"  # in frappe.local.flags: the number of entries when last counted
# Reading this many entries takes as long as looking one digest up.
_READ_PER_DIGEST = 4
# Whoever queues a mail waits no longer for a locked register.
_PATIENCE_SECONDS = 2
_WORD_WITH_ADDRESS = re.compile(r"[^\s<>\"]+@[^\s<>\"]+")


class ErasedLookup:
	"""The register's entries for some people.

	Args:
		stand_ins: pseudonyms by digest.
		digests: of the people, if they are computed already: that takes longer than looking them up.
	"""

	def __init__(self, stand_ins: dict[str, str], digests: dict[PersonKey, list[str]] | None = None) -> None:
		self._stand_ins = stand_ins
		self._digests = digests or {}

	def __eq__(self, other: object) -> bool:
		return isinstance(other, ErasedLookup) and self._stand_ins == other._stand_ins

	def stand_in(self, email: str | None, zoho_contact_id: str | None) -> str | None:
		"""Return the pseudonym of a person, or None if they are not erased."""
		if not self._stand_ins:
			return None
		for digest in self._digests.get((email, zoho_contact_id)) or person_digests(email, zoho_contact_id):
			if digest in self._stand_ins:
				return self._stand_ins[digest]
		return None

	def is_registered(self, email: str | None, zoho_contact_id: str | None) -> bool:
		"""Return whether the register has a person whom Zoho erased: under the id, or under the address if there is no id.

		Somebody who was erased here by address has a stand-in, but the id may be missing."""
		if not self._stand_ins:
			return False
		return all(map(self.has, person_digests(None if zoho_contact_id else email, zoho_contact_id)))

	def has(self, digest: str) -> bool:
		return digest in self._stand_ins

	def with_more(self, stand_ins: dict[str, str]) -> "ErasedLookup":
		return ErasedLookup(self._stand_ins | stand_ins, self._digests)


def among(people: Iterable[PersonKey]) -> ErasedLookup:
	"""Return which of these people are erased; see `look_up`."""
	return look_up(digests_of(people, site_key()))


def look_up(digests: dict[PersonKey, list[str]]) -> ErasedLookup:
	"""Return which of these people are erased, in one query; a small register is read whole.

	On MariaDB this locks the entries and the gaps between them until the transaction ends: an erasure at the same moment
	waits until the page is written, and then finds the page's rows.

	Args:
		digests: of the people, see `row_keys_and_digests.digests_of`.
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


class RegisterUnreadable(Exception):
	"""The site has another encryption key than the register was written with, so that it recognises nobody."""


def note_key() -> None:
	"""Enter a digest by which a later change of the encryption key is noticed, unless the register has one already.

	Nothing happens if people were erased under another key: a person has to decide, see `accept_key`.
	"""
	if _key_check() not in _noted_keys() and is_readable():
		accept_key()


def accept_key() -> None:
	"""Go on with another encryption key: people who were erased under the former one are not recognised any more."""
	frappe.db.delete(ERASED_PERSON, {"origin": KEY})
	_insert({_key_check(): ""}, KEY)


def is_readable() -> bool:
	"""Return whether the register was written with today's encryption key, as far as it says, or nothing depends on it."""
	noted = _noted_keys()
	return not noted or _key_check() in noted or not _depends_on_key()


def count() -> int:
	"""Return the number of digests of people."""
	return frappe.db.count(ERASED_PERSON, {"origin": ("!=", KEY)})


def _noted_keys() -> list[str]:
	return frappe.get_all(ERASED_PERSON, {"origin": KEY}, pluck="name")


def _depends_on_key() -> bool:
	return bool(count()) or bool(frappe.db.exists(RECIPIENT, {"rtbf": 1}))


def _key_check() -> str:
	return keyed_digest("encryption key of the register")[:40]


def suppressed_among(addresses: Collection[str]) -> set[str]:
	"""Return those of some addresses that may not be mailed, in one query: erased here, or suppressed when erased.

	Args:
		addresses: in their normal form, see `addresses.person_address`.

	Raises:
		RegisterUnreadable: nobody can tell who is erased.
	"""
	key = site_key()
	by_digest = {
		digest: address
		for address in addresses
		for digest in (
			*(digest for text in spellings(address) for digest in person_digests(text, None, key)),
			_suppressed_digest(address, key),
		)
	}
	check = _key_check()
	condition = f" OR `origin` = '{KEY}'"
	rows = sql_lookups.select_in(
		ERASED_PERSON, ("name", "origin"), "name", by_digest, condition, seconds=_PATIENCE_SECONDS
	)
	noted = {digest for digest, origin in rows if origin == KEY}
	if noted and check not in noted and _depends_on_key():
		raise RegisterUnreadable
	return {by_digest[digest] for digest, _origin in rows if digest in by_digest}


def register_suppressed(addresses: Collection[str]) -> None:
	"""Remember that addresses are suppressed whose events are erased: only a digest stays, keyed like the others.

	It says nothing about rows, so that another contact at Zoho with the same address keeps its own.
	"""
	key = site_key()
	digests = {_suppressed_digest(address, key) for address in addresses}
	known = {name for (name,) in sql_lookups.select_in(ERASED_PERSON, ("name",), "name", digests)}
	_insert(dict.fromkeys(sorted(digests - known), ""), HERE)


def _suppressed_digest(address: str, key: bytes) -> str:
	return keyed_digest(f"suppressed e-mail\n{address}", key)[:40]


def addresses_in(texts: Iterable[str]) -> set[str]:
	"""Return the addresses of erased people that occur in these texts; texts without an address cost no query."""
	words = {word.strip(".,:;()[]'") for text in texts for word in _WORD_WITH_ADDRESS.findall(text)}
	known = among((word, None) for word in words) if words else ErasedLookup({})
	return {word for word in words if known.stand_in(word, None)}


def register(people: Collection[PersonKey], origin: str, known: ErasedLookup | None = None) -> ErasedLookup:
	"""Enter people into the register and return them with their pseudonyms; existing entries stay as they are.

	Args:
		people: those erased at Zoho are entered by their id only, if they have one: another contact there may have the
			same address.
		origin: `AT_ZOHO` or `HERE`.
		known: the entries for these people, if they were looked up in this transaction.
	"""
	known = known or among(people)
	new: dict[str, str] = {}
	for email, zoho_contact_id in people:
		# A person erased on this site is an address; a person erased at Zoho is Zoho's id.
		leading_id = zoho_contact_id if origin == AT_ZOHO or not email else None
		stand_in = known.stand_in(email, zoho_contact_id) or pseudonym(email or "", leading_id)
		digests = person_digests(None if zoho_contact_id and origin == AT_ZOHO else email, zoho_contact_id)
		new |= {digest: stand_in for digest in digests if not known.has(digest)}
	_insert(new, origin)
	return known.with_more(new)


def _insert(stand_ins: dict[str, str], origin: str) -> None:
	now, user = frappe.utils.now_datetime(), frappe.session.user
	rows = [(digest, now, now, user, user, 0, 0, stand_in, origin) for digest, stand_in in stand_ins.items()]
	sql_writes.insert_rows(ERASED_PERSON, _COLUMNS, rows)


_COLUMNS = (*sql_writes.STANDARD_COLUMNS, "stand_in", "origin")
