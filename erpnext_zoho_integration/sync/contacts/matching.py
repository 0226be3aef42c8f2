"""Which Contact a person is: the one that holds the e-mail address, else the one with Zoho's contact id.

An id never overrules an address that belongs to another Contact: after a change of the account, or of the address at Zoho,
it may name somebody else.

Only reads; sends at most three queries for any number of people.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from erpnext_zoho_integration.store import sql_lookups
from erpnext_zoho_integration.store.addresses import normalize_email, person_address
from erpnext_zoho_integration.store.doctypes import RECIPIENT
from erpnext_zoho_integration.store.fields import ACTION_TYPE, ZOHO_CONTACT_ID
from erpnext_zoho_integration.store.people_lookup import contacts_by_address
from erpnext_zoho_integration.sync.mapping.recipient_rows import Person

_Waiting = Mapping[str, list[tuple[str, str]]]  # name and action type of rows, by address


@dataclass(slots=True)
class Matches:
	"""The Contacts of a page of people.

	Attributes:
		by_zoho_id: names of Contacts by Zoho's contact id.
		by_email: names of Contacts by normalized address.
		by_row: names of Contacts to which earlier rows of an address are linked, by address.
		ambiguous: by address: several Contacts among which nothing decides.
		waiting: by address that has no Contact yet: name and action type of its stored rows, if asked for.
	"""

	by_zoho_id: Mapping[str, str] = field(default_factory=dict)
	by_email: dict[str, str] = field(default_factory=dict)
	by_row: Mapping[str, str] = field(default_factory=dict)
	ambiguous: Mapping[str, list[str]] = field(default_factory=dict)
	waiting: _Waiting = field(default_factory=dict)

	def contact_of(self, person: Person) -> str | None:
		"""Return the name of the Contact, or None if there is none or nothing decides among several."""
		by_id = self.by_zoho_id.get(person.zoho_contact_id or "")
		if same_address := self.ambiguous.get(person.email):
			return by_id if by_id in same_address else None
		return self.by_email.get(person.email) or by_id or self.by_row.get(person.email)

	def is_by_zoho_id_alone(self, person: Person) -> bool:
		"""Return whether the Contact has the person's id at Zoho and another address."""
		known = self.by_email.get(person.email) or self.ambiguous.get(person.email)
		return not known and (person.zoho_contact_id or "") in self.by_zoho_id

	def is_unknown(self, person: Person) -> bool:
		"""Return whether no Contact can be this person; False if nothing decides among several."""
		return person.email not in self.ambiguous and self.contact_of(person) is None

	def followed_by(self, later: "Matches") -> "Matches":
		"""Return these matches updated with later ones for some of the same people."""
		return Matches(
			{**self.by_zoho_id, **later.by_zoho_id},
			{**self.by_email, **later.by_email},
			{**self.by_row, **later.by_row},
			{**self.ambiguous, **later.ambiguous},
			later.waiting,
		)


def find_contacts(people: Iterable[Person], *, and_waiting: bool = False) -> Matches:
	"""Return the Contacts of these people, in at most three queries.

	Args:
		people: of a page.
		and_waiting: find `Matches.waiting` too, for the Contacts that will be created.
	"""
	people = list(people)
	by_zoho_id = _by_zoho_id({p.zoho_contact_id for p in people if p.zoho_contact_id})
	emails = {person.email for person in people}
	by_email, ambiguous = _by_email(emails)
	unknown = {p.email for p in people if p.zoho_contact_id not in by_zoho_id}
	by_row, waiting = _by_earlier_rows(unknown - by_email.keys() - ambiguous.keys(), and_waiting)
	return Matches(by_zoho_id, by_email, by_row, ambiguous, waiting)


def contacts_of(emails: Iterable[str]) -> dict[str, str]:
	"""Return the Contacts with these normalized addresses, by address; an address of several Contacts is left out."""
	return _by_email(set(emails))[0]


def contact_of(email: str) -> str | None:
	"""Return the Contact with this address, or None if none or several have it."""
	email = normalize_email(email)
	return contacts_of({email}).get(email)


def _by_zoho_id(identifiers: set[str]) -> dict[str, str]:
	rows = sql_lookups.select_in("Contact", (ZOHO_CONTACT_ID, "name"), ZOHO_CONTACT_ID, identifiers)
	return {identifier: name for identifier, name in rows if identifier in identifiers}


def _by_email(emails: set[str]) -> tuple[dict[str, str], dict[str, list[str]]]:
	"""Return Contacts by address, and the addresses of several Contacts among which nothing decides.

	A Contact with it as primary address comes before one with it as a further address.
	"""
	by_form: dict[str, set[str]] = defaultdict(set)
	for email in emails:
		by_form[person_address(email)].add(email)
	candidates = {
		email: contacts
		for address, contacts in contacts_by_address(by_form.keys() - {""}).items()
		for email in by_form[address]
	}
	matched, ambiguous = {}, {}
	for email, contacts in candidates.items():
		best = [name for name, primary in contacts.items() if primary] or list(contacts)
		if len(best) == 1:
			matched[email] = best[0]
		else:
			ambiguous[email] = sorted(best)
	return matched, ambiguous


def _by_earlier_rows(emails: set[str], and_waiting: bool) -> tuple[dict[str, str], _Waiting]:
	"""Return the Contacts to which earlier rows of these addresses are linked, and the rows without a Contact.

	This finds a Contact that was merged into another one, or whose address was changed here.
	"""
	columns = ("email", "contact", "name", ACTION_TYPE)
	condition = " AND rtbf = 0" if and_waiting else " AND contact IS NOT NULL"
	contacts: dict[str, set[str]] = defaultdict(set)
	waiting: dict[str, list[tuple[str, str]]] = defaultdict(list)
	for email, contact, name, action_type in sql_lookups.select_in(
		RECIPIENT, columns, "email", emails, condition
	):
		if email in emails and contact:
			contacts[email].add(contact)
		elif email in emails:
			waiting[email].append((name, action_type))
	return {email: names.pop() for email, names in contacts.items() if len(names) == 1}, waiting
