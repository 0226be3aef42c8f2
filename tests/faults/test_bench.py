"""Faults of real servers and real workers: played on a copy of a bench's site by `python -m tests.faults.bench`.

A worker is stopped where a fault is to meet it by somebody else's lock in the database: it waits for a row or a table
like any worker that meets another one, and what it has written of the page is not committed yet.
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
from tests.faults.drill import CLIENT_SECRET, PAGE_SIZE, UNDER_WAY, Drill
from tests.faults.oracle import Oracle
from tests.faults.test_site import grow_old
from tests.site.connecting import SETTINGS, enter_client
from tests.site.database_content import RUN
from tests.site.server import TestSite, settle
from tests.site.syncing import RECIPIENT, campaign_named, errors_of, runs

pytestmark = [
	pytest.mark.worst,
	pytest.mark.skipif(
		not os.environ.get("ZOHO_FAULTS_SERVERS"), reason="python -m tests.faults.bench plays it"
	),
]
PATIENCE = 60  # seconds for whatever other processes do
ACTIVE = ("Queued", "Running", "Waiting")
# Stage → the table that somebody has locked, and what a worker that waits for it is about to do.
LOCKED = {"write": (RECIPIENT, "insert"), "checkpoint": ("Zoho Campaign State", "update")}


@pytest.fixture(scope="module")
def servers():
	from tests.faults.servers import here

	found = here()
	yield found
	found.let_go()


class Crew:
	"""Workers of the bench, each a process of its own that has a process for each job."""

	def __init__(self, site: TestSite, log: Path) -> None:
		self._site, self.log = site, log
		self.workers: list[subprocess.Popen] = []

	def hire(self) -> subprocess.Popen:
		with open(self.log, "ab") as log:
			worker = self._site.spawn(
				"worker", stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
			)
		self.workers.append(worker)
		return worker

	@staticmethod
	def jobs(worker: subprocess.Popen) -> list[psutil.Process]:
		"""Return the processes of the jobs that a worker is at."""
		try:
			return psutil.Process(worker.pid).children(recursive=True)
		except psutil.NoSuchProcess:
			return []

	def kill(self, worker: subprocess.Popen, *, only_job: bool = False) -> None:
		"""Kill the process of its job, as the kernel does when there is no memory left; or the worker with it."""
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

	def dismiss(self) -> None:
		for worker in self.workers:
			for process in [*self.jobs(worker), worker]:
				with suppress(psutil.NoSuchProcess):
					process.kill()
			worker.wait()
		self.workers = []


@pytest.fixture
def crew(site: TestSite, servers, worker) -> Iterator[Crew]:
	servers.execute("select 1")
	crew = Crew(site, servers.folder / "logs" / "worker.log")
	crew.log.write_text("")
	yield crew
	crew.dismiss()
	print(crew.log.read_text()[-3000:])
	worker.discard_jobs()


@pytest.fixture(autouse=True)
def slow_pages(drill: Drill, oracle: Oracle) -> None:
	"""Pages that take as long as they do over the internet, so that a run does not end before something happens to it."""
	drill.zoho.plan({"endpoint": "getcampaignrecipientsdata", "fault": "delay", "seconds": 0.1})


def until(what: Callable[[], object], why: str) -> object:
	"""Wait for other processes; return what they bring."""
	deadline = time.monotonic() + PATIENCE
	while not (found := what()):
		assert time.monotonic() < deadline, why
		time.sleep(0.15)  # InnoDB shows nothing new to whoever asks more than ten times a second
	return found


def database() -> str:
	return frappe.conf.db_name


def stored(servers, table: str = RECIPIENT) -> int:
	return servers.execute(f"select count(*) from `{database()}`.`tab{table}`")[0][0]


@contextmanager
def stopped_at(servers, stage: str, pages: int = 2) -> Iterator[int]:
	"""Let a worker commit some pages, and keep it at a stage of the next one; yield the id of its connection."""
	table, verb = LOCKED[stage]
	until(lambda: stored(servers) >= 10 * pages, "no pages are written")
	with servers.connection(database()) as somebody, somebody.cursor() as cursor:
		cursor.execute(f"lock tables `tab{table}` read")

		def waits() -> list:
			return servers.execute(
				"select id from information_schema.processlist where state like 'Waiting for table metadata lock'"
				f" and lower(info) like '{verb}%%tab{table.lower()}%%'"
			)

		yield until(waits, f"nobody waits for {table}")[0][0]


@contextmanager
def rows_locked(servers, statement: str, weight: int = 0) -> Iterator:
	"""Hold rows as another transaction does, which has written so much that the server spares it in a deadlock."""
	until(lambda: stored(servers) >= 20, "no pages are written")
	with servers.connection(database()) as somebody, somebody.cursor() as cursor:
		cursor.execute("set innodb_lock_wait_timeout = 50")
		if weight:
			cursor.execute("create database if not exists somebody")
			cursor.execute("create table if not exists somebody.weight (number int) engine=InnoDB")
		cursor.execute("begin")
		if weight:
			cursor.execute(f"insert into somebody.weight select seq from seq_1_to_{weight}")
		cursor.execute(statement)
		until(lambda: _waiting_since(servers), "nobody waits for a row")
		yield cursor
		somebody.rollback()


def _waiting_since(servers) -> set:
	"""Return since when whoever waits for a row has waited."""
	waiting = "select trx_wait_started from information_schema.innodb_trx where trx_state = 'LOCK WAIT'"
	return {since for (since,) in servers.execute(waiting)}


def _last_deadlock(servers) -> str:
	"""Return what MariaDB tells of its last deadlock."""
	told = servers.execute("show engine innodb status")[0][2]
	return told.partition("LATEST DETECTED DEADLOCK")[2].partition("\nTRANSACTIONS\n")[0]


def begin(mode: str = "All", campaign: str | None = None) -> str:
	"""Queue a run, as a button does."""
	name, created = queue.start("User", campaign, mode)
	assert created
	settle()
	return name


def status(run: str) -> str:
	settle()
	return frappe.db.get_value(RUN, run, "status")


def end(run: str, drill: Drill):
	"""Wait for a run's end, and return it."""
	until(lambda: status(run) not in ACTIVE, "the run does not end")
	return drill.look(run)


