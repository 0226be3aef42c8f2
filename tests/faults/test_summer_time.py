"""The hour that is skipped and the hour that comes twice: in mid-run, while a run waits, and between two runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

import frappe
from frappe.utils import get_system_timezone

from erpnext_zoho_integration.erpnext_zoho_integration.desk import number_cards, sync_progress
from erpnext_zoho_integration.sync.runs import health, queue
from erpnext_zoho_integration.sync.runs import worker as run_worker
from tests.faults import injectors, matrix
from tests.faults.harness import Harness
from tests.faults.matrix import Cell
from tests.faults.matrix_site import summer_time
from tests.faults.oracle import Oracle
from tests.faults.shifted_clock import SiteClock, next_change
from tests.site.connecting import SETTINGS
from tests.site.database_content import RUN, forget_everything, forget_keys
from tests.site.server import settle
from tests.site.syncing import RECIPIENT, campaign_named

CELLS = matrix.selected(summer_time())
BEFORE = 5  # minutes from the beginning of a test to the change


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)
def test_summer_time(
	cell: Cell, harness: Harness, oracle: Oracle, worker, monkeypatch: pytest.MonkeyPatch
) -> None:
	if cell.more["play"] == "times":
		mails_of_those_hours(harness)
	else:
		change = next_change(cell.more["hours"])
		clock = SiteClock(change - timedelta(minutes=BEFORE), monkeypatch)
		harness.connect()
		PLAYS[cell.more["play"]](cell, harness, clock, monkeypatch)
	oracle.content_is_as_expected()
	oracle.no_secret_leaked()
	worker.discard_jobs()


@pytest.mark.parametrize("hours", [1, -1], ids=["begins", "ends"])
def test_the_desk_tells_how_long_a_run_still_takes(
	hours: int, harness: Harness, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
	clock = SiteClock(next_change(hours) - timedelta(minutes=BEFORE), monkeypatch)
	name = harness.open_run()
	done = {"total_campaigns": 4, "synced_campaigns": 3}
	frappe.db.set_value(RUN, name, {"status": "Running", "started_epoch": clock.utc().timestamp(), **done})
	clock.let_pass(minutes=6)
	assert 120 <= sync_progress.get_progress(name)["seconds_left"] <= 130


@pytest.mark.parametrize("hours", [1, -1], ids=["begins", "ends"])
def test_the_desk_tells_for_how_long_no_run_has_succeeded(
	hours: int, harness: Harness, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
	clock = SiteClock(next_change(hours) - timedelta(minutes=90), monkeypatch)
	harness.connect()
	assert harness.run().status == "Success"
	clock.let_pass(minutes=170)
	assert number_cards.hours_since_sync()["value"] == 2


def slices(run: str) -> int:
	"""Return how many slices of a run have been queued after the first one."""
	settle()
	return frappe.db.get_value(RUN, run, "slice")


def through_mid_run(cell: Cell, harness: Harness, clock: SiteClock, patch: pytest.MonkeyPatch) -> None:
	"""Who is at work stays so for everybody else, and a run takes as long as it takes."""
	assert harness.run().status == "Success"
	name = harness.open_run("Full")
	before = slices(name)

	def act() -> None:
		clock.let_pass(minutes=7)
		assert queue.start("Schedule") == (name, False)
		queue.resume_waiting()
		assert slices(name) == before, "taken for dead"
		if cell.stage not in ("list", "finish"):  # another worker finds what is left, and no more
			assert run_worker.execute_slice(name) == "Running"
		settle()

	with injectors.between_transactions(cell.stage, act, patch) as done:
		harness.work_on(name)
	assert done
	run = harness.reload_run(name)
	assert run.status == "Success", ([error.message for error in run.errors], harness.job_error)
	assert not [row for row in run.errors if "Another sync" in row.message]
	assert 7 * 60 <= run.duration < 9 * 60


def a_worker_is_lost(cell: Cell, harness: Harness, clock: SiteClock, patch: pytest.MonkeyPatch) -> None:
	"""It is missed after ten minutes, not sooner, whatever the site's clock shows."""
	name = harness.open_run()
	with injectors.connection_lost_at(cell.stage) as done:
		harness.work_on(name)
	assert done
	before = slices(name)
	clock.let_pass(minutes=7)
	queue.resume_waiting()
	assert slices(name) == before
	clock.let_pass(minutes=5)
	queue.resume_waiting()
	assert slices(name) == before + 1
	forget_keys("lock")
	assert harness.continue_run(name).status == "Success"


