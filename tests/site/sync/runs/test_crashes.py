"""A run can die anywhere, be cut in slices, or meet others: the database ends up the same, and little is done twice."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable

import pytest

import frappe

from erpnext_zoho_integration.shared_locks import shared_lock
from erpnext_zoho_integration.sync.runs import queue, run_log
from erpnext_zoho_integration.sync.runs import worker as run_worker
from tests.site.database_content import (
	RUN,
	TASK,
	assert_same,
	content,
	forget_everything,
	forget_keys,
	last_request,
	pages_asked,
	run_all,
	run_end,
	share,
	states,
)
from tests.site.server import settle
from tests.site.syncing import (
	RECIPIENT,
	before_each_statement,
	campaign_named,
	connect,
	duplicates,
	errors_of,
)

# Every n-th boundary; ZOHO_EVERY_BOUNDARY=1 dies at each.
STEP = 1 if os.environ.get("ZOHO_EVERY_BOUNDARY") else 5

# So many pages are being written together and fetched ahead at most.
UNDER_WAY = 7


@pytest.fixture
def zoho(start_simulator: Callable):
	"""A connected Zoho of two campaigns in small pages, several of which its larger lists have."""
	return connect(start_simulator(seed=1, campaigns=2, recipients=80, max_range=12), page_size=12)


def grow_old() -> None:
	"""Let the site believe that whatever is under way has not been heard of for an hour."""
	long_ago = time.time() - 3600
	for doctype in (RUN, TASK):
		known = {"heartbeat_epoch": (">", 0)}
		frappe.db.set_value(doctype, known, "heartbeat_epoch", long_ago, update_modified=False)
	forget_keys("lock")  # which have run out by then
	settle()


def soft_to_hard(zoho) -> None:
	assert zoho.evolve(days=0, soft_to_hard=2)["soft_to_hard"]


def test_killed_at_any_commit_and_taken_over_it_ends_up_the_same(zoho, process: Callable) -> None:
	run_all()
	zoho.evolve(days=0, opens=4, clicks=2, opt_outs=1)
	soft_to_hard(zoho)
	start = last_request(zoho)
	removed = run_all("Full").rows_removed
	assert removed
	wanted, alive = content(), Counter(pages_asked(zoho, start))
	half, died = 3, 0
	while True:
		forget_everything()
		rewind(zoho)
		run_all()
		zoho.evolve(days=0, opens=4, clicks=2, opt_outs=1)
		soft_to_hard(zoho)
		start = last_request(zoho)
		said = process("run", "Full", half).ready().go().end()
		if said != "killed":
			break
		died += 1
		grow_old()
		if half % 4 < 2:
			assert run_all("Full").status == "Success", half
		else:
			(name,) = frappe.get_all(RUN, {"status": ("in", run_log.ACTIVE)}, pluck="name") or [None]
			if name is None:  # it died when it had ended, or not yet begun
				run_all("Full")
			else:
				assert run_worker.execute(name) == "Success", half
				assert run_end(name).rows_removed == removed, half
				again = Counter(pages_asked(zoho, start)) - alive
				assert sum(again.values()) <= UNDER_WAY, (half, again)
		assert not duplicates(), half
		assert_same(wanted, content(), f"killed at half commit {half}")
		half += STEP
	assert died >= 40 / STEP, died
	assert not frappe.get_all(RUN, {"status": ("in", run_log.ACTIVE)})


def test_a_worker_among_several_killed_at_any_commit_and_taken_over_ends_up_the_same(
	zoho, process: Callable
) -> None:
	"""It commits the contacts of a page ahead of its rows."""
	alone, wanted = run_all(), content()
	half, died = 1, 0
	while True:
		forget_everything()
		name, _created = queue.open_run("User", None, "All", workers=2)
		settle()
		if process("take-part", name, half).ready().go().end() != "killed":
			break
		died += 1
		grow_old()
		run_worker.execute(name)
		run = run_end(name)
		assert run.status == "Success", half
		assert_same(wanted, content(), f"killed at half commit {half}")
		numbers = ("rows_inserted", "contacts_created", "contacts_linked", "opted_out")
		assert [run.get(number) for number in numbers] == [alone.get(number) for number in numbers], half
		half += 3 * STEP if STEP > 1 else 1
	assert died >= 60 / STEP / 3, died


def rewind(zoho) -> None:
	"""Take the simulated account back to its beginning; the connection stays."""
	from zoho_simulator.sizing import make_world

	zoho.world = make_world(zoho.settings)
	zoho.page_cache.clear()


def test_a_first_sync_that_died_goes_on_where_it_was(zoho, process: Callable) -> None:
	run_all()
	wanted, pages = content(), len(pages_asked(zoho))
	forget_everything()
	start, lives = last_request(zoho), 0
	while process("run", "All", 29).ready().go().end() == "killed":
		lives += 1
		grow_old()
		assert lives < 30
	assert lives >= 2
	assert_same(wanted, content())
	assert len(pages_asked(zoho, start)) <= pages + UNDER_WAY * lives


@pytest.mark.parametrize("taken_over", [True, False], ids=["taken over", "cancelled"])
def test_what_a_killed_worker_has_noted_reaches_its_run(
	start_simulator: Callable, process: Callable, taken_over: bool
) -> None:
	connect(start_simulator(seed=1, campaigns=2, recipients=300, people=150, max_range=30), page_size=30)
	wanted = told(run_all())
	assert sum(wanted.values()) > 5
	found = []
	for half in range(10, 100, 3):
		forget_everything()
		process("run", "All", half).ready().go().end()
		grow_old()
		left = frappe.get_all(RUN, {"status": ("in", run_log.ACTIVE)}, pluck="name")
		if not left:
			break
		if not taken_over:
			queue.cancel(left[0])
			settle()
		run_worker.execute(left[0])
		found.append(told(run_end(left[0])))
	if taken_over:
		assert len(found) > 2 and all(each == wanted for each in found), found
	else:  # what it had told by then, the more the later it died
		assert found == sorted(found, key=Counter.total)
		assert len({each.total() for each in found}) > 3, found


def told(run) -> Counter:
	"""Count what a run lists: how often of which campaign."""
	listed = Counter()
	for line in run.errors:
		listed[line.zoho_campaign_key, line.action_type, line.severity, line.message] += line.occurrences
	return listed


def test_slices_of_one_page_end_as_one_long_slice_does(zoho) -> None:
	run_all()
	zoho.evolve(days=0, opens=4, clicks=2, opt_outs=1)
	soft_to_hard(zoho)
	start = last_request(zoho)
	whole = run_all("Full")
	wanted, pages = content(), pages_asked(zoho, start)
	forget_everything()
	rewind(zoho)
	run_all(seconds=0)
	zoho.evolve(days=0, opens=4, clicks=2, opt_outs=1)
	soft_to_hard(zoho)
	start = last_request(zoho)
	name, _created = queue.start("Python", mode="Full")
	slices = 0
	while run_worker.execute_slice(name, seconds=0) == "Running":
		slices += 1
		assert slices < 500
	sliced = run_end(name)
	assert slices > 8
	assert_same(wanted, content())
	numbers = (
		"rows_inserted",
		"rows_updated",
		"rows_unchanged",
		"rows_removed",
		"rows_expected",
		"contacts_created",
	)
	assert [sliced.get(n) for n in numbers] == [whole.get(n) for n in numbers]
	assert (sliced.status, sliced.synced_campaigns) == ("Success", 2)
	assert whole.rows_removed == 2
	# The pages that were fetched ahead when the slice was over.
	assert len(pages_asked(zoho, start)) <= 3 * len(pages)


def test_of_several_workers_one_ends_the_run(zoho) -> None:
	name, _created = queue.open_run("Python", None, "All", workers=2)
	frappe.db.commit()
	with shared_lock(f"finish-{name}", seconds=60, wait=0):
		assert run_worker.execute_slice(name) == "Running"
		assert run_end(name).status == "Running", "another worker is ending it"
	assert run_worker.execute_slice(name) == "Success"
	run = run_end(name)
	assert run.rows_inserted == frappe.db.count(RECIPIENT)


def test_cancelled_in_mid_run_it_stops_after_the_page_and_the_next_run_goes_on(zoho) -> None:
	run_all()
	wanted, pages = content(), len(pages_asked(zoho))
	forget_everything()
	start = last_request(zoho)
	name, _created = queue.start("User", mode="All")
	assert run_worker.execute_slice(name, seconds=0) == "Running"
	queue.cancel(name)
	settle()
	assert run_worker.execute(name) == "Cancelled"
	run = run_end(name)
	assert run.finished_at and not run.active_key
	assert 0 < run.rows_inserted == frappe.db.count(RECIPIENT) <= 12
	assert not frappe.db.count(TASK)
	assert run_all().status == "Success"
	assert_same(wanted, content())
	assert len(pages_asked(zoho, start)) <= pages + 3


def test_a_document_renamed_and_the_cache_cleared_in_mid_run(zoho) -> None:
	run_all()
	wanted = content()
	forget_everything()
	from tests.site.syncing import new_contact

	name, _created = queue.start("User", mode="All")
	number = 0
	while run_worker.execute_slice(name, seconds=0) == "Running":
		number += 1
		if number % 3 == 0:
			bystander = new_contact(f"bystander{number}@example.com")
			frappe.rename_doc("Contact", bystander.name, f"Renamed {number}")
			frappe.clear_cache()
			settle()
	for bystander in frappe.get_all("Contact", {"name": ("like", "Renamed %")}, pluck="name"):
		frappe.delete_doc("Contact", bystander)
	settle()
	assert number > 6 and run_end(name).status == "Success"
	assert_same(wanted, content())


def test_a_campaign_renamed_deleted_or_merged_in_mid_run(zoho) -> None:
	run_all()
	wanted = content()
	first, second = (row.zoho_campaign_key for row in sorted(states().values(), key=lambda row: row.creation))
	newest = max(first, second, key=lambda key: sent_time(campaign_named(key)))
	other = first if newest == second else second
	forget_everything()
	name, _created = queue.start("User", mode="All")
	for _nth in range(3):
		assert run_worker.execute_slice(name, seconds=0) == "Running"
	frappe.rename_doc("Campaign", campaign_named(newest), "Another name")
	settle()
	assert run_worker.execute(name, seconds=0) == "Success"
	assert campaign_named(newest) == "Another name"
	assert_same(wanted, content())

	# Deleted: its run ends without it, and it stays deleted.
	name, _created = queue.start("User", mode="Full")
	for _nth in range(3):
		run_worker.execute_slice(name, seconds=0)
	frappe.delete_doc("Campaign", "Another name")
	settle()
	assert run_worker.execute(name, seconds=0) in ("Success", "Partial")
	assert not campaign_named(newest) and campaign_named(other)
	stored = set(frappe.get_all(RECIPIENT, pluck="campaign", distinct=True))
	assert stored == {campaign_named(other)}
	run_all()
	assert not campaign_named(newest)

	# Merged into a hand-made one: nothing of it is lost, nothing doubled.
	figures = frappe.db.count(RECIPIENT)
	hand_made = frappe.get_doc({"doctype": "Campaign", "campaign_name": "Hand made"}).insert().name
	name, _created = queue.start("User", mode="Full")
	for _nth in range(3):
		run_worker.execute_slice(name, seconds=0)
	frappe.rename_doc("Campaign", campaign_named(other), hand_made, merge=True)
	settle()
	assert run_worker.execute(name, seconds=0) in ("Success", "Partial")
	run_all()
	assert frappe.db.count(RECIPIENT) == figures and not duplicates()
	assert set(frappe.get_all(RECIPIENT, pluck="campaign", distinct=True)) == {hand_made}


def sent_time(campaign: str):
	return frappe.db.get_value("Campaign", campaign, "zoho_sent_time")


@pytest.mark.parametrize("number", [2, 8])
def test_runs_at_once_are_one_run(zoho, process: Callable, number: int) -> None:
	run_all()
	wanted, pages = content(), len(pages_asked(zoho))
	forget_everything()
	start = last_request(zoho)
	started = [process("run", "All").ready() for _nth in range(number)]
	for each in started:
		each.go()
	said = [each.end() for each in started]
	assert not [text for text in said if "failed" in text or "killed" in text], said
	done = [text for text in said if not text.startswith("refused")]
	assert done and all(run_end(name).status == "Success" for name in done), said
	assert_same(wanted, content())
	assert not duplicates()
	if len(done) == 1:
		assert len(pages_asked(zoho, start)) == pages
	assert not frappe.db.count("Error Log", {"creation": (">", run_end(done[0]).creation)})


def test_four_workers_share_a_run(start_simulator: Callable, process: Callable) -> None:
	zoho = connect(start_simulator(seed=1, campaigns=8, recipients=160), workers=4, page_size=500)
	run_all()
	wanted, pages = content(), len(pages_asked(zoho))
	forget_everything()
	start = last_request(zoho)
	name = run_log.open_run("User", "all", mode="All", workers=4)
	settle()
	assert share(process, name, 4) == ["Success"] * 4
	run = run_end(name)
	assert (run.status, run.synced_campaigns, run.failed_campaigns) == ("Success", 8, 0)
	assert not errors_of(run)
	assert_same(wanted, content())
	assert len(pages_asked(zoho, start)) == pages
	assert run.rows_inserted == frappe.db.count(RECIPIENT)


@pytest.mark.parametrize("stored", [False, True], ids=["first figures", "later figures"])
def test_figures_that_lose_against_another_worker_s_are_saved_again(zoho, stored: bool) -> None:
	run_all()
	zoho.evolve(days=0, opens=4)
	run_all()
	wanted = content()
	if stored:
		frappe.db.set_value("Campaign Analytics", {"metric": "Opens"}, "value", "0")
	else:
		frappe.db.delete("Campaign Analytics")
	settle()
	lost = []

	def lose(statement: str) -> None:
		if "tabCampaign Analytics" in statement and statement.startswith("INSERT") and len(lost) < 3:
			lost.append(statement)
			raise frappe.QueryDeadlockError(1213, "Deadlock found")

	with before_each_statement(lose):
		run = run_all()
	assert (run.status, errors_of(run), len(lost)) == ("Success", [], 3)
	assert_same(wanted, content())


def test_a_worker_that_died_with_a_campaign_leaves_it_to_the_others(zoho, process: Callable) -> None:
	run_all()
	wanted = content()
	forget_everything()
	name = run_log.open_run("User", "all", mode="All", workers=2)
	settle()
	assert process("take-part", name, 16).ready().go().end() == "killed"
	assert frappe.db.count(TASK, {"status": "Working"}) == 1
	grow_old()
	assert run_worker.execute(name) == "Success"
	assert_same(wanted, content())
