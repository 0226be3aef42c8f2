"""Which mails are marketing, and whether anybody is left in To."""

from collections.abc import Collection

import frappe
from frappe.model.document import Document

from erpnext_zoho_integration.consent.settings import consent_settings
from erpnext_zoho_integration.store.addresses import addresses_in_field

_NOTED = "zoho_communications"  # in frappe.local.flags: what each Communication of this process refers to
Reference = tuple[str | None, str | None]  # DocType and name


def note_communication(communication: Document) -> None:
	"""Remember what a Communication refers to, so that the mail that follows costs no query."""
	noted = frappe.local.flags.setdefault(_NOTED, {})
	noted[communication.name] = communication.reference_doctype, communication.reference_name


def reference_of(queued: Document) -> Reference:
	"""Return the document of which a queued mail speaks: its own reference, else that of its Communication.

	Email Campaign of Frappe's middle generation queues mails that have a Communication only.
	"""
	if queued.reference_doctype or not queued.communication:
		return queued.reference_doctype, queued.reference_name
	noted = frappe.local.flags.get(_NOTED) or {}
	if queued.communication in noted:
		return noted[queued.communication]
	found = frappe.db.get_value(
		"Communication", queued.communication, ["reference_doctype", "reference_name"]
	)
	return found or (None, None)


def is_marketing(reference: Reference) -> bool:
	"""Return whether mails about this document are held back."""
	settings = consent_settings()
	return settings.hold_back and reference[0] in settings.marketing


def nobody_in_to(queued: Document, kept: Collection[str]) -> bool:
	"""Return whether the recipients that a queued mail keeps are all copies: cc, bcc and the account's `always_bcc`.

	Args:
		queued: Email Queue.
		kept: the texts of the recipients that it keeps.
	"""
	copies = set(addresses_in_field(queued.show_as_cc))
	if queued.communication:
		for text in frappe.db.get_value("Communication", queued.communication, ["cc", "bcc"]) or ():
			copies.update(addresses_in_field(text))
	if queued.email_account:
		always = frappe.get_cached_value("Email Account", queued.email_account, "always_bcc")
		copies.update(addresses_in_field(always))
	return all(copies.issuperset(addresses_in_field(text)) for text in kept)
