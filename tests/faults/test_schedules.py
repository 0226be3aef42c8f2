"""Random schedules: sequences of three to eight faults, several at once; a seed replays its schedule.

`ZOHO_SCHEDULES=n` runs the seeds 1 to n, `ZOHO_SEED=n` one seed, `ZOHO_SEED=m-n` a range.
"""

from __future__ import annotations

import os
import random

import pytest

from tests.faults.harness import Harness
from tests.faults.oracle import Oracle
from tests.site.database_content import assert_same

SCHEDULES = int(os.environ.get("ZOHO_SCHEDULES") or 30)
_FIRST, _, _LAST = (os.environ.get("ZOHO_SEED") or f"1-{SCHEDULES}").partition("-")
SEEDS = range(int(_FIRST), int(_LAST or _FIRST) + 1)
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
def test_a_schedule_of_faults(seed: int, harness: Harness, oracle: Oracle) -> None:
	rng = random.Random(seed)
	planned = []
	for _number in range(rng.randint(1, 3)):
		faults = [fault(rng) for _fault in range(rng.randint(1, 3) if planned else rng.randint(3, 8))]
		planned.append(faults)
		harness.zoho.plan(*faults)
		run = harness.run(rng.choice(("All", "Full", "Due")))
		while run.status == "Waiting":
			harness.let_an_hour_pass()
			run = harness.continue_run(run.name)
		assert run.status in ("Success", "Partial", "Failed"), planned
		assert run.status == "Success" or oracle.reported_missing(run), planned
		oracle.nothing_wrong_is_stored()
		harness.let_an_hour_pass()
		if not harness.is_connected():
			harness.connect()
	harness.zoho.plan()
	last = harness.run("All")
	assert last.status == "Success", (planned, [error.message for error in last.errors])
	assert_same(harness.expected_content, harness.content(), f"ZOHO_SEED={seed}: {planned}")
	oracle.content_is_as_expected()
	oracle.no_secret_leaked()


@pytest.mark.parametrize("late", ["senthardbounce", "sentsoftbounce", "openedcontacts", "sentcontacts"])
def test_the_order_of_the_lists_does_not_matter(late: str, harness: Harness, oracle: Oracle) -> None:
	match = {"campaignkey": harness.campaign_keys[0], "action": late}
	refusal = {"fault": "code", "code": "9999", "message": "Nobody knows.", "times": 1}
	harness.zoho.plan({**refusal, "endpoint": "getcampaignrecipientsdata", "match": match})
	assert harness.run().status == "Partial" and harness.faults_fired()
	assert harness.run().status == "Success"
	oracle.content_is_as_expected()


def test_a_refused_list_is_read_by_the_run_after_a_later_error(harness: Harness, oracle: Oracle) -> None:
	page, campaign = (
		{"endpoint": "getcampaignrecipientsdata", "times": 1},
		{"campaignkey": harness.campaign_keys[0]},
	)
	refused = {"fault": "code", "code": "9999", "match": {**campaign, "action": "clickedcontacts"}}
	stopped = {
		"fault": "status",
		"status": 403,
		"match": {**campaign, "action": "sentcontacts", "fromindex": 11},
	}
	harness.zoho.plan({**page, **refused}, {**page, **stopped})
	assert harness.run().status == "Failed" and harness.faults_fired() == 2
	assert harness.run("Full").status == "Success"
	oracle.content_is_as_expected()


@pytest.mark.parametrize("mail", [0, 1, 2], ids=["winner", "first test", "second test"])
def test_a_refused_list_of_an_a_b_test_is_read_by_the_next_run(
	mail: int, harness: Harness, oracle: Oracle
) -> None:
	keys = [each.key for each in harness.zoho.world.by_key[harness.ab_key][0].mailings]
	match = {"campaignkey": keys[mail], "action": "sentcontacts"}
	harness.zoho.plan(
		{"fault": "code", "code": "9999", "endpoint": "getcampaignrecipientsdata", "match": match, "times": 1}
	)
	assert harness.run().status == "Partial" and harness.faults_fired()
	assert harness.run().status == "Success"
	oracle.content_is_as_expected()


def fault(rng: random.Random) -> dict:
	"""Return a fault that happens once, at one of the next calls."""
	return {
		**rng.choice(FAULTS),
		"endpoint": rng.choice(ENDPOINTS),
		"nth": rng.randint(1, 6),
		"times": 1,
	}
