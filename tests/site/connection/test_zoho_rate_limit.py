"""Zoho's limit of calls and its lock, enforced by the simulator: never met, or waited for without a worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

import frappe
from frappe.utils import get_datetime, now_datetime

from erpnext_zoho_integration.sync.fetch import pages_ahead
from erpnext_zoho_integration.sync.runs import queue
from erpnext_zoho_integration.sync.runs import worker as run_worker
from tests.site.database_content import (
	RUN,
	assert_same,
	calls,
	content,
	forget_everything,
	forget_keys,
	run_all,
	run_end,
)
from tests.site.server import TestSite, settle
from tests.site.syncing import connect, errors_of

REFUSALS = ("429", "429-retry-after", "400", "400-retry-after", "200-filter", "200-envelope")


@pytest.fixture
def window(site: TestSite) -> Iterator[Callable[[float], None]]:
	"""`window(2)` makes the site's window of calls two seconds long."""
	before = site.config()

	def set_to(seconds: float) -> None:
		site.write_config({**before, "zoho_rate_window_seconds": seconds})

	yield set_to
	site.write_config(before)
	forget_keys()


@pytest.mark.parametrize("kind", ["fixed", "rolling"])
def test_a_run_within_the_budget_never_meets_the_limit(
	start_simulator: Callable, window: Callable, kind: str
) -> None:
	window(1.5)
	zoho = connect(
		start_simulator(
			seed=1,
			campaigns=3,
			recipients=60,
			rate_limit=5,
			rate_window=1.5,
			rate_windows=kind,
			latency_ms=2,
		),
		calls_per_window=4,
		page_size=500,
	)
	run = run_all()
	assert run.status == "Success" and not errors_of(run)
	stats = zoho.stats()
	assert not stats["refused"]
	assert stats["calls"]["getcampaignrecipientsdata"] > 8
	assert 4 <= stats["fullest_windows"]["getcampaignrecipientsdata"] <= 5


@pytest.mark.parametrize("form", REFUSALS)
def test_a_lock_that_is_met_is_waited_for_without_a_worker(start_simulator: Callable, form: str) -> None:
	# The simulated half hour passes as fast as the simulator is told to let it.
	knobs = {"rate_limit": 5, "rate_refusal": form, "rate_lock": 1800}
	zoho = connect(
		start_simulator(seed=1, campaigns=2, recipients=40, **knobs), calls_per_window=400, page_size=500
	)
	name, created = queue.start("User", mode="All")
	assert created
	began = time.time()
	assert run_worker.execute_slice(name) == "Waiting"
	run = run_end(name)
	wait = (get_datetime(run.resume_at) - now_datetime()).total_seconds()
	assert run.status == "Waiting" and run.active_key and "getcampaignrecipientsdata" in run.message
	assert 1700 < wait <= 1800 + 60
	assert time.time() - began < 30  # nobody slept for it
	stored = frappe.db.count("Campaign Recipient")
	assert stored > 0
	asked = calls(zoho)

	# Neither a job too early, nor another run, nor the minute's event calls the locked method.
	queue.resume_waiting()
	assert run_end(name).status == "Waiting"
	assert run_worker.execute_slice(name) == "Waiting"
	assert queue.start("User", mode="All") == (name, False)
	other = frappe.get_value("Campaign", {"zoho_campaign_key": ("is", "set")})
	single, _created = queue.start("User", other, "Full")
	assert run_worker.execute_slice(single) == "Waiting"
	queue.cancel(single)
	assert (calls(zoho) - asked)["getcampaignrecipientsdata"] == 0
	assert zoho.stats()["refused"]["getcampaignrecipientsdata"] == 1

	finish_the_wait(zoho, name)
	queue.resume_waiting()
	settle()
	assert run_worker.execute(name) == "Success"
	run = run_end(name)
	assert not run.resume_at and not run.resume_epoch and not errors_of(run)
	limited = content()
	forget_everything()
	zoho.set(rate_limit=0)
	run_all()
	assert_same(content(), limited)


def finish_the_wait(zoho, run: str) -> None:
	"""Let half an hour pass: at Zoho, and in what the site remembers."""
	zoho.set(rate_limit=0)
	zoho.advance(1801)
	frappe.db.set_value(RUN, run, "resume_epoch", time.time(), update_modified=False)
	frappe.db.set_single_value("Zoho Settings", "method_locks", None)
	forget_keys("lock")
	settle()


def test_the_lock_outlives_redis_and_the_cache(start_simulator: Callable) -> None:
	zoho = connect(
		start_simulator(seed=1, campaigns=2, recipients=40, rate_limit=5), calls_per_window=400, page_size=500
	)
	name, _created = queue.start("User", mode="All")
	assert run_worker.execute_slice(name) == "Waiting"
	forget_keys()
	frappe.clear_cache()
	settle()
	asked = calls(zoho)
	assert run_worker.execute_slice(name) == "Waiting"
	assert (calls(zoho) - asked)["getcampaignrecipientsdata"] == 0


@pytest.mark.parametrize("patience", [10.0, 0.0], ids=["in time", "slow"])
def test_what_has_come_is_written_when_zoho_takes_its_time(
	start_simulator: Callable, monkeypatch: pytest.MonkeyPatch, patience: float
) -> None:
	"""Short lists are written together, but the first does not wait for minutes until the last has come."""
	monkeypatch.setattr(pages_ahead, "_GATHER_SECONDS", patience)
	connect(start_simulator(seed=1, campaigns=1, recipients=60), page_size=500)
	name, _created = queue.start("User", mode="All")
	assert run_worker.execute_slice(name, seconds=0) == "Running"
	first = set(frappe.get_all("Campaign Recipient", pluck="action_type"))
	run_worker.execute(name)
	everything = set(frappe.get_all("Campaign Recipient", pluck="action_type"))
	assert len(everything) > 4 and run_end(name).status == "Success"
	assert len(first) == 1 if patience == 0 else first == everything
