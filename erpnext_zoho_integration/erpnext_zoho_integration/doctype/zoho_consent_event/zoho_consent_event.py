"""Zoho Consent Event: what became known about an address, when and from where; written by `consent.events` only."""

import frappe
from frappe import _
from frappe.model.document import Document

from erpnext_zoho_integration.store.doctypes import CONSENT_EVENT


class ZohoConsentEvent(Document):
	"""Proof: nobody changes or deletes it through the Document API, Administrator included."""

	def before_insert(self) -> None:
		_refuse()

	def validate(self) -> None:
		_refuse()

	def on_trash(self) -> None:
		_refuse()

	def before_rename(self, _old: str, _new: str, _merge: bool = False) -> None:
		_refuse()


def on_doctype_update() -> None:
	"""Add the index by which the events of an address are found."""
	frappe.db.add_index(CONSENT_EVENT, ["address_key", "event"], "address")


def _refuse() -> None:
	frappe.throw(
		_("Consent events are proof. They cannot be added, changed or deleted by hand."),
		frappe.PermissionError,
	)
