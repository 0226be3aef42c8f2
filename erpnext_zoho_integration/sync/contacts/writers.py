"""The two ways to write Contacts: in bulk by default, document by document where the site listens to Contact."""

from collections.abc import Callable
from typing import Protocol

import frappe

from erpnext_zoho_integration.sync.contacts import bulk as bulk_contacts
from erpnext_zoho_integration.sync.contacts import updates as contact_updates
from erpnext_zoho_integration.sync.mapping.rows import Person, Row

RefusedRows = list[tuple[Row, Exception]]


RefusedPeople = list[tuple[Person, Exception]]


Changes = list[tuple[str, Person, dict]]


class ContactWriter(Protocol):
	"""Creates and changes contacts; returns the created ones by address, and those that were refused."""

	def create(self, people: list[Person]) -> tuple[dict[str, str], RefusedPeople]: ...

	def follow(self) -> None:
		"""Take note of what other workers have created; called when this one's turn begins."""

	def change(self, changes: Changes) -> RefusedPeople: ...


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
				created[person.email] = contact_updates.create_contact(person).name
			except Exception as error:
				frappe.db.rollback(save_point="zoho_contact")
				frappe.clear_last_message()
				if contact_updates.made_meanwhile(person):
					raise  # the page is done again, and finds that Contact
				failures.append((person, written_alone(error)))
		forget_unnamed()
		return created, failures

	def change(self, changes: Changes) -> RefusedPeople:
		failures: RefusedPeople = []
		for contact, person, values in changes:
			frappe.db.savepoint("zoho_contact")
			try:
				contact_updates.apply_changes(contact, values)
			except Exception as error:
				frappe.db.rollback(save_point="zoho_contact")
				frappe.clear_last_message()
				failures.append((person, written_alone(error)))
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
				contact_updates.require_usable(person.email)
				usable.append(person)
			except contact_updates.UnusableAddress as error:
				failures.append((person, written_alone(error)))
		created = self._maker.create(usable)
		if created:
			tell_lists("Contact")
		return created, failures

	def change(self, changes: Changes) -> RefusedPeople:
		"""Fields that a form computes others from go through the Document API; they are few."""
		simple = [change for change in changes if bulk_contacts.OWN_FIELDS.issuperset(change[2])]
		bulk_contacts.set_own_fields({name: values for name, _person, values in simple})
		return self._documents.change([change for change in changes if change not in simple])


def guarded(row: Row, failures: RefusedRows, write: Callable[..., object], **kwargs: object) -> None:
	"""Write one row; one that is refused leaves the others of its page standing."""
	frappe.db.savepoint("zoho_row")
	try:
		write(**kwargs)
	except frappe.ValidationError as error:
		frappe.db.rollback(save_point="zoho_row")
		frappe.clear_last_message()
		failures.append((row, written_alone(error)))


def forget_unnamed() -> None:
	"""Let go of what Frappe notes of documents while it saves them, and looks for in vain where it has named them since.

	Nothing else does before the process ends: after 80,000 documents these looks take two thirds of the time.
	"""
	saving = frappe.flags.currently_saving
	saving[:] = [(doctype, name) for doctype, name in saving if name]


def tell_lists(doctype: str) -> None:
	"""Let open lists refresh, once a page instead of once a document."""
	frappe.publish_realtime("list_update", {"doctype": doctype}, doctype=doctype, after_commit=True)


def written_alone(error: Exception) -> Exception:
	"""Return an error without the frames it came through: they have the rows of its page, and the list that it is put into."""
	error.__context__ = error.__cause__ = None
	return error.with_traceback(None)
