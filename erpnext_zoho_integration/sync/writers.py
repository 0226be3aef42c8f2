"""How recipients and contacts are written: set-wise by default, document by document where the site listens.

Both ways write the same; `listeners` decides which one a DocType gets.
"""

from collections.abc import Callable
from typing import Protocol

import frappe
from frappe import _
from frappe.utils import now_datetime

from erpnext_zoho_integration.sync import bounces, bulk_contacts, contacts, dialect
from erpnext_zoho_integration.sync.listeners import reasons_for_documents
from erpnext_zoho_integration.sync.mapping import RECIPIENT_FIELDS, Person, Row, in_order
from erpnext_zoho_integration.sync.names import NumberBlock, recipient_name, reserve_numbers
from erpnext_zoho_integration.sync.recipients import DOCTYPE, Stored, columns

NewRows = list[tuple[Row, str | None]]
ChangedRows = list[tuple[Row, Stored, str | None]]
RefusedRows = list[tuple[Row, Exception]]
RefusedPeople = list[tuple[Person, Exception]]
Changes = list[tuple[str, Person, dict]]


class RecipientWriter(Protocol):
	"""Writes the rows of a page; returns those that were refused, with the reason."""

	def write(self, campaign: str, new: NewRows, changed: ChangedRows) -> RefusedRows: ...

	def mark_bounced(self, keys: list[str], mark: bool) -> None: ...


class ContactWriter(Protocol):
	"""Creates and changes contacts; returns the created ones by address, and those that were refused."""

	def create(self, people: list[Person]) -> tuple[dict[str, str], RefusedPeople]: ...

	def follow(self) -> None:
		"""Take note of what other workers have created; called when this one's turn begins."""

	def change(self, changes: Changes) -> RefusedPeople: ...


class DocumentRecipients:
	"""Each row through the Document API: slower, but every listener of the site hears of it."""

	def write(self, campaign: str, new: NewRows, changed: ChangedRows) -> RefusedRows:
		failures: RefusedRows = []
		numbers = reserve_numbers(len(new)) if new else range(0)
		for (row, contact), number in zip(new, numbers, strict=True):
			document = frappe.new_doc(DOCTYPE)
			document.update(columns(row, contact))
			document.campaign = campaign
			document.flags.from_zoho = True
			name = recipient_name(contact, row.email, number)
			_guarded(row, failures, document.insert, ignore_permissions=True, set_name=name)
		for row, stored, contact in changed:
			document = frappe.get_doc(DOCTYPE, stored.name)
			document.update(columns(row, contact))
			document.flags.from_zoho = True
			_guarded(row, failures, document.save, ignore_permissions=True)
		_forget_unnamed()
		return failures

	def mark_bounced(self, keys: list[str], mark: bool) -> None:
		for name in frappe.get_all(DOCTYPE, {"row_key": ("in", keys)}, pluck="name"):
			document = frappe.get_doc(DOCTYPE, name)
			document.bounced = int(mark)
			document.flags.from_zoho = True
			_guarded(name, [], document.save, ignore_permissions=True)


class BulkRecipients:
	"""All rows of a page in one statement: the unique key decides what is inserted and what is updated."""

	_SAME = (
		"creation",
		"modified",
		"modified_by",
		"owner",
		"docstatus",
		"idx",
		"campaign",
		"contact_removed",
	)
	_OWN = ("name", "row_key", *RECIPIENT_FIELDS, "contact", "content_hash")
	COLUMNS = (*_SAME, *_OWN)
	UPDATED = ("modified", "modified_by", *RECIPIENT_FIELDS, "contact", "contact_removed", "content_hash")

	def __init__(self) -> None:
		self._numbers = NumberBlock()

	def write(self, campaign: str, new: NewRows, changed: ChangedRows) -> RefusedRows:
		numbers = self._numbers.take(len(new))
		rows = [
			(
				recipient_name(contact, row.email, number),
				row.key,
				*in_order(row.values),
				contact,
				row.content_hash,
			)
			for (row, contact), number in zip(new, numbers, strict=True)
		]
		rows += [
			(stored.name, row.key, *in_order(row.values), contact, row.content_hash)
			for row, stored, contact in changed
		]
		if rows:
			now, user = now_datetime(), frappe.session.user
			same = zip(self._SAME, (now, now, user, user, 0, 0, campaign, 0), strict=True)
			dialect.upsert_rows(DOCTYPE, self._OWN, rows, "row_key", self.UPDATED, dict(same))
			_tell_lists(DOCTYPE)
		return []

	def mark_bounced(self, keys: list[str], mark: bool) -> None:
		bounces.set_marks(keys, mark)


