"""Faults in the data: lists that move while they are read, and bad values field by field."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

import frappe

from tests.faults import plan
from tests.faults.drill import PAGE_SIZE, Drill
from tests.faults.oracle import Oracle
from tests.faults.plan import Cell
from tests.faults.plan_data import ABSENT, data
from tests.site.database_content import forget_everything
from tests.site.syncing import RECIPIENT, duplicates, errors_of

CELLS = plan.played(data())
VALUES = [cell for cell in CELLS if cell.group == "Bad values"]
LISTS = [cell for cell in CELLS if cell.group != "Bad values"]
# A Contact keeps what it was made with: no sync ever overwrites it.
COMPARED = (RECIPIENT, "Campaign", "Campaign Analytics")


@pytest.mark.parametrize("cell", VALUES, ids=lambda cell: cell.id)
def test_bad_values(cell: Cell, drill: Drill, oracle: Oracle) -> None:
	faults, strangers = bad_values(cell, drill)
	drill.zoho.plan(*faults)
	run = drill.run()
	assert drill.fired()
	assert drill.unforeseen is None and run.status in ("Success", "Partial"), run.message
	assert not frappe.db.count("Error Log")
	for error in errors_of(run):
		assert error.message and "campaign failed" not in error.message
	if cell.stage == "recipients":
		others_are_untouched(drill, strangers)
	assert not duplicates()
	# Once Zoho gives the values, the site has what it has without the fault.
	drill.zoho.plan()
	again = drill.run("Full")
	assert again.status == "Success", [error.message for error in again.errors]
	wanted, found = drill.wanted, drill.content()
	for kind in COMPARED:
		assert sorted(neutral(found[kind])) == sorted(neutral(wanted[kind])), kind
	oracle.no_secret_is_told()


def bad_values(cell: Cell, drill: Drill) -> tuple[list[dict], set[str]]:
	"""Return the faults, one bad value after the other on one record after the other, and the addresses concerned."""
	bad, strangers = list(cell.more["values"].values()), set()
	faults = []
	if cell.stage == "recipients":
		field, action = cell.more["field"], cell.more["list"]
		for key in drill.keys_with_children():
			listed = drill.listed(key, action)
			for page in range(0, len(listed), PAGE_SIZE):
				put, drop = {}, []
				for place, email in enumerate(listed[page : page + PAGE_SIZE]):
					path, value = f"list_of_details.{place}.{field}", bad[len(strangers) % len(bad)]
					strangers.add(email)
					if value is ABSENT:
						drop.append(path)
					else:
						put[path] = value
				match = {"campaignkey": key, "action": action, "fromindex": page + 1}
				faults.append(
					{
						"fault": "edit",
						"endpoint": "getcampaignrecipientsdata",
						"match": match,
						"put": put,
						"drop": drop,
					}
				)
		return faults, strangers
	path = cell.more["path"]
	if cell.stage == "list":
		# All of them, one after the other, each time the list is read.
		put = {path.format(place): value for place, value in enumerate(bad[:3]) if value is not ABSENT}
		drop = [path.format(place) for place, value in enumerate(bad[:3]) if value is ABSENT]
		return [{"fault": "edit", "endpoint": "recentcampaigns", "put": put, "drop": drop}], set()
	for place, value in enumerate(bad[: len(drill.keys)]):
		change = {"drop": [path]} if value is ABSENT else {"put": {path: value}}
		match = {"campaignkey": drill.keys[place]}
		faults.append({"fault": "edit", "endpoint": "campaignreports", "match": match, **change})
	return faults, set()


def others_are_untouched(drill: Drill, strangers: set[str]) -> None:
	"""Every row of somebody whose record was not spoiled is there as it should be."""
	rows = [(row, json.loads(row)) for row in drill.wanted[RECIPIENT]]
	# Who has been erased is known by the contact id alone.
	wanted = {without_link(text) for text, row in rows if row["email"] not in strangers and not row["rtbf"]}
	missing = wanted - {without_link(row) for row in drill.content()[RECIPIENT]}
	assert not missing, list(missing)[:2]


def without_link(text: str) -> str:
	row = json.loads(text)
	return json.dumps(
		{name: row[name] for name in row if name not in ("contact", "contact_removed")}, sort_keys=True
	)


def neutral(rows: list[str]) -> list[str]:
	return [without_link(text) for text in rows]


@pytest.mark.parametrize("cell", LISTS, ids=lambda cell: cell.id)
def test_lists(cell: Cell, drill: Drill, oracle: Oracle) -> None:
	before = TROUBLE[cell.fault if cell.stage == "recipients" else f"list: {cell.fault}"](drill)
	run = drill.run()
	if cell.outcome == "recovers":
		assert run.status == "Success", [error.message for error in run.errors]
	elif cell.outcome == "listed":
		assert run.status == "Partial" and errors_of(run)
	else:
		assert run.status == "Success"
		assert [row for row in run.errors if row.severity == "Note" and "stored of" in row.message]
	assert not duplicates()
	drill.zoho.plan()
	again = drill.run("All")
	assert again.status == "Success", [error.message for error in again.errors]
	found = drill.content()
	if before == "moved":  # what Zoho has now, as a site reads it that has never been synced
		drill.zoho.set(grow_every=0)
		drill.run("All")
		found = drill.content()
		forget_everything()
		drill.run()
		wanted = drill.content()
	else:
		wanted = drill.wanted
	for kind in COMPARED:
		assert sorted(neutral(found[kind])) == sorted(neutral(wanted[kind])), kind
	oracle.no_secret_is_told()


def page(drill: Drill, fromindex: int = PAGE_SIZE + 1, **fault: object) -> None:
	"""Plan an edit of one page of the target's longest list."""
	match = {"campaignkey": drill.plain, "action": "sentcontacts", "fromindex": fromindex}
	drill.zoho.plan({"fault": "edit", "endpoint": "getcampaignrecipientsdata", "match": match, **fault})


