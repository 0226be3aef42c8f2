"""Faults of the site itself: its database, its workers and Redis."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager

import pytest
import requests

import frappe

from erpnext_zoho_integration.connection import authorization
from erpnext_zoho_integration.connection.tokens import wipe_tokens
from erpnext_zoho_integration.sync.runs import queue
from tests.faults import injectors, matrix
from tests.faults.harness import PAGES_IN_FLIGHT, Harness
from tests.faults.killed_run import killed_run
from tests.faults.matrix import Cell
from tests.faults.matrix_site import site as site_cells
from tests.faults.oracle import Oracle
from tests.site.connecting import query_of
from tests.site.database_content import RUN, forget_keys
from tests.site.server import settle

CELLS = matrix.selected(site_cells())
# Counters of a run that do not depend on how often a page was fetched.
COUNTED = (
	"rows_inserted",
	"rows_updated",
	"rows_unchanged",
	"rows_skipped",
	"rows_erased",
	"rows_expected",
	"contacts_created",
	"contacts_linked",
	"opted_out",
)


def of(group: str) -> pytest.MarkDecorator:
	return pytest.mark.parametrize(
		"cell", [cell for cell in CELLS if cell.group == group], ids=lambda cell: cell.id
	)


def judge(cell: Cell, harness: Harness, oracle: Oracle, run) -> None:
	"""Check how the run ended, sync again, and compare the content."""
	if cell.outcome == "recovers":
		assert run.status == "Success", [error.message for error in run.errors]
		assert not oracle.reported_missing(run)
	elif cell.outcome == "taken up":
		assert run.status in ("Running", "Queued")
		oracle.nothing_wrong_is_stored()
		age_heartbeats()
		queue.resume_waiting()
		settle()
		assert harness.continue_run(run.name).status == "Success"
	else:
		assert run.status in ("Failed", "Partial") and run.message
		assert oracle.reported_missing(run) == affected(cell, harness)
		if cell.outcome == "listed":
			assert run.status == "Partial"
			oracle.nothing_else_is_missing(affected(cell, harness))
		oracle.nothing_wrong_is_stored()
		harness.let_an_hour_pass()
		again = harness.run()
		assert again.status == "Success" and not oracle.reported_missing(again), [
			e.message for e in again.errors
		]
	oracle.content_is_as_expected()
	oracle.no_secret_leaked()


def affected(cell: Cell, harness: Harness) -> set[tuple[str | None, str | None]]:
	return {
		"": {(None, None)},
		"run": {(None, None)},
		"campaign": {(harness.campaign_keys[0], None)},
		"all": {(key, None) for key in harness.campaign_keys},
	}[cell.affected]


def age_heartbeats() -> None:
	"""Let an hour pass since the last heartbeat of every worker."""
	long_ago = time.time() - 3600
	for doctype in (RUN, "Zoho Sync Task"):
		frappe.db.set_value(
			doctype, {"heartbeat_epoch": (">", 0)}, "heartbeat_epoch", long_ago, update_modified=False
		)
	forget_keys("lock")
	settle()


@of("Database")
def test_database(cell: Cell, harness: Harness, oracle: Oracle) -> None:
	error, times = injectors.errors()[cell.more["error"]], cell.more.get("times", 1)

	def fail() -> None:
		raise error()

	if cell.more["error"] == "connection lost":
		broken: AbstractContextManager = injectors.connection_lost_at(cell.stage)
	else:
		broken = injectors.at_statement(cell.stage, fail, times=times)
	if cell.stage == "authorise":
		authorise(harness, oracle, broken)
		return
	if cell.stage == "refresh":
		harness.let_token_expire()
	name = harness.open_run()
	with broken as done:
		harness.work_on(name)
	assert done, "the fault has not happened"
	frappe.db.rollback()
	judge(cell, harness, oracle, harness.reload_run(name))
	oracle.few_pages_are_fetched_again(PAGES_IN_FLIGHT * len(done))


@pytest.mark.parametrize("room", [0, 3, 10, 30])
def test_a_full_disk(room: int, harness: Harness, oracle: Oracle) -> None:
	"""While nothing can be written, the run cannot report it. With space again, it continues; the next run completes all."""
	if frappe.db.db_type != "sqlite":
		pytest.skip("only SQLite can be limited without filling the disk")
	name = harness.open_run()
	with injectors.limit_database_growth(room):
		harness.work_on(name)
	assert "full" in str(harness.job_error)  # the job fails as well
	assert harness.reload_run(name).status in ("Queued", "Running")
	oracle.nothing_wrong_is_stored()
	age_heartbeats()
	queue.resume_waiting()
	settle()
	run = harness.continue_run(name)
	assert run.status == ("Partial" if oracle.reported_missing(run) else "Success") and run.rows_inserted
	harness.let_an_hour_pass()
	again = harness.run()
	assert again.status == "Success", [error.message for error in again.errors]
	oracle.content_is_as_expected()
	oracle.no_secret_leaked()


@pytest.mark.parametrize("stage", ["recipients", "match", "write", "checkpoint"])
@pytest.mark.parametrize("error", ["deadlock", "lock wait time-out", "time-out", "connection lost"])
@pytest.mark.parametrize("nth", [1, 4])
def test_what_is_counted_is_what_was_committed(
	nth: int, error: str, stage: str, harness: Harness, oracle: Oracle
) -> None:
	"""Rows that were rolled back and written again, also by the next slice, are counted once."""
	whole = harness.run()
	wanted = {number: whole.get(number) for number in COUNTED}
	harness.reset()
	name = harness.open_run()

	def fail() -> None:
		raise injectors.errors()[error]()

	if error == "connection lost":
		broken: AbstractContextManager = injectors.connection_lost_at(stage, nth)
	else:
		broken = injectors.at_statement(stage, fail, nth)
	with broken as done:
		harness.work_on(name)
	assert done
	run = harness.reload_run(name)
	if run.status == "Running":
		age_heartbeats()
		run = harness.continue_run(name)
	assert run.rows_inserted == frappe.db.count("Campaign Recipient")
	assert run.contacts_created == frappe.db.count("Contact")
	if run.status == "Success":
		assert {number: run.get(number) for number in COUNTED} == wanted
		if error != "connection lost":  # the notes of a lost worker are lost
			notes = [[(row.message, row.occurrences) for row in each.errors] for each in (run, whole)]
			assert sorted(notes[0]) == sorted(notes[1])


def authorise(harness: Harness, oracle: Oracle, broken: AbstractContextManager) -> None:
	with broken as done, pytest.raises(Exception):
		authorization.exchange(harness.zoho.grant_code(), "in")
	assert done
	frappe.db.rollback()
	settle()
	authorization.exchange(harness.zoho.grant_code(), "in")
	assert harness.run().status == "Success"
	oracle.content_is_as_expected()
	oracle.no_secret_leaked()


@of("Workers and Redis")
def test_workers(cell: Cell, harness: Harness, oracle: Oracle, site, monkeypatch: pytest.MonkeyPatch) -> None:
	if cell.stage == "refresh":
		harness.let_token_expire()
	if cell.stage == "authorise":
		authorise_without_redis(cell, harness, oracle)
		return
	name = harness.open_run()
	if cell.more.get("signal"):
		assert killed_run(site, name, cell.stage) == "killed"
		extra = PAGES_IN_FLIGHT
	elif cell.more.get("error"):
		error = injectors.errors()["time-out"]

		def fail() -> None:
			raise error()

		with injectors.at_statement(cell.stage, fail) as done:
			harness.work_on(name)
		assert done
		extra = PAGES_IN_FLIGHT
	else:
		with (
			redis_failure(cell.more["redis"]) as (fail, repair),
			injectors.between_transactions(cell.stage, fail, monkeypatch) as done,
		):
			harness.work_on(name)
			repair()
		assert done
		extra = 0
	judge(cell, harness, oracle, harness.reload_run(name))
	oracle.few_pages_are_fetched_again(extra)


def authorise_without_redis(cell: Cell, harness: Harness, oracle: Oracle) -> None:
	"""Redis holds the state of an authorization: without it the authorization is refused, and the site is not connected."""
	wipe_tokens("Not Connected", None)
	settle()
	answer = query_of(requests.get(authorization.begin(), allow_redirects=False).headers["Location"])
	with redis_failure(cell.more["redis"]) as (fail, repair):
		fail()
		if cell.outcome == "refused":
			with pytest.raises(authorization.StateRefused):
				authorization.complete(answer)
			repair()
			settle()
			assert not harness.is_connected()
			answer = query_of(requests.get(authorization.begin(), allow_redirects=False).headers["Location"])
		authorization.complete(answer)
	assert harness.run().status == "Success"
	oracle.content_is_as_expected()
	oracle.no_secret_leaked()


@contextmanager
def redis_failure(kind: str):
	"""Yield a function that makes Redis fail, and one that repairs it.

	Args:
		kind: `gone`, `moment`, `emptied` or `cleared`.
	"""
	pool = frappe.cache.connection_pool
	port = pool.connection_kwargs["port"]

	def gone() -> None:
		pool.connection_kwargs["port"] = 9  # a port on which nothing listens
		for connection in connections():
			connection.port = 9
		moment()

	def back() -> None:
		pool.connection_kwargs["port"] = port
		pool.disconnect()
		pool.reset()  # existing connections would keep the old port

	def moment() -> None:
		# As in an outage, each thread finds its connection closed at the next use.
		for connection in connections():
			if connection._sock:
				connection._sock.shutdown(socket.SHUT_RDWR)

	def connections() -> list:
		# Not the connection of the thread in which Frappe 16 listens for changes of its cache.
		listener = getattr(getattr(frappe, "client_cache", None), "_watcher", None)
		made = [*pool._available_connections, *pool._in_use_connections]
		return [each for each in made if each is not getattr(listener, "connection", None)]

	def emptied() -> None:
		frappe.cache.flushdb()

	acts: dict[str, Callable] = {
		"gone": gone,
		"moment": moment,
		"emptied": emptied,
		"cleared": frappe.clear_cache,
	}
	try:
		yield acts[kind], back
	finally:
		back()
