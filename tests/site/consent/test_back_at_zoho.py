"""Opt-outs that Zoho took back: bursts are pointed out, Zoho's lists are read, and a person releases, with proof."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import frappe
from frappe.utils import add_to_date, now_datetime

from erpnext_zoho_integration import zoho as zoho_client
from erpnext_zoho_integration.connection import authorization
from erpnext_zoho_integration.consent import back_at_zoho, bursts, suppression_list
from erpnext_zoho_integration.erpnext_zoho_integration.api import consent as api
from erpnext_zoho_integration.erpnext_zoho_integration.desk import consent as desk
from tests.site.connecting import API, enter_client, query_of, settings
from tests.site.consent.helpers import EVENT, LIST, blocked, events, hold_back, ticked
from tests.site.server import Web, settle
from tests.site.syncing import answer_with, new_contact, notes_of, person, sync_all
from zoho_simulator import Simulator
from zoho_simulator.contacts import CUSTOMERS, NEWSLETTER, PROSPECTS

DOMAIN = "acme.example"
PEOPLE = [f"p{n}@{DOMAIN}" for n in range(40)]


@pytest.fixture
def zoho(start_simulator: Callable[..., Simulator]) -> Simulator:
	simulator = start_simulator(seed=1, campaigns=1, recipients=10)
	enter_client()
	scopes = ",".join(zoho_client.scopes_for(lists=True))
	authorization.exchange(simulator.grant_code(scopes), "in")
	hold_back()
	return simulator


@pytest.fixture
def burst(zoho: Simulator) -> Simulator:
	"""Forty people of one company opted out a minute after the mailing; Zoho took 39 back."""
	for email in (PEOPLE[0], PEOPLE[39]):
		new_contact(email)
	opt_out(zoho, PEOPLE)
	for email in PEOPLE[:39]:
		zoho.contact_book.set_contact(email, state="active", lists=[CUSTOMERS])
	zoho.contact_book.set_contact(PEOPLE[39], state="unsub", lists=[CUSTOMERS])
	return zoho


def opt_out(
	zoho: Simulator, emails: list[str], *, seconds_after: int = 60, sent: list[dict] | None = None
) -> frappe.model.document.Document:
	people = [person(email, n + 1) for n, email in enumerate(emails)]
	answer_with(zoho, {"optoutcontacts": people, "sentcontacts": sent or []})
	run = sync_all()
	sent = frappe.db.get_value("Campaign", {"zoho_campaign_key": ("is", "set")}, "zoho_sent_time")
	# The moment is not among what the simulator lists here.
	moment = add_to_date(sent, seconds=seconds_after)
	frappe.db.set_value(EVENT, {"event": "Opted Out"}, {"happened_at": moment, "certainty": "Exact"})
	recent = add_to_date(now_datetime(), days=-1)
	if sent < add_to_date(now_datetime(), days=-29):
		frappe.db.set_value("Campaign", {"zoho_campaign_key": ("is", "set")}, "zoho_sent_time", recent)
		moment = add_to_date(recent, seconds=seconds_after)
		frappe.db.set_value(EVENT, {"event": "Opted Out"}, "happened_at", moment)
	suppression_list.derive(set(frappe.get_all(LIST, pluck="email")))
	settle()
	return run


def test_a_burst_is_pointed_out_and_those_whom_zoho_took_back_are_released_together(burst: Simulator) -> None:
	found = desk.overview()["bursts"]
	assert [(each["domain"], each["count"], each["back"]) for each in found] == [(DOMAIN, 40, 0)]
	assert back_at_zoho.check() == 39
	assert desk.overview()["bursts"][0]["back"] == 39
	assert all(blocked(email) for email in PEOPLE)  # nothing is released by looking
	assert api.release_burst(found[0]["campaign"], DOMAIN) == 39
	assert [email for email in PEOPLE if blocked(email)] == [PEOPLE[39]]
	contact = frappe.db.get_value("Contact", {"email_id": PEOPLE[0]})
	assert not ticked("Contact", contact)
	assert events(PEOPLE[0]) == [("Opted Out", "Zoho"), ("Opt-out Withdrawn at Zoho", "Zoho")]
	proof = frappe.db.get_value(EVENT, {"event": "Opt-out Withdrawn at Zoho", "email": PEOPLE[0]}, "proof")
	assert frappe.parse_json(proof)["list"] == "Customers"
	assert ticked("Contact", frappe.db.get_value("Contact", {"email_id": PEOPLE[39]}))


def test_what_was_released_stays_released_when_the_lists_are_read_again(burst: Simulator) -> None:
	back_at_zoho.check()
	api.release_burst(desk.overview()["bursts"][0]["campaign"], DOMAIN)
	sync_all(full=True)
	assert not blocked(PEOPLE[0])
	assert not ticked("Contact", frappe.db.get_value("Contact", {"email_id": PEOPLE[0]}))


def test_whoever_left_any_list_is_not_back(burst: Simulator) -> None:
	burst.contact_book.set_contact(PEOPLE[0], state="unsub", lists=[CUSTOMERS, PROSPECTS])
	back_at_zoho.check()
	assert not frappe.db.get_value(LIST, {"email": PEOPLE[0]}, "back_at_zoho")


def test_complaints_and_opt_outs_of_erpnext_are_not_released(burst: Simulator) -> None:
	frappe.get_doc({"doctype": "Email Unsubscribe", "email": PEOPLE[0], "global_unsubscribe": 1}).insert()
	back_at_zoho.check()
	assert api.release_burst(desk.overview()["bursts"][0]["campaign"], DOMAIN) == 38
	assert blocked(PEOPLE[0])
	with pytest.raises(frappe.ValidationError):
		api.release(PEOPLE[0])


def test_a_burst_that_nobody_looked_into_is_not_released(burst: Simulator) -> None:
	with pytest.raises(frappe.ValidationError, match="Check at Zoho first"):
		api.release_burst(desk.overview()["bursts"][0]["campaign"], DOMAIN)
	with pytest.raises(frappe.ValidationError, match="Check at Zoho"):
		api.release(PEOPLE[0])
	assert all(blocked(email) for email in PEOPLE)


def test_a_list_that_cannot_be_read_to_its_end_tells_nothing(burst: Simulator) -> None:
	back_at_zoho.check()
	burst.plan({"endpoint": "getlistsubscribers", "fault": "status", "status": 503})
	assert back_at_zoho.check(user="Administrator") == 0
	assert back_at_zoho.counts()["Active Again"] == 39  # what was seen before stays
	told = frappe.get_all(
		"Notification Log", {"for_user": "Administrator"}, pluck="subject", order_by="creation desc"
	)
	assert "cannot be reached" in told[0]


def test_people_of_many_domains_are_no_burst(zoho: Simulator) -> None:
	opt_out(zoho, [f"ann@d{n}.example" for n in range(40)])
	assert bursts.find() == []


def test_opt_outs_of_later_hours_are_no_burst(zoho: Simulator) -> None:
	opt_out(zoho, PEOPLE, seconds_after=3600)
	assert bursts.find() == []


def test_a_few_among_many_of_a_domain_are_no_burst(zoho: Simulator) -> None:
	opt_out(zoho, PEOPLE, sent=[person(f"q{n}@{DOMAIN}", n + 100) for n in range(300)])
	assert bursts.find() == []


def test_the_run_says_that_a_burst_came(zoho: Simulator) -> None:
	opt_out(zoho, PEOPLE)
	run = sync_all(full=True)
	assert [note.message for note in notes_of(run) if f"40 opt-outs of {DOMAIN}" in note.message]


def test_somebody_who_asked_to_be_subscribed_again_is_listed_and_a_person_decides(zoho: Simulator) -> None:
	opt_out(zoho, ["ada@example.com", "bob@example.com"])
	earlier = add_to_date(now_datetime(), days=-10)
	frappe.db.set_value(EVENT, {"event": "Opted Out"}, {"happened_at": earlier, "creation": earlier})
	suppression_list.derive({"ada@example.com", "bob@example.com"})
	zoho.contact_book.set_contact("ada@example.com", state="active", lists=[NEWSLETTER])  # has a sign-up form
	zoho.contact_book.set_contact(
		"bob@example.com", state="active", lists=[PROSPECTS]
	)  # was added by somebody
	back_at_zoho.check()
	assert desk.overview()["back"] == {"Active Again": 1, "Subscribed Again": 1}
	assert frappe.db.get_value(LIST, {"email": "ada@example.com"}, "back_at_zoho") == "Subscribed Again"
	assert blocked("ada@example.com") and blocked("bob@example.com")
	api.release(" ADA@example.com ")
	assert not blocked("ada@example.com") and blocked("bob@example.com")


def test_looking_asks_for_one_more_scope_and_for_that_feature_alone(
	start_simulator: Callable[..., Simulator], web: Web, make_user: Callable[..., str], run_jobs: Callable
) -> None:
	simulator = start_simulator(seed=1, campaigns=1, recipients=10)
	enter_client()
	authorization.exchange(simulator.grant_code(), "in")
	session = web.session(make_user("System Manager"))
	answer = session.call(f"{API}.consent.check_at_zoho").json()["message"]
	assert answer == {"missing_scopes": list(zoho_client.LIST_SCOPES)}
	assert sync_all().status == "Success"
	assert settings().check_at_zoho
	assert query_of(authorization.begin())["scope"].split(",") == list(zoho_client.scopes_for(lists=True))
	authorization.exchange(simulator.grant_code(",".join(zoho_client.scopes_for(lists=True))), "in")
	assert session.call(f"{API}.consent.check_at_zoho").json()["message"] == {"missing_scopes": []}
	run_jobs()
	assert [each for each in simulator.requests if each["endpoint"] == "getmailinglists"]
