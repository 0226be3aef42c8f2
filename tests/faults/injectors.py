"""Inject faults into the site at a chosen stage of a run: database errors, and what other people do meanwhile.

A stage is recognised by an SQL statement or a call to Zoho, so that these injectors know little of the app's code.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

import frappe

from erpnext_zoho_integration.zoho import Transport
from tests.site.syncing import before_each_statement

# Stage → a pattern of its first statement, without quotes.
STATEMENTS = {
	"authorise": r"(INSERT|REPLACE|UPDATE) .*__Auth",
	"refresh": r"(INSERT|REPLACE|UPDATE) .*__Auth",
	"list": r"INSERT INTO tabZoho Sync Task",
	"report": r"INSERT INTO tabCampaign Analytics",
	# A list without stored rows begins with the search for Contacts.
	"recipients": (
		r"SELECT .*(\brow_key\b.* FROM tabCampaign Recipient WHERE row_key"
		r"|\bzoho_contact_id\b.*\bname\b.* FROM tabContact WHERE zoho_contact_id) IN"
	),
	"match": r"SELECT .*FROM tabContact Email",
	"write": r"INSERT INTO tabCampaign Recipient",
	"checkpoint": r"UPDATE tabZoho Campaign State SET position",
	"finish": r"UPDATE tabZoho Sync Run SET .*finished_at",
}
_QUOTES = re.compile(r"[`\"]")
ENDPOINTS = {
	"refresh": "oauth/v2/token",
	"list": "recentcampaigns",
	"A/B keys": "getcampaigndetails",
	"report": "campaignreports",
}


def errors() -> dict[str, Callable[[], Exception]]:
	"""Return the errors that the database or the worker raises, by name; each value makes a new one."""
	from rq.timeouts import JobTimeoutException

	if frappe.db.db_type == "mariadb":
		import pymysql

		lost = pymysql.OperationalError(2013, "Lost connection to MySQL server during query")
		full = pymysql.InternalError(1114, "The table is full")
	else:
		lost = sqlite3.OperationalError("disk I/O error")
		full = sqlite3.OperationalError("database or disk is full")
	return {
		"deadlock": lambda: frappe.QueryDeadlockError("Deadlock found when trying to get lock"),
		"lock wait time-out": lambda: frappe.QueryTimeoutError("Lock wait timeout exceeded"),
		"disk full": lambda: full,
		"connection lost": lambda: lost,
		"time-out": lambda: JobTimeoutException("Task exceeded maximum timeout value (1200 seconds)"),
	}


@contextmanager
def at_statement(stage: str, act: Callable[[], None], nth: int = 1, times: int = 1) -> Iterator[list[int]]:
	"""Call `act` right before a statement of a stage, in this thread.

	Args:
		stage: a key of `STATEMENTS`.
		act: what happens; it may raise.
		nth: the first matching statement to act at, from 1.
		times: how often to act; 0 for every further match.

	Yields:
		A list with one item for each call of `act`.
	"""
	pattern, matches, done = re.compile(STATEMENTS[stage], re.I | re.S), 0, []

	def check(statement: str) -> None:
		nonlocal matches
		if pattern.match(_QUOTES.sub("", statement).strip()):
			matches += 1
			if matches >= nth and (not times or len(done) < times):
				done.append(matches)
				act()

	with before_each_statement(check):
		yield done


@contextmanager
def limit_database_growth(pages: int) -> Iterator[None]:
	"""Let SQLite grow by at most this many pages; any statement that needs more fails with "database is full"."""
	frappe.db.commit()
	connection = frappe.local.db._conn
	connection.execute("VACUUM")  # gives up the free pages of deleted rows
	(size,) = connection.execute("PRAGMA page_count").fetchone()
	connection.execute(f"PRAGMA max_page_count = {size + pages}")
	try:
		yield
	finally:
		frappe.db.rollback()
		connection.execute(f"PRAGMA max_page_count = {2**30}")


@contextmanager
def connection_lost_at(stage: str, nth: int = 1) -> Iterator[list[int]]:
	"""Lose the connection at a statement of a stage: uncommitted work is rolled back, every later statement fails."""
	database, original = frappe.local.db, frappe.local.db.sql
	error = errors()["connection lost"]()
	done: list[int] = []

	def dead(*_args: object, **_kwargs: object) -> None:
		raise error

	def lose() -> None:
		done.append(1)
		database.rollback()
		for name in ("sql", "commit", "rollback"):
			setattr(database, name, dead)
		raise error

	with at_statement(stage, lose, nth):
		yield done
		for name in ("sql", "commit", "rollback"):
			database.__dict__.pop(name, None)
		database.sql = original


@contextmanager
def between_transactions(
	stage: str, act: Callable[[], None], patch: pytest.MonkeyPatch, nth: int = 1
) -> Iterator[list[int]]:
	"""Call `act` once in this thread where no transaction is open: before a call to Zoho, or between two pages.

	Args:
		stage: a key of `ENDPOINTS`, `recipients`, `checkpoint` or `finish`.
		act: what happens.
		patch: pytest's monkeypatch, which undoes the hooks set here.
		nth: at which call or page to act, from 1.

	Yields:
		A list with one item once `act` was called.
	"""
	from erpnext_zoho_integration.sync.runs import run_log
	from erpnext_zoho_integration.sync.runs.list_reader import ListReader

	done: list[int] = []
	steps, here = 0, threading.get_ident()

	def step() -> None:
		nonlocal steps
		if threading.get_ident() == here:
			steps += 1
			if steps == nth:
				done.append(steps)
				act()

	def before(function: Callable, due: Callable[..., bool] = lambda *args, **kwargs: True) -> Callable:
		def wrapped(*args: object, **kwargs: object) -> object:
			if due(*args, **kwargs):
				step()
			return function(*args, **kwargs)

		return wrapped

	if stage in ENDPOINTS:
		asked = ENDPOINTS[stage]
		patch.setattr(
			Transport,
			"exchange",
			before(Transport.exchange, lambda *_args, **named: named["endpoint"] == asked),
		)
	elif stage == "recipients":
		patch.setattr(ListReader, "_page", before(ListReader._page))
	elif stage == "finish":
		patch.setattr(run_log, "finish", before(run_log.finish))
	else:  # right after the commit of a page
		original = ListReader._page

		def page(self: ListReader, fetched: object) -> None:
			checkpoint = self.checkpoint
			between = checkpoint.between_batches

			def acted() -> None:
				checkpoint.between_batches = between
				step()
				between()

			checkpoint.between_batches = acted
			original(self, fetched)

		patch.setattr(ListReader, "_page", page)
	yield done
