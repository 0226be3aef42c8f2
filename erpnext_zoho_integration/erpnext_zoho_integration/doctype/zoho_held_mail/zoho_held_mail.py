"""Zoho Held Mail: addresses that a marketing mail lost before it was sent; written by `consent.held_mail`."""

import frappe
from frappe.model.document import Document

from erpnext_zoho_integration.store.doctypes import HELD_MAIL


class ZohoHeldMail(Document):
	"""One row for each mail of the Email Queue from which addresses were taken out."""

	@staticmethod
	def clear_old_logs(days: int = 90) -> None:
		"""Delete rows older than this; Log Settings call it."""
		table = frappe.qb.DocType(HELD_MAIL)
		before = frappe.utils.add_days(frappe.utils.now_datetime(), -days)
		frappe.qb.from_(table).delete().where(table.creation < before).run()


def on_doctype_update() -> None:
	"""Add the index by which a Newsletter or Email Campaign finds what it lost."""
	frappe.db.add_index(HELD_MAIL, ["reference_doctype", "reference_name"], "reference")
