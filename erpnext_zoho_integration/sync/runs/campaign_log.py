"""The log of one campaign within a run: its numbers, errors and notes.

Writes Zoho Sync Run Campaign and Zoho Sync Run Error, the child tables of Zoho Sync Run; `run_log` adds errors of the run
itself through the same functions, and `privacy.scrubbing` redacts their messages. `campaign_tasks` writes the numbers of a
campaign under way to Zoho Sync Task.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import frappe
from frappe import _
from frappe.utils import now_datetime

from erpnext_zoho_integration.store import erased_people, sql_writes
from erpnext_zoho_integration.store.doctypes import SYNC_RUN, SYNC_RUN_CAMPAIGN, SYNC_RUN_ERROR
from erpnext_zoho_integration.store.fields import ZOHO_CAMPAIGN_KEY
from erpnext_zoho_integration.sync.mapping.clean_text_and_urls import clean
from erpnext_zoho_integration.sync.mapping.page_results import Note, PageResult
from erpnext_zoho_integration.sync.privacy import scrubbing
from erpnext_zoho_integration.sync.runs import campaign_tasks

MAX_ISSUES = 200  # errors and notes kept of a run
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
	"""An error or a note, and how often it occurred."""

	severity: str
	stage: str
	message: str
	action_type: str | None = None
	code: str | None = None
	occurrences: int = 0

	@property
	def key(self) -> tuple:
		"""Issues with equal keys are counted as one."""
		return self.severity, self.stage, self.action_type, self.message

	def as_list(self) -> list:
		"""Return the arguments of an equal issue."""
		return [getattr(self, slot) for slot in self.__slots__]


@dataclass(slots=True)
class CampaignLog:
	"""The log of one campaign within a run.

	Attributes:
		run: name of the Zoho Sync Run.
		task: the task being done; its numbers are counted here.
		campaign: name of the Campaign, as soon as it is known.
		verdict: of the reconciliation.
		figures_changed: whether Campaign Analytics have changed.
		failed: whether the campaign could not be synced.
		issues: errors and notes, by `Issue.key`.
	"""

	run: str
	task: campaign_tasks.Task
	campaign: str | None = None
	verdict: str | None = None
	figures_changed: bool = False
	failed: bool = False
	issues: dict[tuple, Issue] = field(default_factory=dict)
	_noted: bool = False  # something since the last flush

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
		"""Count what became of some rows."""
		for counter, number in _COUNTERS.items():
			self.task.numbers[number] += getattr(result, counter)
		for note in result.notes:
			self.note(note, action_type)

	@contextmanager
	def all_or_nothing(self) -> Iterator[None]:
		"""Undo what is counted and noted inside if an error ends it: the database undoes the rows as well."""
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
		"""Add to one of `campaign_tasks.NUMBERS`."""
		self.task.numbers[number] += by

	def note(self, note: Note, action_type: str | None = None, code: str | None = None) -> None:
		"""Record an error or a note; equal ones are counted."""
		severity = "Error" if note.is_error else "Note"
		new = Issue(severity, note.stage, _readable(note.message), action_type, code)
		self.issues.setdefault(new.key, new).occurrences += 1
		self._noted = True

	def flush(self) -> None:
		"""Write numbers, errors and notes so far to the task. The caller commits them together with the rows."""
		values: dict[str, object] = {"campaign": self.campaign}
		if self._noted:
			issues = _without_erased(list(self.issues.values())[:MAX_ISSUES])
			values["issues"] = json.dumps([issue.as_list() for issue in issues], ensure_ascii=False)
			self._noted = False
		campaign_tasks.update(self.task, values)

	def close(self) -> None:
		"""Write errors, notes and, if anything changed, the numbers to the run; end the task. The caller commits."""
		if self.status != "Unchanged":
			table = SYNC_RUN_CAMPAIGN
			listed = frappe.db.count(table, {"parent": self.run})
			_insert_children(self.run, table, "campaigns", [self._row()], listed)
		self._write_issues()
		status = "Failed" if self.failed else "Done"
		campaign_tasks.update(self.task, {"campaign": self.campaign, "status": status, "issues": None})

	def give_back(self) -> None:
		"""Write errors and notes so far to the run, and return the task for another worker. The caller commits."""
		self._write_issues()
		campaign_tasks.give_back(self.task)

	def _write_issues(self) -> None:
		"""Write the errors and notes to the run; the caller removes them from the task."""
		record = self.task.record
		where = {
			"campaign": self.campaign,
			"campaign_name": clean(record.name),
			ZOHO_CAMPAIGN_KEY: record.key,
		}
		_write_issues(self.run, self.issues.values(), where)
		self.issues, self._noted = {}, False

	def _row(self) -> dict:
		return {
			"campaign": self.campaign,
			"campaign_name": clean(self.task.record.name),
			ZOHO_CAMPAIGN_KEY: self.task.record.key,
			"status": self.status,
			"verdict": self.verdict,
			**{name: self.task.numbers[name] for name in _CAMPAIGN_NUMBERS},
		}


def _readable(message: str | None) -> str:
	"""Return a message without markup, since it may quote Zoho; line breaks stay."""
	lines = (clean(line, _MESSAGE_LENGTH) for line in (message or "").splitlines())
	return "\n".join(line for line in lines if line)[:_MESSAGE_LENGTH]


def _without_erased(issues: Iterable[Issue]) -> list[Issue]:
	"""Return the issues without the addresses of people who have been erased meanwhile."""
	issues = list(issues)
	gone = erased_people.addresses_in(issue.message for issue in issues)
	if not gone:
		return issues
	return [replace(issue, message=scrubbing.redact(issue.message, gone)) for issue in issues]


def _write_issues(run: str, issues: Iterable[Issue], where: dict) -> None:
	issues = _without_erased(issues)
	if not issues:
		return
	written = frappe.db.count(SYNC_RUN_ERROR, {"parent": run})
	rows = [
		{**where, **{slot: getattr(issue, slot) for slot in issue.__slots__}}
		for issue in issues[: MAX_ISSUES - written]
	]
	if rows and written + len(issues) >= MAX_ISSUES:
		rows[-1]["message"] = _("There are more than are listed here. The first one left out: {0}").format(
			rows[-1]["message"]
		)[:_MESSAGE_LENGTH]
	_insert_children(run, SYNC_RUN_ERROR, "errors", rows, written)


def _insert_children(run: str, doctype: str, fieldname: str, rows: list[dict], before: int) -> None:
	"""Add rows to a child table of a run without loading and saving the whole document.

	Args:
		before: how many rows the table has.
	"""
	if not rows:
		return
	now, user = now_datetime(), frappe.session.user
	columns = (*sql_writes.STANDARD_COLUMNS, "parent", "parenttype", "parentfield", *rows[0])
	children = [
		(
			frappe.generate_hash(length=16),
			now,
			now,
			user,
			user,
			0,
			idx,
			run,
			SYNC_RUN,
			fieldname,
			*values.values(),
		)
		for idx, values in enumerate(rows, before + 1)
	]
	sql_writes.insert_rows(doctype, columns, children)
