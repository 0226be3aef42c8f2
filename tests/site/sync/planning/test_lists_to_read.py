"""Nothing is fetched twice for nothing, nothing is missed, and what Zoho no longer lists goes only when that is certain."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

import frappe
from frappe.utils import add_to_date, getdate, now_datetime

from erpnext_zoho_integration.erpnext_zoho_integration.api.privacy import erase_person
from erpnext_zoho_integration.sync.campaigns import documents as campaign_documents
from erpnext_zoho_integration.sync.campaigns import seen_keys
from erpnext_zoho_integration.zoho import ACTIONS, Transport
from tests.site.database_content import (
	STATE,
	calls,
	forget_everything,
	last_request,
	pages_asked,
	run_all,
	shift,
	states,
)
from tests.site.server import settle
from tests.site.syncing import (
	RECIPIENT,
	STORED_ACTIONS,
	answer_with,
	assert_database_is,
	at_site,
	before_each_statement,
	body_of,
	campaign_named,
	connect,
	errors_of,
	notes_of,
	person,
	rows_of,
	snapshot,
)
from tests.site.tables import tables


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
	"""Ask again at once where the client would wait some seconds."""
	monkeypatch.setitem(Transport.__init__.__kwdefaults__, "sleep", lambda seconds: None)


@pytest.fixture
def zoho(start_simulator: Callable):
	"""A connected Zoho of four campaigns, an A/B test among them."""
	return connect(start_simulator(seed=1, campaigns=4, recipients=160))


@pytest.fixture
def lone(start_simulator: Callable):
	"""A connected Zoho of one campaign, whose people a test names itself with `answer_with`."""
	return connect(start_simulator(seed=1, campaigns=1, recipients=10))


def everything() -> dict[str, dict[str, dict]]:
	"""Return every row of every table of the site, with all its columns, by name."""
	dump = {}
	for table in tables():
		rows = frappe.db.sql(f"select * from `{table}`", as_dict=True)
		dump[table] = {str(row.get("name") or sorted(row.items(), key=str)): dict(row) for row in rows}
	return dump


def moved(before: dict, after: dict) -> dict[str, set[str]]:
	"""Return the columns that differ, by table; a new or missing row as `+` and `-`."""
	found: dict[str, set[str]] = {}
	for table, rows in after.items():
		old = before.get(table, {})
		columns = {"+"} if rows.keys() - old.keys() else set()
		columns |= {"-"} if old.keys() - rows.keys() else set()
		for name in rows.keys() & old.keys():
			columns |= {column for column, value in rows[name].items() if old[name][column] != value}
		if columns:
			found[table] = columns
	return found


def test_a_run_without_news_asks_for_reports_and_writes_its_own_record_only(zoho) -> None:
	run_all()
	before, asked = everything(), calls(zoho)
	run = run_all()
	changes = moved(before, everything())
	assert run.status == "Success"
	made = calls(zoho) - asked
	assert set(made) == {"recentcampaigns", "campaignreports", "getcampaigndetails"}
	tests = sum(len(each["child_keys"]) for each in zoho.expected()["campaigns"])
	assert made["campaignreports"] == 4 + tests and made["recentcampaigns"] == 1
	assert run.api_calls == sum(made.values())
	assert changes.pop("tabZoho Sync Run") == {"+"}
	assert changes.pop("tabCampaign") == {"last_synced"}
	assert changes.pop("tabZoho Campaign State") <= {
		"checked_at",
		"next_check",
		"next_check_epoch",
		"reconciled_at",
	}
	assert changes.pop("tabSingles", set()) <= {"+", "-", "value"}  # Zoho Settings: last sync
	assert changes.pop("tabSeries", set()) <= {"current"}  # the run's own name
	assert not changes


def test_a_counter_that_moved_has_only_its_list_fetched(zoho) -> None:
	run_all()
	key = next(each["campaign_key"] for each in zoho.expected()["campaigns"] if each["type"] == "normal")
	zoho.evolve(campaign=key, opens=1)
	start = last_request(zoho)
	run = run_all()
	assert {(asked[0], asked[1]) for asked in pages_asked(zoho, start)} == {(key, "openedcontacts")}
	assert run.rows_inserted == 1
	assert_database_is(zoho)


def test_while_a_list_is_written_the_next_one_is_fetched(lone) -> None:
	people = [person(f"ada{number}@example.com", number) for number in range(3)]
	answer_with(lone, {"openedcontacts": people, "clickedcontacts": people})
	asked_while_writing: list[tuple] = []

	def wait_for_the_next(statement: str) -> None:
		if statement.startswith("INSERT") and RECIPIENT in statement and not asked_while_writing:
			deadline = time.monotonic() + 20
			while len(pages_asked(lone)) < 2 and time.monotonic() < deadline:
				time.sleep(0.01)
			asked_while_writing.extend(pages_asked(lone))

	with before_each_statement(wait_for_the_next):
		run = run_all()
	assert run.status == "Success"
	assert len({action for _key, action, _from in asked_while_writing}) == 2
	pages = pages_asked(lone)
	assert len(pages) == len(set(pages)) == run.api_calls - 2  # besides the list of campaigns and the report


def test_the_first_list_of_a_new_campaign_comes_while_it_is_saved(
	lone, monkeypatch: pytest.MonkeyPatch
) -> None:
	"""Only of a new one: of others it is not known yet which lists have news, and no call is made in vain."""
	save, start, asked_before_saving = campaign_documents.save, 0, []

	def wait_and_save(name: str | None, *args: object) -> object:
		deadline = time.monotonic() + (0.5 if name else 20)
		while not pages_asked(lone, start) and time.monotonic() < deadline:
			time.sleep(0.01)
		asked_before_saving.append(len(pages_asked(lone, start)))
		return save(name, *args)

	monkeypatch.setattr(campaign_documents, "save", wait_and_save)
	people = [person(f"ada{number}@example.com", number) for number in range(3)]
	answer_with(lone, {"openedcontacts": people})
	assert run_all().status == "Success"
	assert asked_before_saving == [1] and len(pages_asked(lone)) == 1
	start = last_request(lone)
	assert run_all().status == "Success"
	assert asked_before_saving == [1, 0] and not pages_asked(lone, start)


def test_clicks_that_no_counter_shows_come_with_the_full_check(zoho) -> None:
	run_all()
	zoho.evolve(repeat_clicks=3)
	start = last_request(zoho)
	run_all()
	assert not pages_asked(zoho, start)
	shift(days=6)
	run_all()
	assert not pages_asked(zoho, start)
	shift(days=400)  # the oldest are looked at once a month
	run = run_all()
	assert run.rows_updated == 3 and pages_asked(zoho, start)
	assert_database_is(zoho)


def test_the_full_check_can_be_switched_off(start_simulator: Callable) -> None:
	zoho = connect(start_simulator(seed=1, campaigns=2, recipients=40), full_check_days=0)
	run_all()
	shift(days=400)
	start = last_request(zoho)
	run_all()
	assert not pages_asked(zoho, start)


def age(campaign: frappe._dict) -> float:
	return (now_datetime() - campaign.zoho_sent_time).total_seconds() / 86400


def test_the_schedule_decays_with_age_and_a_button_does_not_wait_for_it(start_simulator: Callable) -> None:
	zoho = connect(start_simulator(seed=1, campaigns=9, recipients=90, today=str(getdate())))
	run_all("Due")
	sent = frappe.get_all("Campaign", {"zoho_campaign_key": ("is", "set")}, ["*"])
	due_at = {row.zoho_campaign_key: row.next_check for row in states().values()}
	for campaign in sent:
		hours = (due_at[campaign.zoho_campaign_key] - now_datetime()).total_seconds() / 3600
		days = age(campaign)
		expected = 0 if days < 2 else 6 if days < 7 else 24 if days < 30 else 168 if days < 180 else 720
		assert expected - 1 <= hours <= expected, days
	assert len({round(age(each)) for each in sent}) > 3

	zoho.evolve(days=0, opens=30)
	asked = calls(zoho)
	run = run_all("Due")
	young = [each for each in sent if age(each) < 2]
	assert (calls(zoho) - asked)["campaignreports"] - children(zoho, young) == len(young)
	assert run.total_campaigns == run.synced_campaigns == 9  # what is not due is not missing
	assert run.status == "Success"
	shift(days=0.3)
	asked = calls(zoho)
	run_all("Due")
	week = [each for each in sent if age(each) < 7]
	assert (calls(zoho) - asked)["campaignreports"] - children(zoho, week) == len(week)
	run_all("All")
	assert_database_is(zoho)


def children(zoho, campaigns: list[frappe._dict]) -> int:
	keys = {each.zoho_campaign_key for each in campaigns}
	return sum(
		len(each["child_keys"]) for each in zoho.expected()["campaigns"] if each["campaign_key"] in keys
	)


def test_campaigns_sent_before_the_start_date_are_left_alone(start_simulator: Callable) -> None:
	simulator = start_simulator(seed=1, campaigns=6, recipients=60)
	moments = sorted(at_site(each["sent_time"]) for each in simulator.expected()["campaigns"])
	border = moments[2].replace(hour=0, minute=0, second=0)
	zoho = connect(simulator, sync_from=border.date())
	run = run_all()
	stored = frappe.get_all("Campaign", {"zoho_campaign_key": ("is", "set")}, pluck="zoho_sent_time")
	assert sorted(stored) == [moment for moment in moments if moment >= border] and len(stored) < 6
	assert run.status == "Success" and run.total_campaigns == len(stored)
	settings = frappe.get_doc("Zoho Settings")
	settings.sync_from = None
	settings.save()
	settle()
	run_all()
	assert_database_is(zoho)


# What Zoho no longer lists

SOFT, HARD, OPENED = "sentsoftbounce", "senthardbounce", "openedcontacts"
BOUNCED = [person(f"bounced{n}@example.com", n) for n in range(1, 6)]


def stored(action_type: str) -> list[str]:
	frappe.db.rollback()
	return sorted(frappe.get_all(RECIPIENT, {"action_type": action_type}, pluck="email"))


def emails(people: list[dict]) -> list[str]:
	return sorted(each["contactemailaddress"] for each in people)


def test_a_soft_bounce_that_became_a_hard_one_is_no_soft_one_any_more(lone) -> None:
	answer_with(lone, {SOFT: BOUNCED})
	run_all()
	answer_with(lone, {SOFT: BOUNCED[1:], HARD: BOUNCED[:1]})
	run = run_all()
	assert (stored("Soft Bounced"), stored("Hard Bounced")) == (emails(BOUNCED[1:]), emails(BOUNCED[:1]))
	assert (run.rows_removed, run.rows_inserted) == (1, 1)
	assert frappe.db.get_value(STATE, {}, "verdict") == "Complete"


@pytest.mark.parametrize("by_hand", [False, True], ids=["from Zoho", "made by hand"])
def test_what_an_erased_person_left_goes_as_well(lone, by_hand: bool) -> None:
	"""The figure of a soft bounce; one of a row that somebody made by hand stays, as the row would."""
	answer_with(lone, {SOFT: BOUNCED})
	run_all()
	campaign = frappe.get_all("Campaign", {"zoho_campaign_key": ("is", "set")}, pluck="name")[0]
	if by_hand:
		made = {"campaign": campaign, "email": "by.hand@example.com", "action_type": "Soft Bounced"}
		frappe.get_doc({"doctype": RECIPIENT, **made}).insert()
		erase_person("by.hand@example.com")
	answer_with(lone, {SOFT: BOUNCED[1:], HARD: [{**BOUNCED[0], "rtbf": "1"}]})
	run = run_all()
	assert run.status == "Success" and run.rows_removed == 1
	assert [email for email in stored("Soft Bounced") if "erased" not in email] == emails(BOUNCED[1:])
	assert frappe.db.count(RECIPIENT, {"action_type": "Soft Bounced", "rtbf": 1}) == by_hand
	assert [row.rtbf for row in rows_of(campaign, "Hard Bounced")] == [1]
	assert frappe.db.get_value(STATE, {}, "verdict") != "Incomplete"


def test_what_an_erased_person_left_stays_while_a_record_may_be_theirs(lone) -> None:
	answer_with(lone, {SOFT: BOUNCED})
	run_all()
	erase_person(BOUNCED[0]["contactemailaddress"])
	nobody = {"contactid": "", "contactemailaddress": "", "rtbf": "1"}
	answer_with(lone, {SOFT: [nobody, *BOUNCED[2:]]})
	run = run_all()
	assert run.rows_removed == 1  # who was not erased, and is listed no longer
	assert [email for email in stored("Soft Bounced") if "erased" not in email] == emails(BOUNCED[2:])
	assert frappe.db.count(RECIPIENT, {"action_type": "Soft Bounced", "rtbf": 1}) == 1


def test_in_an_a_b_test_too_what_has_left_one_list_goes_at_once(start_simulator: Callable) -> None:
	zoho = connect(start_simulator(seed=1, campaigns=4, recipients=1600), **only("soft bounced"))
	run_all()
	split = next(each for each in zoho.expected()["campaigns"] if each["type"] == "abtesting")
	assert sum(map(bool, split["actions"]["Soft Bounced"]["by_key"].values())) > 1
	before = len(rows_of(campaign_named(split["campaign_key"]), "Soft Bounced"))
	assert zoho.evolve(campaign=split["campaign_key"], days=0, soft_to_hard=1)["soft_to_hard"]
	start = last_request(zoho)
	run = run_all()
	assert run.rows_removed == 1
	assert len(rows_of(campaign_named(split["campaign_key"]), "Soft Bounced")) == before - 1
	assert {asked[1] for asked in pages_asked(zoho, start)} == {SOFT}
	assert states()[split["campaign_key"]].verdict != "Incomplete"
	assert_database_is(zoho, ("Soft Bounced",))


def test_the_last_soft_bounce_can_go_too(lone) -> None:
	answer_with(lone, {SOFT: BOUNCED[:1]})
	run_all()
	answer_with(lone, {HARD: BOUNCED[:1]})
	run = run_all()
	assert (stored("Soft Bounced"), stored("Hard Bounced")) == ([], emails(BOUNCED[:1]))
	assert run.rows_removed == 1


def recipients_fault(fault: str, action: str = SOFT, **more: object) -> dict:
	match = {"action": action} | more.pop("match", {})
	return {"fault": fault, "endpoint": "getcampaignrecipientsdata", "match": match, **more}


ERRORS = (
	{"fault": "code", "code": "6303", "message": "There are no contacts in the selected mailing list."},
	{"fault": "code", "code": "6610", "message": "Please retry after sometime."},
	{"fault": "code", "code": "1004", "message": "Something else."},
	{"fault": "body", "body": {"status": "success", "code": "0", "list_of_details": []}},
	{"fault": "body", "body": {"status": "success", "code": "0"}},
	{"fault": "garble"},
	{"fault": "truncate"},
	{"fault": "html"},
	{"fault": "status"},
	{"fault": "empty"},
)


@pytest.mark.parametrize("from_index", [1, 21], ids=["at the beginning", "in the middle"])
def test_nothing_is_removed_after_an_error_in_the_list(start_simulator: Callable, from_index: int) -> None:
	zoho = connect(
		start_simulator(seed=1, campaigns=1, recipients=220, max_range=20), page_size=20, **only("opened")
	)
	run_all()
	before, opened = snapshot(), len(stored("Opened"))
	assert opened > 40
	for fault in ERRORS:
		zoho.plan(recipients_fault(action=OPENED, match={"fromindex": from_index}, **fault))
		run = run_all("Full")
		assert snapshot() == before, fault
		assert run.rows_removed == 0
	zoho.plan()
	run_all("Full")
	assert snapshot() == before


def only(*actions: str) -> dict[str, int]:
	"""Return the settings that store nothing but these actions."""
	return {
		f"sync_{label.lower().replace(' ', '_')}": int(label.lower() in actions) for label in STORED_ACTIONS
	}


def test_a_list_without_a_counter_that_comes_empty_costs_nothing(lone) -> None:
	answer_with(lone, {OPENED: BOUNCED, SOFT: BOUNCED})
	run_all()
	silent = {"status": "success", "code": "0", "campaign-reports": [{"emails_sent_count": "9"}]}
	empty = {"status": "success", "code": "0", "list_of_details": []}
	lone.plan(
		{"fault": "body", "endpoint": "campaignreports", "body": silent},
		{"fault": "body", "endpoint": "getcampaignrecipientsdata", "body": empty},
	)
	run_all("Full")
	assert stored("Opened") == stored("Soft Bounced") == emails(BOUNCED)


def test_a_list_that_is_shorter_than_its_counter_removes_nothing(lone) -> None:
	answer_with(lone, {SOFT: BOUNCED})
	run_all()
	lone.plan(
		recipients_fault("body", body=body_of(BOUNCED[:2], SOFT)),
		{
			"fault": "body",
			"endpoint": "campaignreports",
			"body": {
				"status": "success",
				"code": "0",
				"campaign-reports": [{"softbounce_count": "4", "bounces_count": "4"}],
			},
		},
	)
	run_all("Full")
	assert stored("Soft Bounced") == emails(BOUNCED)


# Reconciliation


def verdict(key: str) -> frappe._dict:
	return states()[key]


def test_a_campaign_of_which_all_is_here_is_complete_or_explained(zoho) -> None:
	run = run_all()
	for each in zoho.expected()["campaigns"]:
		state = verdict(each["campaign_key"])
		missing = each["missing_email"] + each["duplicates"]
		assert state.verdict == ("Explained" if missing else "Complete"), state.verdict_reason
		assert bool(state.verdict_reason) == bool(missing)
		assert state.stored_rows == each["rows"] + each["erased"]
		assert state.expected_rows == each["listed"]
		assert state.reconciled_at
	shown = {row.zoho_campaign_key: row.verdict for row in run.campaigns}
	assert shown == {key: state.verdict for key, state in states().items()}
	run_all()
	assert all(state.verdict != "Incomplete" for state in states().values())


def test_missing_addresses_and_duplicates_are_told_as_the_reason(lone) -> None:
	people = [
		person("one@example.com", 1),
		person("One@Example.com ", 2),
		person(None, 3),
		person("two@example.com", 4),
	]
	answer_with(lone, {OPENED: people})
	run_all()
	(state,) = states().values()
	assert state.verdict == "Explained"
	assert (state.expected_rows, state.stored_rows) == (4, 2)
	reason = state.verdict_reason
	assert reason.count("\n") == 0 and "2 stored of 4" in reason
	assert "1 records without a usable address" in reason and "1 duplicates" in reason


def test_a_dropped_page_is_noticed_and_repaired_by_the_next_run_itself(start_simulator: Callable) -> None:
	zoho = connect(start_simulator(seed=1, campaigns=2, recipients=320, max_range=20), page_size=20)
	largest = max(
		zoho.expected()["campaigns"], key=lambda each: max(each["actions"]["Opened"]["by_key"].values())
	)
	by_key = largest["actions"]["Opened"]["by_key"]
	key = max(by_key, key=by_key.get)
	assert by_key[key] > 40
	dropped = {"campaignkey": key, "fromindex": "21"}
	zoho.plan(
		recipients_fault(
			"code", OPENED, match=dropped, code="6303", message="There are no contacts in the list."
		)
	)
	run = run_all()
	state = verdict(largest["campaign_key"])
	assert state.verdict == "Incomplete" and state.verdict_reason.startswith("Opened: ")
	assert any(row.message == state.verdict_reason for row in notes_of(run))
	others = {k: s.verdict for k, s in states().items() if k != largest["campaign_key"]}
	assert "Incomplete" not in others.values()

	zoho.plan()
	start = last_request(zoho)
	run = run_all("Due")  # no time has passed: it is due because it is incomplete
	assert {asked[:2] for asked in pages_asked(zoho, start)} == {(key, OPENED)}
	assert run.rows_inserted > 0 and not errors_of(run)
	assert verdict(largest["campaign_key"]).verdict in ("Complete", "Explained")
	assert_database_is(zoho)


def test_a_list_too_long_to_remember_when_it_is_cut_off_is_counted_in_the_end(
	start_simulator: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
	connect(start_simulator(seed=1, campaigns=2, recipients=160, max_range=20), page_size=20)
	run_all()
	wanted = {key: (state.verdict, state.verdict_reason) for key, state in states().items()}
	assert "Explained" in dict(wanted.values())
	forget_everything()
	monkeypatch.setattr(seen_keys, "_MAX_DUMPED", 30)
	run_all(seconds=0)
	assert "Incomplete" in {state.verdict for state in states().values()}
	run_all("Due")  # in one go
	assert {key: (state.verdict, state.verdict_reason) for key, state in states().items()} == wanted


def test_what_zoho_never_lists_is_not_asked_for_for_ever(lone) -> None:
	lists = {action: [] for action in ACTIONS}
	lists[OPENED] = BOUNCED[:3]
	answer_with(lone, lists)
	report = {"status": "success", "code": "0", "campaign-reports": [{"opens_count": "5"}]}
	planned = [each for each in lone.faults.as_list() if each["endpoint"] != "campaignreports"]
	known = ("fault", "endpoint", "match", "body")
	lone.plan(
		{"fault": "body", "endpoint": "campaignreports", "body": report},
		*({name: each[name] for name in known} for each in planned),
	)
	reads = []
	for _nth in range(6):
		start = last_request(lone)
		run_all()
		reads.append(len([asked for asked in pages_asked(lone, start) if asked[1] == OPENED]))
	assert reads[0] == 1 and sum(reads) <= 4 and reads[-2:] == [0, 0]
	(state,) = states().values()
	assert state.verdict == "Explained" and "fewer people" in state.verdict_reason
	report["campaign-reports"] = [{"opens_count": "6"}]
	lone.plan(
		{"fault": "body", "endpoint": "campaignreports", "body": report},
		*({name: each[name] for name in known} for each in planned),
	)
	start = last_request(lone)
	run_all()
	assert pages_asked(lone, start)  # a counter that moves is a reason to look again


def test_a_campaign_s_sent_time_is_not_needed(lone) -> None:
	answer_with(lone, {OPENED: BOUNCED})
	run_all()
	frappe.db.set_value("Campaign", campaign_named(next(iter(states()))), "zoho_sent_time", None)
	settle()
	assert run_all("Due").status == "Success"
	assert len(rows_of(campaign_named(next(iter(states()))), "Opened")) == 5
	assert add_to_date(now_datetime(), hours=1) > next(iter(states().values())).next_check
