"""Which Contact a person is: by Zoho's id, then by e-mail address, compared exactly.

Reads only, a constant number of queries for any number of people.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from erpnext_zoho_integration.store import sql_lookups
from erpnext_zoho_integration.store.addresses import normalize_email
from erpnext_zoho_integration.store.doctypes import RECIPIENT
from erpnext_zoho_integration.store.sql_lookups import Lookup
from erpnext_zoho_integration.sync.mapping.rows import Person

_Waiting = Mapping[str, list[tuple[str, str]]]  # name and action type of rows, by address


@dataclass(slots=True)
class Matches:
	"""The answer for a page of people.

	Attributes:
		by_zoho_id, by_email: Contacts of those who have one.
		ambiguous: the Contacts of addresses for which nothing decides among several.
		waiting: stored rows, as name and action type, of addresses that have no Contact yet, if asked for.
	"""

	by_zoho_id: Mapping[str, str] = field(default_factory=dict)
	by_email: dict[str, str] = field(default_factory=dict)
	ambiguous: Mapping[str, list[str]] = field(default_factory=dict)
	waiting: _Waiting = field(default_factory=dict)

	def contact_of(self, person: Person) -> str | None:
		"""Return the name of the Contact, or None: nobody yet, or several among whom nothing decides."""
		if person.zoho_contact_id and (contact := self.by_zoho_id.get(person.zoho_contact_id)):
			return contact
		return self.by_email.get(person.email)

	def is_unknown(self, person: Person) -> bool:
		"""Return whether no Contact can be this person; not so where several have the address and nothing decides."""
		return person.email not in self.ambiguous and self.contact_of(person) is None

	def followed_by(self, later: "Matches") -> "Matches":
		"""Return this answer with a later one about some of the same people."""
		return Matches(
			{**self.by_zoho_id, **later.by_zoho_id},
			{**self.by_email, **later.by_email},
			{**self.ambiguous, **later.ambiguous},
			later.waiting,
		)


# So few people are asked for all ways at once; of a page of a first sync most are found by the first one.
_FEW = 100


def find_contacts(people: Iterable[Person], *, and_waiting: bool = False) -> Matches:
	"""Return the Contacts of these people, in at most three queries.

	Args:
		people: of a page.
		and_waiting: find `Matches.waiting` too, for the Contacts that will be created.
	"""
	people = list(people)
	identifiers = {p.zoho_contact_id for p in people if p.zoho_contact_id}
	if len(people) <= _FEW:
		emails = {p.email for p in people}
		lookups = _zoho_ids(identifiers), _addresses(emails), _earlier_rows(emails, and_waiting)
		found, addresses, rows = sql_lookups.select_together(*lookups)
		by_zoho_id = _by_zoho_id(found, identifiers)
		emails = _not_found(people, by_zoho_id)
		by_email, ambiguous = _by_email(addresses, emails)
	else:
		by_zoho_id = _by_zoho_id(sql_lookups.look_up(_zoho_ids(identifiers)), identifiers)
		emails = _not_found(people, by_zoho_id)
		by_email, ambiguous = _by_email(sql_lookups.look_up(_addresses(emails)), emails)
		rows = sql_lookups.look_up(_earlier_rows(emails - by_email.keys() - ambiguous.keys(), and_waiting))
	by_row, waiting = _by_earlier_rows(rows, emails - by_email.keys() - ambiguous.keys())
	return Matches(by_zoho_id, by_email | by_row, ambiguous, waiting)


def contacts_of(emails: Iterable[str]) -> dict[str, str]:
	"""Return the Contacts that have these normalized addresses, by address; none where several have it."""
	emails = set(emails)
	return _by_email(sql_lookups.look_up(_addresses(emails)), emails)[0]


def contact_of(email: str) -> str | None:
	"""Return the Contact that has this address, or None if nobody or several have it."""
	email = normalize_email(email)
	return contacts_of({email}).get(email)


def _not_found(people: Iterable[Person], by_zoho_id: Mapping[str, str]) -> set[str]:
	"""Return the addresses of those who are to be found by them."""
	return {p.email for p in people if p.zoho_contact_id not in by_zoho_id}


def _zoho_ids(identifiers: set[str]) -> Lookup:
	return Lookup("Contact", ("zoho_contact_id", "name"), "zoho_contact_id", identifiers)


def _by_zoho_id(rows: list[tuple], identifiers: set[str]) -> dict[str, str]:
	return {identifier: name for identifier, name in rows if identifier in identifiers}


def _addresses(emails: set[str]) -> Lookup:
	columns = ("email_id", "parent", "is_primary")
	lookup = sql_lookups.any_case("Contact Email", columns, "email_id", emails, " AND parenttype = 'Contact'")
	return lookup._replace(numbers=("is_primary",))


def _by_email(rows: list[tuple], emails: set[str]) -> tuple[dict[str, str], dict[str, list[str]]]:
	"""Return contacts by address, and the addresses for which several contacts stand equal.

	A contact whose primary address it is comes before one that merely has it too.
	"""
	candidates: dict[str, dict[str, int]] = defaultdict(dict)
	for email_id, parent, is_primary in rows:
		email = normalize_email(email_id)
		if email in emails:
			candidates[email][parent] = max(candidates[email].get(parent, 0), int(is_primary or 0))
	matched, ambiguous = {}, {}
	for email, contacts in candidates.items():
		best = [name for name, primary in contacts.items() if primary] or list(contacts)
		if len(best) == 1:
			matched[email] = best[0]
		else:
			ambiguous[email] = sorted(best)
	return matched, ambiguous


def _earlier_rows(emails: set[str], and_waiting: bool) -> Lookup:
	columns = ("email", "contact", "name", "action_type")
	condition = " AND rtbf = 0" if and_waiting else " AND contact IS NOT NULL"
	return Lookup(RECIPIENT, columns, "email", emails, condition)


def _by_earlier_rows(rows: list[tuple], emails: set[str]) -> tuple[dict[str, str], _Waiting]:
	"""Return contacts to which earlier rows of these addresses are linked, and the rows that are linked to none.

	So a contact that was merged into another, or whose address was changed here, is found again.
	"""
	contacts: dict[str, set[str]] = defaultdict(set)
	waiting: dict[str, list[tuple[str, str]]] = defaultdict(list)
	for email, contact, name, action_type in rows:
		if email in emails and contact:
			contacts[email].add(contact)
		elif email in emails:
			waiting[email].append((name, action_type))
	return {email: names.pop() for email, names in contacts.items() if len(names) == 1}, waiting
