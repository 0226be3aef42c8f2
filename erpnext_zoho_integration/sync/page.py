"""One page of recipients: matched, compared, written. Nothing is committed here; the runner does, with its account."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields

import frappe
from frappe import _

from erpnext_zoho_integration.sync import contacts, erasure, lifecycle, recipients
from erpnext_zoho_integration.sync.fetch import FetchedPage
from erpnext_zoho_integration.sync.identity import normalize_email, pseudonym
from erpnext_zoho_integration.sync.mapping import Person, Row, Times, erased_row, recipient_row
from erpnext_zoho_integration.sync.match import Matches, find_contacts

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

	rows: list[Row] = field(default_factory=list)
	erased_emails: set[str] = field(default_factory=set)
	skipped: int = 0
	notes: list[Note] = field(default_factory=list)


def read_page(fetched: FetchedPage, identity: str, times: Times) -> ReadPage:
	"""Turn the records of a page into rows.

	Args:
		fetched: from Zoho.
		identity: of the campaign, see `identity.campaign_identity`.
		times: clocks of account and site.
	"""
	read = ReadPage()
	for bad in fetched.page.bad:
		read.skipped += 1
		read.notes.append(
			Note(_("Zoho sent a record that cannot be read: {0}").format(bad.reason), "Recipients", True)
		)
	for record in fetched.page.items:
		if record.erased:
			stand_in = pseudonym(record.email or "", record.contact_id)
			read.rows.append(erased_row(stand_in, fetched.action_type, identity, fetched.variant))
			read.erased_emails.add(normalize_email(record.email))
		elif row := recipient_row(record, fetched.action_type, identity, times, fetched.variant):
			read.rows.append(row)
		else:
			read.skipped += 1
			reason = (
				_("it has no e-mail address") if not record.email else _("its e-mail address is unusable")
			)
			read.notes.append(Note(_("Recipients not stored: {0}").format(reason), "Recipients"))
	read.erased_emails.discard("")
	return read


def store_page(campaign: str, page: ReadPage, create_for: str, writer=None) -> PageResult:
	"""Write a page of one campaign, and the contacts it speaks of.

	Args:
		campaign: name of the Campaign.
		page: from `read_page`.
		create_for: for whom contacts are created, one of `CREATE_FOR`.
		writer: writes the rows, by default through the Document API.
	"""
	erasure.anonymise_rows(page.erased_emails)
	result = _Page(campaign, create_for, writer or recipients.DocumentWriter()).store(page.rows)
	result.skipped += page.skipped
	result.notes += page.notes
	return result


class _Page:
	def __init__(self, campaign: str, create_for: str, writer) -> None:
		self.campaign = campaign
		self.may_create = CREATE_FOR[create_for]
		self.writer = writer
		self.result = PageResult()
		self.created: dict[str, str] = {}  # e-mail address → Contact

	def store(self, rows: list[Row]) -> PageResult:
		found = recipients.difference(rows, recipients.stored_rows({row.key for row in rows}))
		self.result.duplicates = found.duplicates
		self.result.unchanged = len(found.unchanged)
		self.result.erased = sum(row.erased for row in rows)
		loose = [(row, old) for row, old in found.unchanged if not old.contact and not old.contact_removed]
		matches = self._match(
			[*found.new, *(row for row, _old in found.changed), *(row for row, _old in loose)]
		)
		contact_of = {row.key: self._contact_for(row, matches) for row in found.new}
		contact_of |= {row.key: old.contact or self._contact_for(row, matches) for row, old in found.changed}
		links = {old.name: contact for row, old in loose if (contact := self._contact_for(row, matches))}
		self._insert([(row, contact_of[row.key]) for row in found.new])
		self._update([(row, old.name, contact_of[row.key]) for row, old in found.changed])
		recipients.set_contacts(links)
		self._update_contacts([*found.new, *(row for row, _old in found.changed)], contact_of)
		self._opt_out_linked(loose, links)
		lifecycle.link_rows(self.created)
		self.result.linked += len(links)
		return self.result

	def _match(self, rows: list[Row]) -> Matches:
		matches = find_contacts(row.person for row in rows if not row.erased)
		for email in sorted(matches.ambiguous):
			self._note(
				_(
					"Several Contacts have the e-mail address {0}: {1}. The recipient is not linked; merge them."
				).format(email, ", ".join(matches.ambiguous[email][:5])),
				"Contacts",
			)
		return matches

	def _contact_for(self, row: Row, matches: Matches) -> str | None:
		"""Return the Contact of a row, created if there is none and the setting says so."""
		person = row.person
		if row.erased:
			return None
		contact = matches.contact_of(person) or self.created.get(person.email)
		if contact or matches.is_ambiguous(person) or not self.may_create(person):
			return contact
		return self._create(person)

	def _create(self, person: Person) -> str | None:
		frappe.db.savepoint("zoho_contact")
		try:
			contact = contacts.create_contact(person)
		except Exception as error:
			frappe.db.rollback(save_point="zoho_contact")
			refused = isinstance(error, contacts.UnusableAddress)
			self._note(str(error), "Contacts", is_error=not refused)
			return None
		self.created[person.email] = contact.name
		self.result.contacts_created += 1
		self.result.opted_out += person.opted_out
		return contact.name

	def _insert(self, rows: list[tuple[Row, str | None]]) -> None:
		failures = self.writer.insert(self.campaign, rows)
		self._count_failures(failures)
		self.result.inserted += len(rows) - len(failures)
		self.result.linked += sum(contact is not None for _row, contact in rows)

	def _update(self, rows: list[tuple[Row, str, str | None]]) -> None:
		failures = self.writer.update(rows)
		self._count_failures(failures)
		self.result.updated += len(rows) - len(failures)

	def _update_contacts(self, rows: list[Row], contact_of: dict[str, str | None]) -> None:
		"""Take over what new and changed rows say of people who had a Contact before this page."""
		own = set(self.created.values())
		people: dict[str, Person] = {}
		for row in rows:
			contact = contact_of[row.key]
			if contact and (contact not in own or row.person.opted_out):
				people[contact] = row.person
		for contact, person, changes in contacts.changes(people):
			frappe.db.savepoint("zoho_contact")
			try:
				contacts.apply_changes(contact, changes)
			except Exception as error:
				frappe.db.rollback(save_point="zoho_contact")
				self._note(f"{person.email}: {error}", "Contacts", is_error=True)
				continue
			self.result.opted_out += changes.get("unsubscribed", 0)

	def _opt_out_linked(self, loose: list, links: dict[str, str]) -> None:
		"""An opt-out that was known before its Contact was: it holds for the Contact too."""
		names = {links[old.name] for row, old in loose if row.person.opted_out and old.name in links}
		self.result.opted_out += lifecycle.opt_out(names)

	def _count_failures(self, failures: list[tuple[Row, Exception]]) -> None:
		self.result.skipped += len(failures)
		for row, error in failures:
			self._note(f"{row.email}: {error}", "Write", is_error=True)

	def _note(self, message: str, stage: str, is_error: bool = False) -> None:
		self.result.notes.append(Note(message, stage, is_error))
