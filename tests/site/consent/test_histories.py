"""Random histories of both sides: whatever happens in whatever order, list, boxes and Zoho are as the rules say.

Each history is one address with random steps at Zoho (opt-outs, complaints, bounces, lists read again, opt-outs taken back)
and here (Contacts entered, boxes ticked and cleared, links clicked, consent recorded, the hourly check, telling Zoho). After
each step the list and the boxes must be what a plain replay of the rules gives, and at the end nobody was subscribed again.

`./dev bench --consent-histories 100000` plays as many; `ZOHO_SEED=n` only round n.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

import frappe
from frappe.utils import get_datetime, now_datetime

from erpnext_zoho_integration import zoho as zoho_client
from erpnext_zoho_integration.connection import authorization
from erpnext_zoho_integration.consent import (
	back_at_zoho,
	missed_opt_outs,
	new_consent,
	suppression_list,
	tell_zoho,
)
from erpnext_zoho_integration.consent.recording import record
from erpnext_zoho_integration.consent.zoho_facts import fact_of_recipient
from tests.site.connecting import enter_client
from tests.site.consent.helpers import EVENT, LIST, hold_back
from tests.site.server import settle
from tests.site.syncing import RECIPIENT
from zoho_simulator import Simulator

HISTORIES = int(os.environ.get("ZOHO_CONSENT_HISTORIES") or 200)
PER_ROUND = 200
ONLY = os.environ.get("ZOHO_SEED")
ROUNDS = [int(ONLY)] if ONLY else list(range(1, (HISTORIES + PER_ROUND - 1) // PER_ROUND + 1))
STEPS = 8
AT_ZOHO = ("opt out", "complain", "bounce", "read again")
HERE = ("enter", "tick", "clear", "link", "consent", "works", "released")
MAILINGS = 3


@dataclass
class Objection:
	"""An opt-out or a complaint, and the latest moment at which it can have been made."""

	latest: datetime
	can_be_taken_back: bool


@dataclass
class History:
	"""One address: what has happened, and what follows by the rules."""

	address: str
	mailed: bool
	steps: list[str]
	objections: list[Objection] = field(default_factory=list)
	bounces: list[datetime] = field(default_factory=list)
	consents: list[datetime] = field(default_factory=list)
	taken_back: list[datetime] = field(default_factory=list)
	working: list[datetime] = field(default_factory=list)
	read: list[tuple] = field(default_factory=list)
	contact: str | None = None
	box: bool = False
	known_at_zoho: bool = False
	told_here: bool = False
	cleared: bool = False
	past: list[str] = field(default_factory=list)

	@property
	def blocked(self) -> bool:
		return any(
			not any(moment > each.latest for moment in self.consents)
			and not (each.can_be_taken_back and any(moment > each.latest for moment in self.taken_back))
			for each in self.objections
		)

	@property
	def bounced(self) -> bool:
		return any(not any(moment > each for moment in self.working) for each in self.bounces)

	@property
	def lifted(self) -> int:
		return len(self.consents) + len(self.taken_back)

	def object(self, latest: datetime, *, by_zoho: bool, can_be_taken_back: bool = False) -> None:
		self.objections.append(Objection(latest, can_be_taken_back))
		self.known_at_zoho |= by_zoho
		self.told_here |= not by_zoho
		if self.blocked and self.contact:
			self.box = True


class Round:
	"""Plays many histories at once, step by step, as a sync and many users do."""

	def __init__(self, zoho: Simulator, seed: int) -> None:
		self.zoho, self.random = zoho, random.Random(seed)
		self.campaigns = [f"Mailing {seed}-{number}" for number in range(MAILINGS)]
		self.sent = {name: now_datetime() - timedelta(days=9 - n) for n, name in enumerate(self.campaigns)}
		self.histories = [
			History(
				f"h{number}-{seed}@example.com",
				self.random.random() < 0.7,
				[self.random.choice(AT_ZOHO + HERE) for _nth in range(STEPS)],
			)
			for number in range(PER_ROUND)
		]
		self.proof = frappe.get_doc(
			{"doctype": "File", "file_name": f"proof-{seed}.txt", "is_private": 1, "content": "I agree."}
		).insert()
		self._mail()

	def play(self) -> None:
		for nth in range(STEPS):
			for history in self.histories:
				history.past.append(history.steps[nth])
			self._at_zoho(nth)
			for history in self.histories:
				if history.steps[nth] in HERE:
					getattr(self, "_" + history.steps[nth])(history)
			if self.random.random() < 0.4:
				assert missed_opt_outs.record_missed() == 0  # no listener missed anything
			if self.random.random() < 0.4:
				self._tell()
			settle()
			self._check()
		self._tell()
		self._check_zoho()
		before = frappe.db.count(EVENT)
		record([fact for history in self.histories for fact in map(self._fact, history.read)])
		assert frappe.db.count(EVENT) == before
		assert list(suppression_list.differences()) == []

	def _mail(self) -> None:
		"""Store a row for each address that Zoho has mailed."""
		now = now_datetime()
		rows = [
			(h.address, now, now, "Administrator", "Administrator", self.campaigns[0], h.address, "Sent")
			for h in self.histories
			if h.mailed
		]
		columns = ["name", "creation", "modified", "owner", "modified_by", "campaign", "email", "action_type"]
		frappe.db.bulk_insert(RECIPIENT, columns, rows)

	def _at_zoho(self, nth: int) -> None:
		"""Let a sync read what people did at Zoho, in pages."""
		facts = []
		for history in self.histories:
			step = history.steps[nth]
			if step == "read again":
				facts += [self._fact(each) for each in history.read]
			elif step in AT_ZOHO:
				action = {"opt out": "Unsubscribed", "complain": "Complaint", "bounce": "Hard Bounced"}[step]
				campaign = self.random.choice(self.campaigns)
				known = next((each for each in history.read if each[1:3] == (action, campaign)), None)
				exact = self.random.random() < 0.5
				moment = self.sent[campaign] + timedelta(hours=self.random.randint(1, 48)) if exact else None
				told = known or (history.address, action, campaign, moment)
				facts.append(self._fact(told))
				if not known:
					history.read.append(told)
		self.random.shuffle(facts)
		half = len(facts) // 2
		for page in (facts[:half], facts[half:]):
			new = {(fact.address, fact.event, fact.campaign) for fact in record(page).facts}
			noticed = now_datetime()
			for history in self.histories:
				for address, action, campaign, moment in history.read:
					event = {"Unsubscribed": "Opted Out", "Complaint": "Complained"}.get(
						action, "Hard Bounced"
					)
					if (address, event, campaign) not in new:
						continue
					latest = moment or noticed
					if event == "Hard Bounced":
						history.bounces.append(latest)
					else:
						history.object(latest, by_zoho=True, can_be_taken_back=event == "Opted Out")

	def _fact(self, told: tuple):
		address, action, campaign, moment = told
		return fact_of_recipient(address, action, moment, self.sent[campaign], campaign, campaign, "7")

	def _enter(self, history: History) -> None:
		if history.contact:
			return
		contact = frappe.get_doc({"doctype": "Contact", "first_name": "H"})
		contact.append("email_ids", {"email_id": history.address, "is_primary": 1})
		history.contact = contact.insert().name
		history.box = history.blocked

	def _tick(self, history: History) -> None:
		if not history.contact or history.box:
			return
		self._save(history, 1)
		history.cleared = False
		history.object(now_datetime(), by_zoho=False)
		history.box = True

	def _clear(self, history: History) -> None:
		if history.contact and history.box:
			self._save(history, 0)
			history.box, history.cleared = False, True

	def _save(self, history: History, box: int) -> None:
		contact = frappe.get_doc("Contact", history.contact)
		contact.unsubscribed = box
		contact.save()

	def _link(self, history: History) -> None:
		known = frappe.db.exists("Email Unsubscribe", {"email": history.address})
		if known:
			return
		frappe.get_doc(
			{"doctype": "Email Unsubscribe", "email": history.address, "global_unsubscribe": 1}
		).insert()
		history.object(now_datetime(), by_zoho=False)

	def _consent(self, history: History) -> None:
		arguments = (history.address, now_datetime(), "E-mail", "Please write to me again.", self.proof.name)
		if not history.objections or not (history.blocked or history.bounced):
			with pytest.raises(frappe.ValidationError):
				new_consent.record_new_consent(*arguments)
			return
		new_consent.record_new_consent(*arguments)
		history.consents.append(arguments[1])
		assert not history.blocked
		history.box = False

	def _works(self, history: History) -> None:
		if not history.bounced:
			with pytest.raises(frappe.ValidationError):
				new_consent.record_address_works_again(history.address)
			return
		new_consent.record_address_works_again(history.address)
		history.working.append(now_datetime())

	def _released(self, history: History) -> None:
		"""Zoho has the person as active again, and a System Manager releases the person."""
		seen = now_datetime()
		row = {"email": history.address, "blocked": 1, "reason": "Opted Out"}
		values = {"back_at_zoho": "Active Again", "back_seen_at": seen, "zoho_row": '{"list": "News"}'}
		frappe.db.set_value(LIST, row, values)
		before = history.blocked
		with suppress(frappe.ValidationError):
			back_at_zoho.release(history.address)
		withdrawn = {"address_key": frappe.db.get_value(EVENT, {"email": history.address}, "address_key")}
		found = frappe.get_all(
			EVENT, {**withdrawn, "event": "Opt-out Withdrawn at Zoho"}, pluck="happened_at"
		)
		new = [get_datetime(m) for m in found if get_datetime(m) not in history.taken_back]
		history.taken_back += new
		if new and before and not history.blocked:
			history.box = False

	def _tell(self) -> None:
		"""Let an hour pass, have a System Manager approve, and tell Zoho."""
		tell_zoho.approve()
		earlier = now_datetime() - timedelta(minutes=1)
		frappe.db.set_value(LIST, {"told_zoho": "Waiting"}, "tell_after", earlier)
		frappe.db.commit()
		tell_zoho.run()

	def _check(self) -> None:
		rows = frappe.get_all(LIST, fields=["email", "blocked", "bounced"])
		stored = {row.email: (bool(row.blocked), bool(row.bounced)) for row in rows}
		boxes = dict(frappe.get_all("Contact", fields=["name", "unsubscribed"], as_list=True))
		for history in self.histories:
			where = f"{history.address}: {history.past}"
			assert stored.get(history.address, (False, False)) == (history.blocked, history.bounced), where
			if history.contact:
				assert bool(boxes[history.contact]) == history.box, where

	def _check_zoho(self) -> None:
		writes = self.zoho.writes()
		assert writes["resubscriptions"] == {} and writes["confirmation_mails"] == {}
		told = writes["calls"].get("json/contactdonotmail", {})
		for history in self.histories:
			where = f"{history.address}: {history.past}"
			calls = told.get(history.address, 0)
			assert calls <= 1 + history.lifted, where
			if not history.mailed or not history.told_here:
				assert calls == 0, where
			elif history.blocked and not history.known_at_zoho and not history.lifted and not history.cleared:
				assert calls == 1, where


@pytest.fixture
def zoho(start_simulator: Callable[..., Simulator]) -> Simulator:
	simulator = start_simulator(seed=1, campaigns=1, recipients=10)
	enter_client()
	scopes = ",".join(zoho_client.scopes_for(writing=True))
	authorization.exchange(simulator.grant_code(scopes), "in")
	frappe.db.set_single_value("Zoho Settings", "tell_zoho", 1)
	hold_back()
	settle()
	return simulator


@pytest.mark.parametrize("seed", ROUNDS)
def test_list_boxes_and_zoho_are_as_the_rules_say(zoho: Simulator, seed: int) -> None:
	Round(zoho, seed).play()
