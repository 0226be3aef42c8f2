"""Starting, finding, resuming and cancelling runs.

Two runs over the same campaigns are never active at once, even if Redis loses all locks: a unique key in the database
prevents it.
"""

from typing import Any

import frappe
from frappe import _
from frappe.utils import cint

from erpnext_zoho_integration.compat import enqueue_once
from erpnext_zoho_integration.connection.identity import pause
from erpnext_zoho_integration.connection.settings import get_settings
from erpnext_zoho_integration.connection.tokens import valid_token
from erpnext_zoho_integration.store.doctypes import SYNC_RUN
from erpnext_zoho_integration.store.fields import ACTIVE_KEY
from erpnext_zoho_integration.sync.mapping import site_clock
from erpnext_zoho_integration.sync.runs import campaign_tasks, run_log
from erpnext_zoho_integration.sync.runs import worker as run_worker

# A slice ends by itself after `worker.SLICE_SECONDS` and the page that it is writing; this stops one that does not.
JOB_TIMEOUT = run_worker.SLICE_SECONDS + 600
# A run whose wait ends later than this is queued by the event of the next minute.
_RESUME_AHEAD_SECONDS = 30


def start(trigger: str, campaign: str | None = None, mode: str = "Due") -> tuple[str, bool]:
	"""Queue a run in the background, unless the same one is already active.

	Args:
		trigger: what started it: `Schedule`, `User`, `Command Line` or `Python`.
		campaign: name of the Campaign; by default all.
		mode: `Due`, `All` or `Full`, see `due_campaigns.plan_all`.

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
		options: of `worker.execute_slice`.

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
	workers = max(1, cint(frappe.db.get_value(SYNC_RUN, run, "workers")))
	_enqueue(run, [str(worker) for worker in range(1, workers + 1)])


def execute_job(run: str) -> None:
	"""Do one slice of a run as a background job, and queue the next one if there is more to do."""
	status = run_worker.execute_slice(run)
	if status == "Running" and _has_more_to_do(run):
		_enqueue(run, [frappe.generate_hash(length=6)])
		frappe.db.commit()  # nosemgrep - the next slice is queued with the commit


def resume_waiting() -> None:
	"""Queue runs whose wait is over and runs whose workers have died. Called every minute; one query if there are none.

	A site without a scheduler still syncs: there, `start` resumes a run that has waited.
	"""
	silent_since = site_clock.now_epoch() - campaign_tasks.SILENT_SECONDS
	runs = frappe.get_all(
		SYNC_RUN,
		filters={"status": ("in", run_log.ACTIVE)},
		fields=["name", "status", "resume_epoch", "heartbeat_epoch"],
	)
	for run in runs:
		waited = run.status == "Waiting" and _is_over(run.resume_epoch)
		if waited or (run.status != "Waiting" and 0 < run.heartbeat_epoch < silent_since):
			run_log.renew_heartbeat(run.name)
			enqueue_slices(run.name)


def cancel(run: str) -> None:
	"""Ask a run to stop; it does so after the page that it is writing."""
	status = frappe.db.get_value(SYNC_RUN, run, "status", for_update=True)
	if status in ("Queued", "Waiting"):
		run_log.finish(run, _("Cancelled."), cancelled=True)
	elif status in run_log.ACTIVE:
		run_log.request_cancel(run)


def require_connection() -> None:
	"""Raise `NotConnected` with what to do, unless there is a usable connection."""
	valid_token()


def schedule_enabled() -> bool:
	"""Return whether the hourly sync is switched on and the site has a connection of its own; sends no request."""
	settings = get_settings()
	return bool(settings.is_active and settings.enable_schedule) and pause(settings) is None


def open_run(trigger: str, campaign: str | None, mode: str, workers: int | None = None) -> tuple[str, bool]:
	"""Make a run, or find the active one; return its name and whether it was made. Nobody works on it yet.

	Args:
		trigger, campaign, mode: see `start`.
		workers: how many share it; by default as the settings say.
	"""
	key = f"campaign:{campaign}"[:140] if campaign else "all"
	active = frappe.db.get_value(
		SYNC_RUN, {ACTIVE_KEY: key}, ["name", "status", "heartbeat_epoch"], as_dict=True
	)
	if active and not _is_dead(active):
		return active.name, False
	if active:
		run_log.finish(
			active.name, _("The worker was lost. The next run has continued from its last commit.")
		)
	frappe.db.savepoint("zoho_run")
	try:
		workers = workers or cint(get_settings().workers) or 1
		return run_log.open_run(trigger, key, campaign, mode, workers), True
	except (frappe.UniqueValidationError, frappe.DuplicateEntryError):
		frappe.db.rollback(save_point="zoho_run")
		frappe.clear_last_message()
		# Another process was quicker; a locking read sees its run.
		return frappe.db.get_value(SYNC_RUN, {ACTIVE_KEY: key}, "name", for_update=True), False


def _enqueue(run: str, suffixes: list[str]) -> None:
	"""Queue the next slice of a run, one job for each suffix."""
	number = cint(frappe.db.get_value(SYNC_RUN, run, "slice")) + 1
	jobs = [f"zoho-sync-{run}-{number}-{suffix}" for suffix in suffixes]
	run_log.note_slice(run, number, jobs[0])
	for job in jobs:
		enqueue_once(
			"erpnext_zoho_integration.sync.runs.queue.execute_job", job_id=job, timeout=JOB_TIMEOUT, run=run
		)


def _has_more_to_do(run: str) -> bool:
	"""Return whether a run has campaigns that no worker has taken, or was not planned before the job's time was up."""
	return campaign_tasks.has_pending(run) or not run_log.read_plan(run)


def _has_waited(run: str) -> bool:
	"""Return whether a run's wait is over and nobody has resumed it, as on a site without a scheduler."""
	state = frappe.db.get_value(SYNC_RUN, run, ["status", "resume_epoch"], as_dict=True)
	return state.status == "Waiting" and _is_over(state.resume_epoch)


def _is_over(resume_epoch: float) -> bool:
	return resume_epoch <= site_clock.now_epoch() + _RESUME_AHEAD_SECONDS


def _is_dead(run: frappe._dict) -> bool:
	silent_since = site_clock.now_epoch() - 2 * campaign_tasks.SILENT_SECONDS
	return run.status == "Running" and 0 < run.heartbeat_epoch < silent_since
