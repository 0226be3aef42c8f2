"""Zoho Sync Run: the record of one sync, from the click or the hour that started it to its result."""

import frappe
from frappe.model.document import Document
from frappe.query_builder import DocType, Interval
from frappe.query_builder.functions import Now

CHILD_TABLES = ("Zoho Sync Run Campaign", "Zoho Sync Run Error")


class ZohoSyncRun(Document):
	"""Written by `sync.account` only; nobody edits it by hand."""

	@staticmethod
	def clear_old_logs(days: int = 90) -> None:
		"""Delete runs that ended more than `days` days ago, as Log Settings asks."""
		run = DocType("Zoho Sync Run")
		old = (
			frappe.qb.from_(run)
			.select(run.name)
			.where(run.active_key.isnull() & (run.creation < (Now() - Interval(days=days))))
		).run(pluck=True)
		for start in range(0, len(old), 500):
			names = old[start : start + 500]
			for child in CHILD_TABLES:
				frappe.db.delete(child, {"parenttype": "Zoho Sync Run", "parent": ("in", names)})
			frappe.db.delete("Zoho Sync Run", {"name": ("in", names)})