class DocumentContacts:
	"""Each contact through the Document API."""

	def follow(self) -> None:
		"""A document looks its name up by itself."""

	def create(self, people: list[Person]) -> tuple[dict[str, str], RefusedPeople]:
		created: dict[str, str] = {}
		failures: RefusedPeople = []
		for person in people:
			frappe.db.savepoint("zoho_contact")
			try:
				created[person.email] = contacts.create_contact(person).name
			except Exception as error:
				frappe.db.rollback(save_point="zoho_contact")
				frappe.clear_last_message()
				if contacts.made_meanwhile(person):
					raise  # the page is done again, and finds that Contact
				failures.append((person, _alone(error)))
		_forget_unnamed()
		return created, failures

	def change(self, changes: Changes) -> RefusedPeople:
		failures: RefusedPeople = []
		for contact, person, values in changes:
			frappe.db.savepoint("zoho_contact")
			try:
				contacts.apply_changes(contact, values)
			except Exception as error:
				frappe.db.rollback(save_point="zoho_contact")
				frappe.clear_last_message()
				failures.append((person, _alone(error)))
		return failures


class BulkContacts:
	"""New contacts with their addresses and numbers in three statements a page; changes in one a field."""

	def __init__(self) -> None:
		self._maker = bulk_contacts.ContactMaker()
		self._documents = DocumentContacts()

	def follow(self) -> None:
		self._maker.follow()

	def create(self, people: list[Person]) -> tuple[dict[str, str], RefusedPeople]:
		failures: RefusedPeople = []
		usable = []
		for person in people:
			try:
				contacts.require_usable(person.email)
				usable.append(person)
			except contacts.UnusableAddress as error:
				failures.append((person, _alone(error)))
		created = self._maker.create(usable)
		if created:
			_tell_lists("Contact")
		return created, failures

	def change(self, changes: Changes) -> RefusedPeople:
		"""Fields that a form computes others from go through the Document API; they are few."""
		simple = [change for change in changes if bulk_contacts.OWN_FIELDS.issuperset(change[2])]
		bulk_contacts.set_own_fields({name: values for name, _person, values in simple})
		return self._documents.change([change for change in changes if change not in simple])


class Writers:
	"""The writers of a run, chosen once, with the reasons where it is the slower way.

	Attributes:
		taking_turns: other workers may create the same contacts.
		heard: what has been taken over from lists and campaigns before.
	"""

	def __init__(
		self, recipients: RecipientWriter, contact_writer: ContactWriter, reasons: list[str]
	) -> None:
		self.recipients = recipients
		self.contacts = contact_writer
		self.reasons = reasons
		self.taking_turns = False
		self.heard = contacts.Heard()

	@classmethod
	def for_site(cls) -> "Writers":
		"""Return what this site needs: whoever listens to documents is heard."""
		listeners = {doctype: reasons_for_documents(doctype) for doctype in (DOCTYPE, "Contact")}
		return cls(
			DocumentRecipients() if listeners[DOCTYPE] else BulkRecipients(),
			DocumentContacts() if listeners["Contact"] else BulkContacts(),
			[
				_("{0} is written document by document, which is slower, because of: {1}").format(
					_(doctype), ", ".join(found)
				)
				for doctype, found in listeners.items()
				if found
			],
		)

	@classmethod
	def by_document(cls) -> "Writers":
		"""Return writers that use the Document API for everything."""
		return cls(DocumentRecipients(), DocumentContacts(), [])


def _guarded(row: Row, failures: RefusedRows, write: Callable[..., object], **kwargs: object) -> None:
	"""Write one row; one that is refused leaves the others of its page standing."""
	frappe.db.savepoint("zoho_row")
	try:
		write(**kwargs)
	except frappe.ValidationError as error:
		frappe.db.rollback(save_point="zoho_row")
		frappe.clear_last_message()
		failures.append((row, _alone(error)))


def _forget_unnamed() -> None:
	"""Let go of what Frappe notes of documents while it saves them, and looks for in vain where it has named them since.

	Nothing else does before the process ends: after 80,000 documents these looks take two thirds of the time.
	"""
	saving = frappe.flags.currently_saving
	saving[:] = [(doctype, name) for doctype, name in saving if name]


def _tell_lists(doctype: str) -> None:
	"""Let open lists refresh, once a page instead of once a document."""
	frappe.publish_realtime("list_update", {"doctype": doctype}, doctype=doctype, after_commit=True)


def _alone(error: Exception) -> Exception:
	"""Return an error without the frames it came through: they have the rows of its page, and the list that it is put into."""
	error.__context__ = error.__cause__ = None
	return error.with_traceback(None)
