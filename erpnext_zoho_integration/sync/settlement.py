"""What workers could not see of each other's pages, since neither had committed: put right when their run ends."""

from collections.abc import Iterator
from datetime import datetime

import frappe
from frappe.query_builder import DocType
from frappe.query_builder.functions import Max, Min

from erpnext_zoho_integration.sync import clock, contacts, dialect, lifecycle, match
from erpnext_zoho_integration.sync.mapping import Person
from erpnext_zoho_integration.sync.recipients import DOCTYPE
from erpnext_zoho_integration.sync.writers import ContactWriter, RefusedPeople

_BATCH = 500


def settle(started_at: datetime, writer: ContactWriter) -> RefusedPeople:
	"""Link rows to the Contacts that another worker made meanwhile, and give Contacts the status that all rows say.

	Commits batch by batch; each stands for itself.

	Args:
		started_at: begin of the run, in the site's zone.
		writer: changes Contacts.

	Returns:
		People whose Contacts could not be changed, with the reason.
	"""
	refused: RefusedPeople = []
	moment = clock.surely_ago(clock.seconds_since(started_at) / 60)
	for emails in _batches(_unlinked(moment)):
		lifecycle.link_rows(match.contacts_of(emails))
		frappe.db.commit()  # nosemgrep - see above
	for names in _batches(_disputed(moment)):
		refused += _settle_status(names, writer)
		frappe.db.commit()  # nosemgrep - see above
	return refused


def _unlinked(moment: datetime) -> list[str]:
	"""Return addresses of rows without a Contact for which there is one now, both written since a moment."""
	contact, recipient = DocType("Contact"), DocType(DOCTYPE)
	query = (
		frappe.qb.from_(recipient)
		.join(contact)
		.on(contact.email_id == recipient.email)
		.select(recipient.email)
		.where((recipient.modified >= moment) & recipient.contact.isnull() & (recipient.rtbf == 0))
		.where(contact.creation >= moment)
	)
	return sorted(set(query.run(pluck=True)))  # MariaDB's DISTINCT holds müller@ and muller@ for one address


def _disputed(moment: datetime) -> list[str]:
	"""Return the Contacts of whose status the rows written since a moment say different things."""
	recipient = DocType(DOCTYPE)
	status = recipient.contact_status
	return (
		frappe.qb.from_(recipient)
		.select(recipient.contact)
		.where((recipient.modified >= moment) & recipient.contact.isnotnull())
		.groupby(recipient.contact)
		.having(Min(status) != Max(status))
	).run(pluck=True)


def _settle_status(names: list[str], writer: ContactWriter) -> RefusedPeople:
	status = contacts.last_status(names)
	stored = dialect.select_in("Contact", ("name", "email_id", "zoho_status"), "name", names)
	return writer.change(
		[
			(name, _person(email or name, status[name]), {"zoho_status": status[name]})
			for name, email, known in stored
			if status.get(name, known) != known
		]
	)


def _person(email: str, status: str) -> Person:
	return Person(email, None, None, None, None, None, None, None, status)


def _batches(values: list[str]) -> Iterator[list[str]]:
	for start in range(0, len(values), _BATCH):
		yield values[start : start + _BATCH]
