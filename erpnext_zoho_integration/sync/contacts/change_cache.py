"""A memory of what Contacts already agree with: lists and campaigns repeat themselves."""

from collections.abc import Collection, Iterable, Mapping

import frappe

from erpnext_zoho_integration.sync.contacts.status import to_the_minute
from erpnext_zoho_integration.sync.mapping.rows import Person, Row


class ChangeCache:
	"""What has been taken over from Zoho's lists, which say the same of a person again and again.

	Of what another worker says of the same people meanwhile, see `settlement`.
	"""

	_MOST = 60_000  # Contacts, in some ten megabytes

	def __init__(self) -> None:
		self._campaign = ""
		self._words: dict[str, tuple] = {}  # what the campaign said of a Contact, and of which moment
		self._settled: dict[str, int] = {}  # what any campaign said that the Contact agrees with
		self._latest: dict[str, tuple] = {}  # of the rows that `changed` returned last

	def changed(self, campaign: str, rows: Mapping[str, Row]) -> dict[str, Row]:
		"""Return the rows, by Contact, that say something else than the last one did.

		Of a Contact that agrees with what it was told, what another campaign says alike is no news either. Where campaigns
		dispute about somebody, see `last_status`, each of them is heard, and each moment of it.
		"""
		if campaign != self._campaign:
			self._campaign = campaign
			self._words.clear()
		self._latest, news = {}, {}
		for contact, row in rows.items():
			word = _fingerprint(row.person)
			if self._settled.get(contact) == word:
				continue
			said = word, to_the_minute(row.values["sent_time"])
			if self._words.get(contact) != said:
				self._latest[contact], news[contact] = said, row
		return news

	def remember(self, contacts: Collection[str], disputed: Collection[str] = ()) -> None:
		"""Take note of those Contacts of the last `changed` that have taken it over, if this transaction is committed.

		Args:
			contacts: their names.
			disputed: those of them whose status is not what was said last.
		"""
		for words in (self._words, self._settled):
			if len(words) > self._MOST:
				words.clear()
			frappe.db.after_rollback.add(words.clear)
		for contact in contacts:
			self._words[contact] = said = self._latest[contact]
			if contact in disputed:
				self._settled.pop(contact, None)
			else:
				self._settled[contact] = said[0]

	def invalidate(self, contacts: Iterable[str]) -> None:
		"""Hear again what is said of these Contacts: something else was written to them."""
		for contact in contacts:
			self._settled.pop(contact, None)

	def invalidate_campaign(self, contacts: Iterable[str]) -> None:
		"""Hear again what the campaign says of these Contacts: rows have changed that may have had the last word."""
		for contact in contacts:
			self._words.pop(contact, None)


def _fingerprint(person: Person) -> int:
	"""Return what stands for all that `changes` reads of a person."""
	filled = (person.first_name, person.last_name, person.company_name, person.designation)
	return hash((filled, person.zoho_contact_id, person.status, person.opted_out))
