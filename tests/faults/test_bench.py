"""Faults of real servers and workers; `python -m tests.faults.bench` runs them on a copy of a bench's site.

A lock of another database connection stops the worker at a stage: it waits for a row or a table, and its page is not
committed yet. Then the fault happens.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

import frappe

from erpnext_zoho_integration.sync.runs import queue
from tests.faults.harness import CLIENT_SECRET, PAGE_SIZE, PAGES_IN_FLIGHT, Harness
from tests.faults.oracle import Oracle
from tests.faults.test_site import age_heartbeats
from tests.site.connecting import SETTINGS, enter_client
from tests.site.database_content import RUN
from tests.site.server import TestSite, settle
from tests.site.syncing import RECIPIENT, campaign_named, errors_of, runs

pytestmark = [
	pytest.mark.worst,
	pytest.mark.skipif(
		not os.environ.get("ZOHO_FAULTS_SERVERS"), reason="only python -m tests.faults.bench runs it"
	),
]
TIMEOUT = 60  # seconds to wait for other processes
ACTIVE = ("Queued", "Running", "Waiting")
# Stage → the table that is locked, and the statement of the worker that waits for it.
LOCKED = {"write": (RECIPIENT, "insert"), "checkpoint": ("Zoho Campaign State", "update")}


@pytest.fixture(scope="module")
def servers():
	from tests.faults.servers import servers_of_session

	found = servers_of_session()
	yield found
	found.hand_back()


class WorkerPool:
	"""Workers of the bench: each is a process, with a child process for each job."""

	def __init__(self, site: TestSite, log: Path) -> None:
		self._site, self.log = site, log
		self.workers: list[subprocess.Popen] = []

	def start(self) -> subprocess.Popen:
		with open(self.log, "ab") as log:
			worker = self._site.spawn(
				"worker", stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
			)
		self.workers.append(worker)
		return worker

	@staticmethod
	def jobs(worker: subprocess.Popen) -> list[psutil.Process]:
		"""Return the processes of the jobs on which a worker is working."""
		try:
			return psutil.Process(worker.pid).children(recursive=True)
		except psutil.NoSuchProcess:
			return []

	def kill(self, worker: subprocess.Popen, *, only_job: bool = False) -> None:
		"""Kill the process of a worker's job, as the kernel does when memory runs out, and the worker unless `only_job`."""
		victims = self.jobs(worker)
		assert victims, "no job is under way"
		if not only_job:
			worker.kill()
		for victim in victims:
			with suppress(psutil.NoSuchProcess):
				victim.kill()
		if not only_job:
			worker.wait()
			self.workers.remove(worker)

	def is_idle(self) -> bool:
		return not any(self.jobs(worker) for worker in self.workers)

	def stop_all(self) -> None:
		for worker in self.workers:
			for process in [*self.jobs(worker), worker]:
				with suppress(psutil.NoSuchProcess):
					process.kill()
			worker.wait()
		self.workers = []


@pytest.fixture
def pool(site: TestSite, servers, worker) -> Iterator[WorkerPool]:
	servers.execute("select 1")
	pool = WorkerPool(site, servers.folder / "logs" / "worker.log")
	pool.log.write_text("")
	yield pool
	pool.stop_all()
	print(pool.log.read_text()[-3000:])
	worker.discard_jobs()


@pytest.fixture(autouse=True)
def slow_pages(harness: Harness, oracle: Oracle) -> None:
	"""Let pages take as long as over the internet, so that the run does not end before the fault."""
	harness.zoho.plan({"endpoint": "getcampaignrecipientsdata", "fault": "delay", "seconds": 0.1})


def until(what: Callable[[], object], why: str) -> object:
	"""Wait until `what` returns something true, and return it; `why` tells what did not happen within `TIMEOUT`."""
	deadline = time.monotonic() + TIMEOUT
	while not (found := what()):
		assert time.monotonic() < deadline, why
		time.sleep(0.15)  # InnoDB refreshes what it shows ten times a second at most
	return found


def database() -> str:
	return frappe.conf.db_name


def stored(servers, table: str = RECIPIENT) -> int:
	return servers.execute(f"select count(*) from `{database()}`.`tab{table}`")[0][0]


@contextmanager
def stopped_at(servers, stage: str, pages: int = 2) -> Iterator[int]:
	"""Let a worker commit some pages and stop it at a stage of the next one; yield the id of its connection."""
	table, verb = LOCKED[stage]
	until(lambda: stored(servers) >= 10 * pages, "no pages are written")
	with servers.connection(database()) as other, other.cursor() as cursor:
		cursor.execute(f"lock tables `tab{table}` read")

		def waits() -> list:
			return servers.execute(
				"select id from information_schema.processlist where state like 'Waiting for table metadata lock'"
				f" and lower(info) like '{verb}%%tab{table.lower()}%%'"
			)

		yield until(waits, f"nobody waits for {table}")[0][0]


