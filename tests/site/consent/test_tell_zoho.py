"""Telling Zoho: once, only who is concerned, never what it said itself, and never unless it is switched on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import frappe
from frappe.utils import add_to_date, now_datetime

from erpnext_zoho_integration import zoho as zoho_client
from erpnext_zoho_integration.connection import authorization
from erpnext_zoho_integration.consent import new_consent, rules, tell_zoho
from erpnext_zoho_integration.consent.events import Fact
from erpnext_zoho_integration.consent.recording import record
from tests.site.connecting import enter_client
from tests.site.consent.helpers import LIST, events, hold_back
from tests.site.server import settle
from tests.site.syncing import answer_with, new_contact, person, sync_all
from zoho_simulator import Simulator

ADA = "ada@example.com"


@pytest.fixture
def zoho(start_simulator: Callable) -> Simulator:
	"""A Zoho that has mailed some people, connected with the scopes for writing; telling is on."""
	simulator = start_simulator(seed=1, campaigns=1, recipients=10)
	enter_client()
	scopes = ",".join(zoho_client.scopes_for(writing=True))
	authorization.exchange(simulator.grant_code(scopes), "in")
	frappe.db.set_single_value("Zoho Settings", "tell_zoho", 1)
	hold_back()
	people = [person(ADA, 1), *(person(f"p{n}@example.com", n + 2) for n in range(60))]
	answer_with(simulator, {"openedcontacts": people})
	sync_all()
	settle()
	return simulator


def unsubscribe(email: str = ADA) -> None:
	frappe.get_doc({"doctype": "Email Unsubscribe", "email": email, "global_unsubscribe": 1}).insert()
	frappe.db.commit()


def tick(email: str) -> frappe.model.document.Document:
	contact = frappe.get_doc("Contact", frappe.db.get_value("Contact Email", {"email_id": email}, "parent"))
	contact.unsubscribed = 1
	contact.save()
	frappe.db.commit()
	return contact


def an_hour_later() -> None:
	earlier = add_to_date(now_datetime(), minutes=-1)
	frappe.db.set_value(LIST, {"told_zoho": "Waiting"}, "tell_after", earlier)
	frappe.db.commit()


def state(email: str = ADA) -> str | None:
	return frappe.db.get_value(LIST, {"email": email}, "told_zoho")


def calls(simulator: Simulator) -> list[dict]:
	return [each for each in simulator.requests if each["endpoint"] == "json/contactdonotmail"]


def test_a_link_is_told_once(zoho) -> None:
	unsubscribe()
	assert state() == "Waiting"
	assert tell_zoho.run() == 1 and state() == "Told"
	assert events(ADA) == [("Opted Out", "Email Unsubscribe"), ("Told Zoho", "This App")]
	assert tell_zoho.run() == 0 and len(calls(zoho)) == 1
	assert not any(each["addresses_in_url"] for each in calls(zoho))
	contact = zoho.contact(ADA)
	assert contact and "mail" in str(contact["state"]).lower()


def test_a_click_is_told_at_once_and_a_box_waits(zoho, run_jobs: Callable) -> None:
	unsubscribe()
	tick("p1@example.com")
	run_jobs()
	assert state() == "Told" and state("p1@example.com") == "Waiting"
	assert len(calls(zoho)) == 1


def test_a_click_does_not_fail_without_a_queue(zoho, monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setattr(frappe, "enqueue", lambda *_args, **_kwargs: 1 / 0)
	unsubscribe()
	assert state() == "Waiting"


def test_what_comes_back_from_zoho_tells_nothing(zoho) -> None:
	unsubscribe()
	tell_zoho.run()
	answer_with(zoho, {"optoutcontacts": [person(ADA, 1), person("p1@example.com", 3)]})
	sync_all(full=True)
	an_hour_later()
	assert tell_zoho.run() == 0 and len(calls(zoho)) == 1
	assert state("p1@example.com") == "Not Needed"


def test_a_box_is_told_after_an_hour_unless_it_is_cleared(zoho) -> None:
	contact = tick(ADA)
	tick("p1@example.com")
	assert tell_zoho.run() == 0 and state() == "Waiting"
	contact.reload().unsubscribed = 0
	contact.save()
	assert state() == "Not Needed"
	an_hour_later()
	assert tell_zoho.run() == 1 and state("p1@example.com") == "Told"
	assert [each for each in events(ADA) if each[0] == "Told Zoho"] == []


def test_many_boxes_wait_for_a_yes(zoho) -> None:
	for number in range(52):
		tick(f"p{number}@example.com")
	an_hour_later_but_within = frappe.db.count(LIST, {"told_zoho": "Needs Approval"})
	assert an_hour_later_but_within == 52
	an_hour_later()
	assert tell_zoho.run() == 0
	assert tell_zoho.approve() == 52
	an_hour_later()
	assert tell_zoho.run() == 52


def test_strangers_are_not_handed_over(zoho) -> None:
	new_contact("stranger@example.com")
	tick("stranger@example.com")
	unsubscribe("nobody@example.com")
	an_hour_later()
	assert tell_zoho.run() == 0 and not calls(zoho)
	assert state("stranger@example.com") == state("nobody@example.com") == "Not Needed"


def test_nothing_is_told_unless_it_is_on(zoho) -> None:
	frappe.db.set_single_value("Zoho Settings", "tell_zoho", 0)
	unsubscribe()
	assert tell_zoho.run() == 0 and not calls(zoho) and state() == "Waiting"
	frappe.db.set_single_value("Zoho Settings", {"tell_zoho": 1, "stop_writing": 1})
	frappe.db.commit()
	assert tell_zoho.run() == 0 and not calls(zoho)
	frappe.db.set_single_value("Zoho Settings", "stop_writing", 0)
	frappe.db.commit()
	assert tell_zoho.run() == 1


def test_without_the_scope_everything_else_works(zoho) -> None:
	frappe.db.set_single_value("Zoho Settings", "granted_scopes", "ZohoCampaigns.campaign.READ")
	unsubscribe()
	assert tell_zoho.run() == 0 and not calls(zoho)
	assert tell_zoho.turn_on() == list(zoho_client.WRITING_SCOPES)
	assert sync_all().status == "Success"


def test_somebody_who_consented_meanwhile_is_not_told(zoho) -> None:
	unsubscribe()
	file = frappe.get_doc(
		{"doctype": "File", "file_name": "p.txt", "content": "yes", "is_private": 1}
	).insert()
	frappe.db.sql(
		"update `tabZoho Consent Event` set happened_at = %s", add_to_date(now_datetime(), hours=-2)
	)
	new_consent.record_new_consent(ADA, now_datetime(), "E-mail", "yes", file.name)
	frappe.db.commit()
	assert tell_zoho.run() == 0 and not calls(zoho)


@pytest.mark.parametrize("code", ["2104", "2101"])
def test_a_passing_failure_is_tried_again_later(zoho, code: str) -> None:
	unsubscribe()
	answer = {"status": "error", "code": code, "message": "Please retry after sometime."}
	zoho.plan({"fault": "body", "endpoint": "json/contactdonotmail", "body": answer})
	assert tell_zoho.run() == 0 and state() == "Waiting"
	row = frappe.get_doc(LIST, {"email": ADA})
	assert row.tell_attempts == 1 and row.tell_error and row.tell_after > now_datetime()
	zoho.plan()
	an_hour_later()
	assert tell_zoho.run() == 1 and state() == "Told"


def test_a_refused_address_is_listed_and_not_asked_again(zoho) -> None:
	unsubscribe()
	answer = {"status": "error", "code": "2004", "message": "Invalid contact email address."}
	zoho.plan({"fault": "body", "endpoint": "json/contactdonotmail", "body": answer})
	assert tell_zoho.run() == 0 and state() == "Refused"
	assert events(ADA)[-1] == ("Zoho Refused", "This App")
	an_hour_later()
	tell_zoho.run()
	assert len(calls(zoho)) == 1


def test_two_runs_at_once_tell_once(zoho) -> None:
	from erpnext_zoho_integration.shared_locks import shared_lock

	unsubscribe()
	with shared_lock("tell-zoho", seconds=60, wait=0):
		assert tell_zoho.run() == 0
	assert tell_zoho.run() == 1 and len(calls(zoho)) == 1


def test_a_complaint_of_zoho_after_a_waiting_box_needs_no_telling(zoho) -> None:
	tick(ADA)
	record([Fact(ADA, rules.COMPLAINED, now_datetime(), rules.EXACT, "Zoho", "Zoho\nother")])
	assert state() == "Not Needed"
