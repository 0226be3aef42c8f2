"""Opt-outs that used to be lost: each reaches the suppression list and every person with the address."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import frappe

from erpnext_zoho_integration.consent import missed_opt_outs
from erpnext_zoho_integration.erpnext_zoho_integration.api.privacy import erase_person
from erpnext_zoho_integration.sync.privacy import retention
from tests.site.consent.helpers import blocked, events, hold_back, new_lead, new_member, ticked
from tests.site.syncing import (
	RECIPIENT,
	answer_with,
	connect,
	new_contact,
	notes_of,
	person,
	snapshot,
	sync_all,
)


@pytest.fixture
def zoho(start_simulator: Callable):
	hold_back()
	return connect(start_simulator(seed=1, campaigns=1, recipients=10))


def opt_out(
	zoho, *emails: str, first_id: int = 1, action: str = "optoutcontacts"
) -> frappe.model.document.Document:
	answer_with(zoho, {action: [person(email, first_id + nth) for nth, email in enumerate(emails)]})
	return sync_all()


def test_two_contacts_under_one_id_of_zoho_are_both_marked(zoho) -> None:
	one, two = new_contact("a@example.com", first_name="A"), new_contact("b@example.com", first_name="B")
	answer_with(zoho, {"optoutcontacts": [person("a@example.com", 1), person("b@example.com", 1)]})
	sync_all()
	assert ticked("Contact", one.name) and ticked("Contact", two.name)
	assert blocked("a@example.com") and blocked("b@example.com")


@pytest.fixture
def mandatory_field(site):
	field = frappe.get_doc(
		{
			"doctype": "Custom Field",
			"dt": "Contact",
			"fieldname": "zz_branch",
			"label": "Branch",
			"fieldtype": "Data",
		}
	).insert()
	yield field
	frappe.db.rollback()
	frappe.delete_doc("Custom Field", field.name, force=True)
	frappe.db.commit()
	frappe.clear_cache(doctype="Contact")


def test_an_opt_out_is_written_whatever_the_form_would_refuse(zoho, mandatory_field) -> None:
	contact = new_contact("ada@example.com", first_name="Ada")
	mandatory_field.reqd = 1
	mandatory_field.save()
	frappe.clear_cache(doctype="Contact")
	opt_out(zoho, "ada@example.com")
	assert blocked("ada@example.com") and ticked("Contact", contact.name)


def test_an_opt_out_is_written_where_a_notification_makes_documents_necessary(zoho, mandatory_field) -> None:
	contact = new_contact("ada@example.com", first_name="Ada")
	mandatory_field.reqd = 1
	mandatory_field.save()
	rule = frappe.get_doc(
		{
			"doctype": "Assignment Rule",
			"name": "zoho test rule",
			"document_type": "Contact",
			"assign_condition": "False",
			"rule": "Round Robin",
			"description": "-",
			"assignment_days": [{"day": "Monday"}],
			"users": [{"user": "Administrator"}],
		}
	).insert()
	try:
		opt_out(zoho, "ada@example.com")
	finally:
		rule.delete()
		frappe.db.commit()
	assert blocked("ada@example.com") and ticked("Contact", contact.name)


def test_twins_are_both_marked_and_so_is_what_they_are_merged_into(zoho) -> None:
	one = new_contact("twin@example.com", first_name="One")
	two = new_contact("twin@example.com", first_name="Two")
	opt_out(zoho, "twin@example.com")
	assert ticked("Contact", one.name) and ticked("Contact", two.name)
	frappe.db.set_value("Contact", one.name, "unsubscribed", 0)
	frappe.rename_doc("Contact", two.name, one.name, merge=True)
	assert ticked("Contact", one.name)


def test_a_twin_with_the_id_of_zoho_does_not_hide_the_other(zoho) -> None:
	one = new_contact("twin@example.com", first_name="One", zoho_contact_id=person(None, 1)["contactid"])
	two = new_contact("twin@example.com", first_name="Two")
	opt_out(zoho, "twin@example.com")
	assert ticked("Contact", one.name) and ticked("Contact", two.name)


def test_everybody_with_the_address_is_marked_and_those_who_come_later(zoho) -> None:
	lead, member = new_lead("leo@example.com"), new_member("LEO@example.com ")
	opt_out(zoho, "leo@example.com")
	assert ticked("Lead", lead.name) and ticked("Email Group Member", member.name)
	frappe.delete_doc("Lead", lead.name)
	for later in (
		new_contact("leo@example.com", first_name="Later"),
		new_lead("leo@example.com", first_name="Later"),
		new_member("leo@example.com", "Later"),
	):
		assert later.unsubscribed and ticked(later.doctype, later.name)


def test_a_contact_that_gets_the_address_later_is_marked(zoho) -> None:
	opt_out(zoho, "leo@example.com")
	contact = new_contact("other@example.com", first_name="Leo")
	contact.append("email_ids", {"email_id": "leo@example.com"})
	contact.save()
	assert ticked("Contact", contact.name)


def test_a_contact_whose_address_is_left_by_a_deleted_one(zoho) -> None:
	ghost = new_contact("ghost@example.com", first_name="Ghost")
	frappe.db.sql("delete from `tabContact` where name = %s", ghost.name)
	opt_out(zoho, "ghost@example.com")
	row = frappe.get_all(RECIPIENT, {"email": "ghost@example.com"}, ["contact"])[0]
	assert row.contact and frappe.db.exists("Contact", row.contact) and ticked("Contact", row.contact)


@pytest.mark.parametrize(
	"at_zoho", ["jane@example.com\u200b", "\ufeffjane@example.com", "ja\u00adne@example.com"]
)
def test_invisible_characters_hide_nobody(zoho, at_zoho: str) -> None:
	contact = new_contact("jane@example.com")
	run = opt_out(zoho, at_zoho)
	assert run.rows_inserted == 1 and run.rows_skipped == 0
	assert ticked("Contact", contact.name) and blocked("jane@example.com")


def test_an_address_that_no_row_can_hold_is_suppressed_all_the_same(zoho) -> None:
	long = "a" * 300 + "@example.com"
	run = opt_out(zoho, long)
	assert run.rows_skipped == 1 and blocked(long)


@pytest.mark.parametrize(
	("stored", "at_zoho"),
	[
		("jane@example.com, office@example.com", "jane@example.com"),
		("jane@example.com, office@example.com", "office@example.com"),
		("Rob Poe <rob@example.com>", "rob@example.com"),
		('"Poe, Rob" <ROB@example.com>', "rob@example.com"),
		("info@xn--mller-kva.de", "info@müller.de"),
		("info@müller.de", "info@xn--mller-kva.de"),
	],
)
def test_a_field_with_names_or_several_addresses_is_the_person(zoho, stored: str, at_zoho: str) -> None:
	contact = new_contact("before@example.com", first_name="Field")
	frappe.db.set_value("Contact Email", contact.email_ids[0].name, "email_id", stored)
	run = opt_out(zoho, at_zoho)
	assert run.contacts_created == 0 and ticked("Contact", contact.name) and blocked(at_zoho)
	frappe.db.commit()
	erased = erase_person(at_zoho)
	assert erased["contacts"] == [contact.name]


def test_an_id_that_moved_to_another_address_marks_the_owner_of_the_address(zoho) -> None:
	old = new_contact("old@example.com", first_name="Old")
	answer_with(zoho, {"openedcontacts": [person("old@example.com", 111)]})
	sync_all()
	assert old.reload().zoho_contact_id
	owner = new_contact("new@example.com", first_name="Owner")
	run = opt_out(zoho, "new@example.com", first_id=111)
	assert ticked("Contact", owner.name) and not ticked("Contact", old.name)
	assert not [note for note in notes_of(run) if "not marked" in note.message]


def test_an_id_alone_marks_nobody_and_is_listed(zoho) -> None:
	ann = new_contact("ann@example.com", first_name="Ann", zoho_contact_id=person(None, 7)["contactid"])
	run = opt_out(zoho, "bob@example.com", first_id=7)
	assert not ticked("Contact", ann.name) and blocked("bob@example.com") and not blocked("ann@example.com")
	assert [
		note for note in notes_of(run) if "bob@example.com" in note.message and "not marked" in note.message
	]


def test_a_box_that_a_person_cleared_stays_clear_until_a_newer_opt_out(start_simulator: Callable) -> None:
	hold_back()
	zoho = connect(start_simulator(seed=1, campaigns=1, recipients=10))
	contact = new_contact("ada@example.com")
	opt_out(zoho, "ada@example.com")
	contact.reload().unsubscribed = 0
	contact.save()
	answer_with(zoho, {"optoutcontacts": [person("ada@example.com", 1, city="Elsewhere")]})
	run = sync_all(full=True)
	assert run.rows_updated == 1 and not ticked("Contact", contact.name)
	missed_opt_outs.record_missed()
	assert not ticked("Contact", contact.name) and blocked("ada@example.com")
	answer_with(zoho, {"spamcontacts": [person("ada@example.com", 1)]})
	sync_all(full=True)
	assert ticked("Contact", contact.name)


def test_a_new_contact_can_be_saved_twice_in_the_form(zoho) -> None:
	opt_out(zoho, "ada@example.com")
	frappe.db.delete("Contact")
	frappe.db.delete("Contact Email")
	contact = new_contact("ada@example.com")
	assert contact.unsubscribed, "the form shows it at once"
	contact.first_name = "Second"
	contact.save()
	assert ticked("Contact", contact.name)


@pytest.mark.parametrize("later", [False, True])
def test_a_campaign_that_keeps_figures_only_still_tells(zoho, later: bool) -> None:
	connect(zoho, anonymise_after_months=2, create_contacts_for="Nobody")
	answer_with(zoho, {"openedcontacts": [person("ada@example.com")]})
	sync_all()
	frappe.db.set_value(
		"Campaign", {"zoho_campaign_key": ("is", "set")}, "zoho_sent_time", "2024-01-01 00:00:00"
	)
	retention.anonymise_old_campaigns()
	contacts = [] if later else [new_contact("twin@example.com", first_name=name) for name in ("One", "Two")]
	answer_with(zoho, {"optoutcontacts": [person("twin@example.com", 2)]})
	sync_all(full=True)
	if later:
		contacts = [new_contact("twin@example.com")]
	assert blocked("twin@example.com") and all(ticked("Contact", contact.name) for contact in contacts)
	assert not frappe.db.exists(RECIPIENT, {"email": "twin@example.com"})


def test_the_same_facts_read_again_write_nothing(zoho) -> None:
	new_contact("ada@example.com")
	opt_out(zoho, "ada@example.com", "bob@example.com")
	before = snapshot()
	run = sync_all(full=True)
	assert run.opted_out == 0 and snapshot() == before
	assert events("ada@example.com") == [("Opted Out", "Zoho")]


def test_a_hard_bounce_marks_nobody(zoho) -> None:
	contact, lead = new_contact("gone@example.com"), new_lead("gone@example.com")
	opt_out(zoho, "gone@example.com", action="senthardbounce")
	assert not ticked("Contact", contact.name) and not ticked("Lead", lead.name)
	assert events("gone@example.com") == [("Hard Bounced", "Zoho")] and not blocked("gone@example.com")