@contextmanager
def rows_locked(servers, statement: str, weight: int = 0) -> Iterator:
	"""Lock rows in another transaction.

	Args:
		servers: the servers.
		statement: locks the rows.
		weight: rows that the transaction writes first; MariaDB ends the smaller transaction of a deadlock.
	"""
	until(lambda: stored(servers) >= 20, "no pages are written")
	with servers.connection(database()) as other, other.cursor() as cursor:
		cursor.execute("set innodb_lock_wait_timeout = 50")
		if weight:
			cursor.execute("create database if not exists other")
			cursor.execute("create table if not exists other.weight (number int) engine=InnoDB")
		cursor.execute("begin")
		if weight:
			cursor.execute(f"insert into other.weight select seq from seq_1_to_{weight}")
		cursor.execute(statement)
		until(lambda: _waiting_since(servers), "nobody waits for a row")
		yield cursor
		other.rollback()


def _waiting_since(servers) -> set:
	"""Return the times since which transactions have waited for a row."""
	waiting = "select trx_wait_started from information_schema.innodb_trx where trx_state = 'LOCK WAIT'"
	return {since for (since,) in servers.execute(waiting)}


def _last_deadlock(servers) -> str:
	"""Return MariaDB's report of its last deadlock."""
	told = servers.execute("show engine innodb status")[0][2]
	return told.partition("LATEST DETECTED DEADLOCK")[2].partition("\nTRANSACTIONS\n")[0]


def start_run(mode: str = "All", campaign: str | None = None) -> str:
	"""Queue a run, as a button does, and return its name."""
	name, created = queue.start("User", campaign, mode)
	assert created
	settle()
	return name


def status(run: str) -> str:
	settle()
	return frappe.db.get_value(RUN, run, "status")


def wait_for_end(run: str, harness: Harness):
	"""Wait until a run has ended, and return it."""
	until(lambda: status(run) not in ACTIVE, "the run does not end")
	return harness.reload_run(run)


def another_worker_resumes(
	run: str, harness: Harness, oracle: Oracle, pool: WorkerPool, again: int = 2
) -> None:
	"""Check that the run stays as its dead worker left it, and that another worker resumes and ends it later."""
	until(pool.is_idle, "the worker's job continues")
	assert status(run) == "Running"
	oracle.nothing_wrong_is_stored()
	age_heartbeats()
	queue.resume_waiting()
	settle()
	succeeds(run, harness, oracle, pool, again)


def succeeds(run: str, harness: Harness, oracle: Oracle, pool: WorkerPool, again: int = 0) -> None:
	ended = wait_for_end(run, harness)
	assert ended.status == "Success", (
		[error.message for error in errors_of(ended)],
		frappe.get_all("Error Log", pluck="error"),
		pool.log.read_text()[-2000:],
	)
	assert not oracle.reported_missing(ended)
	until(pool.is_idle, "the worker's job continues")
	settle()
	oracle.content_is_as_expected()
	oracle.no_secret_leaked()
	log = pool.log.read_text()
	assert not [line for line in log.splitlines() if "canary" in line or "1000." in line]
	oracle.few_pages_are_fetched_again(again)


# -- the database -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", LOCKED)
def test_its_connection_is_killed_in_mid_page(stage, harness, oracle, servers, pool) -> None:
	run = start_run()
	pool.start()
	with stopped_at(servers, stage) as connection:
		servers.execute(f"kill connection {connection}")
	another_worker_resumes(run, harness, oracle, pool)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["crash", "restart"])
def test_mariadb_goes_and_comes_back_in_mid_page(how, harness, oracle, servers, pool) -> None:
	run = start_run()
	pool.start()
	with stopped_at(servers, "write"):
		servers.stop("mariadb", how)
	until(pool.is_idle, "the worker's job continues")
	servers.start("mariadb")
	frappe.db.close()
	frappe.db.connect()
	another_worker_resumes(run, harness, oracle, pool)


def test_a_deadlock_in_mid_page(harness, oracle, servers, pool) -> None:
	before = _last_deadlock(servers)
	run = start_run()
	pool.start()
	with rows_locked(servers, "select name from `tabCampaign Recipient` for update", weight=50_000) as other:
		# The worker holds gap locks in the table of erased people, and waits for places for its rows.
		other.execute("insert into `tabZoho Erased Person` (name, creation) values ('other', now())")
		until(lambda: _last_deadlock(servers) != before, "no deadlock")
	succeeds(run, harness, oracle, pool)


def test_a_lock_that_is_not_given_in_time(harness, oracle, servers, pool) -> None:
	run = start_run()
	pool.start()
	with rows_locked(servers, "select name from `tabCampaign Recipient` for update"):
		before = _waiting_since(servers)
		until(lambda: _waiting_since(servers) - before, "the wait did not time out")
	succeeds(run, harness, oracle, pool)


# -- workers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", LOCKED)
@pytest.mark.parametrize("only_job", [True, False], ids=["job killed", "worker killed"])
def test_kill_9_in_mid_page(stage, only_job, harness, oracle, servers, pool) -> None:
	run = start_run()
	worker = pool.start()
	with stopped_at(servers, stage):
		pool.kill(worker, only_job=only_job)
	if not only_job:
		pool.start()
	another_worker_resumes(run, harness, oracle, pool)


