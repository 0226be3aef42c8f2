"""Making things go wrong on the site, at a chosen stage of a run: errors of the database, and whatever else somebody does.

A stage is recognised by what the site does in it, a statement or a call, so that nothing here knows how the app is built.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import frappe

from erpnext_zoho_integration.zoho import Transport
from tests.site.syncing import before_each_statement

# The statement that a stage is known by; quotes are left out.
STATEMENTS = {
	"authorise": r"(INSERT|REPLACE|UPDATE) .*__Auth",
	"refresh": r"(INSERT|REPLACE|UPDATE) .*__Auth",
	"list": r"INSERT INTO tabZoho Sync Task",
	"report": r"INSERT INTO tabCampaign Analytics",
	# What a list without earlier rows begins with is the search for Contacts.
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


class WorkerTimeout(BaseException):
	"""What rq raises in a job whose time is up looks like this; it is an Exception there too, see `errors`."""


def errors() -> dict[str, Callable[[], Exception]]:
	"""Return what the database, or the worker, raises."""
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
	"""Call `act` right before the statement that a stage is known by, in this thread.

	Args:
		nth: at which of them, from 1.
		times: how often; 0 for ever.

	Yields:
		One item for each time.
	"""
	pattern, seen, done = re.compile(STATEMENTS[stage], re.I | re.S), 0, []

	def look(statement: str) -> None:
		nonlocal seen
		if pattern.match(_QUOTES.sub("", statement).strip()):
			seen += 1
			if seen >= nth and (not times or len(done) < times):
				done.append(seen)
				act()

	with before_each_statement(look):
		yield done


@contextmanager
def no_room_but(pages: int) -> Iterator[None]:
	"""Have SQLite itself refuse to grow by more than some pages; whatever needs another one fails, of whomever it is."""
	frappe.db.commit()
	connection = frappe.local.db._conn
	connection.execute("VACUUM")  # room left by what was deleted
	(size,) = connection.execute("PRAGMA page_count").fetchone()
	connection.execute(f"PRAGMA max_page_count = {size + pages}")
	try:
		yield
	finally:
		frappe.db.rollback()
		connection.execute(f"PRAGMA max_page_count = {2**30}")


@contextmanager
def connection_lost_at(stage: str, nth: int = 1) -> Iterator[list[int]]:
	"""From the statement of a stage on, every statement fails, and what was not committed is lost."""
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
def at_moment(stage: str, act: Callable[[], None], patch, nth: int = 1) -> Iterator[list[int]]:
	"""Call `act` in this thread where no transaction is open, at a stage: before a call, or between two pages.

	Args:
		patch: pytest's monkeypatch.
		nth: at which call or page, from 1.
	"""
	from erpnext_zoho_integration.sync.runs import run_log
	from erpnext_zoho_integration.sync.runs.campaign_sync import CampaignSync

	done: list[int] = []
	seen, here = 0, threading.get_ident()

	def step() -> None:
		nonlocal seen
		if threading.get_ident() == here:
			seen += 1
			if seen == nth:
				done.append(seen)
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
		patch.setattr(CampaignSync, "_page", before(CampaignSync._page))
	elif stage == "finish":
		patch.setattr(run_log, "finish", before(run_log.finish))
	else:  # right after the commit of a page
		original = CampaignSync._page

		def page(self: CampaignSync, fetched: object) -> None:
			between = self.between_pages

			def acted() -> None:
				self.between_pages = between
				step()
				between()

			self.between_pages = acted
			original(self, fetched)

		patch.setattr(CampaignSync, "_page", page)
	yield done
