"""People who edit, rename, merge, delete, disconnect or start another sync during a run, and clocks that jump."""

from __future__ import annotations

import json
import time
import types
from collections.abc import Callable
from datetime import timedelta

import pytest

import frappe
from frappe.utils import now_datetime

from erpnext_zoho_integration.connection.tokens import disconnect
from erpnext_zoho_integration.sync.mapping import site_clock
from erpnext_zoho_integration.sync.runs import queue
from erpnext_zoho_integration.sync.runs import worker as run_worker
from tests.faults import injectors, matrix
from tests.faults.harness import Harness
from tests.faults.matrix import Cell
from tests.faults.matrix_site import clocks, people
from tests.faults.oracle import Oracle
from tests.site.connecting import SETTINGS
from tests.site.database_content import RUN, assert_same
from tests.site.server import settle
from tests.site.syncing import RECIPIENT, campaign_named, duplicates, new_contact


class Person:
	"""A user of the site, who does one thing during a run.

	Args:
		harness: the account and the site.
		run: name of the run.
	"""

	def __init__(self, harness: Harness, run: str) -> None:
		self.harness, self.run = harness, run
		self.campaign = campaign_named(harness.campaign_keys[0])
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
		"""Do what the scheduler does every hour and every minute."""
		assert queue.start("Schedule") == (self.run, False)
		queue.resume_waiting()

	def start_button(self) -> None:
		"""Do what the button of a Campaign does, with a worker that takes the job at once."""
		name, created = queue.start("User", campaign_named(self.harness.campaign_keys[0]), "Full")
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
PEOPLE = [cell for cell in matrix.selected([*people(), *clocks()]) if "act" in cell.more]
CLOCKS = [cell for cell in matrix.selected(clocks()) if "clock" in cell.more]


@pytest.mark.parametrize("cell", PEOPLE, ids=lambda cell: cell.id)
def test_somebody_acts(
	cell: Cell, harness: Harness, oracle: Oracle, worker, monkeypatch: pytest.MonkeyPatch
) -> None:
	if not cell.more.get("first"):
		assert harness.run().status == "Success"
	name = harness.open_run("Full")

	def act() -> None:
		ACTS[cell.more["act"]](Person(harness, name))
		settle()

	with injectors.between_transactions(cell.stage, act, monkeypatch) as done:
		harness.work_on(name)
	monkeypatch.undo()
	worker.discard_jobs()
	assert done, "nothing was done during the run"
	run = harness.reload_run(name)
	undo_edits()
	JUDGES[cell.outcome](cell, harness, oracle, run)
	oracle.no_secret_leaked()
	assert not duplicates()


@pytest.mark.parametrize("cell", CLOCKS, ids=lambda cell: cell.id)
def test_the_clock_jumps(
	cell: Cell, harness: Harness, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
	assert harness.run().status == "Success"
	jump, right = timedelta(hours=cell.more["clock"]), now_datetime()

	def act() -> None:
		let_clock_jump(jump, monkeypatch)

	name = harness.open_run("Full")
	with injectors.between_transactions(cell.stage, act, monkeypatch) as done:
		harness.work_on(name)
	assert done
	run = harness.reload_run(name)
	assert abs(now_datetime() - right - jump) < timedelta(minutes=5)
	recovers(cell, harness, oracle, run)
	assert run.duration >= 0
	assert harness.run("Full").status == "Success"
	oracle.content_is_as_expected()
	oracle.no_secret_leaked()


def let_clock_jump(jump: timedelta, patch: pytest.MonkeyPatch) -> None:
	"""Shift the site's clock by `jump` in this process, also where `now_datetime` has been imported already."""
	names = now_datetime.__globals__
	patch.setattr(site_clock, "now_epoch", lambda: time.time() + jump.total_seconds())
	patch.setitem(names, "_right_clock", types.FunctionType(now_datetime.__code__, names))
	patch.setitem(names, "_jump", jump)
	patch.setattr(now_datetime, "__code__", (lambda: _right_clock() + _jump).__code__)  # noqa: F821 - names of its module


def undo_edits() -> None:
	"""Empty the fields that `Person` has filled; a sync never does."""
	frappe.db.set_value(
		"Campaign", {"description": ("is", "set")}, "description", None, update_modified=False
	)
	frappe.db.set_value(
		"Contact", {"department": "typed in mid-run"}, "department", None, update_modified=False
	)
	settle()


def recovers(cell: Cell, harness: Harness, oracle: Oracle, run) -> None:
	assert run.status == "Success", ([error.message for error in run.errors], harness.job_error)
	assert not oracle.reported_missing(run)
	oracle.content_is_as_expected()


def stops(cell: Cell, harness: Harness, oracle: Oracle, run) -> None:
	assert run.status in ("Failed", "Partial") and run.message
	oracle.nothing_wrong_is_stored()
	assert not harness.is_connected()
	harness.connect()
	assert harness.run("Full").status == "Success"
	oracle.content_is_as_expected()


def cancelled(cell: Cell, harness: Harness, oracle: Oracle, run) -> None:
	assert run.status == "Cancelled" and run.finished_at
	assert harness.run("Full").status == "Success"
	oracle.content_is_as_expected()


def kept(cell: Cell, harness: Harness, oracle: Oracle, run) -> None:
	"""Check that what the person did stays, and that nothing else has changed."""
	assert run.status == "Success", ([error.message for error in run.errors], harness.job_error)
	assert harness.run("Full").status == "Success"
	deleted = harness.campaign_keys[0] if cell.more["act"] == "the Campaign is deleted" else None
	assert bool(campaign_named(harness.campaign_keys[0])) is not bool(deleted)
	assert_same(without(harness.expected_content, deleted), without(harness.content(), deleted))
	links = frappe.get_all(RECIPIENT, {"contact": ("is", "set")}, pluck="contact", distinct=True)
	assert set(links) <= set(frappe.get_all("Contact", pluck="name"))
	assert not frappe.db.exists(RUN, {"status": ("in", ("Queued", "Running", "Waiting"))})


def without(content: dict[str, list[str]], key: str | None) -> dict[str, list[str]]:
	"""Return rows and figures of all campaigns but `key`, without links to Contacts."""
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