def test_a_worker_that_is_asked_to_end_ends_its_page_and_its_run(harness, oracle, servers, pool) -> None:
	run = start_run()
	worker = pool.start()
	with stopped_at(servers, "write"):
		worker.terminate()
	succeeds(run, harness, oracle, pool)
	worker.wait(timeout=TIMEOUT)


def test_the_time_of_a_job_is_up_while_it_waits_for_the_database(
	harness, oracle, servers, pool, monkeypatch
) -> None:
	monkeypatch.setattr(queue, "JOB_TIMEOUT", 20)  # it has to get there first
	run = start_run()
	pool.start()
	with stopped_at(servers, "write"):
		until(lambda: _slice(run) == 2, "the job continues although its time is up")
	succeeds(run, harness, oracle, pool, again=PAGES_IN_FLIGHT)


def _slice(run: str) -> int:
	settle()
	return frappe.db.get_value(RUN, run, "slice")


def test_two_workers_at_one_run(harness, oracle, servers, pool) -> None:
	frappe.db.set_single_value(SETTINGS, "workers", 2)
	run = start_run()
	pool.start()
	pool.start()

	def both_work() -> bool:
		tasks = frappe.get_all("Zoho Sync Task", {"run": run, "status": "Working"}, pluck="worker")
		settle()
		return len(set(tasks)) == 2

	until(both_work, "only one worker works")
	succeeds(run, harness, oracle, pool)


def test_one_of_two_workers_is_killed(harness, oracle, servers, pool) -> None:
	frappe.db.set_single_value(SETTINGS, "workers", 2)
	run = start_run()
	workers = [pool.start(), pool.start()]
	until(lambda: all(pool.jobs(worker) for worker in workers), "only one worker works")
	with stopped_at(servers, "write"):
		pool.kill(workers[0])
	# Its campaign may have short lists, which are written together.
	another_worker_resumes(run, harness, oracle, pool, again=PAGES_IN_FLIGHT)


def test_the_scheduler_and_the_button_at_once(harness, oracle, servers, pool) -> None:
	first = start_run()
	pool.start()
	pool.start()
	wait_for_end(first, harness)
	until(pool.is_idle, "the worker's job continues")
	campaign = campaign_named(harness.campaign_keys[0])
	one, other = start_run("Full"), start_run("Full", campaign)
	assert queue.start("Schedule") == (one, False) and queue.start("User", campaign) == (other, False)
	for run in (one, other):
		assert wait_for_end(run, harness).status == "Success"
	until(pool.is_idle, "the worker's job continues")
	settle()
	oracle.content_is_as_expected()
	assert len(runs()) == 3


# -- Redis --------------------------------------------------------------------------------------------------


def test_redis_is_restarted_in_mid_page(harness, oracle, servers, pool) -> None:
	run = start_run()
	pool.start()
	with stopped_at(servers, "write"):
		for name in ("redis_cache", "redis_queue"):
			servers.stop(name, signal.SIGKILL)
			servers.start(name)
	succeeds(run, harness, oracle, pool)


def test_redis_stays_away_until_the_run_has_ended(harness, oracle, servers, pool) -> None:
	run = start_run()
	pool.start()
	names = ("redis_cache", "redis_queue")
	with stopped_at(servers, "write"):
		for name in names:
			servers.stop(name, signal.SIGKILL)
	ended = f"select finished_at from `{database()}`.`tabZoho Sync Run` where name = '{run}' and finished_at is not null"
	try:
		until(lambda: servers.execute(ended), "the run does not end")
	finally:
		for name in names:
			servers.start(name)
	succeeds(run, harness, oracle, pool)


# -- people -------------------------------------------------------------------------------------------------


def test_the_app_is_uninstalled_in_mid_run(harness, oracle, site, servers, pool) -> None:
	from tests.site.test_install import leftovers

	harness.zoho.plan({"endpoint": "getcampaignrecipientsdata", "fault": "delay", "seconds": 0.4})
	start_run()
	pool.start()
	pool.log.write_text("")
	until(lambda: stored(servers) >= 20, "no pages are written")
	frappe.db.rollback()
	run_command(site, "uninstall-app")
	try:
		until(pool.is_idle, "the worker's job continues")
		settle()
		frappe.clear_cache()
		assert leftovers() == {}
		assert not frappe.get_all("Error Log", pluck="method")
		assert "Traceback" not in pool.log.read_text()
	finally:
		frappe.db.rollback()
		run_command(site, "install-app")
		settle()
		frappe.clear_cache()
		enter_client(client_secret=CLIENT_SECRET, page_size=PAGE_SIZE)
	harness.reset()
	assert harness.run().status == "Success"
	oracle.content_is_as_expected()
	oracle.no_secret_leaked()


def run_command(site: TestSite, command: str) -> None:
	"""Install or uninstall the app in another process."""
	done = site.spawn(
		command,
		"erpnext_zoho_integration",
		stdin=subprocess.DEVNULL,
		stdout=subprocess.PIPE,
		stderr=subprocess.STDOUT,
	)
	output, _errors = done.communicate(timeout=300)
	assert done.returncode == 0, output[-3000:]
