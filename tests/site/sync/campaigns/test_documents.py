"""Which Campaign document a Zoho campaign is stored in, and the name of the document."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import frappe

from erpnext_zoho_integration.erpnext_zoho_integration.api.sync import sync_single_campaign
from tests.site.syncing import (
	assert_database_is,
	before_each_statement,
	campaign_named,
	connect,
	errors_of,
	rows_of,
	sync_all,
)

LONG = "A name longer than a document's name may be: "


@pytest.fixture
def zoho(start_simulator: Callable):
	"""Six campaigns: two with the same name, one with angle brackets, one with a very long name."""
	return connect(start_simulator(seed=1, campaigns=6, recipients=30))


def set_naming(by: str) -> None:
	frappe.db.set_default("campaign_naming_by", by)


def name_campaigns(zoho, *names: str) -> list[str]:
	"""Rename the simulator's campaigns and return their keys."""
	chosen = sorted(zoho.world.sent(), key=lambda each: each.index)[: len(names)]
	for campaign, name in zip(chosen, names, strict=True):
		campaign.name = name
	return [campaign.key for campaign in chosen]


def by_hand(name: str) -> str:
	return frappe.get_doc({"doctype": "Campaign", "campaign_name": name}).insert().name


def test_every_campaign_becomes_one_document_whatever_its_name(zoho) -> None:
	mine = by_hand("Welcome to Acme")
	odd = ["Welcome to Acme", "New Campaign for everybody", "Campaign", "Monthly news", "  Monthly news "]
	keys = name_campaigns(zoho, *odd)
	run = sync_all()
	assert run.status == "Success" and not errors_of(run)
	stored = {
		row.zoho_campaign_key: row
		for row in frappe.get_all(
			"Campaign", {"zoho_campaign_key": ("is", "set")}, ["name", "campaign_name", "zoho_campaign_key"]
		)
	}
	assert len(stored) == 6 and len({row.name for row in stored.values()}) == 6
	assert [stored[key].campaign_name for key in keys] == [name.strip() for name in odd]
	# A hand-made Campaign of the same name is not adopted.
	assert stored[keys[0]].name != mine and stored[keys[0]].name.startswith("Welcome to Acme")
	assert not frappe.db.get_value("Campaign", mine, "zoho_campaign_key") and not rows_of(mine)
	# Two campaigns of the same name get different documents.
	assert stored[keys[3]].name.startswith("Monthly news") and stored[keys[4]].name.startswith("Monthly news")
	for row in stored.values():
		assert len(row.name) <= 140 and not set("<>") & set(row.name + row.campaign_name)
		assert not row.name.startswith("New Campaign") and row.name != "Campaign"
		frappe.get_doc("Campaign", row.name).save()  # Frappe accepts the name
	long = next(row for row in stored.values() if row.campaign_name.startswith(LONG))
	assert len(long.campaign_name) == 140 and long.campaign_name.endswith("…")


def test_angle_brackets_become_harmless(zoho) -> None:
	keys = name_campaigns(zoho, "Prices < 100 & offers > 50 %", "<script>alert(1)</script>")
	sync_all()
	names = [frappe.db.get_value("Campaign", campaign_named(key), "campaign_name") for key in keys]
	assert names == ["Prices ‹ 100 & offers › 50 %", "‹script›alert(1)‹/script›"]
	subjects = frappe.get_all("Campaign", {"zoho_subject": ("like", "%alert%")}, pluck="zoho_subject")
	assert subjects == ["‹script›alert('subject')‹/script› \"Offers\""]


def test_names_that_differ_in_accents_or_case_only(zoho) -> None:
	keys = name_campaigns(zoho, "Müller", "Muller", "MÜLLER", "Straße", "Strasse", "news 😀")
	run = sync_all()
	assert run.status == "Success"
	assert len({campaign_named(key) for key in keys}) == 6
	names = [frappe.db.get_value("Campaign", campaign_named(key), "campaign_name") for key in keys]
	assert names == ["Müller", "Muller", "MÜLLER", "Straße", "Strasse", "news 😀"]


