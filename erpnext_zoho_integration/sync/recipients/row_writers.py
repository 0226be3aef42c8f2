"""How recipients and Contacts are written: in bulk by default, document by document where the site listens.

Both ways write the same; `store.document_listeners` decides which one a DocType gets.

A sync writes Campaign Recipient here. Other writers of that table change existing rows for one purpose each:
`contacts.row_links` links rows to Contacts, `campaigns.bounced_recipient_flags` marks bounced mails, `campaigns.merging` moves rows to
another campaign, `campaigns.pruning` deletes rows gone at Zoho, `privacy.anonymised_rows` takes the person out, and
`sync.document_events` follows changed, merged and deleted documents.
"""

from collections.abc import Iterable
from typing import Protocol

import frappe
from frappe import _
from frappe.utils import now_datetime

from erpnext_zoho_integration.consent import recording
from erpnext_zoho_integration.consent.events import Fact
from erpnext_zoho_integration.consent.recording import Recorded
from erpnext_zoho_integration.store import sql_writes
from erpnext_zoho_integration.store.doctypes import RECIPIENT
from erpnext_zoho_integration.store.document_listeners import reasons_for_documents
from erpnext_zoho_integration.store.document_names import NumberBlock, recipient_name, reserve_numbers
from erpnext_zoho_integration.store.fields import CONTACT_REMOVED, CONTENT_HASH, ROW_KEY
from erpnext_zoho_integration.sync.campaigns import bounced_recipient_flags
from erpnext_zoho_integration.sync.contacts import row_links
from erpnext_zoho_integration.sync.contacts.change_cache import ChangeCache
from erpnext_zoho_integration.sync.contacts.contact_writers import (
	BulkContacts,
	ContactWriter,
	DocumentContacts,
	RefusedRows,
	forget_unnamed,
	refresh_open_lists,
	write_or_refuse,
)
from erpnext_zoho_integration.sync.mapping.recipient_rows import RECIPIENT_FIELDS, Row, in_order
from erpnext_zoho_integration.sync.recipients.difference import Stored, columns

NewRows = list[tuple[Row, str | None]]
ChangedRows = list[tuple[Row, Stored, str | None]]


class RecipientWriter(Protocol):
	"""Writes the rows of a batch; returns the refused ones, each with the reason."""

	def write(self, campaign: str, new: NewRows, changed: ChangedRows) -> RefusedRows: ...

	def mark_bounced(self, keys: list[str], mark: bool) -> None: ...


class LinkWriter(Protocol):
	"""Links rows to Contacts, as the module `contacts.row_links` does."""

	def set_contacts(self, links: dict[str, str]) -> None: ...


class ConsentWriter(Protocol):
	"""Records opt-outs, as the module `consent.recording` does."""

	def record(self, facts: Iterable[Fact]) -> Recorded: ...

	def mark_contacts(self, names: Iterable[str]) -> int: ...


class DocumentRecipients:
	"""Writes each row through the Document API: slower, but every listener of the site is called."""

	def write(self, campaign: str, new: NewRows, changed: ChangedRows) -> RefusedRows:
		failures: RefusedRows = []
		numbers = reserve_numbers(len(new)) if new else range(0)
		for (row, contact), number in zip(new, numbers, strict=True):
			document = frappe.new_doc(RECIPIENT)
			document.update(columns(row, contact))
			document.campaign = campaign
			document.flags.from_zoho = True
			name = recipient_name(contact, row.email, number)
			write_or_refuse(row, failures, document.insert, ignore_permissions=True, set_name=name)
		for row, stored, contact in changed:
			document = frappe.get_doc(RECIPIENT, stored.name)
			document.update(columns(row, contact))
			document.flags.from_zoho = True
			write_or_refuse(row, failures, document.save, ignore_permissions=True)
		forget_unnamed()
		return failures

	def mark_bounced(self, keys: list[str], mark: bool) -> None:
		for name in frappe.get_all(RECIPIENT, {ROW_KEY: ("in", keys)}, pluck="name"):
			document = frappe.get_doc(RECIPIENT, name)
			document.bounced = int(mark)
			document.flags.from_zoho = True
			write_or_refuse(name, [], document.save, ignore_permissions=True)


class BulkRecipients:
	"""Writes all rows of a batch in one statement: the unique key decides what is inserted and what is updated."""

	_SAME = (
		"creation",
		"modified",
		"modified_by",
		"owner",
		"docstatus",
		"idx",
		"campaign",
		CONTACT_REMOVED,
	)
	_OWN = ("name", ROW_KEY, *RECIPIENT_FIELDS, "contact", CONTENT_HASH)
	COLUMNS = (*_SAME, *_OWN)
	UPDATED = ("modified", "modified_by", *RECIPIENT_FIELDS, "contact", CONTACT_REMOVED, CONTENT_HASH)

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
			sql_writes.upsert_rows(RECIPIENT, self._OWN, rows, ROW_KEY, self.UPDATED, dict(same))
			refresh_open_lists(RECIPIENT)
		return []

	def mark_bounced(self, keys: list[str], mark: bool) -> None:
		bounced_recipient_flags.set_marks(keys, mark)


class Writers:
	"""The writers of a run.

	Args:
		recipients: writes Campaign Recipients.
		contacts: writes Contacts.
		reasons: why documents are written one by one, as translated sentences.
		links: links rows to Contacts; by default `contacts.row_links`.
		consent: records opt-outs; by default `consent.recording`.

	Attributes:
		parallel: whether other workers may create the same Contacts.
		change_cache: what has been taken over from earlier lists and campaigns.
	"""

	def __init__(
		self,
		recipients: RecipientWriter,
		contacts: ContactWriter,
		reasons: list[str],
		links: LinkWriter = row_links,
		consent: ConsentWriter = recording,
	) -> None:
		self.recipients = recipients
		self.contacts = contacts
		self.reasons = reasons
		self.links = links
		self.consent = consent
		self.parallel = False
		self.change_cache = ChangeCache()

	@classmethod
	def for_site(cls) -> "Writers":
		"""Return the writers that this site needs: the Document API for each DocType that something listens to."""
		listeners = {doctype: reasons_for_documents(doctype) for doctype in (RECIPIENT, "Contact")}
		return cls(
			DocumentRecipients() if listeners[RECIPIENT] else BulkRecipients(),
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
