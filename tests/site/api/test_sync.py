"""A sync of all campaigns: complete, repeated without effect, followed through changes at Zoho."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

import frappe

from tests.site.syncing import (
	RECIPIENT,
	SYNCED,
	assert_database_is,
	at_site,
	campaign_named,
	connect,
	errors_of,
	notes_of,
	rows_of,
	snapshot,
	statements,
	sync_all,
)


@pytest.fixture
def zoho(start_simulator: Callable):
	"""A connected Zoho of four campaigns, an A/B test and two of one name among them, some 200 rows."""
	return connect(start_simulator(seed=1, campaigns=4, recipients=200))


@pytest.fixture
def small(start_simulator: Callable):
	"""A connected Zoho of one campaign, sixty rows."""
	return connect(start_simulator(seed=1, campaigns=1, recipients=60))


def test_everything_is_stored_once_and_a_second_run_changes_nothing(zoho) -> None:
	truth = zoho.expected()
	run = sync_all()
	assert_database_is(zoho)
	assert run.status == "Success" and not errors_of(run)
	assert run.total_campaigns == run.synced_campaigns == truth["sent_campaigns"]
	assert run.rows_inserted == truth["rows"] + truth["erased"]
	assert run.rows_duplicate == truth["duplicates"]
	assert run.rows_skipped == truth["missing_email"]
	assert run.rows_erased == truth["erased"]
	assert run.contacts_created == frappe.db.count("Contact", {"zoho_contact_id": ("is", "set")}) > 0
	assert run.api_calls == sum(n for name, n in zoho.stats()["calls"].items() if "oauth" not in name)
	assert run.started_at <= run.finished_at and run.trigger == "Python" and run.message
	told = [row.message for row in notes_of(run)]
	assert "Recipients not stored: it has no e-mail address" in told
	assert any("müller.0@example.com" in message for message in told)  # ERPNext makes no Contact of that

	before = snapshot()
	asked = zoho.stats()["calls"]["getcampaignrecipientsdata"]
	checked = frappe.db.get_value(
		"Campaign", campaign_named(truth["campaigns"][0]["campaign_key"]), "last_synced"
	)
	with statements() as sent:
		again = sync_all()
	assert snapshot() == before
	assert again.status == "Success" and again.synced_campaigns == truth["sent_campaigns"]
	assert not again.campaigns  # only campaigns with news are listed
	assert zoho.stats()["calls"]["getcampaignrecipientsdata"] == asked  # no counter has moved
	written = written_tables(sent)
	assert not written.keys() & {f"tab{doctype}" for doctype in SYNCED if doctype != "Campaign"}
	assert written["tabCampaign"] == 1  # last_synced of all of them
	last_synced = frappe.get_all("Campaign", {"zoho_campaign_key": ("is", "set")}, pluck="last_synced")
	assert len(set(last_synced)) == 1 and last_synced[0] >= checked

	full = sync_all(full=True)
	assert snapshot() == before
	assert full.rows_inserted == full.rows_updated == full.contacts_created == full.contacts_linked == 0
	assert full.rows_unchanged == truth["rows"] + truth["erased"]
	assert zoho.stats()["calls"]["getcampaignrecipientsdata"] > asked


def written_tables(sent: list[str]) -> Counter[str]:
	"""Return how many of these statements write to each table."""
	tables: Counter[str] = Counter()
	for query in sent:
		if query.split(None, 1)[0].lower() in ("insert", "update", "delete", "replace"):
			tables[query.replace('"', "`").split("`")[1]] += 1
	return tables


def test_the_database_follows_what_happens_at_zoho(zoho) -> None:
	sync_all()
	names = {key: campaign_named(key) for key in frappe.get_all("Campaign", pluck="zoho_campaign_key")}
	happened = zoho.evolve(
		days=2, opens=9, clicks=6, repeat_clicks=3, opt_outs=4, complaints=2, soft_to_hard=2
	)
	assert {"opens", "clicks", "repeat_clicks", "opt_outs", "complaints"} <= happened.keys()
	run = sync_all()
	assert_database_is(zoho)
	assert run.status == "Success"
	grown = sum(sum(happened[kind].values()) for kind in ("opens", "clicks", "opt_outs", "complaints"))
	assert run.rows_inserted >= grown
	assert {row.campaign for row in run.campaigns} <= set(names.values())

	renamed = zoho.evolve(days=1, renamed=1)["renamed"]
	deleted = zoho.evolve(days=0, deleted=1)["deleted"]
	added = zoho.evolve(days=1, new_campaigns=1)["new_campaigns"]
	assert renamed and deleted and added
	kept = {key: rows_of(name) for key, name in names.items() if key in str(deleted)}
	assert sync_all().status == "Success"
	assert_database_is(zoho)
	# The document keeps its name; its text follows Zoho's. What Zoho has deleted stays as it was.
	now = {campaign["campaign_key"]: campaign["campaign_name"] for campaign in zoho.expected()["campaigns"]}
	for key, name in names.items():
		assert campaign_named(key) == name
		if key in now:
			assert frappe.db.get_value("Campaign", name, "campaign_name") == now[key]
	assert any("renamed" in name for name in now.values())
	assert len(kept) == 1 and all(rows_of(names[key]) == rows for key, rows in kept.items())


def test_the_test_mails_of_an_a_b_campaign_belong_to_it(start_simulator: Callable) -> None:
	zoho = connect(start_simulator(seed=3, campaigns=2, recipients=120))
	sync_all()
	truth = next(each for each in zoho.expected()["campaigns"] if each["type"] == "abtesting")
	campaign = campaign_named(truth["campaign_key"])
	assert_database_is(zoho)
	rows = rows_of(campaign, "Sent")
	assert {row.variant for row in rows} == {None, "A", "B"}
	by_key = truth["actions"]["Sent"]["by_key"]
	listed = [by_key[key] for key in (truth["campaign_key"], *truth["child_keys"])]
	for variant, number in zip((None, "A", "B"), listed, strict=True):
		# Who got the winner's mail too is counted there.
		assert number - 4 <= sum(row.variant == variant for row in rows) <= number
	# Neither test mail becomes a campaign of its own.
	assert not frappe.db.exists("Campaign", {"zoho_campaign_key": ("in", truth["child_keys"])})

	reports = list(truth["reports"].values())
	stored = analytics(campaign)
	for metric, key in (
		("Emails Sent", "emails_sent_count"),
		("Opens", "opens_count"),
		("Bounces", "bounces_count"),
	):
		assert stored[metric][0] == str(sum(int(report[key]) for report in reports))
	opens, delivered = (sum(int(r[key]) for r in reports) for key in ("opens_count", "delivered_count"))
	assert stored["Open Rate %"][1] == round(100 * opens / delivered, 1)


def analytics(campaign: str) -> dict[str, tuple]:
	"""Return the figures of a campaign: metric → (value, percentage), in their order."""
	rows = frappe.get_doc("Campaign", campaign).campaign_analytics
	return {row.metric: (row.value, row.percentage) for row in rows}


def test_figures_are_rows_of_value_and_percentage_rebuilt_only_if_they_differ(small) -> None:
	sync_all()
	truth = next(each for each in small.expected()["campaigns"] if each["type"] == "normal")
	campaign, report = campaign_named(truth["campaign_key"]), truth["reports"][truth["campaign_key"]]
	stored = analytics(campaign)
	# The rows of the example, in its order.
	assert [name for name in stored if name in EXAMPLE] == EXAMPLE
	assert stored["Emails Sent"] == (report["emails_sent_count"], 0)
	assert stored["Delivered"] == (report["delivered_count"], float(report["delivered_percent"]))
	assert stored["Opens"] == (report["opens_count"], float(report["open_percent"]))
	assert stored["Open Rate %"] == (None, float(report["open_percent"]))
	assert stored["Unique Clicks"] == (report["unique_clicks_count"], float(report["unique_clicked_percent"]))
	assert stored["Bounces"] == (report["bounces_count"], float(report["bounce_percent"]))
	assert stored["Unsubscribes"][0] == report["unsub_count"]
	assert stored["Complaints"][0] == report["complaints_count"]
	names = {row.name for row in frappe.get_doc("Campaign", campaign).campaign_analytics}

	sync_all()
	assert {row.name for row in frappe.get_doc("Campaign", campaign).campaign_analytics} == names
	small.evolve(campaign=truth["campaign_key"], opens=1)
	run = sync_all()
	assert analytics(campaign)["Opens"][0] == str(int(report["opens_count"]) + 1)
	assert campaign in {row.campaign for row in run.campaigns}


EXAMPLE = [
	"Emails Sent",
	"Delivered",
	"Opens",
	"Open Rate %",
	"Unique Clicks",
	"Click Rate %",
	"Bounces",
	"Bounce Rate %",
]


def test_metadata_of_a_campaign(small) -> None:
	sync_all()
	truth = next(each for each in small.expected()["campaigns"] if each["campaign_name"] == "Welcome to Acme")
	campaign = frappe.get_doc("Campaign", campaign_named(truth["campaign_key"]))
	assert campaign.campaign_name == "Welcome to Acme"
	assert campaign.zoho_campaign_id == truth["campaign_id"]
	assert campaign.zoho_subject == truth["subject"]
	assert campaign.zoho_from_email == campaign.zoho_reply_to == "news@acme.example"
	assert campaign.zoho_sent_time == at_site(truth["sent_time"])
	assert (campaign.zoho_campaign_status, campaign.zoho_campaign_type) == ("Sent", "normal")
	assert campaign.zoho_preview_url.startswith("https://")
	drafts = [each["campaign_key"] for each in small.expected()["not_stored"]]
	assert drafts and not frappe.db.exists("Campaign", {"zoho_campaign_key": ("in", drafts)})


def test_only_the_lists_that_the_settings_ask_for_are_fetched(start_simulator: Callable) -> None:
	off = {f"sync_{name}": 0 for name in ("sent", "clicked", "hard_bounced", "soft_bounced", "complaint")}
	zoho = connect(start_simulator(seed=1, campaigns=1, recipients=60), **off)
	sync_all()
	assert {row.action_type for row in frappe.get_all(RECIPIENT, ["action_type"])} <= {
		"Opened",
		"Unsubscribed",
	}
	assert_database_is(zoho, actions=("Opened", "Unsubscribed"))
	asked = {r["params"].get("action") for r in zoho.requests if r["endpoint"] == "getcampaignrecipientsdata"}
	assert asked == {"openedcontacts", "optoutcontacts"}


def test_persons_erased_at_zoho_are_forgotten_and_still_counted(start_simulator: Callable) -> None:
	zoho = connect(start_simulator(seed=1, campaigns=2, recipients=140), create_contacts_for="Everyone")
	sync_all()
	erased = zoho.evolve(erased=3)["erased"]
	rows = frappe.get_all(RECIPIENT, {"zoho_contact_id": ("in", erased)}, ["name", "email", "full_name"])
	figures = frappe.db.count(RECIPIENT)
	assert len({row.email for row in rows}) == 3
	run = sync_all(full=True)
	assert run.rows_erased == zoho.expected()["erased"]
	assert_database_is(zoho)
	assert frappe.db.count(RECIPIENT) == figures
	text = str(frappe.db.sql(f"select * from `tab{RECIPIENT}`"))
	for row in rows:
		assert row.email not in text and not frappe.db.exists(RECIPIENT, row.name)
	for identifier in erased:
		assert identifier not in text
	for row in frappe.get_all(RECIPIENT, {"rtbf": 1}, ["*"]):
		assert not (row.contact or row.full_name or row.zoho_contact_id or row.city or row.company_name)
	before = snapshot()
	sync_all(full=True)
	assert snapshot() == before
