"""Zoho Sync Task: the campaigns of a run, one row each, taken by whichever worker comes first.

The only writer of that DocType. One exception: `privacy.scrubbing` redacts the addresses of erased people in `issues`.
"""

import json
from dataclasses import dataclass

from pypika import Table
from pypika.terms import Criterion

import frappe
from frappe.query_builder import DocType
from frappe.query_builder.functions import Count, Sum
from frappe.utils import now_datetime

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.store import sql_writes
from erpnext_zoho_integration.store.doctypes import SYNC_TASK
from erpnext_zoho_integration.store.fields import ZOHO_CAMPAIGN_KEY
from erpnext_zoho_integration.sync.mapping import site_clock
from erpnext_zoho_integration.sync.mapping.clean_text_and_urls import clean

NUMBERS = (
	"rows_expected",
	"rows_inserted",
	"rows_updated",
	"rows_unchanged",
	"rows_duplicate",
	"rows_skipped",
	"rows_erased",
	"rows_removed",
	"contacts_created",
	"contacts_linked",
	"opted_out",
	"api_calls",
)
# Every page renews the heartbeat; the longest wait between two pages, retries included, is a few minutes.
SILENT_SECONDS = 600


@dataclass(slots=True)
class Task:
	"""A task that this worker has taken.

	Attributes:
		issues: errors and notes left by a worker that died while holding this task, as `campaign_log` keeps them.
	"""

	name: str
	record: zoho.Campaign
	numbers: dict[str, int]
	issues: list[list]


def add(run: str, campaigns: list[dict]) -> None:
	"""Insert the tasks of a run, in the order in which they are to be done.

	Args:
		run: name of the Zoho Sync Run.
		campaigns: items of Zoho's list.
	"""
	now, user = now_datetime(), frappe.session.user
	columns = (
		*sql_writes.STANDARD_COLUMNS,
		"run",
		"status",
		"position",
		ZOHO_CAMPAIGN_KEY,
		"campaign_name",
		"record",
		*NUMBERS,
	)
	rows = [
		[
			frappe.generate_hash(length=16),
			now,
			now,
			user,
			user,
			0,
			0,
			run,
			"Pending",
			position,
			item.get("campaign_key"),
			clean(item.get("campaign_name")),
			json.dumps(item, ensure_ascii=False),
			*[0] * len(NUMBERS),
		]
		for position, item in enumerate(campaigns, 1)
	]
	sql_writes.insert_rows(SYNC_TASK, columns, rows)


def take(run: str, worker: str) -> Task | None:
	"""Take the next task of a run, or one whose worker has died; None if there is none. Commits.

	Args:
		worker: unique name of this worker; the task is taken by the one whose name it holds.
	"""
	while candidate := _candidate(run):
		_claim(candidate, worker)
		row = frappe.db.get_value(
			SYNC_TASK, candidate, ["worker", "record", "issues", *NUMBERS], as_dict=True
		)
		frappe.db.commit()  # nosemgrep - the claim must be seen by other workers
		if row and row.worker == worker:
			record = zoho.Campaign.from_zoho(json.loads(row.record))
			assert isinstance(record, zoho.Campaign)  # it was one when it was planned
			numbers = {name: row[name] or 0 for name in NUMBERS}
			return Task(candidate, record, numbers, json.loads(row.issues or "[]"))
	return None


def update(task: Task, values: dict | None = None) -> None:
	"""Write the numbers of a task and its heartbeat. The caller commits."""
	values = {**task.numbers, "heartbeat_epoch": site_clock.now_epoch(), **(values or {})}
	frappe.db.set_value(SYNC_TASK, task.name, values, update_modified=False)


def give_back(task: Task) -> None:
	"""Return a task that this worker cannot finish now; its issues have been written. The caller commits."""
	update(task, {"status": "Pending", "worker": None, "issues": None})


def unfinished(run: str) -> int:
	"""Return how many tasks of a run are still to be done or under way."""
	return frappe.db.count(SYNC_TASK, {"run": run, "status": ("in", ["Pending", "Working"])})


def totals(run: str) -> dict[str, int]:
	"""Return the numbers of a run so far, and how many of its campaigns are done and failed, in one query."""
	task = DocType(SYNC_TASK)
	rows = (
		frappe.qb.from_(task)
		.select(task.status, Count(task.name).as_("campaigns"), *[Sum(task[n]).as_(n) for n in NUMBERS])
		.where(task.run == run)
		.groupby(task.status)
	).run(as_dict=True)
	result = {name: int(sum(row[name] or 0 for row in rows)) for name in NUMBERS}
	by_status = {row.status: row.campaigns for row in rows}
	result["synced_campaigns"] = by_status.get("Done", 0)
	result["failed_campaigns"] = by_status.get("Failed", 0)
	return result


def checked_campaigns(run: str) -> list[str]:
	"""Return the Campaigns that a run has checked to the end."""
	return frappe.get_all(
		SYNC_TASK, {"run": run, "status": "Done", "campaign": ("is", "set")}, pluck="campaign"
	)


def left_issues(run: str) -> list[dict]:
	"""Return the `issues` of the unfinished tasks of a run, with their campaigns."""
	columns = ["campaign", "campaign_name", ZOHO_CAMPAIGN_KEY, "issues"]
	return frappe.get_all(SYNC_TASK, {"run": run, "issues": ("is", "set")}, columns)


def has_pending(run: str) -> bool:
	"""Return whether a run has tasks that nobody works on."""
	return bool(frappe.db.exists(SYNC_TASK, {"run": run, "status": "Pending"}))


def delete(run: str) -> None:
	"""Delete the tasks of a run that has ended."""
	frappe.db.delete(SYNC_TASK, {"run": run})


def _candidate(run: str) -> str | None:
	task = DocType(SYNC_TASK)
	found = (
		frappe.qb.from_(task)
		.select(task.name)
		.where((task.run == run) & _is_free(task))
		.orderby(task.position)
		.limit(1)
	).run()
	return found[0][0] if found else None


def _claim(name: str, worker: str) -> None:
	"""Write this worker's name onto a task, unless another one has been quicker."""
	task = DocType(SYNC_TASK)
	(
		frappe.qb.update(task)
		.set(task.status, "Working")
		.set(task.worker, worker)
		.set(task.heartbeat_epoch, site_clock.now_epoch())
		.where((task.name == name) & _is_free(task))
	).run()


def _is_free(task: Table) -> Criterion:
	"""Return the condition that nobody works on a task, or that its worker has died."""
	silent_since = site_clock.now_epoch() - SILENT_SECONDS
	return (task.status == "Pending") | ((task.status == "Working") & (task.heartbeat_epoch < silent_since))
