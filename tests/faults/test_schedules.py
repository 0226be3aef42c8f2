"""Random schedules: sequences of three to eight faults, one after the other and several at once, replayable by their seed.

`ZOHO_SCHEDULES=n` plays as many, `ZOHO_SEED=n` that one alone, `ZOHO_SEED=m-n` these. The soak (`ZOHO_SOAK_DAYS=30`) lets
a month pass, in which one of each hundred calls goes wrong; `ZOHO_SOAK_SEED=n` draws which, and how.
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
from tests.faults.drill import Drill
from tests.faults.oracle import Oracle
from tests.site.database_content import RUN, assert_same, forget_everything, shift
from tests.site.server import settle
from tests.site.syncing import RECIPIENT, duplicates

SCHEDULES = int(os.environ.get("ZOHO_SCHEDULES") or 30)
_FIRST, _, _LAST = (os.environ.get("ZOHO_SEED") or f"1-{SCHEDULES}").partition("-")
SEEDS = range(int(_FIRST), int(_LAST or _FIRST) + 1)
SOAK_DAYS = int(os.environ.get("ZOHO_SOAK_DAYS") or 0)
SOAK_SEED = int(os.environ.get("ZOHO_SOAK_SEED") or 30)
KEPT_DAYS = 7  # records of runs
ONE_OF = 100  # calls of the month one goes wrong
ENDPOINTS = (
	"recentcampaigns",
	"campaignreports",
	"getcampaigndetails",
	*["getcampaignrecipientsdata"] * 4,
	"oauth/token",
	"*",
)
FAULTS: tuple[dict, ...] = (
	{"fault": "reset"},
	{"fault": "reset", "after": True},
	{"fault": "cut"},
	{"fault": "close"},
	{"fault": "truncate"},
	{"fault": "garble"},
	{"fault": "empty"},
	{"fault": "html"},
	{"fault": "xml"},
	{"fault": "status", "status": 500},
	{"fault": "status", "status": 503, "headers": {"Retry-After": "2"}},
	{"fault": "status", "status": 429},
	{"fault": "status", "status": 403},
	{"fault": "unauthorised"},
	{"fault": "throttle", "form": "200-envelope"},
	{"fault": "throttle", "form": "400"},
	{"fault": "code", "code": "6001"},
	{"fault": "code", "code": "9999", "message": "Nobody knows."},
	{"fault": "expire"},
	{"fault": "refuse", "seconds": 0.05},
	{"fault": "body", "body": "[]"},
)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_schedule_of_faults(seed: int, drill: Drill, oracle: Oracle) -> None:
	dice = random.Random(seed)
	told = []
	for _nth in range(dice.randint(1, 3)):
		faults = [fault(dice) for _fault in range(dice.randint(1, 3) if told else dice.randint(3, 8))]
		told.append(faults)
		drill.zoho.plan(*faults)
		run = drill.run(dice.choice(("All", "Full", "Due")))
		while run.status == "Waiting":
			drill.pass_time()
			run = drill.go_on(run.name)
		assert run.status in ("Success", "Partial", "Failed"), told
		assert run.status == "Success" or oracle.listed(run), told
		oracle.nothing_wrong_is_stored()
		drill.pass_time()
		if not drill.is_connected():
			drill.connect()
	drill.zoho.plan()
	last = drill.run("All")
	assert last.status == "Success", (told, [error.message for error in last.errors])
	assert_same(drill.wanted, drill.content(), f"ZOHO_SEED={seed}: {told}")
	oracle.content_is_as_without_the_fault()
	oracle.no_secret_is_told()


@pytest.mark.parametrize("late", ["senthardbounce", "sentsoftbounce", "openedcontacts", "sentcontacts"])
def test_the_order_in_which_lists_come_decides_nothing(late: str, drill: Drill, oracle: Oracle) -> None:
	match = {"campaignkey": drill.keys[0], "action": late}
	refusal = {"fault": "code", "code": "9999", "message": "Nobody knows.", "times": 1}
	drill.zoho.plan({**refusal, "endpoint": "getcampaignrecipientsdata", "match": match})
	assert drill.run().status == "Partial" and drill.fired()
	assert drill.run().status == "Success"
	oracle.content_is_as_without_the_fault()


def test_a_refused_list_is_read_by_whoever_goes_on_after_a_later_error(drill: Drill, oracle: Oracle) -> None:
	page, campaign = {"endpoint": "getcampaignrecipientsdata", "times": 1}, {"campaignkey": drill.keys[0]}
	refused = {"fault": "code", "code": "9999", "match": {**campaign, "action": "clickedcontacts"}}
	stopped = {
		"fault": "status",
		"status": 403,
		"match": {**campaign, "action": "sentcontacts", "fromindex": 11},
	}
	drill.zoho.plan({**page, **refused}, {**page, **stopped})
	assert drill.run().status == "Failed" and drill.fired() == 2
	assert drill.run("Full").status == "Success"
	oracle.content_is_as_without_the_fault()


@pytest.mark.parametrize("mail", [0, 1, 2], ids=["winner", "first test", "second test"])
def test_a_refused_list_of_an_a_b_test_leaves_nothing_unexplained(
	mail: int, drill: Drill, oracle: Oracle
) -> None:
	keys = [each.key for each in drill.zoho.world.by_key[drill.split][0].mailings]
	match = {"campaignkey": keys[mail], "action": "sentcontacts"}
	drill.zoho.plan(
		{"fault": "code", "code": "9999", "endpoint": "getcampaignrecipientsdata", "match": match, "times": 1}
	)
	assert drill.run().status == "Partial" and drill.fired()
	assert drill.run().status == "Success"
	oracle.content_is_as_without_the_fault()


def fault(dice: random.Random) -> dict:
	"""Return a fault at some call, once or a few times."""
	return {
		**dice.choice(FAULTS),
		"endpoint": dice.choice(ENDPOINTS),
		"nth": dice.randint(1, 6),
		"times": 1,
	}


@pytest.mark.skipif(not SOAK_DAYS, reason="./dev faults lets a month pass")
def test_a_month_of_hourly_runs(
	drill: Drill, oracle: Oracle, record_property: Callable[[str, object], None]
) -> None:
	dice = random.Random(SOAK_SEED)
	sizes: list[dict[str, int]] = []
	ended: Counter[str] = Counter()
	wrong = faults_of_a_month(dice)
	faults = calls = 0
	for hour in range(24 * SOAK_DAYS):
		happens(drill, dice, hour)
		drill.zoho.plan(*({**what, "nth": at - calls} for at, what in wrong.items() if at > calls))
		before = called(drill)
		run = drill.run("Due")
		while run.status == "Waiting":
			drill.pass_time()
			run = drill.go_on(run.name)
		assert run.status in ("Success", "Partial", "Failed")
		ended[run.status] += 1
		faults += drill.fired()
		calls += called(drill) - before
		drill.zoho.tokens.expire_access_tokens()
		drill.pass_time()
		shift(days=1 / 24)
		if not drill.is_connected():
			drill.connect()
		if hour % 24 == 23:
			let_runs_grow_old()
			sizes.append(size())
	drill.zoho.plan()
	assert calls // ONE_OF <= faults <= calls // ONE_OF + 1
	for _nth in range(2):
		assert drill.run("Full").status == "Success"
	lived = drill.content()
	assert not duplicates()
	bounded(sizes)
	third, last = sizes[len(sizes) // 3], sizes[-1]
	record_property(
		"figures",
		{
			"ended": ended,
			"faults": faults,
			"calls": calls,
			"days": SOAK_DAYS,
			"then": third,
			"end": last,
		},
	)
	forget_everything()
	assert drill.run("Full").status == "Success"
	fresh = drill.content()
	for kind in (RECIPIENT, "Campaign", "Campaign Analytics"):
		assert len(lived[kind]) == len(fresh[kind]), kind
	oracle.no_secret_is_told()


def faults_of_a_month(dice: random.Random) -> dict[int, dict]:
	"""Return what goes wrong, one of each hundred calls, by the number of the call; more than the month will come to."""
	return {
		before + dice.randint(1, ONE_OF): {**dice.choice(FAULTS), "times": 1}
		for before in range(0, 24 * SOAK_DAYS * ONE_OF, ONE_OF)
	}


def called(drill: Drill) -> int:
	"""Return how often Zoho has been called."""
	return sum(drill.zoho.stats()["calls"].values())


def happens(drill: Drill, dice: random.Random, hour: int) -> None:
	"""Let an hour pass at Zoho; the account grows a little every day."""
	what: dict[str, int] = {}
	if dice.random() < 0.2:
		what["opens"] = 1
	if dice.random() < 0.05:
		what["clicks"] = 1
	if hour % (24 * 6) == 5:
		what["new_campaigns"] = 1
	drill.zoho.evolve(days=1 / 24, **what) if what else None


def size() -> dict[str, int]:
	"""Return what must stay bounded: rows per table, and memory in KiB."""
	gc.collect()
	tables = (RECIPIENT, "Campaign", "Contact", RUN, "Zoho Sync Run Error", "Zoho Sync Task", "Error Log")
	return {
		**{table: frappe.db.count(table) for table in tables},
		"keys in Redis": frappe.cache.dbsize(),
		"memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
	}


def let_runs_grow_old() -> None:
	"""Let a day pass for the records of runs, and clear those that are older than a week, as the site's log settings do."""
	for name, creation in frappe.get_all(RUN, fields=["name", "creation"], as_list=True):
		frappe.db.set_value(RUN, name, "creation", creation - timedelta(days=1), update_modified=False)
	ZohoSyncRun.clear_old_logs(days=KEPT_DAYS)
	settle()


def bounded(sizes: list[dict[str, int]]) -> None:
	first, last = sizes[len(sizes) // 3], sizes[-1]
	assert last["memory"] - first["memory"] < 60 * 1024, sizes[-1]
	assert last["Zoho Sync Task"] == 0 and last["keys in Redis"] < first["keys in Redis"] + 200
	assert last[RUN] <= 24 * (KEPT_DAYS + 1)
	assert last["Zoho Sync Run Error"] < 10 * last[RUN] and last["Error Log"] < last[RUN]
