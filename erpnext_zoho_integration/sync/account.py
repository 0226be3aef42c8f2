"""The account of a run: the Zoho Sync Run document and its numbers. The only writer of that document."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields

import frappe
from frappe import _
from frappe.utils import cint, now_datetime, time_diff_in_seconds

from erpnext_zoho_integration.sync.page import Note, PageResult

RUN = "Zoho Sync Run"
ACTIVE = ("Queued", "Running", "Waiting")
MAX_ISSUES = 200  # more lines than anybody reads; the rest is counted in the last one
_MESSAGE_LENGTH = 1000


@dataclass(slots=True)
class Numbers:
	"""What is counted, for one campaign or for a whole run; the names are the fields of Zoho Sync Run."""

	rows_inserted: int = 0
	rows_updated: int = 0
	rows_unchanged: int = 0
	rows_duplicate: int = 0
	rows_skipped: int = 0
	rows_erased: int = 0
	contacts_created: int = 0
	contacts_linked: int = 0
	opted_out: int = 0

	def add(self, result: PageResult) -> None:
		"""Add what became of a page."""
		self.rows_inserted += result.inserted
		self.rows_updated += result.updated
		self.rows_unchanged += result.unchanged
		self.rows_duplicate += result.duplicates
		self.rows_skipped += result.skipped
		self.rows_erased += result.erased
		self.contacts_created += result.contacts_created
		self.contacts_linked += result.linked
		self.opted_out += result.opted_out

	def as_dict(self) -> dict[str, int]:
		return {f.name: getattr(self, f.name) for f in fields(self)}


@dataclass(slots=True)
class CampaignAccount:
	"""The account of one campaign within a run."""

	campaign_name: str | None
	zoho_campaign_key: str
	campaign: str | None = None
	figures_changed: bool = False
	failed: bool = False
	numbers: Numbers = field(default_factory=Numbers)
	issues: dict[tuple, "Issue"] = field(default_factory=dict)

	@property
	def status(self) -> str:
		if self.failed:
			return "Failed"
		if any(issue.severity == "Error" for issue in self.issues.values()):
			return "Partial"
		changed = self.numbers.rows_inserted + self.numbers.rows_updated + self.numbers.contacts_created
		return "Synced" if changed or self.figures_changed else "Unchanged"


@dataclass(slots=True)
class Issue:
	"""An error or a note, with how often it occurred."""

	severity: str
	stage: str
	message: str
	action_type: str | None = None
	code: str | None = None
	occurrences: int = 0


class RunAccount:
	"""Keeps the numbers of a run and writes them together with the rows they count.

	Args:
		name: of the Zoho Sync Run.
	"""

	def __init__(self, name: str) -> None:
		self.name = name
		self.numbers = Numbers()
		self.total_campaigns = 0
		self.synced = 0
		self.failed = 0
		self.api_calls = 0
		self.issues_written = 0
		self.errors: list[dict] = []
		self.checked: list[str] = []
		self.open: CampaignAccount | None = None

	def begin_campaign(self, campaign_name: str | None, key: str) -> CampaignAccount:
		"""Open the account of the next campaign."""
		self.open = CampaignAccount(campaign_name, key)
		return self.open

	def add_page(self, result: PageResult, action_type: str) -> None:
		"""Count a page; `flush` writes it in the same transaction as the page's rows."""
		self.numbers.add(result)
		self.open.numbers.add(result)
		for note in result.notes:
			self.note(note, action_type)

	def note(self, note: Note, action_type: str | None = None, code: str | None = None) -> None:
		"""Record an error or a note on the open campaign; equal ones are counted."""
		severity = "Error" if note.is_error else "Note"
		message = note.message[:_MESSAGE_LENGTH]
		key = (severity, note.stage, action_type, message)
		issue = self.open.issues.setdefault(key, Issue(severity, note.stage, message, action_type, code))
		issue.occurrences += 1

	def flush(self) -> None:
		"""Write the numbers so far, and a sign of life. The caller commits."""
		frappe.db.set_value(RUN, self.name, self._values(), update_modified=False)

	def end_campaign(self) -> None:
		"""Close the account of a campaign and write what is worth reading. The caller commits."""
		account = self.open
		self.failed += account.failed
		self.synced += not account.failed
		if account.campaign:
			self.checked.append(account.campaign)
		if account.status != "Unchanged":
			_insert_child(self.name, "Zoho Sync Run Campaign", "campaigns", _campaign_row(account))
		self._write_issues(account)
		self.open = None
		self.flush()

	def fail_run(self, message: str, stage: str, code: str | None = None) -> None:
		"""Record an error that is not of one campaign."""
		self.open = CampaignAccount(None, "")
		self.note(Note(message, stage, is_error=True), code=code)
		self._write_issues(self.open)
		self.open = None

	def finish(self, stopped: str | None = None, cancelled: bool = False) -> str:
		"""Close the run and return how it ended. The caller commits.

		Args:
			stopped: why it ended before all campaigns were done, if it did.
		"""
		if cancelled:
			status = "Cancelled"
		elif (stopped or self.failed) and not self.synced:
			status = "Failed"
		else:
			status = "Partial" if stopped or self.errors else "Success"
		started = frappe.db.get_value(RUN, self.name, "started_at") or now_datetime()
		values = {
			"status": status,
			"finished_at": now_datetime(),
			"duration": max(0, round(time_diff_in_seconds(now_datetime(), started))),
			"message": stopped or self.summary(),
			"active_key": None,
		}
		frappe.db.set_value(RUN, self.name, {**self._values(), **values}, update_modified=False)
		return status

	def summary(self) -> str:
		"""Return the result in one translated sentence."""
		return _("{0} of {1} campaigns synced: {2} new, {3} changed and {4} unchanged recipients.").format(
			self.synced,
			self.total_campaigns,
			self.numbers.rows_inserted,
			self.numbers.rows_updated,
			self.numbers.rows_unchanged,
		)

	def _values(self) -> dict:
		return {
			**self.numbers.as_dict(),
			"total_campaigns": self.total_campaigns,
			"synced_campaigns": self.synced,
			"failed_campaigns": self.failed,
			"api_calls": self.api_calls,
			"heartbeat": now_datetime(),
		}

	def _write_issues(self, account: CampaignAccount) -> None:
		for issue in account.issues.values():
			row = _issue_row(account, issue)
			if issue.severity == "Error":
				self.errors.append(row)
			self.issues_written += 1
			if self.issues_written < MAX_ISSUES:
				_insert_child(self.name, "Zoho Sync Run Error", "errors", row)
			elif self.issues_written == MAX_ISSUES:
				row["message"] = _(
					"There are more errors than are listed here. The first one left out: {0}"
				).format(row["message"])[:_MESSAGE_LENGTH]
				_insert_child(self.name, "Zoho Sync Run Error", "errors", row)


