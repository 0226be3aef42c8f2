"""The two ways to write Contacts: in bulk by default, document by document if another app listens to Contact.

The errors of single rows and Contacts are returned, so that one refused record does not stop its page.
"""

from collections.abc import Callable
from typing import Protocol

import frappe

from erpnext_zoho_integration.sync.contacts import bulk_contacts, contact_values
from erpnext_zoho_integration.sync.mapping.recipient_rows import Person, Row

RefusedRows = list[tuple[Row, Exception]]
RefusedPeople = list[tuple[Person, Exception]]
Changes = list[tuple[str, Person, dict]]  # name of the Contact, the person, the fields to set


class ContactWriter(Protocol):
	"""Creates and changes Contacts."""

	def create(self, people: list[Person]) -> tuple[dict[str, str], RefusedPeople]:
		"""Create Contacts; return their names by address, and the refused people."""

	def follow(self) -> None:
		"""Note what other workers have created; called when this worker's turn begins."""

	def change(self, changes: Changes) -> RefusedPeople:
		"""Set fields of Contacts; return the refused people."""


class DocumentContacts:
	"""Writes each Contact through the Document API."""

	def follow(self) -> None:
		"""Do nothing: a document looks up its name when it is inserted."""

	def create(self, people: list[Person]) -> tuple[dict[str, str], RefusedPeople]:
		created: dict[str, str] = {}
		failures: RefusedPeople = []
		for person in people:
			frappe.db.savepoint("zoho_contact")
			try:
				created[person.email] = contact_values.create_contact(person).name
			except Exception as error:
				frappe.db.rollback(save_point="zoho_contact")
				frappe.clear_last_message()
				if contact_values.made_meanwhile(person):
					raise  # the page is repeated, and finds that Contact
				failures.append((person, without_traceback(error)))
		forget_unnamed()
		return created, failures

	def change(self, changes: Changes) -> RefusedPeople:
		failures: RefusedPeople = []
		for contact, person, values in changes:
			frappe.db.savepoint("zoho_contact")
			try:
				contact_values.apply_changes(contact, values)
			except Exception as error:
				frappe.db.rollback(save_point="zoho_contact")
				frappe.clear_last_message()
				failures.append((person, without_traceback(error)))
		return failures


class BulkContacts:
	"""Writes new Contacts with their addresses and numbers in a few statements a page; changes in one per field."""

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
				contact_values.require_usable(person.email)
				usable.append(person)
			except contact_values.UnusableAddress as error:
				failures.append((person, without_traceback(error)))
		created = self._maker.create(usable)
		if created:
			refresh_open_lists("Contact")
		return created, failures

	def change(self, changes: Changes) -> RefusedPeople:
		"""Set fields; those from which the form computes others, which are few, through the Document API."""
		simple = [change for change in changes if bulk_contacts.OWN_FIELDS.issuperset(change[2])]
		bulk_contacts.set_own_fields({name: values for name, _person, values in simple})
		return self._documents.change([change for change in changes if change not in simple])


def write_or_refuse(row: Row, failures: RefusedRows, write: Callable[..., object], **kwargs: object) -> None:
	"""Write one row; if Frappe refuses it, undo this row only and add it to `failures`."""
	frappe.db.savepoint("zoho_row")
	try:
		write(**kwargs)
	except frappe.ValidationError as error:
		frappe.db.rollback(save_point="zoho_row")
		frappe.clear_last_message()
		failures.append((row, without_traceback(error)))


def forget_unnamed() -> None:
	"""Drop the notes about unnamed documents from Frappe's list of documents that are being saved.

	Frappe notes a new document before it has a name and afterwards looks for it by its name, in vain. The list grows until
	the process ends, and Frappe searches it at every save: after 80,000 documents that takes two thirds of the time.
	"""
	saving = frappe.flags.currently_saving
	saving[:] = [(doctype, name) for doctype, name in saving if name]


def refresh_open_lists(doctype: str) -> None:
	"""Have open list views refresh, once a page instead of once a document."""
	frappe.publish_realtime("list_update", {"doctype": doctype}, doctype=doctype, after_commit=True)


def without_traceback(error: Exception) -> Exception:
	"""Return an error without its traceback, which would keep the whole page in memory."""
	error.__context__ = error.__cause__ = None
	return error.with_traceback(None)
