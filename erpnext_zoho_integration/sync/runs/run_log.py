"""Zoho Sync Run: the record of a run and its numbers.

The only writer of that DocType, with two exceptions: the DocType itself clears old runs, as Log Settings asks, and
`privacy.scrubbing` redacts the addresses of erased people. `campaign_log` writes its two child tables.

While a run is under way, each task keeps its own numbers, so that workers never wait for each other's row. They are added
up here for the form and the list.
"""

import json
from collections.abc import Iterable

import frappe
from frappe import _
from frappe.utils import cint, flt, fmt_money, now_datetime

from erpnext_zoho_integration import onboarding
from erpnext_zoho_integration.store.doctypes import SYNC_RUN, SYNC_RUN_ERROR
from erpnext_zoho_integration.store.fields import ACTIVE_KEY, CANCEL_REQUESTED, RESUME_AT
from erpnext_zoho_integration.sync.mapping import site_clock
from erpnext_zoho_integration.sync.runs import campaign_tasks
from erpnext_zoho_integration.sync.runs.campaign_log import Issue, _readable, _write_issues

ACTIVE = ("Queued", "Running", "Waiting")
# Stands for the status of a run that no longer exists.
GONE = "Gone"


def open_run(
	trigger: str, active_key: str, campaign: str | None = None, mode: str = "Due", workers: int = 1
) -> str:
	"""Insert a queued run and return its name.

	Args:
		trigger: what started it, one of the options of the field.
		active_key: unique among the runs that have not ended: the database itself refuses a second one.
		campaign: name of the Campaign; by default all.
		mode: `Due`, `All` or `Full`.
		workers: how many workers it may use.

	Raises:
		frappe.UniqueValidationError: such a run is active.
	"""
	run = frappe.new_doc(SYNC_RUN)
	run.update(
		{
			"status": "Queued",
			"trigger": trigger,
			"user": frappe.session.user,
			"campaign": campaign,
			ACTIVE_KEY: active_key,
			"mode": mode,
			"workers": max(1, workers),
			"heartbeat_epoch": site_clock.now_epoch(),
		}
	)
	run.insert(ignore_permissions=True)
	return run.name


def exists(name: str) -> bool:
	"""Return whether a run is still there: somebody may delete it, or uninstall the app, while it is under way."""
	return frappe.db.table_exists(SYNC_RUN, cached=False) and bool(frappe.db.exists(SYNC_RUN, name))


def number_of_workers(name: str) -> int:
	"""Return how many workers share a run."""
	return cint(frappe.db.get_value(SYNC_RUN, name, "workers"))


def resume_epoch(name: str) -> float:
	"""Return when a waiting run goes on, in seconds since the epoch."""
	return flt(frappe.db.get_value(SYNC_RUN, name, "resume_epoch"))


def mark_running(name: str) -> bool:
	"""Take part in a run; return False if it has ended. The caller commits."""
	run = frappe.db.get_value(SYNC_RUN, name, ["status", "started_at"], as_dict=True, for_update=True)
	if not run or run.status not in ACTIVE:
		return False
	now = site_clock.now_epoch()
	values = {"status": "Running", RESUME_AT: None, "resume_epoch": 0, "heartbeat_epoch": now}
	if not run.started_at:
		values |= {"started_at": now_datetime(), "started_epoch": now}
	_set(name, values)
	return True


def save_plan(name: str, plan: dict, total_campaigns: int) -> None:
	"""Note what a run is to do. The caller commits, with the tasks."""
	_set(name, {"plan": json.dumps(plan), "total_campaigns": total_campaigns})


def read_plan(name: str) -> dict | None:
	"""Return what `save_plan` noted, or None."""
	plan = frappe.db.get_value(SYNC_RUN, name, "plan")
	return json.loads(plan) if plan else None


def add_up(name: str) -> dict:
	"""Write the sum of all workers' numbers and a heartbeat to the run; return the numbers. The caller commits."""
	numbers = campaign_tasks.totals(name)
	plan = read_plan(name) or {}
	numbers["api_calls"] += plan.get("calls", 0)
	# A campaign that was not due counts as synced: nothing is missing.
	numbers["synced_campaigns"] += plan.get("not_due", 0)
	_set(name, {**numbers, "heartbeat_epoch": site_clock.now_epoch()})
	return numbers


