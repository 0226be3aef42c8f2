"""Zoho Sync Run: the record of one sync, from the click or the hour that started it to its result."""

import frappe
from frappe.model.document import Document
from frappe.query_builder import DocType
from frappe.utils import add_to_date, now_datetime

from erpnext_zoho_integration.store.doctypes import SYNC_RUN, SYNC_RUN_CAMPAIGN, SYNC_RUN_ERROR
from erpnext_zoho_integration.sync.runs import campaign_tasks

CHILD_TABLES = (SYNC_RUN_CAMPAIGN, SYNC_RUN_ERROR)


class ZohoSyncRun(Document):
	"""Written by `sync.runs.run_log` only; nobody edits it by hand."""

	def on_trash(self) -> None:
		"""Delete the tasks of the run; a worker that is at one ends after its page, as after a cancellation."""
		campaign_tasks.delete(self.name)

	@staticmethod
	def clear_old_logs(days: int = 90) -> None:
		"""Delete runs that ended more than `days` days ago, as Log Settings asks."""
		run, before = DocType(SYNC_RUN), add_to_date(now_datetime(), days=-days)
		old = (
			frappe.qb.from_(run).select(run.name).where(run.active_key.isnull() & (run.creation < before))
		).run(pluck=True)
		for start in range(0, len(old), 500):
			names = old[start : start + 500]
			for child in CHILD_TABLES:
				frappe.db.delete(child, {"parenttype": SYNC_RUN, "parent": ("in", names)})
			frappe.db.delete(SYNC_RUN, {"name": ("in", names)})
