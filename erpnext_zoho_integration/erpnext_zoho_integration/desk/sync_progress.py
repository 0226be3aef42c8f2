"""The progress of a sync, for the bar on forms and lists."""

import frappe
from frappe import _
from frappe.utils import cint, fmt_money

from erpnext_zoho_integration.erpnext_zoho_integration.report.campaign_figures import ACTIONS, get_counts
from erpnext_zoho_integration.erpnext_zoho_integration.roles_and_rate_limits import MAY_SYNC
from erpnext_zoho_integration.store.doctypes import SYNC_RUN
from erpnext_zoho_integration.store.fields import ACTIVE_KEY, CANCEL_REQUESTED, RESUME_AT
from erpnext_zoho_integration.sync.mapping import site_clock
from erpnext_zoho_integration.sync.runs import campaign_tasks
from erpnext_zoho_integration.sync.runs.run_log import ACTIVE, read_plan

# Per cent; below it an estimate of the time left means nothing.
_ESTIMATE_FROM = 3.0
_FIELDS = (
	"name",
	"status",
	"user",
	"campaign",
	"message",
	"started_epoch",
	"total_campaigns",
	"synced_campaigns",
	"failed_campaigns",
	"rows_inserted",
	"rows_updated",
	"rows_unchanged",
	CANCEL_REQUESTED,
	RESUME_AT,
)


def active_run(campaign: str | None = None) -> str | None:
	"""Return the active run of this campaign, or else of all campaigns, if the user may see it."""
	keys = ["all", f"campaign:{campaign}"[:140]] if campaign else ["all"]
	runs = frappe.get_all(
		SYNC_RUN, {ACTIVE_KEY: ("in", keys)}, ["name", "user"], order_by="active_key desc", limit=1
	)
	return runs[0].name if runs and _may_see(runs[0].user) else None


@frappe.whitelist(methods=["GET"])
def get_active_run() -> str | None:
	"""Return the active run of all campaigns, if there is one and the user may see it."""
	return active_run()


@frappe.whitelist(methods=["GET"])
def get_progress(run: str) -> dict:
	"""Return the progress of a run.

	Args:
		run: name of the Zoho Sync Run; the user must have started it or be allowed to read runs.

	Returns:
		`status`, `active`, `percent` (None if unknown), `seconds_left` (an estimate, or None),
		`text` (translated), `resume_at` (if it waits), `message` (why it waits, or how it ended),
		`cancel_requested`, and whether the user `may_cancel` it and `may_open` its record.

	Raises:
		frappe.DoesNotExistError: there is no such run.
		frappe.PermissionError: the user may not see it.
	"""
	found = frappe.db.get_value(SYNC_RUN, run, _FIELDS, as_dict=True)
	if not found:
		frappe.throw(_("There is no sync run {0}.").format(frappe.bold(run)), frappe.DoesNotExistError)
	if not _may_see(found.user):
		raise frappe.PermissionError
	active = found.status in ACTIVE
	if active:
		_add_workers_numbers(found)
	percent = _percent(found) if active else 100.0
	return {
		"run": found.name,
		"status": found.status,
		"active": active,
		"percent": percent,
		"seconds_left": _seconds_left(found, percent) if active else None,
		"text": _text(found),
		RESUME_AT: found.resume_at if found.status == "Waiting" else None,
		"message": found.message,
		CANCEL_REQUESTED: bool(found.cancel_requested),
		"may_cancel": active and bool(set(MAY_SYNC) & set(frappe.get_roles())),
		"may_open": bool(frappe.has_permission(SYNC_RUN, "read")),
	}


def _may_see(starter: str | None) -> bool:
	return starter == frappe.session.user or bool(frappe.has_permission(SYNC_RUN, "read"))


def _add_workers_numbers(run) -> None:
	"""Add the current numbers from the workers' tasks, as the run itself is updated only now and then."""
	numbers = campaign_tasks.totals(run.name)
	# Campaigns that were not due count as synced, because nothing is missing.
	numbers["synced_campaigns"] += cint((read_plan(run.name) or {}).get("not_due"))
	for field in _FIELDS:
		if field in numbers:
			run[field] = max(cint(run[field]), cint(numbers[field]))


def _percent(run) -> float | None:
	if run.campaign:
		expected = _expected_rows(run.campaign)
		return min(99.0, 100 * _rows(run) / expected) if expected else None
	total = cint(run.total_campaigns)
	return 100 * (cint(run.synced_campaigns) + cint(run.failed_campaigns)) / total if total else None


def _expected_rows(campaign: str) -> int:
	"""Return how many recipients all lists of a campaign have, by Zoho's counters."""
	counts = get_counts([campaign]).get(campaign, {})
	return sum(counts.get(key, 0) for key in ACTIONS if key != "delivered")


def _rows(run) -> int:
	return cint(run.rows_inserted) + cint(run.rows_updated) + cint(run.rows_unchanged)


def _seconds_left(run, percent: float | None) -> int | None:
	if not run.started_epoch or not percent or percent < _ESTIMATE_FROM:
		return None
	elapsed = max(0.0, site_clock.now_epoch() - run.started_epoch)
	return max(1, round(elapsed * (100 - percent) / percent))


def _text(run) -> str:
	if run.status == "Queued":
		return _("Waiting for a background worker")
	if run.status == "Waiting":
		return run.message or _("Waiting for Zoho")
	rows = fmt_money(_rows(run), precision=0)
	if run.campaign or not run.total_campaigns:
		return _("{0} recipients checked").format(rows)
	done = cint(run.synced_campaigns) + cint(run.failed_campaigns)
	total = fmt_money(run.total_campaigns, precision=0)
	return _("{0} of {1} campaigns, {2} recipients checked").format(fmt_money(done, precision=0), total, rows)