def growing(where: str) -> Callable[[Drill], str]:
	def grow(drill: Drill) -> str:
		drill.zoho.set(grow_every=2, new_rows=where)
		return "moved"

	return grow


def row_on_two_pages(drill: Drill) -> str:
	rows = drill.records(drill.plain, "sentcontacts")
	page(drill, put={"list_of_details.0": rows[PAGE_SIZE - 1]})
	return ""


def removed_before(drill: Drill) -> str:
	"""Serve the second page as it is once a row of the first one has gone: one row is on no page."""
	rows = drill.records(drill.plain, "sentcontacts")
	page(drill, put={"list_of_details": rows[PAGE_SIZE + 1 : 2 * PAGE_SIZE + 1]})
	return ""


def short_page(drill: Drill) -> str:
	page(drill, drop=["list_of_details.0"])
	return ""


def empty_page(drill: Drill) -> str:
	page(drill, put={"list_of_details": []})
	return ""


def same_page(drill: Drill) -> str:
	rows = drill.records(drill.plain, "sentcontacts")[:PAGE_SIZE]
	match = {"campaignkey": drill.plain, "action": "sentcontacts"}
	drill.zoho.plan(
		{
			"fault": "edit",
			"endpoint": "getcampaignrecipientsdata",
			"match": match,
			"put": {"list_of_details": rows},
		}
	)
	return ""


def other_name(drill: Drill) -> str:
	rows = drill.records(drill.plain, "sentcontacts")[PAGE_SIZE : 2 * PAGE_SIZE]
	page(drill, put={"contacts": rows}, drop=["list_of_details"])
	return ""


def no_record(drill: Drill) -> str:
	page(drill, put={"list_of_details.3": "not a record"})
	return ""


def total(number: int) -> Callable[[Drill], str]:
	def lie(drill: Drill) -> str:
		page(
			drill,
			fromindex=1,
			put={"requestdetails.total_record_count": number, "total_record_count": number},
		)
		return ""

	return lie


def other_range(drill: Drill) -> str:
	drill.zoho.plan(
		{
			"fault": "edit",
			"endpoint": "getcampaignrecipientsdata",
			"put": {"requestdetails.range": PAGE_SIZE * 50},
		}
	)
	return ""


def counters(change: int) -> Callable[[Drill], str]:
	def lie(drill: Drill) -> str:
		assert change > 0 or drill.run().status == "Success"
		sent = len(drill.records(drill.plain, "sentcontacts"))
		put = {"campaign-reports.0.emails_sent_count": str(sent + change)}
		match = {"campaignkey": drill.plain}
		drill.zoho.plan({"fault": "edit", "endpoint": "campaignreports", "match": match, "put": put})
		return ""

	return lie


def end_of_list(form: str) -> Callable[[Drill], str]:
	"""Let every list end with a full page and a page past its end, told in this form."""

	def end(drill: Drill) -> str:
		drill.zoho.set(end_of_list=form)
		frappe.db.set_single_value("Zoho Settings", "page_size", 1)
		frappe.db.commit()
		return ""

	return end


def pages_of(size: int) -> Callable[[Drill], str]:
	def make(drill: Drill) -> str:
		drill.zoho.set(max_range=size)
		return ""

	return make


def campaign_twice(drill: Drill) -> str:
	first = drill.campaigns()[0]
	drill.zoho.plan({"fault": "edit", "endpoint": "recentcampaigns", "put": {"recent_campaigns.+": first}})
	return ""


def knob(**knobs: object) -> Callable[[Drill], str]:
	def turn(drill: Drill) -> str:
		drill.zoho.set(**knobs)
		return ""

	return turn


def edit_list(**fault: object) -> Callable[[Drill], str]:
	def edit(drill: Drill) -> str:
		drill.zoho.plan({"fault": "edit", "endpoint": "recentcampaigns", **fault})
		return ""

	return edit


TROUBLE: dict[str, Callable[[Drill], str]] = {
	"a row is added behind while pages are read": growing("last"),
	"a row is added in front while pages are read": growing("first"),
	"a row is on two pages, and another one on none": row_on_two_pages,
	"a row is removed before the page": removed_before,
	"a short page in the middle": short_page,
	"an empty page in the middle": empty_page,
	"the same page again and again": same_page,
	"the rows under another name": other_name,
	"a row that is no record": no_record,
	"a total that is too small": total(3),
	"a total that is too large": total(10_000),
	"another page size told than asked for": other_range,
	"counters that shrink": counters(-2),
	"counters that are too large": counters(2),
	**{
		f"an empty list as {form}": end_of_list(form)
		for form in ("6303", "6302", "6501", "text", "empty", "absent")
	},
	"list: a campaign on two pages": campaign_twice,
	"list: a total that is too small": edit_list(put={"total_record_count": 1}),
	"list: a row that is no record": edit_list(put={"recent_campaigns.+": "not a campaign"}),
	"list: pages of one campaign": pages_of(10),
	"list: drafts in spite of the filter": knob(status_filter=False),
}
