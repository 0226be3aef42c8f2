"""One page of recipients: matched, compared, written. Nothing is committed here; the runner does, with its account."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, fields

from frappe import _

from erpnext_zoho_integration.sync import contacts, erased, erasure, lifecycle, match, recipients
from erpnext_zoho_integration.sync.anonymity import anonymous_row
from erpnext_zoho_integration.sync.fetch import FetchedPage
from erpnext_zoho_integration.sync.identity import pseudonym
from erpnext_zoho_integration.sync.mapping import Person, Row, erased_row
from erpnext_zoho_integration.sync.match import find_contacts
from erpnext_zoho_integration.sync.writers import Changes, Writers

CREATE_FOR: dict[str, Callable[[Person], bool]] = {
	"Everyone Who Acted": lambda person: person.acted,
	"Everyone": lambda person: True,
	"Nobody": lambda person: False,
}
MaybeStored = Callable[[Collection[str]], Iterable[str]]


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


def store_page(campaign: str, page: ReadPage, create_for: str, writers: Writers | None = None) -> PageResult:
	"""Write a page of one campaign, and the contacts it speaks of.

	Args:
		campaign: name of the Campaign.
		page: from `read_page`.
		create_for: for whom contacts are created, one of `CREATE_FOR`.
		writers: by default those that the site needs, see `writers.Writers.for_site`.
	"""
	matched = MatchedPage(campaign, page, create_for, writers or Writers.for_site())
	matched.result.add(matched.create_contacts())
	return matched.store()


def _opt_outs_of_figures(page: ReadPage) -> int:
	"""Mark the Contacts of people who have newly opted out of a campaign that keeps figures only."""
	if not page.opted_out:
		return 0
	stored = recipients.stored_rows(page.opted_out)
	emails = [email for key, email in page.opted_out.items() if key not in stored]
	return lifecycle.opt_out(set(match.contacts_of(emails).values()))


class MatchedPage:
	"""A page compared with what is stored, and matched with Contacts; then contacts are created, then rows written.

	Args:
		campaign: name of the Campaign.
		page: from `read_page`.
		create_for: for whom contacts are created, one of `CREATE_FOR`.
		writers: those of the run.
		maybe_stored: returns those of a page's keys of which there may be rows.

	Attributes:
		wanted: people of whom `create_contacts` will make Contacts.
	"""

	def __init__(
		self,
		campaign: str,
		page: ReadPage,
		create_for: str,
		writers: Writers,
		maybe_stored: MaybeStored = lambda keys: keys,
	) -> None:
		if page.unforgotten:
			page.known = erasure.forget(page.unforgotten, page.known)
		self.campaign = campaign
		self.page = page
		self.may_create = CREATE_FOR[create_for]
		self.writers = writers
		self.result = PageResult(skipped=page.skipped, notes=list(page.notes))
		self.created: dict[str, str] = {}  # e-mail address → Contact
		stored = recipients.stored_rows(maybe_stored({row.key for row in page.rows}))
		self.found = recipients.difference(page.rows, stored)
		self.fresh, self.loose = _without_contact(self.found)
		self.told = {row.email for row in self.fresh}  # addresses of which something new is said
		# A contact that somebody deleted is not created again for an unchanged row.
		creatable = [*self.fresh, *(row for row, old in self.loose if not old.contact_removed)]
		self.matches = find_contacts(
			{row.email: row.person for row in self._contactless() if not row.erased}.values(),
			and_waiting=any(self.may_create(row.person) for row in creatable),
		)
		wanted = {row.email: row.person for row in reversed(creatable) if self._is_wanted(row)}
		self.wanted = _one_per_zoho_id(wanted)

	def match_again(self) -> None:
		"""Find the Contacts that others have made meanwhile for those who had none."""
		again = find_contacts(self.wanted, and_waiting=True)
		self.matches = self.matches.followed_by(again)
		self.wanted = [person for person in self.wanted if again.is_unknown(person)]

	def create_contacts(self) -> PageResult:
		"""Create the wanted Contacts and link what is stored of them already.

		Returns:
			What concerns the new Contacts alone, so that they may be committed ahead of the page's rows.
		"""
		if not self.wanted:
			return PageResult()
		self.created, failures = self.writers.contacts.create(self.wanted)
		for person, error in failures:
			refused = isinstance(error, contacts.UnusableAddress)
			if not refused or person.email in self.told:
				self._note(str(error), "Contacts", is_error=not refused)
		on_this_page = {old.name for _row, old in self.loose}
		lifecycle.link_found(
			(contact, name, action_type)
			for email, contact in self.created.items()
			for name, action_type in self.matches.waiting.get(email, ())
			if name not in on_this_page
		)
		opted_out = sum(person.opted_out for person in self.wanted if person.email in self.created)
		return PageResult(contacts_created=len(self.created), opted_out=opted_out)

	def store(self) -> PageResult:
		"""Write the rows, and what they say of people who have a Contact."""
		found = self.found
		self._tell_ambiguous()
		self._count()
		self.result.opted_out += _opt_outs_of_figures(self.page)
		contact_of = self._contacts()
		contact_of.update({row.key: old.contact for row, old in found.changed if old.contact})
		links = {old.name: contact for row, old in self.loose if (contact := contact_of.get(row.key))}
		self._write(contact_of)
		recipients.set_contacts(links)
		self.result.linked += len(links)
		self._change_contacts([*found.new, *(row for row, _old in found.changed)], contact_of)
		self.result.opted_out += lifecycle.opt_out(
			{links[old.name] for row, old in self.loose if row.person.opted_out and old.name in links}
		)
		self._settle_status()
		return self.result

	def _contactless(self) -> list[Row]:
		"""Return the rows that are linked to nobody yet."""
		return [*self.fresh, *(row for row, _old in self.loose)]

	def _count(self) -> None:
		self.result.duplicates = self.found.duplicates
		self.result.unchanged = len(self.found.unchanged)
		self.result.erased = sum(row.erased for row in self.page.rows)

	def _is_wanted(self, row: Row) -> bool:
		return not row.erased and self.may_create(row.person) and self.matches.is_unknown(row.person)

	def _contacts(self) -> dict[str, str | None]:
		"""Return the Contacts of rows that had none, by key of the row."""
		by_zoho_id = {
			person.zoho_contact_id: self.created[person.email]
			for person in self.wanted
			if person.zoho_contact_id and person.email in self.created
		}
		return {
			row.key: self.matches.contact_of(row.person)
			or self.created.get(row.email)
			or by_zoho_id.get(row.person.zoho_contact_id or "")
			for row in self._contactless()
			if not row.erased
		}

	def _write(self, contact_of: dict[str, str | None]) -> None:
		found = self.found
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
		news = self.writers.heard.news(self.campaign, said)
		changes = list(
			contacts.changes(
				{contact: row.person for contact, row in news.items() if contact not in own},
				of_stored_rows=True,
			)
		)
		refused = self._change(changes)
		self.result.opted_out += sum(
			values.get("unsubscribed", 0) for _name, person, values in changes if person.email not in refused
		)
		self.writers.heard.note(name for name, row in news.items() if row.email not in refused)

	def _settle_status(self) -> None:
		"""Give new Contacts the status that all their rows say, those of other lists and campaigns included."""
		older = self.matches.waiting
		people = {
			self.created[row.email]: row.person
			for row in self.page.rows
			if row.email in self.created and row.email in older
		}
		status = contacts.last_status(people)
		self._change(
			[
				(name, person, {"zoho_status": status[name]})
				for name, person in people.items()
				if status.get(name, person.status) != person.status
			]
		)

	def _change(self, changes: Changes) -> set[str]:
		"""Change Contacts; return the addresses of those that were refused, which the run lists."""
		failures = self.writers.contacts.change(changes)
		for person, error in failures:
			self._note(f"{person.email}: {error}", "Contacts", is_error=True)
		return {person.email for person, _error in failures}

	def _tell_ambiguous(self) -> None:
		for email, names in sorted(self.matches.ambiguous.items()):
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