def taken_up(run: str, drill: Drill, oracle: Oracle, crew: Crew, again: int = 2) -> None:
	"""The run is as its worker has left it; when that one has been silent for long, another one ends it."""
	until(crew.is_idle, "the worker's job goes on")
	assert status(run) == "Running"
	oracle.nothing_wrong_is_stored()
	grow_old()
	queue.resume_waiting()
	settle()
	succeeds(run, drill, oracle, crew, again)


def succeeds(run: str, drill: Drill, oracle: Oracle, crew: Crew, again: int = 0) -> None:
	ended = end(run, drill)
	assert ended.status == "Success", (
		[error.message for error in errors_of(ended)],
		frappe.get_all("Error Log", pluck="error"),
		crew.log.read_text()[-2000:],
	)
	assert not oracle.listed(ended)
	until(crew.is_idle, "the worker's job goes on")
	settle()
	oracle.content_is_as_without_the_fault()
	oracle.no_secret_is_told()
	log = crew.log.read_text()
	assert not [line for line in log.splitlines() if "canary" in line or "1000." in line]
	oracle.little_is_fetched_again(again)


# -- the database -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", LOCKED)
def test_its_connection_is_killed_in_mid_page(stage, drill, oracle, servers, crew) -> None:
	run = begin()
	crew.hire()
	with stopped_at(servers, stage) as connection:
		servers.execute(f"kill connection {connection}")
	taken_up(run, drill, oracle, crew)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["crash", "restart"])
def test_mariadb_goes_and_comes_back_in_mid_page(how, drill, oracle, servers, crew) -> None:
	run = begin()
	crew.hire()
	with stopped_at(servers, "write"):
		servers.stop("mariadb", how)
	until(crew.is_idle, "the worker's job goes on")
	servers.start("mariadb")
	frappe.db.close()
	frappe.db.connect()
	taken_up(run, drill, oracle, crew)


def test_a_deadlock_in_mid_page(drill, oracle, servers, crew) -> None:
	before = _last_deadlock(servers)
	run = begin()
	crew.hire()
	with rows_locked(
		servers, "select name from `tabCampaign Recipient` for update", weight=50_000
	) as somebody:
		# The page holds the places where its people would stand among the erased, and waits for places for its rows.
		somebody.execute("insert into `tabZoho Erased Person` (name, creation) values ('somebody', now())")
		until(lambda: _last_deadlock(servers) != before, "no deadlock")
	succeeds(run, drill, oracle, crew)


def test_a_lock_that_is_not_given_in_time(drill, oracle, servers, crew) -> None:
	run = begin()
	crew.hire()
	with rows_locked(servers, "select name from `tabCampaign Recipient` for update"):
		before = _waiting_since(servers)
		until(lambda: _waiting_since(servers) - before, "nobody gave up")
	succeeds(run, drill, oracle, crew)


# -- workers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", LOCKED)
@pytest.mark.parametrize("only_job", [True, False], ids=["job killed", "worker killed"])
def test_kill_9_in_mid_page(stage, only_job, drill, oracle, servers, crew) -> None:
	run = begin()
	worker = crew.hire()
	with stopped_at(servers, stage):
		crew.kill(worker, only_job=only_job)
	if not only_job:
		crew.hire()
	taken_up(run, drill, oracle, crew)


