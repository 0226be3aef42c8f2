"""Zoho Sync Task: the campaigns of a run, one row each, taken by whichever worker comes first. Its only writer."""

import json
from dataclasses import dataclass

import frappe
from frappe.query_builder import DocType
from frappe.query_builder.functions import Count, Sum
from frappe.utils import now_datetime

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.store import sql_writes
from erpnext_zoho_integration.store.doctypes import SYNC_TASK
from erpnext_zoho_integration.sync.mapping import site_clock
from erpnext_zoho_integration.sync.mapping.text import clean

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
# Every page gives a sign of life; the longest wait between two pages, retries included, is a few minutes.
SILENT_MINUTES = 10


@dataclass(slots=True)
class Task:
	"""A task that this worker has taken.

	Attributes:
		issues: errors and notes that a worker left behind who died over it, as `account` keeps them.
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
		"zoho_campaign_key",
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
		worker: unguessable name of this worker: it tells who was first.
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
	"""Write the numbers of a task and a sign of life. The caller commits."""
	values = {**task.numbers, "heartbeat": now_datetime(), **(values or {})}
	frappe.db.set_value(SYNC_TASK, task.name, values, update_modified=False)


def give_back(task: Task) -> None:
	"""Return a task that this worker cannot finish now, its issues written. The caller commits."""
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
	"""Return what `issues` holds of the tasks of a run that nobody has ended, with their campaigns."""
	columns = ["campaign", "campaign_name", "zoho_campaign_key", "issues"]
	return frappe.get_all(SYNC_TASK, {"run": run, "issues": ("is", "set")}, columns)


def delete(run: str) -> None:
	"""Delete the tasks of a run that has ended."""
	frappe.db.delete(SYNC_TASK, {"run": run})


def _candidate(run: str) -> str | None:
	task = DocType(SYNC_TASK)
	silent = site_clock.older_than(SILENT_MINUTES)
	free = (task.status == "Pending") | ((task.status == "Working") & (task.heartbeat < silent))
	found = (
		frappe.qb.from_(task)
		.select(task.name)
		.where((task.run == run) & free)
		.orderby(task.position)
		.limit(1)
	).run()
	return found[0][0] if found else None


def _claim(name: str, worker: str) -> None:
	"""Write this worker's name onto a task, unless another one has been quicker."""
	task = DocType(SYNC_TASK)
	silent = site_clock.older_than(SILENT_MINUTES)
	free = (task.status == "Pending") | ((task.status == "Working") & (task.heartbeat < silent))
	(
		frappe.qb.update(task)
		.set(task.status, "Working")
		.set(task.worker, worker)
		.set(task.heartbeat, now_datetime())
		.where((task.name == name) & free)
	).run()
