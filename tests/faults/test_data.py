"""Faults in the data: lists that change while they are read, and bad values field by field."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

import frappe

from tests.faults import matrix
from tests.faults.harness import PAGE_SIZE, Harness
from tests.faults.matrix import Cell
from tests.faults.matrix_data import ABSENT, data
from tests.faults.oracle import Oracle
from tests.site.database_content import forget_everything
from tests.site.syncing import RECIPIENT, duplicates, errors_of

CELLS = matrix.selected(data())
VALUES = [cell for cell in CELLS if cell.group == "Bad values"]
LISTS = [cell for cell in CELLS if cell.group != "Bad values"]
# Contacts are not compared: a sync never overwrites the values with which it created them.
COMPARED = (RECIPIENT, "Campaign", "Campaign Analytics")


@pytest.mark.parametrize("cell", VALUES, ids=lambda cell: cell.id)
def test_bad_values(cell: Cell, harness: Harness, oracle: Oracle) -> None:
	faults, spoiled = bad_values(cell, harness)
	harness.zoho.plan(*faults)
	run = harness.run()
	assert harness.faults_fired()
	assert harness.job_error is None and run.status in ("Success", "Partial"), run.message
	assert not frappe.db.count("Error Log")
	for error in errors_of(run):
		assert error.message and "campaign failed" not in error.message
	if cell.stage == "recipients":
		other_rows_are_as_expected(harness, spoiled)
	assert not duplicates()
	# Once Zoho sends good values, the site holds what it holds without the fault.
	harness.zoho.plan()
	again = harness.run("Full")
	assert again.status == "Success", [error.message for error in again.errors]
	wanted, found = harness.expected_content, harness.content()
	for kind in COMPARED:
		assert sorted(without_links(found[kind])) == sorted(without_links(wanted[kind])), kind
	oracle.no_secret_leaked()


def bad_values(cell: Cell, harness: Harness) -> tuple[list[dict], set[str]]:
	"""Return faults that spread the bad values over the records, and the addresses of these records."""
	bad, spoiled = list(cell.more["values"].values()), set()
	faults = []
	if cell.stage == "recipients":
		field, action = cell.more["field"], cell.more["list"]
		for key in harness.mailing_keys():
			listed = harness.listed(key, action)
			for page in range(0, len(listed), PAGE_SIZE):
				put, drop = {}, []
				for place, email in enumerate(listed[page : page + PAGE_SIZE]):
					path, value = f"list_of_details.{place}.{field}", bad[len(spoiled) % len(bad)]
					spoiled.add(email)
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
		return faults, spoiled
	path = cell.more["path"]
	if cell.stage == "list":
		# One bad value for each campaign, whenever the list is read.
		put = {path.format(place): value for place, value in enumerate(bad[:3]) if value is not ABSENT}
		drop = [path.format(place) for place, value in enumerate(bad[:3]) if value is ABSENT]
		return [{"fault": "edit", "endpoint": "recentcampaigns", "put": put, "drop": drop}], set()
	for place, value in enumerate(bad[: len(harness.campaign_keys)]):
		change = {"drop": [path]} if value is ABSENT else {"put": {path: value}}
		match = {"campaignkey": harness.campaign_keys[place]}
		faults.append({"fault": "edit", "endpoint": "campaignreports", "match": match, **change})
	return faults, set()


def other_rows_are_as_expected(harness: Harness, spoiled: set[str]) -> None:
	"""Check that every row of a person whose record has no bad value is stored as expected."""
	rows = [(row, json.loads(row)) for row in harness.expected_content[RECIPIENT]]
	# An erased person is recognised by the contact id alone.
	wanted = {without_link(text) for text, row in rows if row["email"] not in spoiled and not row["rtbf"]}
	missing = wanted - {without_link(row) for row in harness.content()[RECIPIENT]}
	assert not missing, list(missing)[:2]


def without_link(text: str) -> str:
	row = json.loads(text)
	return json.dumps(
		{name: row[name] for name in row if name not in ("contact", "contact_removed")}, sort_keys=True
	)


def without_links(rows: list[str]) -> list[str]:
	return [without_link(text) for text in rows]


@pytest.mark.parametrize("cell", LISTS, ids=lambda cell: cell.id)
def test_lists(cell: Cell, harness: Harness, oracle: Oracle) -> None:
	before = LIST_FAULTS[cell.fault if cell.stage == "recipients" else f"list: {cell.fault}"](harness)
	run = harness.run()
	if cell.outcome == "recovers":
		assert run.status == "Success", [error.message for error in run.errors]
	elif cell.outcome == "listed":
		assert run.status == "Partial" and errors_of(run)
	else:
		assert run.status == "Success"
		assert [row for row in run.errors if row.severity == "Note" and "stored of" in row.message]
	assert not duplicates()
	harness.zoho.plan()
	again = harness.run("All")
	assert again.status == "Success", [error.message for error in again.errors]
	found = harness.content()
	if before == "moved":  # compare with a first sync of what Zoho has now
		harness.zoho.set(grow_every=0)
		harness.run("All")
		found = harness.content()
		forget_everything()
		harness.run()
		wanted = harness.content()
	else:
		wanted = harness.expected_content
	for kind in COMPARED:
		assert sorted(without_links(found[kind])) == sorted(without_links(wanted[kind])), kind
	oracle.no_secret_leaked()


def page(harness: Harness, fromindex: int = PAGE_SIZE + 1, **fault: object) -> None:
	"""Plan an edit of one page of the longest list."""
	match = {"campaignkey": harness.plain_key, "action": "sentcontacts", "fromindex": fromindex}
	harness.zoho.plan({"fault": "edit", "endpoint": "getcampaignrecipientsdata", "match": match, **fault})


def growing(where: str) -> Callable[[Harness], str]:
	def grow(harness: Harness) -> str:
		harness.zoho.set(grow_every=2, new_rows=where)
		return "moved"

	return grow


def row_on_two_pages(harness: Harness) -> str:
	rows = harness.records(harness.plain_key, "sentcontacts")
	page(harness, put={"list_of_details.0": rows[PAGE_SIZE - 1]})
	return ""


def removed_before(harness: Harness) -> str:
	"""Serve the second page as if a row of the first page had been removed: one row is on no page."""
	rows = harness.records(harness.plain_key, "sentcontacts")
	page(harness, put={"list_of_details": rows[PAGE_SIZE + 1 : 2 * PAGE_SIZE + 1]})
	return ""


def short_page(harness: Harness) -> str:
	page(harness, drop=["list_of_details.0"])
	return ""


def empty_page(harness: Harness) -> str:
	page(harness, put={"list_of_details": []})
	return ""


def same_page(harness: Harness) -> str:
	rows = harness.records(harness.plain_key, "sentcontacts")[:PAGE_SIZE]
	match = {"campaignkey": harness.plain_key, "action": "sentcontacts"}
	harness.zoho.plan(
		{
			"fault": "edit",
			"endpoint": "getcampaignrecipientsdata",
			"match": match,
			"put": {"list_of_details": rows},
		}
	)
	return ""


def other_name(harness: Harness) -> str:
	rows = harness.records(harness.plain_key, "sentcontacts")[PAGE_SIZE : 2 * PAGE_SIZE]
	page(harness, put={"contacts": rows}, drop=["list_of_details"])
	return ""


def no_record(harness: Harness) -> str:
	page(harness, put={"list_of_details.3": "not a record"})
	return ""


def total(number: int) -> Callable[[Harness], str]:
	def lie(harness: Harness) -> str:
		page(
			harness,
			fromindex=1,
			put={"requestdetails.total_record_count": number, "total_record_count": number},
		)
		return ""

	return lie


def other_range(harness: Harness) -> str:
	harness.zoho.plan(
		{
			"fault": "edit",
			"endpoint": "getcampaignrecipientsdata",
			"put": {"requestdetails.range": PAGE_SIZE * 50},
		}
	)
	return ""


def counters(change: int) -> Callable[[Harness], str]:
	def lie(harness: Harness) -> str:
		assert change > 0 or harness.run().status == "Success"
		sent = len(harness.records(harness.plain_key, "sentcontacts"))
		put = {"campaign-reports.0.emails_sent_count": str(sent + change)}
		match = {"campaignkey": harness.plain_key}
		harness.zoho.plan({"fault": "edit", "endpoint": "campaignreports", "match": match, "put": put})
		return ""

	return lie


def end_of_list(form: str) -> Callable[[Harness], str]:
	"""Let every list end with a full page, and answer the next page in this form."""

	def end(harness: Harness) -> str:
		harness.zoho.set(end_of_list=form)
		frappe.db.set_single_value("Zoho Settings", "page_size", 1)
		frappe.db.commit()
		return ""

	return end


def pages_of(size: int) -> Callable[[Harness], str]:
	def make(harness: Harness) -> str:
		harness.zoho.set(max_range=size)
		return ""

	return make


def campaign_twice(harness: Harness) -> str:
	first = harness.campaigns()[0]
	harness.zoho.plan({"fault": "edit", "endpoint": "recentcampaigns", "put": {"recent_campaigns.+": first}})
	return ""


def options(**options: object) -> Callable[[Harness], str]:
	def turn(harness: Harness) -> str:
		harness.zoho.set(**options)
		return ""

	return turn


def edit_list(**fault: object) -> Callable[[Harness], str]:
	def edit(harness: Harness) -> str:
		harness.zoho.plan({"fault": "edit", "endpoint": "recentcampaigns", **fault})
		return ""

	return edit


LIST_FAULTS: dict[str, Callable[[Harness], str]] = {
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
	"list: drafts in spite of the filter": options(status_filter=False),
}
