"""The account of a run: the Zoho Sync Run document and its numbers. The only writer of that document.

While a run is under way its numbers live with its tasks, so that several workers never wait for each other's row; here
they are added up for whoever looks.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

import frappe
from frappe import _
from frappe.utils import cint, fmt_money, now_datetime

from erpnext_zoho_integration.connection import onboarding
from erpnext_zoho_integration.sync import clock, dialect, erased, tasks, traces
from erpnext_zoho_integration.sync.page import Note, PageResult
from erpnext_zoho_integration.sync.text import clean

RUN = "Zoho Sync Run"
ACTIVE = ("Queued", "Running", "Waiting")
MAX_ISSUES = 200  # more lines than anybody reads; the rest is counted in the last one
_MESSAGE_LENGTH = 1000
# Counters of a page → fields of a task.
_COUNTERS = {
	"inserted": "rows_inserted",
	"updated": "rows_updated",
	"unchanged": "rows_unchanged",
	"duplicates": "rows_duplicate",
	"skipped": "rows_skipped",
	"erased": "rows_erased",
	"contacts_created": "contacts_created",
	"linked": "contacts_linked",
	"opted_out": "opted_out",
}
_CAMPAIGN_NUMBERS = (
	"rows_inserted",
	"rows_updated",
	"rows_unchanged",
	"rows_skipped",
	"rows_removed",
	"contacts_created",
)


@dataclass(slots=True)
class Issue:
	"""An error or a note, with how often it occurred."""

	severity: str
	stage: str
	message: str
	action_type: str | None = None
	code: str | None = None
	occurrences: int = 0

	@property
	def key(self) -> tuple:
		"""What makes two of them the same."""
		return self.severity, self.stage, self.action_type, self.message

	def as_list(self) -> list:
		"""Return what makes an equal one."""
		return [getattr(self, slot) for slot in self.__slots__]


@dataclass(slots=True)
class CampaignAccount:
	"""The account of one campaign within a run; writes its numbers to its task.

	Args:
		run: name of the Zoho Sync Run.
		task: the task that is being done.
	"""

	run: str
	task: tasks.Task
	campaign: str | None = None
	verdict: str | None = None
	figures_changed: bool = False
	failed: bool = False
	issues: dict[tuple, Issue] = field(default_factory=dict)
	_noted: bool = False  # since the last flush

	def __post_init__(self) -> None:
		for left in self.task.issues:
			issue = Issue(*left)
			self.issues[issue.key] = issue

	@property
	def status(self) -> str:
		numbers = self.task.numbers
		if self.failed:
			return "Failed"
		if any(issue.severity == "Error" for issue in self.issues.values()):
			return "Partial"
		changes = ("rows_inserted", "rows_updated", "rows_removed", "contacts_created")
		return "Synced" if self.figures_changed or any(numbers[n] for n in changes) else "Unchanged"

	def add(self, result: PageResult, action_type: str | None = None) -> None:
		"""Count what became of a page."""
		for counter, number in _COUNTERS.items():
			self.task.numbers[number] += getattr(result, counter)
		for note in result.notes:
			self.note(note, action_type)

	@contextmanager
	def all_or_nothing(self) -> Iterator[None]:
		"""Forget what is counted and noted in here if an error ends it, as the database does with what it speaks of."""
		numbers, noted = dict(self.task.numbers), self._noted
		occurrences = {key: issue.occurrences for key, issue in self.issues.items()}
		try:
			yield
		except BaseException:
			self.task.numbers, self._noted = numbers, noted
			self.issues = {key: self.issues[key] for key in occurrences}
			for key, times in occurrences.items():
				self.issues[key].occurrences = times
			raise

	def count(self, number: str, by: int) -> None:
		"""Add to one of `tasks.NUMBERS`."""
		self.task.numbers[number] += by

	def note(self, note: Note, action_type: str | None = None, code: str | None = None) -> None:
		"""Record an error or a note; equal ones are counted."""
		severity = "Error" if note.is_error else "Note"
		new = Issue(severity, note.stage, _told(note.message), action_type, code)
		self.issues.setdefault(new.key, new).occurrences += 1
		self._noted = True

	def flush(self) -> None:
		"""Write numbers, errors and notes so far to the task. The caller commits them with the rows that they count."""
		values: dict[str, object] = {"campaign": self.campaign}
		if self._noted:
			issues = _without_erased(list(self.issues.values())[:MAX_ISSUES])
			values["issues"] = json.dumps([issue.as_list() for issue in issues], ensure_ascii=False)
			self._noted = False
		tasks.update(self.task, values)

	def close(self) -> None:
		"""Write what is worth reading, and that the task is done. The caller commits."""
		if self.status != "Unchanged":
			table = "Zoho Sync Run Campaign"
			listed = frappe.db.count(table, {"parent": self.run})
			_insert_children(self.run, table, "campaigns", [self._row()], listed)
		self._write_issues()
		status = "Failed" if self.failed else "Done"
		tasks.update(self.task, {"campaign": self.campaign, "status": status, "issues": None})

	def give_back(self) -> None:
		"""Write what there is to tell so far, and leave the task to whoever goes on. The caller commits."""
		self._write_issues()
		tasks.give_back(self.task)

	def _write_issues(self) -> None:
		"""Write the errors and notes to the run; whoever calls this takes them off the task."""
		record = self.task.record
		where = {
			"campaign": self.campaign,
			"campaign_name": clean(record.name),
			"zoho_campaign_key": record.key,
		}
		_write_issues(self.run, self.issues.values(), where)
		self.issues, self._noted = {}, False

	def _row(self) -> dict:
		return {
			"campaign": self.campaign,
			"campaign_name": clean(self.task.record.name),
			"zoho_campaign_key": self.task.record.key,
			"status": self.status,
			"verdict": self.verdict,
			**{name: self.task.numbers[name] for name in _CAMPAIGN_NUMBERS},
		}


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
	run = frappe.new_doc(RUN)
	run.update(
		{
			"status": "Queued",
			"trigger": trigger,
			"user": frappe.session.user,
			"campaign": campaign,
			"active_key": active_key,
			"mode": mode,
			"workers": max(1, workers),
			"heartbeat": now_datetime(),
		}
	)
	run.insert(ignore_permissions=True)
	return run.name


def exists(name: str) -> bool:
	"""Return whether a run is still there: somebody may delete it, or uninstall the app, while it is under way."""
	return frappe.db.table_exists(RUN, cached=False) and bool(frappe.db.exists(RUN, name))


def mark_running(name: str) -> bool:
	"""Take part in a run; return False if it has ended. The caller commits."""
	run = frappe.db.get_value(RUN, name, ["status", "started_at"], as_dict=True, for_update=True)
	if not run or run.status not in ACTIVE:
		return False
	now = now_datetime()
	values = {"status": "Running", "resume_at": None, "heartbeat": now, "started_at": run.started_at or now}
	frappe.db.set_value(RUN, name, values, update_modified=False)
	return True


def save_plan(name: str, plan: dict, total_campaigns: int) -> None:
	"""Note what a run is to do. The caller commits, with the tasks."""
	values = {"plan": json.dumps(plan), "total_campaigns": total_campaigns}
	frappe.db.set_value(RUN, name, values, update_modified=False)


def read_plan(name: str) -> dict | None:
	"""Return what `save_plan` noted, or None."""
	plan = frappe.db.get_value(RUN, name, "plan")
	return json.loads(plan) if plan else None


def add_up(name: str) -> dict:
	"""Write the numbers of all workers to the run, with a sign of life, and return them. The caller commits."""
	numbers = tasks.totals(name)
	plan = read_plan(name) or {}
	numbers["api_calls"] += plan.get("calls", 0)
	# What was not due counts as synced: nothing is missing.
	numbers["synced_campaigns"] += plan.get("not_due", 0)
	frappe.db.set_value(RUN, name, {**numbers, "heartbeat": now_datetime()}, update_modified=False)
	return numbers


def mark_waiting(name: str, resume_at: datetime, reason: str) -> None:
	"""Note until when a run waits and for what. The caller commits."""
	values = {
		"status": "Waiting",
		"resume_at": resume_at,
		"message": _told(reason),
		"heartbeat": now_datetime(),
	}
	frappe.db.set_value(RUN, name, values, update_modified=False)


def add_error(name: str, message: str, stage: str, code: str | None = None, severity: str = "Error") -> None:
	"""Record an error or a note that is not of one campaign. The caller commits."""
	_write_issues(name, [Issue(severity, stage, _told(message), None, code, 1)], {})


def finish(name: str, stopped: str | None = None, cancelled: bool = False) -> str | None:
	"""Close a run and return how it ended, or None if another worker has closed it. The caller commits.

	Args:
		stopped: why it ended before everything was done, if it did.
	"""
	run = frappe.db.get_value(RUN, name, ["status", "started_at"], as_dict=True, for_update=True)
	if not run or run.status not in ACTIVE:
		return None
	numbers = add_up(name)
	_write_left_issues(name)
	status = _status(name, numbers, stopped, cancelled)
	now = now_datetime()
	total = cint(frappe.db.get_value(RUN, name, "total_campaigns"))
	values = {
		"status": status,
		"finished_at": now,
		"duration": max(0, round(clock.seconds_since(run.started_at or now))),
		"message": _told(stopped) or _summary(numbers, total),
		"active_key": None,
		"resume_at": None,
		"plan": None,
	}
	frappe.db.set_value(RUN, name, values, update_modified=False)
	set_last_synced(tasks.checked_campaigns(name))
	tasks.delete(name)
	if numbers["synced_campaigns"]:
		onboarding.tick_off(onboarding.SYNC)
	return status


def result_of(name: str) -> dict:
	"""Return the outcome of a run in the shape that `sync_all_campaigns` promises."""
	run = frappe.get_doc(RUN, name)
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
	"""Note on all checked campaigns that Zoho was asked, in one statement; `modified` stays."""
	names = list(campaigns)
	if names:
		frappe.db.set_value(
			"Campaign", {"name": ("in", names)}, "last_synced", now_datetime(), update_modified=False
		)


def _status(name: str, numbers: dict, stopped: str | None, cancelled: bool) -> str:
	if cancelled:
		return "Cancelled"
	if (stopped or numbers["failed_campaigns"]) and not numbers["synced_campaigns"]:
		return "Failed"
	errors = frappe.db.exists("Zoho Sync Run Error", {"parent": name, "severity": "Error"})
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


def _told(message: str | None) -> str:
	"""Return a message without markup, which may hold Zoho's words; its lines stay."""
	lines = (clean(line, _MESSAGE_LENGTH) for line in (message or "").splitlines())
	return "\n".join(line for line in lines if line)[:_MESSAGE_LENGTH]


