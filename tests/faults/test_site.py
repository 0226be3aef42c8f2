"""Faults of the site itself: its database, its workers, Redis, people who do something in mid-run, clocks."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager

import pytest
import requests

import frappe
from frappe.utils import add_to_date, now_datetime

from erpnext_zoho_integration.connection import authorization
from erpnext_zoho_integration.connection.tokens import wipe_tokens
from erpnext_zoho_integration.sync.runs import queue
from tests.faults import plan, sabotage
from tests.faults.drill import UNDER_WAY, Drill
from tests.faults.oracle import Oracle
from tests.faults.plan import Cell
from tests.faults.plan_site import site as site_cells
from tests.faults.process import killed_run
from tests.site.connecting import query_of
from tests.site.database_content import RUN, forget_keys
from tests.site.server import settle

CELLS = plan.played(site_cells())
# Numbers of a run that do not depend on how often a page was fetched.
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


def judge(cell: Cell, drill: Drill, oracle: Oracle, run) -> None:
	"""Look at how the run ended, do the next one, and compare."""
	if cell.outcome == "recovers":
		assert run.status == "Success", [error.message for error in run.errors]
		assert not oracle.listed(run)
	elif cell.outcome == "taken up":
		assert run.status in ("Running", "Queued")
		oracle.nothing_wrong_is_stored()
		grow_old()
		queue.resume_waiting()
		settle()
		assert drill.go_on(run.name).status == "Success"
	else:
		assert run.status in ("Failed", "Partial") and run.message
		assert oracle.listed(run) == affected(cell, drill)
		if cell.outcome == "listed":
			assert run.status == "Partial"
			oracle.only_this_is_missing(affected(cell, drill))
		oracle.nothing_wrong_is_stored()
		drill.pass_time()
		again = drill.run()
		assert again.status == "Success" and not oracle.listed(again), [e.message for e in again.errors]
	oracle.content_is_as_without_the_fault()
	oracle.no_secret_is_told()


def affected(cell: Cell, drill: Drill) -> set[tuple[str | None, str | None]]:
	return {
		"": {(None, None)},
		"run": {(None, None)},
		"campaign": {(drill.keys[0], None)},
		"all": {(key, None) for key in drill.keys},
	}[cell.affected]


def grow_old() -> None:
	"""Let an hour pass without a sign of life."""
	long_ago = add_to_date(now_datetime(), hours=-1)
	for doctype in (RUN, "Zoho Sync Task"):
		frappe.db.set_value(
			doctype, {"heartbeat": ("is", "set")}, "heartbeat", long_ago, update_modified=False
		)
	forget_keys("lock")
	settle()


@of("Database")
def test_database(cell: Cell, drill: Drill, oracle: Oracle) -> None:
	error, times = sabotage.errors()[cell.more["error"]], cell.more.get("times", 1)

	def fail() -> None:
		raise error()

	if cell.more["error"] == "connection lost":
		broken: AbstractContextManager = sabotage.connection_lost_at(cell.stage)
	else:
		broken = sabotage.at_statement(cell.stage, fail, times=times)
	if cell.stage == "authorise":
		authorise(drill, oracle, broken)
		return
	if cell.stage == "refresh":
		drill.let_token_expire()
	name = drill.open()
	with broken as done:
		drill.work(name)
	assert done, "the fault has not happened"
	frappe.db.rollback()
	judge(cell, drill, oracle, drill.look(name))
	oracle.little_is_fetched_again(UNDER_WAY * len(done))


@pytest.mark.parametrize("room", [0, 3, 10, 30])
def test_a_disk_that_is_full_indeed(room: int, drill: Drill, oracle: Oracle) -> None:
	"""Nothing can be written, not even what went wrong: once there is room, the run goes on and tells; the next does all."""
	if frappe.db.db_type != "sqlite":
		pytest.skip("a server's disk is not ours to fill")
	name = drill.open()
	with sabotage.no_room_but(room):
		drill.work(name)
	assert "full" in str(drill.unforeseen)  # the job fails as well
	assert drill.look(name).status in ("Queued", "Running")
	oracle.nothing_wrong_is_stored()
	grow_old()
	queue.resume_waiting()
	settle()
	run = drill.go_on(name)
	assert run.status == ("Partial" if oracle.listed(run) else "Success") and run.rows_inserted
	drill.pass_time()
	again = drill.run()
	assert again.status == "Success", [error.message for error in again.errors]
	oracle.content_is_as_without_the_fault()
	oracle.no_secret_is_told()


@pytest.mark.parametrize("stage", ["recipients", "match", "write", "checkpoint"])
@pytest.mark.parametrize("error", ["deadlock", "lock wait time-out", "time-out", "connection lost"])
@pytest.mark.parametrize("nth", [1, 4])
def test_what_is_counted_is_what_was_committed(
	nth: int, error: str, stage: str, drill: Drill, oracle: Oracle
) -> None:
	"""Whatever was rolled back and done again, or was done by the next run, is counted once."""
	whole = drill.run()
	wanted = {number: whole.get(number) for number in COUNTED}
	drill.begin()
	name = drill.open()

	def fail() -> None:
		raise sabotage.errors()[error]()

	if error == "connection lost":
		broken: AbstractContextManager = sabotage.connection_lost_at(stage, nth)
	else:
		broken = sabotage.at_statement(stage, fail, nth)
	with broken as done:
		drill.work(name)
	assert done
	run = drill.look(name)
	if run.status == "Running":
		grow_old()
		run = drill.go_on(name)
	assert run.rows_inserted == frappe.db.count("Campaign Recipient")
	assert run.contacts_created == frappe.db.count("Contact")
	if run.status == "Success":
		assert {number: run.get(number) for number in COUNTED} == wanted
		if error != "connection lost":  # what a lost worker had to say is lost with it
			notes = [[(row.message, row.occurrences) for row in each.errors] for each in (run, whole)]
			assert sorted(notes[0]) == sorted(notes[1])


def authorise(drill: Drill, oracle: Oracle, broken: AbstractContextManager) -> None:
	with broken as done, pytest.raises(Exception):
		authorization.exchange(drill.zoho.grant_code(), "in")
	assert done
	frappe.db.rollback()
	settle()
	authorization.exchange(drill.zoho.grant_code(), "in")
	assert drill.run().status == "Success"
	oracle.content_is_as_without_the_fault()
	oracle.no_secret_is_told()


@of("Workers and Redis")
def test_workers(cell: Cell, drill: Drill, oracle: Oracle, site, monkeypatch: pytest.MonkeyPatch) -> None:
	if cell.stage == "refresh":
		drill.let_token_expire()
	if cell.stage == "authorise":
		authorise_without_redis(cell, drill, oracle)
		return
	name = drill.open()
	if cell.more.get("signal"):
		assert killed_run(site, name, cell.stage) == "killed"
		extra = UNDER_WAY
	elif cell.more.get("error"):
		error = sabotage.errors()["time-out"]

		def fail() -> None:
			raise error()

		with sabotage.at_statement(cell.stage, fail) as done:
			drill.work(name)
		assert done
		extra = UNDER_WAY
	else:
		with (
			redis_trouble(cell.more["redis"]) as (trouble, over),
			sabotage.at_moment(cell.stage, trouble, monkeypatch) as done,
		):
			drill.work(name)
			over()
		assert done
		extra = 0
	judge(cell, drill, oracle, drill.look(name))
	oracle.little_is_fetched_again(extra)


def authorise_without_redis(cell: Cell, drill: Drill, oracle: Oracle) -> None:
	"""The state of an authorization is in Redis; without it, nobody is connected and the reason is told."""
	wipe_tokens("Not Connected", None)
	settle()
	answer = query_of(requests.get(authorization.begin(), allow_redirects=False).headers["Location"])
	with redis_trouble(cell.more["redis"]) as (trouble, over):
		trouble()
		if cell.outcome == "refused":
			with pytest.raises(authorization.StateRefused):
				authorization.complete(answer)
			over()
			settle()
			assert not drill.is_connected()
			answer = query_of(requests.get(authorization.begin(), allow_redirects=False).headers["Location"])
		authorization.complete(answer)
	assert drill.run().status == "Success"
	oracle.content_is_as_without_the_fault()
	oracle.no_secret_is_told()


@contextmanager
def redis_trouble(kind: str):
	"""Yield what makes the trouble, and what ends it."""
	pool = frappe.cache.connection_pool
	port = pool.connection_kwargs["port"]

	def gone() -> None:
		pool.connection_kwargs["port"] = 9  # where nobody listens
		for connection in connections():
			connection.port = 9
		moment()

	def back() -> None:
		pool.connection_kwargs["port"] = port
		pool.disconnect()
		pool.reset()  # those that were made before would connect again to where they were

	def moment() -> None:
		# Each thread sees its own connection end when it uses it next, as in an outage.
		for connection in connections():
			if connection._sock:
				connection._sock.shutdown(socket.SHUT_RDWR)

	def connections() -> list:
		# Frappe 16 has a thread that listens for news of its cache; how it gets over an outage is Frappe's.
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
