"""Helpers for tests of the sync: the content of the database without values that differ between two runs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable

import pytest

import frappe

from erpnext_zoho_integration.sync.recipients.row_writers import Writers
from erpnext_zoho_integration.sync.runs import queue
from tests.site.server import settle
from tests.site.syncing import RECIPIENT
from zoho_simulator import Simulator

STATE, RUN, TASK = "Zoho Campaign State", "Zoho Sync Run", "Zoho Sync Task"
STAMPS = frozenset(
	{
		"name",
		"creation",
		"modified",
		"modified_by",
		"owner",
		"idx",
		"parent",
		"last_synced",
		"zoho_last_synced",
	}
)


def run_all(mode: str = "All", **options: object) -> frappe.model.document.Document:
	"""Run in this process and return the Zoho Sync Run; `options` are those of a slice."""
	return frappe.get_doc(RUN, queue.run_now("Python", mode=mode, **options))


def by_document(mode: str = "All") -> frappe.model.document.Document:
	"""Run with the Document API for every row and contact."""
	return run_all(mode, writers=Writers.by_document())


def share(process: Callable, run: str, workers: int) -> list[str]:
	"""Let several processes work on one run, and return the outcome of each."""
	started = [process("take-part", run).ready() for _nth in range(workers)]
	for each in started:
		each.go()
	return [each.end() for each in started]


def need_several_writers() -> None:
	"""Skip a test that needs two workers which write at the same time."""
	if frappe.db.db_type == "sqlite":
		pytest.skip("SQLite lets one worker write at a time")


def run_end(name: str) -> frappe.model.document.Document:
	settle()
	return frappe.get_doc(RUN, name)


def table(doctype: str, ignored: frozenset = STAMPS) -> list[dict]:
	"""Return the rows of a table without stamps and names."""
	rows = frappe.db.sql(f"select * from `tab{doctype}`", as_dict=True)
	return [{key: value for key, value in row.items() if key not in ignored} for row in rows]


def content(*, contacts: bool = True) -> dict[str, list[str]]:
	"""Return what a sync stores as sorted texts: rows with the addresses of their Contacts instead of names."""
	frappe.db.rollback()
	addresses: dict[str, list[str]] = {}
	for parent, email in frappe.db.sql(
		"select parent, email_id from `tabContact Email` where parenttype='Contact' order by email_id"
	):
		addresses.setdefault(parent, []).append(email)
	keys = dict(frappe.db.sql("select name, zoho_campaign_key from `tabCampaign`"))
	found: dict[str, list[dict]] = {RECIPIENT: [], "Campaign": [], "Campaign Analytics": [], "Contact": []}
	for row in table(RECIPIENT):
		# A row made by hand may belong to a Campaign without a Zoho key: keep its name.
		row["campaign"] = keys.get(row["campaign"]) or row["campaign"]
		row["contact"] = addresses.get(row["contact"]) if row["contact"] else None
		found[RECIPIENT].append(row)
	found["Campaign"] = [row for row in table("Campaign") if row.get("zoho_campaign_key")]
	for row in frappe.db.sql("select * from `tabCampaign Analytics`", as_dict=True):
		found["Campaign Analytics"].append(
			{
				"campaign": keys.get(row.parent),
				**{key: row[key] for key in ("metric", "value", "percentage", "idx")},
			}
		)
	if contacts:
		phones: dict[str, list[tuple]] = {}
		for row in frappe.db.sql("select * from `tabContact Phone` where parenttype='Contact'", as_dict=True):
			phones.setdefault(row.parent, []).append(
				(row.phone, row.is_primary_phone, row.is_primary_mobile_no, row.idx)
			)
		for row in frappe.db.sql("select * from `tabContact`", as_dict=True):
			values = {key: value for key, value in row.items() if key not in STAMPS}
			found["Contact"].append(
				{**values, "emails": addresses.get(row.name), "phones": sorted(phones.get(row.name, []))}
			)
	return {
		kind: sorted(json.dumps(row, default=str, sort_keys=True) for row in rows)
		for kind, rows in found.items()
	}


def difference(one: dict[str, list[str]], other: dict[str, list[str]]) -> dict[str, tuple]:
	"""Return examples of what only one of the two contents holds, by kind; empty if they are equal."""
	found = {}
	for kind in one:
		left, right = Counter(one[kind]), Counter(other[kind])
		if left != right:
			found[kind] = (sorted((left - right).elements())[:4], sorted((right - left).elements())[:4])
	return found


def assert_same(one: dict[str, list[str]], other: dict[str, list[str]], where: str = "") -> None:
	differs = difference(one, other)
	assert not differs, f"{where}: " + json.dumps(differs, indent=1)


def forget_everything() -> None:
	"""Empty the tables that a sync writes, and all Contacts, as on a fresh site."""
	frappe.db.rollback()
	for doctype in (
		"Campaign",
		"Campaign Analytics",
		RECIPIENT,
		STATE,
		RUN,
		"Zoho Sync Run Error",
		"Zoho Sync Run Campaign",
		TASK,
		"Zoho Deleted Campaign",
		"Zoho Consent Event",
		"Zoho Suppressed Address",
		"UTM Campaign",
	):
		if frappe.db.table_exists(doctype):
			frappe.db.delete(doctype)
	for doctype in ("Contact", "Contact Email", "Contact Phone"):
		frappe.db.delete(doctype)
	settle()
	forget_keys()
	frappe.clear_document_cache("Zoho Settings", "Zoho Settings")


def forget_keys(what: str = "") -> None:
	"""Delete the app's keys in Redis, such as locks and counted calls.

	Args:
		what: how the key goes on after `zoho-`.
	"""
	for key in frappe.cache.scan_iter(frappe.cache.make_key(f"zoho-{what}") + b"*"):
		frappe.cache.delete(key)


def calls(simulator: Simulator) -> Counter[str]:
	return Counter(simulator.stats()["calls"])


def pages_asked(simulator: Simulator, after: int = 0) -> list[tuple]:
	"""Return the pages of recipients asked for: (key, action, from index)."""
	return [
		(each["params"]["campaignkey"], each["params"]["action"], int(each["params"]["fromindex"]))
		for each in simulator.requests
		if each["endpoint"] == "getcampaignrecipientsdata" and each["number"] > after
	]


def last_request(simulator: Simulator) -> int:
	return simulator.requests[-1]["number"] if simulator.requests else 0


def states() -> dict[str, frappe._dict]:
	"""Return the stored states by Zoho's key."""
	frappe.db.rollback()
	return {row.zoho_campaign_key: row for row in frappe.get_all(STATE, fields=["*"])}


def shift(days: float) -> None:
	"""Make all campaigns look as if they had been checked `days` earlier."""
	from frappe.utils import add_to_date

	for row in frappe.get_all(STATE, fields=["name", "checked_at", "next_check_epoch", "full_check_at"]):
		values = {
			field: add_to_date(row[field], seconds=-days * 86400)
			for field in ("checked_at", "full_check_at")
			if row[field]
		}
		values["next_check_epoch"] = row.next_check_epoch - days * 86400
		frappe.db.set_value(STATE, row.name, values, update_modified=False)
	settle()
