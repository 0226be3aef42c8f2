"""Anonymising the recipients of old campaigns, and clearing old runs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import frappe
from frappe.utils import add_to_date, now_datetime

from erpnext_zoho_integration.sync.privacy import retention
from tests.site.server import settle
from tests.site.sync.privacy.people import TRACES_OF_ADA, ada, figures
from tests.site.syncing import (
	RECIPIENT,
	answer_with,
	connect,
	errors_of,
	new_contact,
	person,
	rows_of,
	sync_all,
)


def keep_for(months: int) -> None:
	"""Set how many months after sending recipients are anonymised."""
	frappe.db.set_single_value("Zoho Settings", "anonymise_after_months", months)
	frappe.db.commit()


def sent_months_ago(months: int) -> str:
	"""Move the time when the campaign was sent into the past; return the name of the Campaign."""
	campaign = frappe.get_last_doc("Campaign").name
	frappe.db.set_value(
		"Campaign", campaign, "zoho_sent_time", add_to_date(now_datetime(), months=-months, days=-1)
	)
	frappe.db.commit()
	return campaign


def test_old_campaigns_are_anonymised_and_keep_their_figures(zoho) -> None:
	keep_for(12)
	campaign = sent_months_ago(11)
	assert retention.anonymise_old_campaigns() == 0
	sent_months_ago(12)
	before = figures()
	assert retention.anonymise_old_campaigns() == 6 and retention.anonymise_old_campaigns() == 0
	assert figures() == before
	state = frappe.get_doc("Zoho Campaign State", {"campaign": campaign}).as_json()
	assert "utm_source=news" in state and "subscriber" not in state
	rows = rows_of(campaign)
	assert all(row.rtbf and row.email.startswith("anonymous-") and not row.contact for row in rows)
	assert len({row.email for row in rows}) == 2, "the number of people can still be counted"
	assert not [word for word in (*TRACES_OF_ADA, "bob@") if word in str(rows)]


@pytest.mark.parametrize("months", [0, -1])
def test_nothing_is_anonymised_unless_a_number_of_months_is_set(zoho, months: int) -> None:
	keep_for(months)
	sent_months_ago(600)
	assert retention.anonymise_old_campaigns() == 0


def test_a_later_sync_brings_nobody_back_and_makes_no_needless_call(start_simulator: Callable) -> None:
	zoho = connect(start_simulator(seed=1, campaigns=12, recipients=240))
	sync_all()
	oldest = frappe.get_all(
		"Campaign", {"zoho_campaign_key": ("is", "set")}, order_by="zoho_sent_time", limit=1, pluck="name"
	)[0]
	frappe.db.set_value("Campaign", oldest, "zoho_sent_time", add_to_date(now_datetime(), months=-3))
	keep_for(2)
	assert retention.anonymise_old_campaigns() == len(rows_of(oldest))
	before = rows_of(oldest)
	state = frappe.get_doc("Zoho Campaign State", {"campaign": oldest})
	assert state.anonymised_at and state.verdict in ("Complete", "Explained")
	# A full check that is overdue does not make a sync read the lists of an anonymised campaign.
	frappe.db.set_value(
		"Zoho Campaign State", state.name, "full_check_at", add_to_date(now_datetime(), days=-90)
	)
	calls = len(zoho.requests)
	assert sync_all().status == "Success"
	lists = [each for each in zoho.requests[calls:] if each["endpoint"] == "getcampaignrecipientsdata"]
	assert not [each for each in lists if each["params"]["campaignkey"] == state.zoho_campaign_key]
	assert rows_of(oldest) == before
	# A sync that reads every list again brings nobody back either.
	run = sync_all(full=True)
	assert not errors_of(run) and (run.rows_inserted, run.rows_updated) == (0, 0)
	assert rows_of(oldest) == before
	state.reload()
	assert state.verdict in ("Complete", "Explained")


def test_a_late_opt_out_is_stored_anonymised_and_reaches_the_contact(zoho) -> None:
	keep_for(2)
	campaign = sent_months_ago(3)
	retention.anonymise_old_campaigns()
	contact = new_contact("late@example.com")
	answer_with(zoho, {"optoutcontacts": [person("late@example.com", 9), ada()]})
	run = sync_all(full=True)
	assert run.opted_out == 2 and frappe.db.get_value("Contact", contact.name, "unsubscribed")
	rows = rows_of(campaign, "Unsubscribed")
	assert len(rows) == 2 and all(row.rtbf and not row.contact for row in rows) and "late@" not in str(rows)
	# A user clears the opt-out: the same row of Zoho does not set it again.
	frappe.db.set_value("Contact", contact.name, "unsubscribed", 0)
	assert sync_all(full=True).opted_out == 0


def test_a_first_sync_stores_old_campaigns_anonymised(start_simulator: Callable) -> None:
	zoho = connect(start_simulator(seed=1, campaigns=12, recipients=240), anonymise_after_months=1)
	run = sync_all()
	assert run.status == "Success"
	rows = frappe.get_all(RECIPIENT, fields=["campaign", "rtbf", "email"])
	limit = retention.cutoff()
	old = set(frappe.get_all("Campaign", {"zoho_sent_time": ("<", limit)}, pluck="name"))
	assert {row.campaign for row in rows if row.campaign in old}
	for row in rows:
		assert not (row.campaign in old and not row.rtbf), row
	assert len(rows) == zoho.expected()["rows"] + zoho.expected()["erased"]


def test_rows_that_a_merge_adds_are_anonymised_too(zoho, run_jobs: Callable[[], list[str]]) -> None:
	keep_for(2)
	campaign = sent_months_ago(3)
	retention.anonymise_old_campaigns()
	frappe.get_doc({"doctype": "Campaign", "campaign_name": "By hand"}).insert()
	frappe.get_doc(
		{"doctype": RECIPIENT, "campaign": "By hand", "email": "x@example.com", "action_type": "Opened"}
	).insert()
	frappe.rename_doc("Campaign", "By hand", campaign, merge=True)
	settle()
	assert run_jobs() == []
	assert not [row for row in rows_of(campaign) if not row.rtbf]


# Runs


def test_old_runs_are_cleared_by_log_settings(zoho) -> None:
	run = frappe.get_last_doc("Zoho Sync Run")
	frappe.db.set_value("Zoho Sync Run", run.name, "creation", add_to_date(now_datetime(), days=-100))
	settings = frappe.get_doc("Log Settings")
	settings.add_default_logtypes()
	assert {row.ref_doctype: row.days for row in settings.logs_to_clear}["Zoho Sync Run"] == 90
	# Frappe clears some of its own logs with SQL that only MariaDB understands.
	settings.logs_to_clear = [row for row in settings.logs_to_clear if row.ref_doctype == "Zoho Sync Run"]
	settings.clear_logs()
	assert not frappe.db.exists("Zoho Sync Run", run.name)
	assert not frappe.db.count("Zoho Sync Run Campaign", {"parent": run.name})
