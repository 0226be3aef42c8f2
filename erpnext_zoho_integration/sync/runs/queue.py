"""Starting, finding, resuming and cancelling runs.

Two runs of the same thing never run at once, even if Redis forgets all locks: a unique key in the database sees to it.
"""

from datetime import datetime
from typing import Any

import frappe
from frappe import _
from frappe.utils import add_to_date, cint, now_datetime

from erpnext_zoho_integration.compat import enqueue_once
from erpnext_zoho_integration.connection.settings import get_settings
from erpnext_zoho_integration.connection.tokens import valid_token
from erpnext_zoho_integration.store.doctypes import SYNC_RUN, SYNC_TASK
from erpnext_zoho_integration.sync.mapping import site_clock
from erpnext_zoho_integration.sync.runs import run_log, tasks
from erpnext_zoho_integration.sync.runs import worker as run_worker

# A slice ends by itself after `runner.SLICE_SECONDS` and the page that it is at; this is for one that does not.
JOB_TIMEOUT = run_worker.SLICE_SECONDS + 600
# A job that waits longer than this before it may go on is queued by the next minute's event.
_RESUME_AHEAD_SECONDS = 30


def start(trigger: str, campaign: str | None = None, mode: str = "Due") -> tuple[str, bool]:
	"""Queue a run in the background, unless the same one is already active.

	Args:
		trigger: what started it: `Schedule`, `User`, `Command Line` or `Python`.
		campaign: name of the Campaign; by default all.
		mode: `Due`, `All` or `Full`, see `plan.plan_all`.

	Returns:
		Name of the run, and whether this call has made it.
	"""
	run, created = open_run(trigger, campaign, mode)
	if created or _has_waited(run):
		enqueue_slices(run)
	return run, created


def run_now(trigger: str, campaign: str | None = None, mode: str = "Due", **options: Any) -> str:
	"""Run in this process and return the name of the run.

	Args:
		options: of `runner.Slice`.

	Raises:
		frappe.ValidationError: the same run is active.
	"""
	run, created = open_run(trigger, campaign, mode, workers=1)
	if not created:
		frappe.throw(_("A sync is already under way: {0}").format(run))
	frappe.db.commit()  # nosemgrep - others must see that a run is active
	run_worker.execute(run, **options)
	return run


def enqueue_slices(run: str) -> None:
	"""Queue the next slice of a run, once for each of its workers."""
	state = frappe.db.get_value(SYNC_RUN, run, ["slice", "workers"], as_dict=True)
	number = cint(state.slice) + 1
	jobs = [f"zoho-sync-{run}-{number}-{worker}" for worker in range(1, max(1, cint(state.workers)) + 1)]
	frappe.db.set_value(SYNC_RUN, run, {"slice": number, "job_id": jobs[0]}, update_modified=False)
	for job in jobs:
		enqueue_once(
			"erpnext_zoho_integration.sync.runs.queue.execute_job", job_id=job, timeout=JOB_TIMEOUT, run=run
		)


def execute_job(run: str) -> None:
	"""The background job: one slice of a run, and the next one queued if there is more to do."""
	status = run_worker.execute_slice(run)
	if status == "Running" and _has_more_to_do(run):
		state = frappe.db.get_value(SYNC_RUN, run, "slice")
		job = f"zoho-sync-{run}-{cint(state) + 1}-{frappe.generate_hash(length=6)}"
		frappe.db.set_value(SYNC_RUN, run, {"slice": cint(state) + 1, "job_id": job}, update_modified=False)
		enqueue_once(
			"erpnext_zoho_integration.sync.runs.queue.execute_job", job_id=job, timeout=JOB_TIMEOUT, run=run
		)
		frappe.db.commit()  # nosemgrep - the next slice is queued with the commit


def resume_waiting() -> None:
	"""Go on with runs whose wait is over, and with those whose workers have died. Called every minute; one query.

	Nothing else of a run depends on it: without the scheduler, a run that waits is taken up by the next button.
	"""
	now = now_datetime()
	silent = site_clock.older_than(tasks.SILENT_MINUTES)
	runs = frappe.get_all(
		SYNC_RUN,
		filters={"status": ("in", run_log.ACTIVE)},
		fields=["name", "status", "resume_at", "heartbeat"],
	)
	for run in runs:
		waited = run.status == "Waiting" and _is_over(run.resume_at, now)
		if waited or (run.status != "Waiting" and run.heartbeat and run.heartbeat < silent):
			frappe.db.set_value(SYNC_RUN, run.name, "heartbeat", now, update_modified=False)
			enqueue_slices(run.name)


def cancel(run: str) -> None:
	"""Ask a run to stop; it does so after the page that it is writing."""
	status = frappe.db.get_value(SYNC_RUN, run, "status", for_update=True)
	if status in ("Queued", "Waiting"):
		run_log.finish(run, _("Cancelled."), cancelled=True)
	elif status in run_log.ACTIVE:
		frappe.db.set_value(SYNC_RUN, run, "cancel_requested", 1, update_modified=False)


def require_connection() -> None:
	"""Raise `NotConnected` with what to do, unless there is a usable connection."""
	valid_token()


def schedule_enabled() -> bool:
	"""Return whether the hourly sync is switched on and connected; asks nobody."""
	settings = get_settings()
	return bool(settings.is_active and settings.enable_schedule)


def open_run(trigger: str, campaign: str | None, mode: str, workers: int | None = None) -> tuple[str, bool]:
	"""Make a run, or find the active one; return its name and whether it was made. Nobody works on it yet.

	Args:
		workers: how many share it; by default as the settings say.
	"""
	key = f"campaign:{campaign}"[:140] if campaign else "all"
	active = frappe.db.get_value(SYNC_RUN, {"active_key": key}, ["name", "status", "heartbeat"], as_dict=True)
	if active and not _is_dead(active):
		return active.name, False
	if active:
		run_log.finish(active.name, _("Its worker was lost; the next run has gone on from there."))
	frappe.db.savepoint("zoho_run")
	try:
		workers = workers or cint(get_settings().workers) or 1
		return run_log.open_run(trigger, key, campaign, mode, workers), True
	except (frappe.UniqueValidationError, frappe.DuplicateEntryError):
		frappe.db.rollback(save_point="zoho_run")
		frappe.clear_last_message()
		# Another process was quicker; a locking read sees its run.
		return frappe.db.get_value(SYNC_RUN, {"active_key": key}, "name", for_update=True), False


def _has_more_to_do(run: str) -> bool:
	"""Return whether a run has campaigns that nobody is at, or is not planned since the job's time was up before."""
	return bool(frappe.db.count(SYNC_TASK, {"run": run, "status": "Pending"})) or not run_log.read_plan(run)


def _has_waited(run: str) -> bool:
	"""Return whether a run's wait is over and nobody has taken it up, as on a site without a scheduler."""
	state = frappe.db.get_value(SYNC_RUN, run, ["status", "resume_at"], as_dict=True)
	return state.status == "Waiting" and _is_over(state.resume_at, now_datetime())


def _is_over(resume_at: datetime | None, now: datetime) -> bool:
	return not resume_at or resume_at <= add_to_date(now, seconds=_RESUME_AHEAD_SECONDS)


def _is_dead(run: frappe._dict) -> bool:
	silent_since = site_clock.older_than(2 * tasks.SILENT_MINUTES)
	return run.status == "Running" and run.heartbeat and run.heartbeat < silent_since
