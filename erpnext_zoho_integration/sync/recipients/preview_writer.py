"""A writer that counts what it is asked to write and writes nothing, for a dry run."""

from collections.abc import Iterable

from erpnext_zoho_integration.consent import events, marks
from erpnext_zoho_integration.consent.events import Fact
from erpnext_zoho_integration.consent.recording import Recorded
from erpnext_zoho_integration.consent.rules import OBJECTIONS
from erpnext_zoho_integration.store.addresses import person_address
from erpnext_zoho_integration.sync.contacts import contact_values
from erpnext_zoho_integration.sync.contacts.contact_writers import Changes, RefusedPeople, RefusedRows
from erpnext_zoho_integration.sync.contacts.matching import Matches, find_contacts
from erpnext_zoho_integration.sync.mapping.recipient_rows import Person
from erpnext_zoho_integration.sync.recipients.row_writers import ChangedRows, NewRows, Writers


class PreviewWriter:
	"""Stands for all writers of a dry run: of rows, Contacts and links.

	Remembers the Contacts and links that a run would have made, since a run finds these in later batches.

	Attributes:
		linked: names of the stored rows that a run would have linked while it created Contacts.
	"""

	def __init__(self) -> None:
		self.linked: set[str] = set()
		self._by_email: dict[str, str] = {}
		self._by_zoho_id: dict[str, str] = {}
		self._objected: set[str] = set()

	def as_writers(self) -> Writers:
		return Writers(self, self, [], self, self)

	def find(self, people: Iterable[Person], *, and_waiting: bool = False) -> Matches:
		"""Find Contacts as `matching.find_contacts` does, and those that a run would have created."""
		matches = find_contacts(people, and_waiting=and_waiting)
		matches.by_zoho_id = {**self._by_zoho_id, **matches.by_zoho_id}
		matches.by_email = {**self._by_email, **matches.by_email}
		return matches

	def create(self, people: list[Person]) -> tuple[dict[str, str], RefusedPeople]:
		created: dict[str, str] = {}
		refused: RefusedPeople = []
		for person in people:
			try:
				contact_values.require_usable(person.email)
			except contact_values.UnusableAddress as error:
				refused.append((person, error.with_traceback(None)))
				continue
			# No Contact has such a name, so a look-up of its stored values finds nothing.
			created[person.email] = self._by_email[person.email] = f"New Contact of {person.email}"
			if person.zoho_contact_id:
				self._by_zoho_id[person.zoho_contact_id] = created[person.email]
		return created, refused

	def follow(self) -> None:
		pass

	def change(self, changes: Changes) -> RefusedPeople:
		return []

	def write(self, campaign: str, new: NewRows, changed: ChangedRows) -> RefusedRows:
		return []

	def mark_bounced(self, keys: list[str], mark: bool) -> None:
		pass

	def set_contacts(self, links: dict[str, str]) -> None:
		self.linked.update(links)

	def record(self, facts: Iterable[Fact]) -> Recorded:
		new = events.new_among(facts)
		objected = {fact.address for fact in new if fact.event in OBJECTIONS} - self._objected
		self._objected |= objected
		created = sum(person_address(email) in objected for email in self._by_email)
		return Recorded(new, marks.count_unmarked(objected) + created)

	def mark_contacts(self, names: Iterable[str]) -> int:
		return 0
