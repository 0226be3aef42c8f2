"""Starting, finding and cancelling runs. Two runs of the same thing never run at once, even if Redis forgets all locks."""

import frappe
from frappe import _
from frappe.utils import add_to_date, now_datetime

from erpnext_zoho_integration.compat import enqueue_once
from erpnext_zoho_integration.connection import valid_token
from erpnext_zoho_integration.connection.clients import get_settings
from erpnext_zoho_integration.sync import account, runner

# Frappe's own limit for `long` jobs is 1500 s; a first sync of many campaigns takes longer.
JOB_TIMEOUT = 6 * 3600
# Every page gives a sign of life; the longest wait between two pages is a minute.
_SILENT_MINUTES = 15


def start(trigger: str, campaign: str | None = None) -> tuple[str, bool]:
	"""Queue a run in the background, unless the same one is already active.

	Args:
		trigger: what started it: `Schedule`, `User`, `Command Line` or `Python`.
		campaign: name of the Campaign; by default all.

	Returns:
		Name of the run, and whether this call has queued it.
	"""
	run, created = _open(trigger, campaign)
	job = f"zoho-sync-{run}"
	if created:
		frappe.db.set_value(account.RUN, run, "job_id", job, update_modified=False)
	enqueue_once("erpnext_zoho_integration.sync.queue.execute_job", job_id=job, timeout=JOB_TIMEOUT, run=run)
	return run, created


def run_now(trigger: str, campaign: str | None = None) -> str:
	"""Run in this process and return the name of the run.

	Raises:
		frappe.ValidationError: the same run is active.
	"""
	run, created = _open(trigger, campaign)
	if not created:
		frappe.throw(_("A sync is already under way: {0}").format(run))
	frappe.db.commit()  # nosemgrep: others must see that a run is active
	runner.execute(run)
	return run


def execute_job(run: str) -> None:
	"""The background job of a run."""
	runner.execute(run)


def cancel(run: str) -> None:
	"""Ask a run to stop; it does so after the page that it is writing."""
	status = frappe.db.get_value(account.RUN, run, "status", for_update=True)
	if status == "Queued":
		account.RunAccount(run).finish(_("Cancelled."), cancelled=True)
	elif status in account.ACTIVE:
		frappe.db.set_value(account.RUN, run, "cancel_requested", 1, update_modified=False)


def require_connection() -> None:
	"""Raise `NotConnected` with what to do, unless there is a usable connection."""
	valid_token()


def schedule_enabled() -> bool:
	"""Return whether the hourly sync is switched on and connected."""
	settings = get_settings()
	return bool(settings.is_active and settings.enable_schedule)


def _open(trigger: str, campaign: str | None) -> tuple[str, bool]:
	key = f"campaign:{campaign}"[:140] if campaign else "all"
	active = frappe.db.get_value(
		account.RUN, {"active_key": key}, ["name", "status", "heartbeat"], as_dict=True
	)
	if active and not _is_dead(active):
		return active.name, False
	if active:
		account.RunAccount(active.name).finish(_("The worker was lost; the next run goes on from here."))
	frappe.db.savepoint("zoho_run")
	try:
		return account.open_run(trigger, key, campaign), True
	except (frappe.UniqueValidationError, frappe.DuplicateEntryError):
		frappe.db.rollback(save_point="zoho_run")
		frappe.clear_last_message()
		# Another process was quicker; a locking read sees its run.
		return frappe.db.get_value(account.RUN, {"active_key": key}, "name", for_update=True), False


def _is_dead(run) -> bool:
	silent_since = add_to_date(now_datetime(), minutes=-_SILENT_MINUTES)
	return run.status == "Running" and run.heartbeat and run.heartbeat < silent_since
