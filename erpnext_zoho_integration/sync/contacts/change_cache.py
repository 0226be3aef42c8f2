"""A cache of the values that Contacts have taken over: lists and campaigns repeat the same values of a person."""

from collections.abc import Collection, Iterable, Mapping

import frappe

from erpnext_zoho_integration.store.fields import SENT_TIME
from erpnext_zoho_integration.sync.contacts.zoho_status import to_the_minute
from erpnext_zoho_integration.sync.mapping.recipient_rows import Person, Row

_Claim = tuple[int, object]  # fingerprint of the values, and when the mail was sent, to the minute


class ChangeCache:
	"""Tells which rows have values that their Contacts have not taken over yet.

	It holds what this worker has written. `recipients.repair_after_parallel_workers` handles values that another worker writes to the
	same Contacts meanwhile.
	"""

	_LARGEST = 60_000  # Contacts, in some ten megabytes

	def __init__(self) -> None:
		self._campaign = ""
		self._claims: dict[str, _Claim] = {}  # by Contact: the last claim of the current campaign
		self._agreed: dict[str, int] = {}  # by Contact: fingerprint of the values that the Contact has
		self._latest: dict[str, _Claim] = {}  # by Contact: claims of the rows that `changed` returned last

	def changed(self, campaign: str, rows: Mapping[str, Row]) -> dict[str, Row]:
		"""Return the rows whose values differ from the last ones of the same Contact.

		If the Contact already has these values, the same values from another campaign are skipped as well. If campaigns
		disagree about a person, see `zoho_status.last_status`, every campaign and every time of sending counts.

		Args:
			campaign: name of the Campaign.
			rows: by name of the Contact.
		"""
		if campaign != self._campaign:
			self._campaign = campaign
			self._claims.clear()
		self._latest, new = {}, {}
		for contact, row in rows.items():
			fingerprint = _fingerprint(row.person)
			if self._agreed.get(contact) == fingerprint:
				continue
			claim = fingerprint, to_the_minute(row.values[SENT_TIME])
			if self._claims.get(contact) != claim:
				self._latest[contact], new[contact] = claim, row
		return new

	def remember(self, contacts: Collection[str], disputed: Collection[str] = ()) -> None:
		"""Remember the values that Contacts have taken over; a rollback of this transaction forgets them.

		Args:
			contacts: names of Contacts of the last `changed`.
			disputed: those of them whose stored status differs from the last row's.
		"""
		for cache in (self._claims, self._agreed):
			if len(cache) > self._LARGEST:
				cache.clear()
			frappe.db.after_rollback.add(cache.clear)
		for contact in contacts:
			self._claims[contact] = claim = self._latest[contact]
			if contact in disputed:
				self._agreed.pop(contact, None)
			else:
				self._agreed[contact] = claim[0]

	def invalidate(self, contacts: Iterable[str]) -> None:
		"""Forget which values these Contacts have: something else was written to them."""
		for contact in contacts:
			self._agreed.pop(contact, None)

	def invalidate_campaign(self, contacts: Iterable[str]) -> None:
		"""Forget the current campaign's claims about these Contacts: rows that may have decided the status have changed."""
		for contact in contacts:
			self._claims.pop(contact, None)


def _fingerprint(person: Person) -> int:
	"""Return a hash of all the values that `contact_values.changes` reads of a person."""
	filled = (person.first_name, person.last_name, person.company_name, person.designation)
	return hash((filled, person.zoho_contact_id, person.status))