def mark_waiting(name: str, resume_epoch: float, reason: str) -> None:
	"""Note until when a run waits and for what. The caller commits.

	Args:
		resume_epoch: when it goes on, in seconds since the epoch.
		reason: translated.
	"""
	values = {
		"status": "Waiting",
		RESUME_AT: site_clock.at_site(resume_epoch),
		"resume_epoch": resume_epoch,
		"message": _readable(reason),
		"heartbeat_epoch": site_clock.now_epoch(),
	}
	_set(name, values)


def note_slice(name: str, number: int, job_id: str) -> None:
	"""Note the number of the slice that is queued next, from 1, and the job that does it. The caller commits."""
	_set(name, {"slice": number, "job_id": job_id})


def renew_heartbeat(name: str) -> None:
	"""Note that a run is looked after. The caller commits."""
	_set(name, {"heartbeat_epoch": site_clock.now_epoch()})


def request_cancel(name: str) -> None:
	"""Ask the workers of a run to stop. The caller commits."""
	_set(name, {CANCEL_REQUESTED: 1})


def add_error(name: str, message: str, stage: str, code: str | None = None, severity: str = "Error") -> None:
	"""Record an error or a note that concerns the run as a whole. The caller commits."""
	_write_issues(name, [Issue(severity, stage, _readable(message), None, code, 1)], {})


def finish(name: str, stopped: str | None = None, cancelled: bool = False) -> str | None:
	"""Close a run and return how it ended, or None if another worker has closed it. The caller commits.

	Args:
		stopped: why it ended before everything was done, if it did.
	"""
	run = frappe.db.get_value(SYNC_RUN, name, ["status", "started_epoch"], as_dict=True, for_update=True)
	if not run or run.status not in ACTIVE:
		return None
	numbers = add_up(name)
	_write_left_issues(name)
	status = _status(name, numbers, stopped, cancelled)
	total = cint(frappe.db.get_value(SYNC_RUN, name, "total_campaigns"))
	values = {
		"status": status,
		"finished_at": now_datetime(),
		"duration": max(0, round(site_clock.now_epoch() - run.started_epoch)) if run.started_epoch else 0,
		"message": _readable(stopped) or _summary(numbers, total),
		ACTIVE_KEY: None,
		RESUME_AT: None,
		"resume_epoch": 0,
		"plan": None,
	}
	_set(name, values)
	set_last_synced(campaign_tasks.checked_campaigns(name))
	campaign_tasks.delete(name)
	if numbers["synced_campaigns"]:
		onboarding.tick_off(onboarding.SYNC)
	return status


def result_of(name: str) -> dict:
	"""Return the outcome of a run in the shape that `sync_all_campaigns` promises."""
	run = frappe.get_doc(SYNC_RUN, name)
	return {
		"success": run.status == "Success",
		"synced_count": cint(run.synced_campaigns),
		"total_campaigns": cint(run.total_campaigns),
		"errors": [
			{"campaign": row.campaign or row.campaign_name, "stage": row.stage, "error": row.message}
			for row in run.errors
			if row.severity == "Error"
		],
		"run": run.name,
		"status": run.status,
	}


def set_last_synced(campaigns: Iterable[str]) -> None:
	"""Set `Campaign.last_synced` of all checked campaigns in one statement; `modified` stays."""
	names = list(campaigns)
	if names:
		frappe.db.set_value(
			"Campaign", {"name": ("in", names)}, "last_synced", now_datetime(), update_modified=False
		)


def _set(name: str, values: dict) -> None:
	frappe.db.set_value(SYNC_RUN, name, values, update_modified=False)


def _status(name: str, numbers: dict, stopped: str | None, cancelled: bool) -> str:
	if cancelled:
		return "Cancelled"
	if (stopped or numbers["failed_campaigns"]) and not numbers["synced_campaigns"]:
		return "Failed"
	errors = frappe.db.exists(SYNC_RUN_ERROR, {"parent": name, "severity": "Error"})
	return "Partial" if stopped or numbers["failed_campaigns"] or errors else "Success"


def _summary(numbers: dict, total: int) -> str:
	counts = (
		numbers["synced_campaigns"],
		total,
		numbers["rows_inserted"],
		numbers["rows_updated"],
		numbers["rows_unchanged"],
	)
	return _("{0} of {1} campaigns synced: {2} new, {3} changed and {4} unchanged recipients.").format(
		*(fmt_money(count, precision=0) for count in counts)
	)


def _write_left_issues(run: str) -> None:
	"""Write the errors and notes of workers that died and whose tasks nobody has taken up again."""
	for left in campaign_tasks.left_issues(run):
		issues = [Issue(*each) for each in json.loads(left.pop("issues"))]
		_write_issues(run, issues, left)
