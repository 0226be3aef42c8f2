"""Soak test: a month of hourly runs (`ZOHO_SOAK_DAYS=30`), in which one of each hundred calls to Zoho fails.

`ZOHO_SOAK_SEED=n` draws which calls fail, and how.
"""

from __future__ import annotations

import gc
import os
import random
import resource
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest

import frappe

from erpnext_zoho_integration.erpnext_zoho_integration.doctype.zoho_sync_run.zoho_sync_run import ZohoSyncRun
from tests.faults.harness import Harness
from tests.faults.oracle import Oracle
from tests.faults.test_schedules import FAULTS
from tests.site.database_content import RUN, forget_everything, shift
from tests.site.server import settle
from tests.site.syncing import RECIPIENT, duplicates

DAYS = int(os.environ.get("ZOHO_SOAK_DAYS") or 0)
SEED = int(os.environ.get("ZOHO_SOAK_SEED") or 30)
LOG_DAYS = 7  # how long records of runs are kept
CALLS_PER_FAULT = 100


@pytest.mark.skipif(not DAYS, reason="only ./dev faults runs it")
def test_a_month_of_hourly_runs(
	harness: Harness, oracle: Oracle, record_property: Callable[[str, object], None]
) -> None:
	rng = random.Random(SEED)
	sizes: list[dict[str, int]] = []
	ended: Counter[str] = Counter()
	planned = faults_of_the_soak(rng)
	faults = calls = 0
	for hour in range(24 * DAYS):
		change_account(harness, rng, hour)
		harness.zoho.plan(*({**what, "nth": at - calls} for at, what in planned.items() if at > calls))
		before = call_count(harness)
		run = harness.run("Due")
		while run.status == "Waiting":
			harness.let_an_hour_pass()
			run = harness.continue_run(run.name)
		assert run.status in ("Success", "Partial", "Failed")
		ended[run.status] += 1
		faults += harness.faults_fired()
		calls += call_count(harness) - before
		harness.zoho.tokens.expire_access_tokens()
		harness.let_an_hour_pass()
		shift(days=1 / 24)
		if not harness.is_connected():
			harness.connect()
		if hour % 24 == 23:
			age_runs()
			sizes.append(sizes_now())
	harness.zoho.plan()
	assert calls // CALLS_PER_FAULT <= faults <= calls // CALLS_PER_FAULT + 1
	for _number in range(2):
		assert harness.run("Full").status == "Success"
	grown = harness.content()
	assert not duplicates()
	assert_bounded(sizes)
	third, last = sizes[len(sizes) // 3], sizes[-1]
	record_property(
		"figures",
		{
			"ended": ended,
			"faults": faults,
			"calls": calls,
			"days": DAYS,
			"then": third,
			"end": last,
		},
	)
	forget_everything()
	assert harness.run("Full").status == "Success"
	fresh = harness.content()
	for kind in (RECIPIENT, "Campaign", "Campaign Analytics"):
		assert len(grown[kind]) == len(fresh[kind]), kind
	oracle.no_secret_leaked()


def faults_of_the_soak(rng: random.Random) -> dict[int, dict]:
	"""Return one fault for each hundred calls, by the number of its call; there are more than the soak needs."""
	return {
		before + rng.randint(1, CALLS_PER_FAULT): {**rng.choice(FAULTS), "times": 1}
		for before in range(0, 24 * DAYS * CALLS_PER_FAULT, CALLS_PER_FAULT)
	}


def call_count(harness: Harness) -> int:
	"""Return how many calls Zoho has received."""
	return sum(harness.zoho.stats()["calls"].values())


def change_account(harness: Harness, rng: random.Random, hour: int) -> None:
	"""Change the account a little, as in an hour: opens, clicks, and a new campaign every six days."""
	what: dict[str, int] = {}
	if rng.random() < 0.2:
		what["opens"] = 1
	if rng.random() < 0.05:
		what["clicks"] = 1
	if hour % (24 * 6) == 5:
		what["new_campaigns"] = 1
	if what:
		harness.zoho.evolve(days=1 / 24, **what)


def sizes_now() -> dict[str, int]:
	"""Return the sizes that must stay bounded: rows per table, keys in Redis, and memory in KiB."""
	gc.collect()
	tables = (RECIPIENT, "Campaign", "Contact", RUN, "Zoho Sync Run Error", "Zoho Sync Task", "Error Log")
	return {
		**{table: frappe.db.count(table) for table in tables},
		"keys in Redis": frappe.cache.dbsize(),
		"memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
	}


def age_runs() -> None:
	"""Make the records of runs a day older and delete those older than `LOG_DAYS`, as Log Settings do."""
	for name, creation in frappe.get_all(RUN, fields=["name", "creation"], as_list=True):
		frappe.db.set_value(RUN, name, "creation", creation - timedelta(days=1), update_modified=False)
	ZohoSyncRun.clear_old_logs(days=LOG_DAYS)
	settle()


def assert_bounded(sizes: list[dict[str, int]]) -> None:
	"""Check that nothing has grown without bound since a third of the time."""
	first, last = sizes[len(sizes) // 3], sizes[-1]
	assert last["memory"] - first["memory"] < 60 * 1024, sizes[-1]
	assert last["Zoho Sync Task"] == 0 and last["keys in Redis"] < first["keys in Redis"] + 200
	assert last[RUN] <= 24 * (LOG_DAYS + 1)
	assert last["Zoho Sync Run Error"] < 10 * last[RUN] and last["Error Log"] < last[RUN]