def a_run_waits(cell: Cell, harness: Harness, clock: SiteClock, patch: pytest.MonkeyPatch) -> None:
	"""It goes on when the lock is over, not sooner, whatever the site's clock shows."""
	harness.zoho.plan(
		{"endpoint": "getcampaignrecipientsdata", "fault": "throttle", "form": "429", "nth": 3, "times": 1}
	)
	run = harness.run()
	assert run.status == "Waiting"
	before = slices(run.name)
	clock.let_pass(minutes=28)
	queue.resume_waiting()
	assert slices(run.name) == before
	clock.let_pass(minutes=5)
	harness.zoho.advance(3601)
	frappe.db.set_single_value(SETTINGS, "method_locks", None, update_modified=False)
	forget_keys("lock")
	queue.resume_waiting()
	assert slices(run.name) == before + 1
	assert harness.continue_run(run.name).status == "Success"


def a_token_lives(cell: Cell, harness: Harness, clock: SiteClock, patch: pytest.MonkeyPatch) -> None:
	"""Whenever the site believes that it ends, a run has one that Zoho takes."""
	clock.let_pass(minutes=61)
	harness.zoho.advance(3660)
	assert harness.run().status == "Success"
	clock.let_pass(minutes=61)
	harness.zoho.advance(3660)
	assert harness.run("Full").status == "Success"


def two_runs(cell: Cell, harness: Harness, clock: SiteClock, patch: pytest.MonkeyPatch) -> None:
	"""What is due at every run is due at the next one, though it may begin earlier by the clock."""
	intervals = frappe.get_all("Zoho Sync Interval", {"parent": SETTINGS}, ["name", "every_hours"])
	frappe.db.set_value("Zoho Sync Interval", {"parent": SETTINGS}, "every_hours", 0)
	frappe.clear_document_cache(SETTINGS, SETTINGS)
	try:
		assert harness.run().status == "Success"
		clock.let_pass(minutes=55)
		run = harness.run("Due")
		assert run.status == "Success"
		state = set(frappe.get_all("Zoho Campaign State", pluck="checked_at"))
		assert all(abs(checked - clock.at_site()) < timedelta(minutes=3) for checked in state), "not due"
	finally:
		for row in intervals:
			frappe.db.set_value("Zoho Sync Interval", row.name, "every_hours", row.every_hours)
		settle()


def how_old_it_is(cell: Cell, harness: Harness, clock: SiteClock, patch: pytest.MonkeyPatch) -> None:
	"""Nobody is alarmed too early, and everybody an hour late at most."""
	frappe.db.set_single_value(
		SETTINGS, {"enable_schedule": 1, "stale_after_hours": 1}, update_modified=False
	)
	assert harness.run().status == "Success"
	clock.let_pass(minutes=40)
	assert not health.problems()
	clock.let_pass(minutes=25 if cell.more["hours"] > 0 else 85)
	assert [problem.kind for problem in health.problems()] == [health.STALE]


PLAYS: dict[str, Callable] = {
	"mid-run": through_mid_run,
	"lost": a_worker_is_lost,
	"waiting": a_run_waits,
	"token": a_token_lives,
	"due": two_runs,
	"stale": how_old_it_is,
}


def mails_of_those_hours(harness: Harness) -> None:
	"""They are stored as a clock at the site's wall has shown them; what was spoiled for that is mended after it."""
	key, action = harness.plain_key, "sentcontacts"
	changes = [next_change(hours) for hours in (1, -1)]
	moments = [change + timedelta(minutes=minutes) for change in changes for minutes in (-90, -30, 30, 90)]
	people = [record for record in harness.records(key, action) if record.get("contactemailaddress")]
	zone, ahead = ZoneInfo(get_system_timezone()), timedelta(hours=harness.zoho.settings.skew_hours)
	put, wanted = {}, {}
	for place, (record, moment) in enumerate(zip(harness.records(key, action), moments, strict=False)):
		put[f"list_of_details.{place}.sent_time"] = str(int((moment + ahead).timestamp() * 1000))
		if record in people:
			wanted[record["contactemailaddress"].strip().lower()] = moment.astimezone(zone).replace(
				tzinfo=None
			)
	harness.zoho.plan(
		{
			"fault": "edit",
			"endpoint": "getcampaignrecipientsdata",
			"match": {"campaignkey": key, "action": action, "fromindex": 1},
			"put": put,
		}
	)
	assert harness.run().status == "Success" and harness.faults_fired()
	campaign = campaign_named(key)
	found: dict[str, datetime] = dict(
		frappe.get_all(
			RECIPIENT,
			{"campaign": campaign, "action_type": "Sent", "email": ("in", list(wanted))},
			["email", "sent_time"],
			as_list=True,
		)
	)
	assert len(found) > 4
	for email, sent_time in found.items():
		assert sent_time == wanted[email], email
	harness.zoho.plan()
	assert harness.run("Full").status == "Success"
	assert harness.content()[RECIPIENT] == harness.expected_content[RECIPIENT]
	# The status of a Contact follows its newest campaign, which was another one with these times.
	forget_everything()
	assert harness.run().status == "Success"
