"""People who edit, rename, merge, delete, disconnect or start something else in mid-run, and clocks that jump."""

from __future__ import annotations

import json
import types
from collections.abc import Callable
from datetime import timedelta

import pytest

import frappe
from frappe.utils import now_datetime

from erpnext_zoho_integration.connection.tokens import disconnect
from erpnext_zoho_integration.sync.runs import queue
from erpnext_zoho_integration.sync.runs import worker as run_worker
from tests.faults import plan, sabotage
from tests.faults.drill import Drill
from tests.faults.oracle import Oracle
from tests.faults.plan import Cell
from tests.faults.plan_site import clocks, people
from tests.site.connecting import SETTINGS
from tests.site.database_content import RUN, assert_same
from tests.site.server import settle
from tests.site.syncing import RECIPIENT, campaign_named, duplicates, new_contact


class Person:
	"""Somebody at the site, who acts once and later takes it back as far as that goes.

	Attributes:
		run: the run that is under way.
		lost: key of a Campaign, or addresses of a Contact, that are not to come back.
	"""

	def __init__(self, drill: Drill, run: str) -> None:
		self.drill, self.run = drill, run
		self.campaign = campaign_named(drill.keys[0])
		contacts = frappe.get_all(
			"Contact", {"zoho_contact_id": ("is", "set")}, pluck="name", order_by="name"
		)
		self.contact, self.other = [*contacts, None, None][:2]

	def edit_campaign(self) -> None:
		self._edit("Campaign", self.campaign, "description")

	def edit_contact(self) -> None:
		self._edit("Contact", self.contact, "department")

	def _edit(self, doctype: str, name: str, field: str) -> None:
		document = frappe.get_doc(doctype, name)
		document.set(field, "typed in mid-run")
		document.save()

	def rename_campaign(self) -> None:
		frappe.rename_doc("Campaign", self.campaign, "Another name")

	def rename_contact(self) -> None:
		frappe.rename_doc("Contact", self.contact, "Another name")

	def rename_bystander(self) -> None:
		frappe.rename_doc("Contact", new_contact("bystander@example.com").name, "Bystander")
		frappe.delete_doc("Contact", "Bystander")

	def delete_campaign(self) -> None:
		frappe.delete_doc("Campaign", self.campaign)

	def merge_campaign(self) -> None:
		hand_made = frappe.get_doc({"doctype": "Campaign", "campaign_name": "Hand made"}).insert()
		frappe.rename_doc("Campaign", self.campaign, hand_made.name, merge=True)

	def delete_contact(self) -> None:
		frappe.delete_doc("Contact", self.contact)

	def merge_contacts(self) -> None:
		frappe.rename_doc("Contact", self.contact, self.other, merge=True)

	def switch_off_schedule(self) -> None:
		frappe.db.set_single_value(SETTINGS, "enable_schedule", 0)

	def cancel(self) -> None:
		queue.cancel(self.run)

	def start_again(self) -> None:
		"""What the hourly event and the minute's event do."""
		assert queue.start("Schedule") == (self.run, False)
		queue.resume_waiting()

	def start_button(self) -> None:
		"""What the button of a Campaign does, with a worker that takes the job at once."""
		name, created = queue.start("User", campaign_named(self.drill.keys[0]), "Full")
		settle()
		assert created and run_worker.execute(name) in ("Success", "Partial")


ACTS: dict[str, Callable[[Person], None]] = {
	"the Campaign is edited": Person.edit_campaign,
	"the Campaign is renamed": Person.rename_campaign,
	"a Contact is edited": Person.edit_contact,
	"a Contact is renamed": Person.rename_contact,
	"a bystander is renamed": Person.rename_bystander,
	"the Campaign is deleted": Person.delete_campaign,
	"the Campaign is merged into a hand-made one": Person.merge_campaign,
	"a Contact is deleted": Person.delete_contact,
	"two Contacts are merged": Person.merge_contacts,
	"the schedule is switched off": Person.switch_off_schedule,
	"the site is disconnected": lambda _person: disconnect(),
	"the run is cancelled": Person.cancel,
	"schedule": Person.start_again,
	"button": Person.start_button,
}
PEOPLE = [cell for cell in plan.played([*people(), *clocks()]) if "act" in cell.more]
CLOCKS = [cell for cell in plan.played(clocks()) if "clock" in cell.more]


