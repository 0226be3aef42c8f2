"""One page of recipients: matched, compared, written. Nothing is committed here; the runner does, with its account."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields

from frappe import _

from erpnext_zoho_integration.sync import contacts, erased, erasure, lifecycle, match, recipients
from erpnext_zoho_integration.sync.anonymity import anonymous_row
from erpnext_zoho_integration.sync.fetch import FetchedPage
from erpnext_zoho_integration.sync.identity import pseudonym
from erpnext_zoho_integration.sync.mapping import Person, Row, erased_row
from erpnext_zoho_integration.sync.match import Matches, find_contacts
from erpnext_zoho_integration.sync.writers import Writers

CREATE_FOR: dict[str, Callable[[Person], bool]] = {
	"Everyone Who Acted": lambda person: person.acted,
	"Everyone": lambda person: True,
	"Nobody": lambda person: False,
}


@dataclass(slots=True)
class Note:
	"""Something about a record that the reader of the run should know."""

	message: str
	stage: str
	is_error: bool = False


@dataclass(slots=True)
class PageResult:
	"""What became of a page."""

	inserted: int = 0
	updated: int = 0
	unchanged: int = 0
	duplicates: int = 0
	skipped: int = 0
	erased: int = 0
	contacts_created: int = 0
	linked: int = 0
	opted_out: int = 0
	notes: list[Note] = field(default_factory=list)

	def add(self, other: "PageResult") -> None:
		"""Add what became of another page."""
		for counter in fields(self):
			setattr(self, counter.name, getattr(self, counter.name) + getattr(other, counter.name))


@dataclass(slots=True)
class ReadPage:
	"""A page of Zoho's records as rows, and what could not become one."""

	known: erased.Known  # what the register of erased people has of them
	rows: list[Row] = field(default_factory=list)
	unforgotten: set[erased.Person] = field(default_factory=set)  # erased at Zoho and not here yet
	opted_out: dict[str, str] = field(default_factory=dict)  # key of an anonymous row → address
	skipped: int = 0
	notes: list[Note] = field(default_factory=list)


def read_page(fetched: FetchedPage, identity: str, anonymous: bool = False) -> ReadPage:
	"""Return the rows of a page, those of erased people without the person.

	Args:
		fetched: from Zoho.
		identity: of the campaign, see `identity.campaign_identity`.
		anonymous: keep figures only, see `retention`.
	"""
	known = erased.known_by(fetched.digests)
	read = ReadPage(known=known)
	for bad in fetched.page.bad:
		read.skipped += 1
		read.notes.append(
			Note(_("Zoho sent a record that cannot be read: {0}").format(bad.reason), "Recipients", True)
		)
	for record, row in zip(fetched.page.items, fetched.rows, strict=True):
		stand_in = known.stand_in(record.email, record.contact_id)
		if record.erased or stand_in:
			stand_in = stand_in or pseudonym(record.email or "", record.contact_id)
			read.rows.append(erased_row(stand_in, fetched.action_type, identity, fetched.variant))
			if not known.is_registered(record.email, record.contact_id):
				read.unforgotten.add((record.email, record.contact_id))
		elif row:
			if anonymous:
				row = anonymous_row(row, identity)
				if row.person.opted_out:
					read.opted_out[row.key] = row.person.email
			read.rows.append(row)
		else:
			read.skipped += 1
			reason = (
				_("it has no e-mail address") if not record.email else _("its e-mail address is unusable")
			)
			read.notes.append(Note(_("Recipients not stored: {0}").format(reason), "Recipients"))
	return read


class NeedsTurn(Exception):
	"""Contacts have to be created, and another worker may be creating the same ones; see `make_contacts`."""


def store_page(
	campaign: str, page: ReadPage, create_for: str, writers: Writers | None = None, *, alone: bool = True
) -> PageResult:
	"""Write a page of one campaign, and the contacts it speaks of.

	Args:
		campaign: name of the Campaign.
		page: from `read_page`.
		create_for: for whom contacts are created, one of `CREATE_FOR`.
		writers: by default those that the site needs, see `writers.Writers.for_site`.
		alone: nobody else is known to create the same contacts.

	Raises:
		NeedsTurn: contacts have to be created, and this worker is not alone. Nothing of the rows has been written.
	"""
	if page.unforgotten:
		erasure.forget(page.unforgotten, page.known)
	opted_out = _opt_outs_of_figures(page)
	result = _Page(campaign, create_for, writers or Writers.for_site(), alone).store(page.rows)
	result.opted_out += opted_out
	result.skipped += page.skipped
	result.notes += page.notes
	return result