def _without_erased(issues: Iterable[Issue]) -> list[Issue]:
	"""Return these without the addresses of people who have been erased since they were noted."""
	issues = list(issues)
	erased_people = erased.named_in(issue.message for issue in issues)
	if not erased_people:
		return issues
	return [replace(issue, message=traces.redact(issue.message, erased_people)) for issue in issues]


def _write_issues(run: str, issues: Iterable[Issue], where: dict) -> None:
	issues = _without_erased(issues)
	if not issues:
		return
	written = frappe.db.count("Zoho Sync Run Error", {"parent": run})
	rows = [
		{**where, **{slot: getattr(issue, slot) for slot in issue.__slots__}}
		for issue in issues[: MAX_ISSUES - written]
	]
	if rows and written + len(issues) >= MAX_ISSUES:
		rows[-1]["message"] = _("There are more than are listed here. The first one left out: {0}").format(
			rows[-1]["message"]
		)[:_MESSAGE_LENGTH]
	_insert_children(run, "Zoho Sync Run Error", "errors", rows, written)


def _write_left_issues(run: str) -> None:
	"""Write what workers noted who were killed over tasks that nobody has taken up again."""
	for left in tasks.left_issues(run):
		issues = [Issue(*each) for each in json.loads(left.pop("issues"))]
		_write_issues(run, issues, left)


def _insert_children(run: str, doctype: str, fieldname: str, rows: list[dict], before: int) -> None:
	"""Add rows to a run without loading and saving the whole document.

	Args:
		before: how many it has.
	"""
	if not rows:
		return
	now, user = now_datetime(), frappe.session.user
	columns = (*dialect.STANDARD_COLUMNS, "parent", "parenttype", "parentfield", *rows[0])
	children = [
		(frappe.generate_hash(length=16), now, now, user, user, 0, idx, run, RUN, fieldname, *values.values())
		for idx, values in enumerate(rows, before + 1)
	]
	dialect.insert_rows(doctype, columns, children)
