"""A dry run counts what the run after it does, and writes nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import frappe

from erpnext_zoho_integration.store.doctypes import ERASED_PERSON
from erpnext_zoho_integration.sync.runs.dry_run import DryRun
from erpnext_zoho_integration.zoho import Transport
from tests.site.database_content import STATE, content, run_all, table
from tests.site.server import settle
from tests.site.syncing import answer_with, connect, new_contact, person

COUNTED = {
	"inserted": "rows_inserted",
	"updated": "rows_updated",
	"unchanged": "rows_unchanged",
	"skipped": "rows_skipped",
	"linked": "contacts_linked",
	"contacts": "contacts_created",
}
# Tables that a sync writes to, beyond those of `content`.
OTHER_TABLES = (
	STATE,
	"Zoho Sync Run",
	"Zoho Sync Task",
	ERASED_PERSON,
	"Error Log",
	"Comment",
	"Version",
	"Series",
)


def everything() -> tuple:
	return content(), {doctype: sorted(map(str, table(doctype, frozenset()))) for doctype in OTHER_TABLES}


def preview(mode: str = "All") -> dict[str, int]:
	"""Return the numbers of a dry run, which must leave the database as it is."""
	before = everything()
	previews = list(DryRun.for_site(mode).previews())
	frappe.db.commit()
	assert everything() == before
	assert not [each.error for each in previews if each.error]
	return {number: sum(getattr(each, number) for each in previews) for number in COUNTED}


def numbers_of(run: frappe.model.document.Document) -> dict[str, int]:
	return {number: run.get(fieldname) for number, fieldname in COUNTED.items()}


@pytest.mark.parametrize("create_for", ["Everyone Who Acted", "Everyone", "Nobody"])
def test_a_dry_run_counts_what_the_run_after_it_does(start_simulator: Callable, create_for: str) -> None:
	zoho = connect(start_simulator(seed=1, campaigns=3, recipients=80), create_contacts_for=create_for)
	expected = preview()
	assert expected["inserted"] and bool(expected["contacts"]) == (create_for != "Nobody")
	assert numbers_of(run_all()) == expected
	assert zoho.evolve(days=0, opens=4, clicks=2, opt_outs=1)
	expected = preview("Full")
	assert expected["inserted"] and expected["unchanged"]
	assert numbers_of(run_all("Full")) == expected


def test_a_dry_run_erases_nobody_opts_nobody_out_and_links_nothing(start_simulator: Callable) -> None:
	zoho = connect(start_simulator(seed=1, campaigns=1, recipients=10), create_contacts_for="Everyone")
	ada, bob = person("ada@example.com", 1), person("bob@example.com", 2)
	contact = new_contact("cleo@example.com", unsubscribed=0)
	settle()
	answer_with(zoho, {"openedcontacts": [ada, bob]})
	run_all()
	gone = person("null", 2, rtbf="1", contactfn="null", contactln="null")
	answer_with(zoho, {"openedcontacts": [ada, gone], "optoutcontacts": [person("cleo@example.com", 3)]})
	expected = preview("Full")
	assert (expected["linked"], expected["contacts"]) == (1, 0)
	assert not contact.reload().unsubscribed


def test_a_dry_run_says_why_records_are_left_out(start_simulator: Callable) -> None:
	zoho = connect(start_simulator(seed=1, campaigns=1, recipients=10))
	answer_with(zoho, {"openedcontacts": [person("", 1), person("", 2), person("ada@example.com", 3)]})
	[found] = DryRun.for_site("All").previews()
	assert (found.inserted, found.skipped, found.contacts, found.linked) == (1, 2, 1, 1)
	assert found.reasons == {"Recipients not stored: it has no e-mail address": 2}
	assert found.calls


def test_a_dry_run_names_a_refused_list_and_reads_the_others(
	start_simulator: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
	monkeypatch.setitem(Transport.__init__.__kwdefaults__, "sleep", lambda seconds: None)
	zoho = connect(start_simulator(seed=1, campaigns=1, recipients=40))
	opened = {"action": "openedcontacts"}
	zoho.plan({"fault": "garble", "endpoint": "getcampaignrecipientsdata", "match": opened})
	[found] = DryRun.for_site("All").previews()
	assert found.error and found.error not in found.reasons
	assert found.inserted == run_all().rows_inserted > 0