def open_run(trigger: str, active_key: str, campaign: str | None = None) -> str:
	"""Insert a queued run and return its name.

	Args:
		trigger: what started it, one of the options of the field.
		active_key: unique among the runs that have not ended: the database itself refuses a second one.

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
			"heartbeat": now_datetime(),
		}
	)
	run.insert(ignore_permissions=True)
	return run.name


def mark_running(name: str) -> bool:
	"""Take a queued run; return False if it is no longer to be run."""
	status = frappe.db.get_value(RUN, name, "status", for_update=True)
	if status not in ("Queued", "Waiting"):
		return False
	now = now_datetime()
	frappe.db.set_value(
		RUN, name, {"status": "Running", "started_at": now, "heartbeat": now}, update_modified=False
	)
	return True


def result_of(name: str) -> dict:
	"""Return the outcome of a run in the shape that `sync_all_campaigns` promises."""
	run = frappe.get_doc(RUN, name)
	return {
		"success": run.status == "Success",
		"synced_count": cint(run.synced_campaigns),
		"total_campaigns": cint(run.total_campaigns),
		"errors": [_public(row) for row in run.errors if row.severity == "Error"],
		"run": run.name,
		"status": run.status,
	}


def _public(row) -> dict:
	return {"campaign": row.campaign or row.campaign_name, "stage": row.stage, "error": row.message}


def _campaign_row(account: CampaignAccount) -> dict:
	numbers = account.numbers.as_dict()
	kept = ("rows_inserted", "rows_updated", "rows_unchanged", "rows_skipped", "contacts_created")
	return {
		"campaign": account.campaign,
		"campaign_name": account.campaign_name,
		"zoho_campaign_key": account.zoho_campaign_key,
		"status": account.status,
		**{name: numbers[name] for name in kept},
	}


def _issue_row(account: CampaignAccount, issue: Issue) -> dict:
	return {
		"severity": issue.severity,
		"campaign": account.campaign,
		"campaign_name": account.campaign_name,
		"zoho_campaign_key": account.zoho_campaign_key,
		"stage": issue.stage,
		"action_type": issue.action_type,
		"occurrences": issue.occurrences,
		"message": issue.message,
		"code": issue.code,
	}


def _insert_child(run: str, doctype: str, fieldname: str, values: dict) -> None:
	"""Add a row to a run without loading and saving the whole document."""
	row = frappe.new_doc(doctype)
	row.update(values)
	row.update(
		{
			"parent": run,
			"parenttype": RUN,
			"parentfield": fieldname,
			"idx": frappe.db.count(doctype, {"parent": run}) + 1,
		}
	)
	row.name = frappe.generate_hash(length=10)
	row.db_insert()


def set_last_synced(campaigns: Iterable[str]) -> None:
	"""Note on all checked campaigns that Zoho was asked, in one statement; `modified` stays."""
	names = list(campaigns)
	if names:
		frappe.db.set_value(
			"Campaign", {"name": ("in", names)}, "last_synced", now_datetime(), update_modified=False
		)