def make_contacts(page: ReadPage, create_for: str, writers: Writers) -> PageResult:
	"""Create the contacts that a page wants, ahead of its rows; `store_page` finds them then.

	Args:
		page: from `read_page`.
		create_for: for whom contacts are created, one of `CREATE_FOR`.
		writers: those of the run.

	Returns:
		Only what concerns the new contacts; what there is to be said of the others comes with the rows.
	"""
	made = _Page("", create_for, writers).make_contacts(page.rows)
	return PageResult(contacts_created=made.contacts_created, opted_out=made.opted_out)


def _opt_outs_of_figures(page: ReadPage) -> int:
	"""Mark the Contacts of people who have newly opted out of a campaign that keeps figures only."""
	if not page.opted_out:
		return 0
	stored = recipients.stored_rows(page.opted_out)
	emails = [email for key, email in page.opted_out.items() if key not in stored]
	return lifecycle.opt_out(set(match.contacts_of(emails).values()))


class _Page:
	def __init__(self, campaign: str, create_for: str, writers: Writers, alone: bool = True) -> None:
		self.campaign = campaign
		self.alone = alone
		self.may_create = CREATE_FOR[create_for]
		self.writers = writers
		self.result = PageResult()
		self.created: dict[str, str] = {}  # e-mail address → Contact
		self.waiting: Mapping[str, list[tuple[str, str]]] = {}  # see `match.Matches`
		self.told: set[str] = set()  # addresses of which something new is said

	def make_contacts(self, rows: list[Row]) -> PageResult:
		self._contacts(*_without_contact(_difference(rows)))
		self._link_older_rows(rows, {})
		return self.result

	def store(self, rows: list[Row]) -> PageResult:
		found = _difference(rows)
		self._count(rows, found)
		fresh, loose = _without_contact(found)
		contact_of = self._contacts(fresh, loose)
		contact_of.update({row.key: old.contact for row, old in found.changed if old.contact})
		links = {old.name: contact for row, old in loose if (contact := contact_of.get(row.key))}
		self._write(found, contact_of)
		recipients.set_contacts(links)
		self.result.linked += len(links)
		self._change_contacts([*found.new, *(row for row, _old in found.changed)], contact_of)
		self.result.opted_out += lifecycle.opt_out(
			{links[old.name] for row, old in loose if row.person.opted_out and old.name in links}
		)
		self._link_older_rows(rows, links)
		return self.result

	def _count(self, rows: list[Row], found: recipients.Difference) -> None:
		self.result.duplicates = found.duplicates
		self.result.unchanged = len(found.unchanged)
		self.result.erased = sum(row.erased for row in rows)

	def _contacts(
		self, fresh: list[Row], loose: list[tuple[Row, recipients.Stored]]
	) -> dict[str, str | None]:
		"""Return the Contacts of rows that have none yet, by key of the row; missing ones are created where wanted.

		Args:
			fresh: new and changed rows.
			loose: unchanged ones. A contact that somebody deleted is not created again for them, and nothing that was
				said of them before is said again.
		"""
		rows = [*fresh, *(row for row, _old in loose)]
		self.told = {row.email for row in fresh}
		creatable = [*fresh, *(row for row, old in loose if not old.contact_removed)]
		matches = find_contacts(
			{row.email: row.person for row in rows if not row.erased}.values(),
			and_waiting=any(self.may_create(row.person) for row in creatable),
		)
		self.waiting = matches.waiting
		self._tell_ambiguous(matches)
		wanted = {row.email: row.person for row in reversed(creatable) if self._is_wanted(row, matches)}
		self._create(_one_per_zoho_id(wanted))
		by_zoho_id = {
			identifier: name
			for email, name in self.created.items()
			if (identifier := wanted[email].zoho_contact_id)
		}
		return {
			row.key: matches.contact_of(row.person)
			or self.created.get(row.email)
			or by_zoho_id.get(row.person.zoho_contact_id or "")
			for row in rows
			if not row.erased
		}

	def _is_wanted(self, row: Row, matches: Matches) -> bool:
		person = row.person
		if row.erased or not self.may_create(person) or matches.contact_of(person):
			return False
		return not matches.is_ambiguous(person)

	def _create(self, people: list[Person]) -> None:
		if people and not self.alone:
			raise NeedsTurn
		self.created, failures = self.writers.contacts.create(people)
		self.result.contacts_created += len(self.created)
		self.result.opted_out += sum(p.opted_out for p in people if p.email in self.created)
		for person, error in failures:
			refused = isinstance(error, contacts.UnusableAddress)
			if not refused or person.email in self.told:
				self._note(str(error), "Contacts", is_error=not refused)

	def _write(self, found: recipients.Difference, contact_of: dict[str, str | None]) -> None:
		new = [(row, contact_of.get(row.key)) for row in found.new]
		changed = [(row, old, contact_of.get(row.key)) for row, old in found.changed]
		failures = self.writers.recipients.write(self.campaign, new, changed)
		refused = {row.key for row, _error in failures}
		self.result.skipped += len(failures)
		self.result.inserted += sum(row.key not in refused for row, _contact in new)
		self.result.updated += sum(row.key not in refused for row, _old, _contact in changed)
		self.result.linked += sum(contact is not None for _row, contact in new)
		for row, error in failures:
			self._note(f"{row.email}: {error}", "Write", is_error=True)

	def _change_contacts(self, rows: list[Row], contact_of: dict[str, str | None]) -> None:
		"""Take over what new and changed rows say of people who had a Contact before this page."""
		own = set(self.created.values())
		said = {contact: row for row in rows if (contact := contact_of.get(row.key))}
		news = self._news(said)
		changes = list(
			contacts.changes(
				{contact: row.person for contact, row in news.items() if contact not in own},
				of_stored_rows=True,
			)
		)
		failures = self.writers.contacts.change(changes)
		refused = {person.email for person, _error in failures}
		self.result.opted_out += sum(
			values.get("unsubscribed", 0) for _name, person, values in changes if person.email not in refused
		)
		for person, error in failures:
			self._note(f"{person.email}: {error}", "Contacts", is_error=True)
		self.writers.heard.note({name: row for name, row in news.items() if row.email not in refused})

	def _news(self, said: dict[str, Row]) -> dict[str, Row]:
		return said if self.writers.taking_turns else self.writers.heard.news(self.campaign, said)

	def _link_older_rows(self, rows: list[Row], linked: dict[str, str]) -> None:
		"""Give new Contacts their rows of other lists and campaigns, and the status that these say.

		Args:
			rows: of the page.
			linked: those that have been linked already, by name.
		"""
		older = [
			(contact, name, action_type)
			for email, contact in self.created.items()
			for name, action_type in self.waiting.get(email, ())
			if name not in linked
		]
		if not older:
			return
		lifecycle.link_found(older)
		people = {self.created[row.email]: row.person for row in rows if row.email in self.created}
		status = contacts.last_status(people)
		self.writers.contacts.change(
			[
				(name, person, {"zoho_status": status[name]})
				for name, person in people.items()
				if status.get(name, person.status) != person.status
			]
		)

	def _tell_ambiguous(self, matches: Matches) -> None:
		for email, names in sorted(matches.ambiguous.items()):
			if email not in self.told:
				continue
			self._note(
				_(
					"Several Contacts have the e-mail address {0}: {1}. The recipient is not linked; merge them."
				).format(email, ", ".join(names[:5])),
				"Contacts",
			)

	def _note(self, message: str, stage: str, is_error: bool = False) -> None:
		self.result.notes.append(Note(message, stage, is_error))


def _difference(rows: list[Row]) -> recipients.Difference:
	return recipients.difference(rows, recipients.stored_rows({row.key for row in rows}))


def _without_contact(found: recipients.Difference) -> tuple[list[Row], list[tuple[Row, recipients.Stored]]]:
	"""Return the new and changed rows that have no contact, and the unchanged ones: there may be one by now."""
	fresh = [*found.new, *(row for row, old in found.changed if not old.contact)]
	return fresh, [(row, old) for row, old in found.unchanged if not old.contact]


def _one_per_zoho_id(people: dict[str, Person]) -> list[Person]:
	"""Return the people of whom contacts are made: two addresses under one id of Zoho are one person."""
	chosen: dict[str, Person] = {}
	for email, person in people.items():
		chosen.setdefault(person.zoho_contact_id or email, person)
	return list(chosen.values())
