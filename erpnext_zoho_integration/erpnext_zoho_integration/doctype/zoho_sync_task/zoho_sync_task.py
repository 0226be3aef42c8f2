"""Zoho Sync Task: one campaign of a run that is under way; any worker may take it."""

import frappe
from frappe.model.document import Document

from erpnext_zoho_integration.store.doctypes import SYNC_TASK


class ZohoSyncTask(Document):
	"""Written by `sync.runs.campaign_tasks`; `sync.privacy.scrubbing` redacts it. Deleted when its run ends."""


def on_doctype_update() -> None:
	"""Add the index by which workers look for the next task."""
	frappe.db.add_index(SYNC_TASK, ["run", "status"])
