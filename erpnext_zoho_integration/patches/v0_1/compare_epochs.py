"""Fill the fields in seconds since the epoch that replace times in the site's zone wherever workers compare them.

Runs that are active during the migration go on afterwards; campaigns are due when they were due before.
"""

import json
from datetime import datetime

import frappe
from frappe.utils import get_datetime

from erpnext_zoho_integration.store.doctypes import CAMPAIGN_STATE, SYNC_RUN, SYNC_TASK
from erpnext_zoho_integration.sync.mapping import site_clock
from erpnext_zoho_integration.sync.runs.run_log import ACTIVE


def execute() -> None:
	fill_runs()
	fill_states()


def fill_runs() -> None:
	"""Let active runs and their tasks seem alive; the scheduler resumes them if their workers are gone."""
	now = site_clock.now_epoch()
	missing = {"heartbeat_epoch": 0}
	for doctype, status in ((SYNC_RUN, ("in", ACTIVE)), (SYNC_TASK, "Working")):
		frappe.db.set_value(
			doctype, {"status": status, **missing}, "heartbeat_epoch", now, update_modified=False
		)
	for field, target in (("started_at", "started_epoch"), ("resume_at", "resume_epoch")):
		fill(SYNC_RUN, field, target, {"status": ("in", ACTIVE)})


def fill_states() -> None:
	fill(CAMPAIGN_STATE, "next_check", "next_check_epoch", {})
	unfinished = frappe.get_all(CAMPAIGN_STATE, {"position": ("is", "set")}, ["name", "position"])
	for state in unfinished:
		cursor = json.loads(state.position)
		if "at" in cursor:
			saved_at = cursor.pop("at")
			cursor["saved_at"] = site_clock.epoch_of(datetime.fromisoformat(saved_at)) if saved_at else 0.0
			frappe.db.set_value(
				CAMPAIGN_STATE, state.name, "position", json.dumps(cursor), update_modified=False
			)


def fill(doctype: str, field: str, target: str, filters: dict) -> None:
	"""Write a stored time as seconds since the epoch into `target` where that is empty."""
	filters = {**filters, field: ("is", "set"), target: 0}
	for name, moment in frappe.get_all(doctype, filters, ["name", field], as_list=True):
		epoch = site_clock.epoch_of(get_datetime(moment))
		frappe.db.set_value(doctype, name, target, epoch, update_modified=False)