def test_campaigns_named_by_series(zoho) -> None:
	set_naming("Naming Series")
	try:
		run = sync_all()
		assert run.status == "Success"
		names = frappe.get_all("Campaign", {"zoho_campaign_key": ("is", "set")}, pluck="name")
		assert len(names) == 6 and all(name.startswith("SAL-CAM-") for name in names)
		assert sync_all().synced_campaigns == 6
		assert frappe.db.count("Campaign", {"zoho_campaign_key": ("is", "set")}) == 6
	finally:
		set_naming("")


def test_a_user_who_edits_a_campaign_while_it_is_saved_does_not_stop_the_sync(zoho) -> None:
	sync_all()
	zoho.evolve(days=0, opens=4)
	edited = []

	def edit(query: str) -> None:
		# Analytics are the last rows that loading a Campaign reads.
		if "FROM `tabCampaign Analytics`" in query and len(edited) < 2:
			edited.append(query)
			frappe.db.sql("update `tabCampaign` set modified = '2031-01-01 00:00:00'")

	with before_each_statement(edit):
		run = sync_all()
	assert edited and run.status == "Success" and not errors_of(run)
	assert run.rows_inserted == 4
	assert_database_is(zoho)


def test_a_renamed_document_keeps_its_campaign_and_follows_the_name_at_zoho(zoho) -> None:
	sync_all()
	key = zoho.expected()["campaigns"][0]["campaign_key"]
	before = rows_of(campaign_named(key))
	frappe.rename_doc("Campaign", campaign_named(key), "Called otherwise here")
	run = sync_all()
	assert run.rows_inserted == 0 and campaign_named(key) == "Called otherwise here"
	name_of_campaign(zoho, key, "Called otherwise there")
	run = sync_all()
	assert run.rows_inserted == run.rows_updated == 0
	assert (
		frappe.db.get_value("Campaign", "Called otherwise here", "campaign_name") == "Called otherwise there"
	)
	after = rows_of("Called otherwise here")
	assert [(row.name, row.modified) for row in after] == [(row.name, row.modified) for row in before]


def name_of_campaign(zoho, key: str, name: str) -> None:
	next(each for each in zoho.world.sent() if each.key == key).name = name


def test_what_a_user_enters_in_a_campaign_stays(zoho) -> None:
	sync_all()
	key = zoho.expected()["campaigns"][0]["campaign_key"]
	campaign = frappe.get_doc("Campaign", campaign_named(key))
	campaign.description = "Ours"
	campaign.save()
	name_of_campaign(zoho, key, "Renamed at Zoho")
	sync_all()
	campaign.reload()
	assert (campaign.description, campaign.campaign_name) == ("Ours", "Renamed at Zoho")


def test_a_campaign_whose_key_zoho_has_changed_is_found_by_its_id(zoho) -> None:
	sync_all()
	truth = zoho.expected()["campaigns"][0]
	campaign, rows = (
		campaign_named(truth["campaign_key"]),
		len(rows_of(campaign_named(truth["campaign_key"]))),
	)
	changed = next(each for each in zoho.world.sent() if each.key == truth["campaign_key"])
	changed.key = changed.mailings[0].key = "3znew" + "0" * 60
	zoho.world.index()
	run = sync_all()
	assert run.status == "Success" and run.rows_inserted == 0
	assert frappe.db.get_value("Campaign", campaign, "zoho_campaign_key") == changed.key
	assert len(rows_of(campaign)) == rows


def test_one_campaign_from_python(zoho) -> None:
	sent = next(iter(zoho.world.sent()))
	data = {
		"campaign_key": sent.key,
		"campaignId": sent.id,
		"campaign_name": sent.name,
		"campaigntype": "normal",
	}
	campaign = sync_single_campaign(data)
	truth = next(each for each in zoho.expected()["campaigns"] if each["campaign_key"] == sent.key)
	assert len(rows_of(campaign.name, rtbf=0)) == truth["rows"]
	assert frappe.get_doc("Campaign", campaign.name).campaign_analytics
	with pytest.raises(frappe.ValidationError, match="not a campaign"):
		sync_single_campaign({"campaign_name": "no key"})
