"""Zoho Suppressed Address: who gets no marketing mail; derived from the events by `consent.suppression_list`."""

import frappe
from frappe import _
from frappe.model.document import Document

from erpnext_zoho_integration.store.doctypes import SUPPRESSED_ADDRESS


class ZohoSuppressedAddress(Document):
	"""Named by the key of the address, see `addresses.address_key`. Nobody writes it by hand."""

	def validate(self) -> None:
		_refuse()

	def on_trash(self) -> None:
		_refuse()

	def before_rename(self, _old: str, _new: str, _merge: bool = False) -> None:
		_refuse()


def on_doctype_update() -> None:
	"""Add the index by which opt-outs that Zoho does not know yet are found."""
	frappe.db.add_index(SUPPRESSED_ADDRESS, ["told_zoho", "tell_after"], "to_tell")


def _refuse() -> None:
	frappe.throw(
		_(
			"The suppression list follows from the consent events. Use Record New Consent on the person's form."
		),
		frappe.PermissionError,
	)
