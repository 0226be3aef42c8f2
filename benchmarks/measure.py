"""The measurements. Each returns plain figures; what is compared with what is said in `__main__`."""

import resource
import time
from dataclasses import dataclass

import frappe

from benchmarks.world import World, empty
from erpnext_zoho_integration.store import sql_writes
from erpnext_zoho_integration.store.doctypes import CAMPAIGN_STATE
from erpnext_zoho_integration.sync.recipients.writers import BulkRecipients, Writers
from erpnext_zoho_integration.sync.runs import queue

RECIPIENT = "Campaign Recipient"


@dataclass
class Sync:
	"""A finished run and what it took."""

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
	"""Run a sync in this process and return what it took."""
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
	"""Let so many campaigns be due, besides those that are."""
	names = frappe.get_all(CAMPAIGN_STATE, pluck="name", order_by="name", limit=number)
	now = frappe.utils.now_datetime()
	frappe.db.set_value(CAMPAIGN_STATE, {"name": ("in", names)}, "next_check", now, update_modified=False)
	frappe.db.commit()


class Statements:
	"""Counts SQL statements that read or write, and times transactions, while its block runs."""

	_CONTROL = (
		"START TRANSACTION",
		"COMMIT",
	)  # which Frappe sends as statements to MariaDB, and to SQLite not

	def __enter__(self) -> "Statements":
		self.count, self.longest = 0, 0.0
		self._began: float | None = None
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

	The same rows, table, indexes, statement and page size as the engine's; nothing read, matched or mapped.
	"""
	columns = BulkRecipients.COLUMNS
	rows = frappe.db.sql(f"SELECT {', '.join(columns)} FROM `tab{RECIPIENT}`".replace("`", _quote()))
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
	"""Sync through the Document API alone: what the framework's own way costs."""
	with World(rows, campaigns=4) as world:
		world.ask("settings")
		return sync(writers=Writers.by_document())


def least_calls(world: World, page_size: int) -> int:
	"""Return the fewest calls that can fetch everything at this page size."""
	truth = world.ask("expected")
	campaigns = truth["campaigns"]
	calls = -(-truth["sent_campaigns"] // 200) + len(campaigns)
	for campaign in campaigns:
		calls += bool(campaign["child_keys"]) + len(campaign["child_keys"])
		for action in campaign["actions"].values():
			calls += sum(-(-count // page_size) for count in action["by_key"].values())
	return calls


def memory_mib() -> float:
	"""Return the most memory that this process has had, in MiB."""
	return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def fresh(rows: int, **knobs: object) -> World:
	"""Return a world on an emptied site."""
	empty()
	return World(rows, **knobs)


def _quote() -> str:
	return "`" if frappe.db.db_type == "mariadb" else '"'