@pytest.mark.parametrize("cell", PEOPLE, ids=lambda cell: cell.id)
def test_somebody_acts(
	cell: Cell, drill: Drill, oracle: Oracle, worker, monkeypatch: pytest.MonkeyPatch
) -> None:
	if not cell.more.get("first"):
		assert drill.run().status == "Success"
	name = drill.open("Full")

	def act() -> None:
		ACTS[cell.more["act"]](Person(drill, name))
		settle()

	with sabotage.at_moment(cell.stage, act, monkeypatch) as done:
		drill.work(name)
	monkeypatch.undo()
	worker.discard_jobs()
	assert done, "nobody has acted"
	run = drill.look(name)
	take_back()
	JUDGES[cell.outcome](cell, drill, oracle, run)
	oracle.no_secret_is_told()
	assert not duplicates()


@pytest.mark.parametrize("cell", CLOCKS, ids=lambda cell: cell.id)
def test_the_clock_jumps(cell: Cell, drill: Drill, oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> None:
	assert drill.run().status == "Success"
	jump, right = timedelta(hours=cell.more["clock"]), now_datetime()

	def act() -> None:
		let_clock_jump(jump, monkeypatch)

	name = drill.open("Full")
	with sabotage.at_moment(cell.stage, act, monkeypatch) as done:
		drill.work(name)
	assert done
	run = drill.look(name)
	assert abs(now_datetime() - right - jump) < timedelta(minutes=5)
	recovers(cell, drill, oracle, run)
	assert run.duration >= 0
	assert drill.run("Full").status == "Success"
	oracle.content_is_as_without_the_fault()
	oracle.no_secret_is_told()


def let_clock_jump(jump: timedelta, patch: pytest.MonkeyPatch) -> None:
	"""Let the site's clock be wrong by `jump` for whoever has imported it."""
	names = now_datetime.__globals__
	patch.setitem(names, "_right_clock", types.FunctionType(now_datetime.__code__, names))
	patch.setitem(names, "_jump", jump)
	patch.setattr(now_datetime, "__code__", (lambda: _right_clock() + _jump).__code__)  # noqa: F821 - names of its module


def take_back() -> None:
	"""Empty the fields that somebody has filled, which no sync ever does."""
	frappe.db.set_value(
		"Campaign", {"description": ("is", "set")}, "description", None, update_modified=False
	)
	frappe.db.set_value(
		"Contact", {"department": "typed in mid-run"}, "department", None, update_modified=False
	)
	settle()


def recovers(cell: Cell, drill: Drill, oracle: Oracle, run) -> None:
	assert run.status == "Success", ([error.message for error in run.errors], drill.unforeseen)
	assert not oracle.listed(run)
	oracle.content_is_as_without_the_fault()


def stops(cell: Cell, drill: Drill, oracle: Oracle, run) -> None:
	assert run.status in ("Failed", "Partial") and run.message
	oracle.nothing_wrong_is_stored()
	assert not drill.is_connected()
	drill.connect()
	assert drill.run("Full").status == "Success"
	oracle.content_is_as_without_the_fault()


def cancelled(cell: Cell, drill: Drill, oracle: Oracle, run) -> None:
	assert run.status == "Cancelled" and run.finished_at
	assert drill.run("Full").status == "Success"
	oracle.content_is_as_without_the_fault()


def kept(cell: Cell, drill: Drill, oracle: Oracle, run) -> None:
	"""What somebody has done stands, and nothing else has changed."""
	assert run.status == "Success", ([error.message for error in run.errors], drill.unforeseen)
	assert drill.run("Full").status == "Success"
	deleted = drill.keys[0] if cell.more["act"] == "the Campaign is deleted" else None
	assert bool(campaign_named(drill.keys[0])) is not bool(deleted)
	assert_same(without(drill.wanted, deleted), without(drill.content(), deleted))
	links = frappe.get_all(RECIPIENT, {"contact": ("is", "set")}, pluck="contact", distinct=True)
	assert set(links) <= set(frappe.get_all("Contact", pluck="name"))
	assert not frappe.db.exists(RUN, {"status": ("in", ("Queued", "Running", "Waiting"))})


def without(content: dict[str, list[str]], key: str | None) -> dict[str, list[str]]:
	"""Return rows and figures of all campaigns but one, without their links to Contacts."""
	kinds = {RECIPIENT: "campaign", "Campaign Analytics": "campaign", "Campaign": "zoho_campaign_key"}
	found = {}
	for kind, column in kinds.items():
		rows = [row for row in map(json.loads, content[kind]) if row[column] != key]
		left_out = (
			"_assign",
			"_comments",
			"_liked_by",
			"_user_tags",
			"contact",
			"contact_removed",
			"naming_series",
			"zoho_campaign_key" if not key else "",
		)
		found[kind] = sorted(
			json.dumps({name: row[name] for name in row if name not in left_out}, sort_keys=True)
			for row in rows
		)
	return found


JUDGES = {"recovers": recovers, "stops": stops, "cancelled": cancelled, "kept": kept}
