"""The single measurements. `__main__` says which are compared."""

import resource
import time
from dataclasses import dataclass

import frappe

from benchmarks.testbed import Testbed, empty
from erpnext_zoho_integration.store import sql_writes
from erpnext_zoho_integration.store.doctypes import CAMPAIGN_STATE
from erpnext_zoho_integration.sync.recipients.row_writers import BulkRecipients, Writers
from erpnext_zoho_integration.sync.runs import queue

RECIPIENT = "Campaign Recipient"


@dataclass
class Sync:
	"""A finished run with its time, counts and status."""

	seconds: float
	rows: int
	contacts: int
	calls: int
	statements: int
	longest_transaction: float
	status: str

	@property
	def rows_per_second(self) -> float:
		return self.rows / self.seconds


def sync(mode: str = "All", writers: Writers | None = None) -> Sync:
	"""Run a sync in this process and return its figures."""
	with Statements() as statements:
		begin = time.perf_counter()
		run = queue.run_now("Python", mode=mode, writers=writers)
		seconds = time.perf_counter() - begin
	numbers = frappe.db.get_value(
		"Zoho Sync Run",
		run,
		["status", "rows_inserted", "rows_updated", "rows_unchanged", "contacts_created", "api_calls"],
		as_dict=True,
	)
	rows = numbers.rows_inserted + numbers.rows_updated + numbers.rows_unchanged
	return Sync(
		seconds,
		rows,
		numbers.contacts_created,
		numbers.api_calls,
		statements.count,
		statements.longest,
		numbers.status,
	)


def make_due(number: int) -> None:
	"""Make this many more campaigns due."""
	names = frappe.get_all(CAMPAIGN_STATE, pluck="name", order_by="name", limit=number)
	frappe.db.set_value(
		CAMPAIGN_STATE, {"name": ("in", names)}, "next_check_epoch", time.time(), update_modified=False
	)
	frappe.db.commit()


class Statements:
	"""Count SQL statements that read or write, and time transactions, inside a `with` block."""

	# Not counted: Frappe sends these as statements to MariaDB, but not to SQLite.
	_CONTROL = ("START TRANSACTION", "COMMIT")

	def __init__(self) -> None:
		self.count, self.longest = 0, 0.0
		self._began: float | None = None
		self._sql = self._commit = None

	def __enter__(self) -> "Statements":
		self._sql, self._commit = frappe.db.sql, frappe.db.commit
		frappe.db.sql, frappe.db.commit = self._count_statement, self._end_transaction
		return self

	def __exit__(self, *exception: object) -> None:
		frappe.db.sql, frappe.db.commit = self._sql, self._commit

	def _count_statement(self, query, *args, **kwargs):
		self.count += not str(query)[:17].upper().startswith(self._CONTROL)
		if self._began is None and str(query).lstrip()[:6].upper() in ("INSERT", "UPDATE", "DELETE"):
			self._began = time.perf_counter()
		return self._sql(query, *args, **kwargs)

	def _end_transaction(self):
		result = self._commit()
		if self._began is not None:
			self.longest = max(self.longest, time.perf_counter() - self._began)
		self._began = None
		return result


def bare_upsert(page: int = 500) -> float:
	"""Write the stored recipient rows again into the emptied table, and return rows a second.

	Rows, table, indexes, statement and page size are those of a sync; nothing is read, matched or mapped.
	"""
	columns = BulkRecipients.COLUMNS
	rows = frappe.db.sql(f"SELECT {', '.join(columns)} FROM `tab{RECIPIENT}`")
	frappe.db.delete(RECIPIENT)
	frappe.db.commit()
	begin = time.perf_counter()
	for start in range(0, len(rows), page):
		sql_writes.upsert_rows(
			RECIPIENT, columns, rows[start : start + page], "row_key", BulkRecipients.UPDATED
		)
		frappe.db.commit()
	return len(rows) / (time.perf_counter() - begin)


def per_document(rows: int) -> Sync:
	"""Sync with the writers that only use the Document API, and return its figures."""
	with Testbed(rows, campaigns=4):
		return sync(writers=Writers.by_document())


def least_calls(testbed: Testbed, page_size: int) -> int:
	"""Return the smallest number of calls that can fetch everything at this page size."""
	expected = testbed.ask("expected")
	campaigns = expected["campaigns"]
	calls = -(-expected["sent_campaigns"] // 200) + len(campaigns)
	for campaign in campaigns:
		calls += bool(campaign["child_keys"]) + len(campaign["child_keys"])
		for action in campaign["actions"].values():
			calls += sum(-(-count // page_size) for count in action["by_key"].values())
	return calls


def memory_mib() -> float:
	"""Return the peak memory of this process, in MiB."""
	return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def fresh(rows: int, **options: object) -> Testbed:
	"""Empty the site and return a testbed."""
	empty()
	return Testbed(rows, **options)
