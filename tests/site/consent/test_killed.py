"""A process that is killed at any commit, before or after it: what follows is as if it had not been killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

import frappe
from frappe.utils import add_to_date, now_datetime

from erpnext_zoho_integration import zoho as zoho_client
from erpnext_zoho_integration.connection import authorization
from erpnext_zoho_integration.consent import backfill, missed_opt_outs, suppression_list, tell_zoho, upgrade
from tests.site.connecting import enter_client
from tests.site.consent.helpers import EVENT, LIST, hold_back, new_lead, new_member
from tests.site.server import settle
from tests.site.syncing import answer_with, new_contact, person, sync_all
from zoho_simulator import Simulator

BOXES = ("Contact", "Lead", "Email Group Member")


class Killed(BaseException):
	"""Stands for the end of a process."""


@contextmanager
def killed_at(nth: int, *, after: bool) -> Iterator[None]:
	"""Kill at the nth commit, before or after it."""
	database, original, count = frappe.db, frappe.db.commit, [0]

	def commit(*args: object, **kwargs: object) -> None:
		count[0] += 1
		if count[0] == nth and not after:
			raise Killed
		original(*args, **kwargs)
		if count[0] == nth:
			raise Killed

	database.commit = commit
	try:
		yield
	finally:
		del database.commit


def kill_everywhere(
	job: Callable[[], object], prepare: Callable[[], None], state: Callable[[], object]
) -> None:
	"""Run a job undisturbed, then killed at each of its commits and run again; the states must be equal."""
	prepare()
	job()
	settle()
	wanted = state()
	for after in (False, True):
		for nth in range(1, 100):
			prepare()
			try:
				with killed_at(nth, after=after):
					job()
				break
			except Killed:
				frappe.db.rollback()
			frappe.cache.delete_keys("zoho-")  # a dead process's locks end by themselves
			job()
			settle()
			assert state() == wanted, f"commit {nth}, killed {'after' if after else 'before'} it"
		assert nth > 1


def content() -> tuple:
	"""Return events, list and boxes, without what differs from run to run."""
	events = frappe.get_all(EVENT, fields=["email", "event", "source", "campaign"], as_list=True)
	columns = ["email", "blocked", "bounced", "reason", "told_zoho"]
	rows = frappe.get_all(LIST, fields=columns, as_list=True)
	boxes = [frappe.get_all(each, fields=["name", "unsubscribed"], as_list=True) for each in BOXES]
	assert list(suppression_list.differences()) == []
	return sorted(events), sorted(rows, key=str), [sorted(each) for each in boxes]


def clear_boxes() -> None:
	for doctype in BOXES:
		frappe.db.set_value(doctype, {"unsubscribed": 1}, "unsubscribed", 0, update_modified=False)


@pytest.fixture
def zoho(start_simulator: Callable[..., Simulator]) -> Simulator:
	"""A site that has synced twelve opt-outs, with a Lead and a member among them."""
	simulator = start_simulator(seed=1, campaigns=1, recipients=10)
	enter_client()
	authorization.exchange(simulator.grant_code(",".join(zoho_client.scopes_for(writing=True))), "in")
	people = [person(f"out{n}@example.com", n + 1) for n in range(12)]
	answer_with(simulator, {"optoutcontacts": people})
	sync_all()
	new_lead("out1@example.com")
	new_member("out2@example.com")
	settle()
	return simulator


def test_the_backfill(zoho: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setattr(backfill, "_SLICE", 5)

	def upgrade_site() -> None:
		frappe.db.delete(EVENT)
		frappe.db.delete(LIST)
		frappe.db.set_single_value("Zoho Settings", "consent_backfill", None)
		settle()

	kill_everywhere(backfill.run, upgrade_site, content)


def test_marking_everybody(zoho: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setattr(upgrade, "_SLICE", 5)

	def clear() -> None:
		hold_back()
		frappe.db.set_value("Lead", {"unsubscribed": 1}, "unsubscribed", 0)
		frappe.db.set_value("Email Group Member", {"unsubscribed": 1}, "unsubscribed", 0)
		settle()

	kill_everywhere(upgrade.mark_everybody, clear, content)


def test_the_hourly_comparison(zoho: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setattr(missed_opt_outs, "_SLICE", 3)
	hold_back()
	contacts = [new_contact(f"box{n}@example.com").name for n in range(8)]

	def tick_by_sql() -> None:
		frappe.db.delete(EVENT, {"email": ("like", "box%")})
		frappe.db.delete(LIST, {"email": ("like", "box%")})
		frappe.db.set_value("Contact", {"name": ("in", contacts)}, "unsubscribed", 1)
		settle()

	kill_everywhere(missed_opt_outs.record_missed, tick_by_sql, content)


def test_a_rebuild(zoho: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setattr(suppression_list, "_SLICE", 4)

	def spoil() -> None:
		frappe.db.delete(LIST, {"email": "out3@example.com"})
		frappe.db.set_value(LIST, {"email": "out4@example.com"}, "blocked", 0)
		settle()

	kill_everywhere(suppression_list.rebuild, spoil, content)


def test_telling_zoho(zoho: Simulator) -> None:
	"""Killed between the call and its commit, Zoho is told once more, which changes nothing there."""
	answer_with(zoho, {"openedcontacts": [person(f"told{n}@example.com", n + 50) for n in range(4)]})
	sync_all()
	frappe.db.set_single_value("Zoho Settings", "tell_zoho", 1)

	def click_links() -> None:
		for doctype in (EVENT, LIST):
			frappe.db.delete(doctype, {"email": ("like", "told%")})
		frappe.db.delete("Email Unsubscribe", {"email": ("like", "told%")})
		for n in range(4):
			frappe.get_doc(
				{"doctype": "Email Unsubscribe", "email": f"told{n}@example.com", "global_unsubscribe": 1}
			).insert()
		earlier = add_to_date(now_datetime(), minutes=-1)
		frappe.db.set_value(LIST, {"told_zoho": "Waiting"}, "tell_after", earlier)
		settle()

	def told() -> list:
		return sorted(frappe.get_all(EVENT, {"email": ("like", "told%")}, ["email", "event"], as_list=True))

	kill_everywhere(tell_zoho.run, click_links, told)
	writes = zoho.writes()
	assert writes["resubscriptions"] == {} and writes["confirmation_mails"] == {}


def test_what_a_sync_finds(zoho: Simulator) -> None:
	"""The rows of a page, its opt-outs and the cursor are committed together."""
	hold_back()
	people = [person(f"new{n}@example.com", n + 100) for n in range(3)]

	def forget() -> None:
		for doctype in (
			EVENT,
			LIST,
			"Campaign Recipient",
			"Zoho Campaign State",
			"Zoho Sync Run",
			"Zoho Sync Task",
		):
			frappe.db.delete(doctype)
		clear_boxes()
		answer_with(zoho, {"optoutcontacts": people})
		settle()

	def sync() -> None:
		frappe.db.delete("Zoho Sync Run")
		frappe.db.delete("Zoho Sync Task")
		frappe.db.commit()
		sync_all(full=True)

	def found() -> tuple:
		events, rows, _boxes = content()
		contacts = frappe.get_all(
			"Contact", {"email_id": ("like", "new%")}, ["email_id", "unsubscribed"], as_list=True
		)
		return events, rows, sorted(contacts)

	kill_everywhere(sync, forget, found)
