"""Synced data after users delete, restore, rename and merge Campaigns and Contacts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import frappe

from erpnext_zoho_integration.compat import campaign_writes_utm
from tests.site.syncing import (
	RECIPIENT,
	answer_with,
	assert_database_is,
	campaign_named,
	connect,
	errors_of,
	new_contact,
	person,
	rows_of,
	statements,
	sync_all,
)

DELETED = "Zoho Deleted Campaign"


@pytest.fixture
def zoho(start_simulator: Callable):
	"""A connected Zoho with three campaigns."""
	return connect(start_simulator(seed=1, campaigns=3, recipients=60))


@pytest.fixture
def people(start_simulator: Callable):
	"""A connected Zoho with one campaign, whose recipients a test sets with `answer_with`."""
	return connect(start_simulator(seed=1, campaigns=1, recipients=10))


def keys_of(zoho) -> list[str]:
	return [each["campaign_key"] for each in zoho.expected()["campaigns"]]


# Campaigns


def test_a_deleted_campaign_stays_away_until_it_is_restored(zoho) -> None:
	sync_all()
	key = keys_of(zoho)[0]
	campaign = campaign_named(key)
	assert rows_of(campaign)
	with statements() as sent:
		frappe.delete_doc("Campaign", campaign)
	assert not rows_of(campaign)
	loaded = [query for query in sent if "tabCampaign Recipient" in query]
	assert len(loaded) <= 3  # deleted in bulk, however many rows there are
	record = frappe.get_doc(DELETED, {"zoho_campaign_key": key})
	assert (record.campaign_name, record.reason) == ("Welcome to Acme", "Deleted")

	zoho.evolve(campaign=key, opens=2)
	run = sync_all()
	assert run.status == "Success" and not campaign_named(key)
	assert not [
		each for each in zoho.requests if each["params"].get("campaignkey") == key and each["number"] > 100
	]

	frappe.delete_doc(DELETED, record.name)
	assert sync_all().status == "Success"
	assert campaign_named(key)
	assert_database_is(zoho)


def test_a_hand_made_campaign_is_deleted_with_its_rows_and_leaves_no_record(zoho) -> None:
	campaign = frappe.get_doc({"doctype": "Campaign", "campaign_name": "By hand"}).insert()
	add_row(campaign.name, "ada@example.com")
	frappe.delete_doc("Campaign", campaign.name)
	assert not frappe.db.count(RECIPIENT) and not frappe.db.count(DELETED)
	if campaign_writes_utm():  # its UTM Campaign stays, and can still be saved
		frappe.get_doc("UTM Campaign", "By hand").save()


def add_row(campaign: str, email: str, action_type: str = "Opened", **values: object):
	row = {"doctype": RECIPIENT, "campaign": campaign, "email": email, "action_type": action_type}
	return frappe.get_doc({**row, **values}).insert()


def test_a_renamed_campaign_is_synced_without_duplicates(zoho) -> None:
	sync_all()
	key = keys_of(zoho)[0]
	frappe.rename_doc("Campaign", campaign_named(key), "Renamed here")
	zoho.evolve(campaign=key, opens=3)
	run = sync_all()
	assert run.rows_inserted == 3 and not errors_of(run)
	assert campaign_named(key) == "Renamed here"
	assert_database_is(zoho)
	assert sync_all(full=True).rows_updated == 0


def test_a_renamed_hand_made_campaign_still_refuses_duplicate_rows(site) -> None:
	campaign = frappe.get_doc({"doctype": "Campaign", "campaign_name": "By hand"}).insert()
	add_row(campaign.name, "ada@example.com")
	frappe.rename_doc("Campaign", "By hand", "Otherwise")
	with pytest.raises(frappe.DuplicateEntryError):
		add_row("Otherwise", "ada@example.com")


def test_merged_campaigns_lose_nothing_and_have_no_duplicates(zoho) -> None:
	sync_all()
	first, second = keys_of(zoho)[0], keys_of(zoho)[2]
	kept, merged = campaign_named(first), campaign_named(second)
	before = {(row.email, row.action_type) for row in [*rows_of(kept), *rows_of(merged)]}
	colliding = len(rows_of(kept)) + len(rows_of(merged)) - len(before)
	opens = {row.email: row.open_count for row in rows_of(kept, "Opened")}
	for row in rows_of(merged, "Opened"):
		opens[row.email] = max(row.open_count, opens.get(row.email, 0))
	assert colliding
	frappe.rename_doc("Campaign", merged, kept, merge=True)
	after = rows_of(kept)
	assert len(after) == len(before) and {(row.email, row.action_type) for row in after} == before
	assert {row.email: row.open_count for row in after if row.action_type == "Opened"} == opens
	assert frappe.db.get_value(DELETED, {"zoho_campaign_key": second}, ["reason", "merged_into"]) == (
		"Merged",
		kept,
	)
	# A sync does not restore the merged campaign, and goes on with the other.
	zoho.evolve(campaign=first, opens=2)
	run = sync_all()
	assert run.status == "Success" and run.rows_inserted <= 2 and not campaign_named(second)
	full = sync_all(full=True)
	assert not errors_of(full) and full.rows_inserted == 0
	assert {(row.email, row.action_type) for row in rows_of(kept)} >= before


def test_a_synced_campaign_merged_into_a_hand_made_one_is_synced_there(zoho) -> None:
	sync_all()
	key = keys_of(zoho)[0]
	synced = frappe.get_doc("Campaign", campaign_named(key))
	frappe.get_doc({"doctype": "Campaign", "campaign_name": "Planned", "description": "Ours"}).insert()
	opener = rows_of(synced.name, "Opened", rtbf=0)[0].email
	add_row("Planned", opener, open_count=99)
	add_row("Planned", "by-hand@example.com")
	rows = len(rows_of(synced.name))
	frappe.rename_doc("Campaign", synced.name, "Planned", merge=True)
	survivor = frappe.get_doc("Campaign", "Planned")
	fields = [field.fieldname for field in survivor.meta.fields if field.fieldname.startswith("zoho_")]
	for field in [*fields, "last_synced"]:
		assert survivor.get(field) == synced.get(field), field
	figures = [(row.metric, row.value, row.percentage) for row in synced.campaign_analytics]
	assert [(row.metric, row.value, row.percentage) for row in survivor.campaign_analytics] == figures
	assert survivor.description == "Ours" and not frappe.db.exists("Campaign", synced.name)
	assert not frappe.db.count(DELETED)
	stored = {row.email: row for row in rows_of("Planned", "Opened")}
	assert len(rows_of("Planned")) == rows + 1 and stored[opener].open_count == 99
	assert "by-hand@example.com" in stored
	zoho.evolve(campaign=key, opens=2)
	run = sync_all()
	assert run.rows_inserted == 2 and campaign_named(key) == "Planned" and not errors_of(run)


# Contacts


def test_a_deleted_contact_is_not_created_again_by_unchanged_rows(people) -> None:
	opened, sent = (
		[person("ada@example.com", 1)],
		[person("ada@example.com", 1), person("bob@example.com", 2)],
	)
	answer_with(people, {"openedcontacts": opened, "sentcontacts": sent})
	sync_all()
	(campaign,) = {row.campaign for row in frappe.get_all(RECIPIENT, ["campaign"])}
	contact = rows_of(campaign, "Opened")[0].contact
	frappe.delete_doc("Contact", contact)
	assert [row.contact for row in rows_of(campaign, email="ada@example.com")] == [None, None]
	modified = [row.modified for row in rows_of(campaign)]
	run = sync_all(full=True)
	assert run.contacts_created == 0 and [row.contact for row in rows_of(campaign)] == [None] * 3
	assert [row.modified for row in rows_of(campaign)] == modified
	# A changed record of the person creates the Contact again.
	answer_with(
		people, {"openedcontacts": [person("ada@example.com", 1, city="London")], "sentcontacts": sent}
	)
	run = sync_all(full=True)
	assert run.contacts_created == 1
	ada = {row.contact for row in rows_of(campaign, email="ada@example.com")}
	assert len(ada) == 1 and None not in ada


def test_the_rows_of_a_deleted_contact_go_to_another_with_the_same_address(people) -> None:
	one = new_contact("ada@example.com", first_name="One")
	answer_with(people, {"openedcontacts": [person("ada@example.com", 1)]})
	sync_all()
	other = new_contact("ada@example.com", first_name="Other")
	frappe.delete_doc("Contact", one.name)
	sync_all(full=True)
	assert frappe.get_all(RECIPIENT, pluck="contact") == [other.name]


def test_merged_contacts_are_one_person(people) -> None:
	answer_with(
		people,
		{
			"openedcontacts": [person("ada@example.com", 1), person("augusta@example.com", 2)],
			"optoutcontacts": [person("augusta@example.com", 2, contactstatus="unsub")],
		},
	)
	mine = new_contact("work@example.com", first_name="Mine")
	sync_all()
	by_address = {row.email: row.contact for row in frappe.get_all(RECIPIENT, ["email", "contact"])}
	ada, augusta = by_address["ada@example.com"], by_address["augusta@example.com"]
	frappe.rename_doc("Contact", augusta, mine.name, merge=True)
	mine.reload()
	assert mine.zoho_contact_id == person(None, 2)["contactid"] and mine.zoho_status == "unsub"
	assert mine.unsubscribed
	assert {
		row.contact for row in frappe.get_all(RECIPIENT, {"email": "augusta@example.com"}, ["contact"])
	} == {mine.name}
	frappe.rename_doc("Contact", ada, mine.name, merge=True)
	mine.reload()
	assert mine.zoho_contact_id == person(None, 2)["contactid"] and mine.unsubscribed
	run = sync_all(full=True)
	assert run.contacts_created == 0 and set(frappe.get_all(RECIPIENT, pluck="contact")) == {mine.name}
	# Later rows of either person are linked to the remaining Contact.
	clicked = [person("ada@example.com", 1), person("augusta@example.com", 2)]
	answer_with(people, {"openedcontacts": clicked, "clickedcontacts": clicked})
	run = sync_all(full=True)
	assert run.contacts_created == 0
	assert {row.contact for row in frappe.get_all(RECIPIENT, {"action_type": "Clicked"}, ["contact"])} == {
		mine.name
	}


def test_a_renamed_contact_keeps_its_rows(people) -> None:
	answer_with(people, {"openedcontacts": [person("ada@example.com", 1)]})
	sync_all()
	(contact,) = frappe.get_all(RECIPIENT, pluck="contact")
	frappe.rename_doc("Contact", contact, "Countess of Lovelace")
	run = sync_all(full=True)
	assert run.contacts_created == run.rows_updated == 0
	assert frappe.get_all(RECIPIENT, pluck="contact") == ["Countess of Lovelace"]


def test_a_new_contact_is_linked_to_existing_rows_of_its_address(start_simulator: Callable) -> None:
	zoho = connect(start_simulator(campaigns=1, recipients=10), create_contacts_for="Nobody")
	waiting = [person("ada@example.com", 1), person("müller@example.com", 2), person("muller@example.com", 3)]
	answer_with(zoho, {"openedcontacts": waiting, "sentcontacts": waiting})
	sync_all()
	contact = new_contact("first@example.com", "ADA@example.com")
	rows = {row.email: row.contact for row in frappe.get_all(RECIPIENT, ["email", "contact"])}
	assert rows == {"ada@example.com": contact.name, "müller@example.com": None, "muller@example.com": None}
	assert frappe.db.count(RECIPIENT, {"contact": contact.name}) == 2
	# An address that is added later is linked, too.
	contact.append("email_ids", {"email_id": "muller@example.com"})
	contact.save()
	linked = frappe.get_all(RECIPIENT, {"contact": contact.name}, pluck="email", distinct=True)
	assert set(linked) == {"ada@example.com", "muller@example.com"}


def test_saving_a_contact_without_a_new_address_makes_no_query(site) -> None:
	contact = new_contact("ada@example.com")
	contact.designation = "CTO"
	with statements() as sent:
		contact.save()
	assert not [query for query in sent if RECIPIENT in query]