def test_a_worker_that_is_asked_to_end_ends_its_page_and_its_run(drill, oracle, servers, crew) -> None:
	run = begin()
	worker = crew.hire()
	with stopped_at(servers, "write"):
		worker.terminate()
	succeeds(run, drill, oracle, crew)
	worker.wait(timeout=PATIENCE)


def test_the_time_of_a_job_is_up_while_it_waits_for_the_database(
	drill, oracle, servers, crew, monkeypatch
) -> None:
	monkeypatch.setattr(queue, "JOB_TIMEOUT", 20)  # it has to get there first
	run = begin()
	crew.hire()
	with stopped_at(servers, "write"):
		until(lambda: _slice(run) == 2, "the job goes on although its time is up")
	succeeds(run, drill, oracle, crew, again=UNDER_WAY)


def _slice(run: str) -> int:
	settle()
	return frappe.db.get_value(RUN, run, "slice")


def test_two_workers_at_one_run(drill, oracle, servers, crew) -> None:
	frappe.db.set_single_value(SETTINGS, "workers", 2)
	run = begin()
	crew.hire()
	crew.hire()

	def both_at_work() -> bool:
		tasks = frappe.get_all("Zoho Sync Task", {"run": run, "status": "Working"}, pluck="worker")
		settle()
		return len(set(tasks)) == 2

	until(both_at_work, "one worker does it all")
	succeeds(run, drill, oracle, crew)


def test_one_of_two_workers_is_killed(drill, oracle, servers, crew) -> None:
	frappe.db.set_single_value(SETTINGS, "workers", 2)
	run = begin()
	workers = [crew.hire(), crew.hire()]
	until(lambda: all(crew.jobs(worker) for worker in workers), "one worker does it all")
	with stopped_at(servers, "write"):
		crew.kill(workers[0])
	# It may have been at a campaign of short lists, which are written together.
	taken_up(run, drill, oracle, crew, again=UNDER_WAY)


def test_the_scheduler_and_the_button_at_once(drill, oracle, servers, crew) -> None:
	first = begin()
	crew.hire()
	crew.hire()
	end(first, drill)
	until(crew.is_idle, "the worker's job goes on")
	campaign = campaign_named(drill.keys[0])
	one, other = begin("Full"), begin("Full", campaign)
	assert queue.start("Schedule") == (one, False) and queue.start("User", campaign) == (other, False)
	for run in (one, other):
		assert end(run, drill).status == "Success"
	until(crew.is_idle, "the worker's job goes on")
	settle()
	oracle.content_is_as_without_the_fault()
	assert len(runs()) == 3


# -- Redis --------------------------------------------------------------------------------------------------


def test_redis_is_restarted_in_mid_page(drill, oracle, servers, crew) -> None:
	run = begin()
	crew.hire()
	with stopped_at(servers, "write"):
		for name in ("redis_cache", "redis_queue"):
			servers.stop(name, signal.SIGKILL)
			servers.start(name)
	succeeds(run, drill, oracle, crew)


def test_redis_stays_away_until_the_run_has_ended(drill, oracle, servers, crew) -> None:
	run = begin()
	crew.hire()
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
	succeeds(run, drill, oracle, crew)


# -- people -------------------------------------------------------------------------------------------------


def test_the_app_is_uninstalled_in_mid_run(drill, oracle, site, servers, crew) -> None:
	from tests.site.test_install import leftovers

	drill.zoho.plan({"endpoint": "getcampaignrecipientsdata", "fault": "delay", "seconds": 0.4})
	begin()
	crew.hire()
	crew.log.write_text("")
	until(lambda: stored(servers) >= 20, "no pages are written")
	frappe.db.rollback()
	process(site, "uninstall-app")
	try:
		until(crew.is_idle, "the worker's job goes on")
		settle()
		frappe.clear_cache()
		assert leftovers() == {}
		assert not frappe.get_all("Error Log", pluck="method")
		assert "Traceback" not in crew.log.read_text()
	finally:
		frappe.db.rollback()
		process(site, "install-app")
		settle()
		frappe.clear_cache()
		enter_client(client_secret=CLIENT_SECRET, page_size=PAGE_SIZE)
	drill.begin()
	assert drill.run().status == "Success"
	oracle.content_is_as_without_the_fault()
	oracle.no_secret_is_told()


def process(site: TestSite, command: str) -> None:
	done = site.spawn(
		command,
		"erpnext_zoho_integration",
		stdin=subprocess.DEVNULL,
		stdout=subprocess.PIPE,
		stderr=subprocess.STDOUT,
	)
	said, _nothing = done.communicate(timeout=300)
	assert done.returncode == 0, said[-3000:]
