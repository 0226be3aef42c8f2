"""The end of a run: what its workers could not see of each other is fixed, and the outcome is written and published."""

from datetime import timedelta

import frappe
from frappe.utils import now, now_datetime

from erpnext_zoho_integration.shared_locks import shared_lock
from erpnext_zoho_integration.store.doctypes import SETTINGS, SYNC_RUN
from erpnext_zoho_integration.sync.mapping import site_clock
from erpnext_zoho_integration.sync.recipients import repair_after_parallel_workers
from erpnext_zoho_integration.sync.recipients.row_writers import Writers
from erpnext_zoho_integration.sync.runs import notifications, progress, run_log
from erpnext_zoho_integration.sync.runs.interruptions import RunGone

# Fixing a million rows takes seconds. Should it take longer, another worker does it too, which does no harm.
_LOCK_SECONDS = 60


def end_run(run: str, writers: Writers, stopped: str | None, cancelled: bool = False) -> str:
	"""End a run and return its status. If another worker is already ending it, return `Running`. Commits.

	Args:
		run: name of the Zoho Sync Run.
		writers: of this worker.
		stopped: why the run ended before all its work was done, if it did.
		cancelled: whether somebody cancelled it.

	Raises:
		RunGone: the run was deleted meanwhile.
	"""
	if not writers.parallel:
		return _end(run, writers, stopped, cancelled)
	with shared_lock(f"finish-{run}", seconds=_LOCK_SECONDS, wait=0) as lock:
		frappe.db.commit()  # nosemgrep - see whether another worker has ended it meanwhile
		return _end(run, writers, stopped, cancelled) if lock else "Running"


def _end(run: str, writers: Writers, stopped: str | None, cancelled: bool) -> str:
	fields = ["status", "started_at", "started_epoch"]
	found = frappe.db.get_value(SYNC_RUN, run, fields, as_dict=True)
	if not found:
		raise RunGone
	if writers.parallel and found.started_at and found.status in run_log.ACTIVE:
		# Rows have local times: if the clocks have gone back meanwhile, its rows may seem older than the run.
		begin = now_datetime() - timedelta(seconds=site_clock.now_epoch() - found.started_epoch)
		since = min(found.started_at, begin)
		for person, error in repair_after_parallel_workers.fix_what_workers_missed(since, writers.contacts):
			run_log.add_error(run, f"{person.email}: {error}", "Contacts")
	status = run_log.finish(run, stopped, cancelled)
	frappe.db.set_single_value(SETTINGS, {"last_sync": now()}, update_modified=False)
	progress.publish(run, {"status": status})
	frappe.db.commit()  # nosemgrep - the end of the run
	notifications.check()
	return status or frappe.db.get_value(SYNC_RUN, run, "status") or run_log.GONE
