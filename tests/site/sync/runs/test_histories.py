"""Equality of histories: however a site came to its data by incremental runs, it has what a fresh sync would have.

Each history is a random sequence of what happens at Zoho (opens, clicks, repeat clicks, opt-outs, complaints, soft
bounces that become hard, new, renamed and deleted campaigns, erased persons) and here (contacts edited, merged,
deleted; runs of what is due, of everything, of every list). At its end one run of all campaigns reads every list once
more, and the content must equal that of a fresh sync of the same account.

Left out of the comparison, as it logically must be:
- campaigns that Zoho has deleted: they stay here, and a fresh sync never sees them;
- contacts, and the links to them: a person has edited, merged or deleted some, and whom a deleted campaign or an early
  name has brought stays as it was. Instead every row whose address a Contact has must lead to a Contact, no
  opt-out may be lost, and a contact that nobody here touched has what a fresh sync gives it.

A failure prints the seed; `ZOHO_SEED=n` plays that history alone, `ZOHO_HISTORIES=n` plays as many.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable

import pytest

import frappe

from tests.site.database_content import assert_same, content, forget_everything, run_all, shift
from tests.site.server import settle
from tests.site.syncing import RECIPIENT, connect, duplicates

HISTORIES = int(os.environ.get("ZOHO_HISTORIES") or 30)
SEEDS = [int(os.environ["ZOHO_SEED"])] if os.environ.get("ZOHO_SEED") else list(range(1, HISTORIES + 1))
STEPS = 5


class History:
	"""Plays random steps; remembers which addresses people here have touched."""

	def __init__(self, zoho, seed: int) -> None:
		self.zoho, self.random = zoho, random.Random(seed)
		self.told: list[str] = []
		self.touched: set[str] = set()

	def play(self) -> None:
		run_all("All")
		for _nth in range(STEPS):
			for step in self.random.sample(
				(self.at_zoho, self.at_zoho, self.edit, self.merge, self.delete), 2
			):
				step()
			self.sync()

	def sync(self) -> None:
		mode = self.random.choice(("Due", "Due", "All", "Full"))
		if mode == "Due" and self.random.random() < 0.5:
			shift(days=self.random.choice((0.3, 2, 8)))
		run = run_all(mode, seconds=self.random.choice((600, 600, 0)))
		self.tell("sync", mode, run.status)

	def at_zoho(self) -> None:
		kinds = {
			"opens": 5,
			"clicks": 3,
			"repeat_clicks": 3,
			"opt_outs": 2,
			"complaints": 2,
			"soft_to_hard": 2,
			"new_campaigns": 1,
			"renamed": 1,
			"deleted": 1,
			"erased": 1,
		}
		chosen = {
			kind: self.random.randint(1, most) for kind, most in kinds.items() if self.random.random() < 0.4
		}
		if chosen.get("deleted") and len(self.zoho.world.sent()) < 2:
			del chosen["deleted"]
		chosen = chosen or {"opens": 1}
		self.zoho.evolve(days=self.random.choice((0, 1, 3)), **chosen)
		self.tell("zoho", chosen)

	def contact(self) -> str | None:
		names = frappe.get_all("Contact", {"zoho_contact_id": ("is", "set")}, pluck="name", order_by="name")
		if not names:
			return None
		name = self.random.choice(names)
		self.touch(name)
		return name

	def touch(self, contact: str) -> None:
		emails = frappe.get_all(
			"Contact Email", {"parent": contact, "parenttype": "Contact"}, pluck="email_id"
		)
		self.touched.update(email.strip().lower() for email in emails)
		linked = frappe.get_all(RECIPIENT, {"contact": contact}, pluck="email")
		self.touched.update(linked)

	def edit(self) -> None:
		if name := self.contact():
			contact = frappe.get_doc("Contact", name)
			contact.update({"first_name": "Edited", "company_name": "Typed", "designation": ""})
			if self.random.random() < 0.4:
				contact.unsubscribed = 1
			contact.save()
			settle()
			self.tell("edit", name)

	def merge(self) -> None:
		old, new = self.contact(), self.contact()
		if old and new and old != new:
			frappe.rename_doc("Contact", old, new, merge=True)
			self.touch(new)
			settle()
			self.tell("merge", old, new)

	def delete(self) -> None:
		if name := self.contact():
			frappe.delete_doc("Contact", name)
			settle()
			self.tell("delete", name)

	def tell(self, *words: object) -> None:
		self.told.append(" ".join(map(str, words)))


FIGURES = (
	"action_date",
	"sent_time",
	"country",
	"open_count",
	"click_count",
	"clicked_links",
	"url_clicks",
	"bounced",
)


def comparable(zoho) -> dict[str, list[str]]:
	"""Return the content of the campaigns that Zoho still has, without contacts and links to them."""
	alive = {campaign.key for campaign in zoho.world.sent()}
	found = content(contacts=False)
	kept: dict[str, list[str]] = {}
	for kind, key in (
		(RECIPIENT, "campaign"),
		("Campaign", "zoho_campaign_key"),
		("Campaign Analytics", "campaign"),
	):
		rows = [json.loads(text) for text in found[kind]]
		for row in rows:
			row.pop("contact", None)
			row.pop("contact_removed", None)
			if row.get("rtbf"):  # a site that knew the person keeps the figures, one that never did has none
				for figure in FIGURES:
					row.pop(figure)
		kept[kind] = sorted(json.dumps(row, sort_keys=True) for row in rows if row[key] in alive)
	return kept


def untouched(addresses: set[str]) -> dict[str, dict]:
	"""Return the contacts of addresses that nobody here has touched, by address."""
	fields = ("first_name", "last_name", "email_id", "unsubscribed", "zoho_contact_id", "zoho_status")
	contacts = frappe.get_all("Contact", {"email_id": ("is", "set")}, [*fields])
	return {row.email_id: dict(row) for row in contacts if row.email_id not in addresses}


def assert_links() -> None:
	"""Every row leads to the Contact that has its address, if just one does; no opt-out is lost."""
	owners: dict[str, set[str]] = {}
	for email, parent in frappe.db.sql(
		"select email_id, parent from `tabContact Email` where parenttype='Contact'"
	):
		owners.setdefault(email.strip().lower(), set()).add(parent)
	names = set(frappe.get_all("Contact", pluck="name"))
	from erpnext_zoho_integration.consent import suppression_list

	opted_out = set(frappe.get_all("Contact", {"unsubscribed": 1}, pluck="name"))
	for row in frappe.get_all(RECIPIENT, {"rtbf": 0}, ["email", "contact", "action_type"]):
		if row.contact:
			assert row.contact in names, row
		else:
			assert len(owners.get(row.email, ())) != 1, row
		if row.action_type in ("Unsubscribed", "Complaint"):
			assert suppression_list.blocked_among({row.email}), row
			assert owners.get(row.email, set()) <= opted_out, row


@pytest.mark.parametrize("seed", SEEDS)
def test_a_history_ends_as_a_fresh_sync_does(start_simulator: Callable, seed: int) -> None:
	sizes = random.Random(seed * 7919)
	knobs = {"campaigns": sizes.randint(1, 4), "recipients": sizes.choice((40, 80, 130)), "max_range": 25}
	knobs["new_rows"] = sizes.choice(("last", "first"))
	knobs["end_of_list"] = sizes.choice(("6303", "empty", "absent"))
	zoho = connect(start_simulator(seed=seed, **knobs), page_size=25)
	history = History(zoho, seed)
	try:
		history.play()
		run = run_all("Full")
		assert run.status == "Success", [row.message for row in run.errors]
		assert not duplicates()
		assert_links()
		lived, people = comparable(zoho), untouched(history.touched)
		forget_everything()
		run_all("All")
		assert_same(comparable(zoho), lived, f"seed {seed}")
		fresh = untouched(history.touched)
		missing = fresh.keys() - people.keys()
		assert not missing, missing
	except BaseException:
		print(f"ZOHO_SEED={seed}, {knobs}:", *history.told, sep="\n  ")
		raise
