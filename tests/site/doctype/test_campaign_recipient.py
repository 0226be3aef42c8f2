"""Campaign Recipient by hand, and people who asked to be forgotten."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import frappe

from erpnext_zoho_integration.erpnext_zoho_integration.api.sync import sync_recipient
from erpnext_zoho_integration.store import erased_people, row_keys_and_digests
from erpnext_zoho_integration.sync.privacy import erasure
from tests.site.syncing import RECIPIENT, new_contact, person, rows_of


@pytest.fixture
def campaign(site):
	return frappe.get_doc({"doctype": "Campaign", "campaign_name": "By hand"}).insert()


def new_row(campaign, email: str = "ada@example.com", action_type: str = "Opened", **values: object):
	row = {"doctype": RECIPIENT, "campaign": campaign.name, "email": email, "action_type": action_type}
	return frappe.get_doc({**row, **values}).insert()


def test_a_row_links_the_contact_that_has_its_address(campaign) -> None:
	contact = new_contact("primary@example.com", "Ada@Example.com")
	row = new_row(campaign, "  ADA@example.com ")
	assert (row.email, row.contact) == ("ada@example.com", contact.name)
	assert row.name.startswith(f"{contact.name}-ada@example.com-")
	assert new_row(campaign, "bob@example.com").contact is None
	# Also when the Contact comes later and the row is saved again.
	later = new_contact("carl@example.com", first_name="Carl")
	row.email = "carl@example.com"
	row.contact = None
	row.save()
	assert row.contact == later.name


def test_a_look_alike_is_not_linked(campaign) -> None:
	new_contact("muller@example.com")
	assert new_row(campaign, "müller@example.com").contact is None


def test_a_chosen_contact_stays(campaign) -> None:
	new_contact("ada@example.com")
	chosen = new_contact("other@example.com", first_name="Chosen")
	assert new_row(campaign, contact=chosen.name).contact == chosen.name


def test_a_second_row_is_refused_with_the_first_ones_name(campaign) -> None:
	first = new_row(campaign, "ada@example.com")
	with pytest.raises(frappe.DuplicateEntryError, match=f"By hand.*ada@example.com.*Opened.*{first.name}"):
		new_row(campaign, " ADA@example.com")
	frappe.clear_messages()
	second = new_row(campaign, "ada@example.com", "Clicked")
	second.action_type = "Opened"
	with pytest.raises(frappe.DuplicateEntryError):
		second.save()
	first.reload()
	first.full_name = "Ada"
	first.save()  # a row does not stand in its own way


@pytest.mark.parametrize(
	("one", "other"),
	[("müller", "muller"), ("straße", "strasse"), ("😀", "😎"), ("ada", "ada "), ("élodie", "elodie")],
)
def test_look_alikes_are_two_rows_unless_they_differ_in_blanks_only(campaign, one: str, other: str) -> None:
	new_row(campaign, f"{one}@example.com")
	if one.strip() == other.strip():
		with pytest.raises(frappe.DuplicateEntryError):
			new_row(campaign, f" {one}@example.com ")
	else:
		new_row(campaign, f"{other}@example.com")
		assert frappe.db.count(RECIPIENT) == 2


@pytest.mark.parametrize("email", ["x" * 240 + "@example.com", "😀" * 60 + "@example.com"])
def test_names_fit_whatever_the_address_and_the_contact_are(campaign, email: str) -> None:
	contact = new_contact("long@example.com", first_name="y" * 60, last_name="z" * 60)
	row = new_row(campaign, email, contact=contact.name)
	assert len(row.name) <= 140 and not set("<>") & set(row.name)
	assert row.email == email.strip().lower()
	assert frappe.get_doc(RECIPIENT, row.name).email == row.email


def test_names_follow_the_pattern_and_never_collide(campaign) -> None:
	rows = [new_row(campaign, f"{'long' * 30}{number}@example.com") for number in range(12)]
	assert len({row.name for row in rows}) == 12
	number = new_row(campaign, "plain@example.com").name.removeprefix("plain@example.com-")
	assert number.isdigit() and len(number) >= 2


@pytest.mark.parametrize("missing", ["campaign", "email"])
def test_what_a_row_needs(campaign, missing: str) -> None:
	row = {
		"doctype": RECIPIENT,
		"campaign": campaign.name,
		"email": "ada@example.com",
		"action_type": "Opened",
	}
	with pytest.raises(frappe.MandatoryError, match=missing):
		frappe.get_doc({**row, missing: None}).insert()
	with pytest.raises(frappe.ValidationError):
		frappe.get_doc({**row, "action_type": "Forwarded"}).insert()


def test_a_sync_takes_over_a_row_that_was_made_by_hand(campaign) -> None:
	row = new_row(campaign, "ada@example.com", full_name="Typed")
	result = sync_recipient(campaign, person("ADA@example.com", 5), "Opened")
	assert (result.inserted, result.updated) == (0, 1)
	row.reload()
	assert (row.full_name, row.zoho_contact_id) == ("Ada Lovelace", person(None, 5)["contactid"])


def test_of_two_records_for_one_row_the_lowest_id_stands_in_whatever_order(campaign) -> None:
	first, second = person("ada@example.com", 1), person(" Ada@example.com", 2, contactfn="Augusta")
	for record, other in ((first, second), (second, first)):
		frappe.db.delete(RECIPIENT)
		sync_recipient(campaign, record, "Opened")
		sync_recipient(campaign, other, "Opened")
		(row,) = rows_of(campaign.name)
		assert (row.zoho_contact_id, row.full_name) == (first["contactid"], "Ada Lovelace")


# Roles


@pytest.mark.parametrize(
	("role", "rights"),
	[
		("System Manager", {"read", "write", "create", "delete", "report", "export"}),
		("Sales Manager", {"read", "report", "export"}),
		("Sales Master Manager", {"read", "report", "export"}),
		("Sales User", {"read", "report", "export"}),
		(None, set()),
	],
)
def test_rights_by_role(campaign, make_user: Callable, role: str | None, rights: set) -> None:
	row = new_row(campaign)
	frappe.set_user(make_user(role) if role else make_user())
	for right in ("read", "write", "create", "delete", "report", "export"):
		assert bool(frappe.has_permission(RECIPIENT, right, row)) == (right in rights), right


def test_what_only_a_sync_writes_nobody_else_does(site) -> None:
	module = {"module": "ERPNext Zoho Integration", "istable": 0}
	written = {}
	for doctype in frappe.get_all("DocType", module, pluck="name"):
		rules = frappe.get_meta(doctype).permissions
		written[doctype] = {rule.role for rule in rules if rule.write or rule.create}
	by_hand = {doctype: roles for doctype, roles in written.items() if roles}
	assert by_hand == {"Zoho Settings": {"System Manager"}, RECIPIENT: {"System Manager"}}
	assert {"Zoho Sync Run", "Zoho Deleted Campaign"} <= written.keys()


def test_user_permissions_on_campaigns_are_obeyed(campaign, make_user: Callable) -> None:
	other = frappe.get_doc({"doctype": "Campaign", "campaign_name": "Not theirs"}).insert()
	mine, theirs = new_row(campaign), new_row(other)
	user = make_user("Sales User")
	frappe.get_doc(
		{"doctype": "User Permission", "user": user, "allow": "Campaign", "for_value": campaign.name}
	).insert()
	frappe.set_user(user)
	assert frappe.get_list(RECIPIENT, pluck="name") == [mine.name]
	assert not frappe.has_permission(RECIPIENT, "read", theirs)


def test_settings_and_deleted_campaigns_are_the_system_managers(site, make_user: Callable) -> None:
	for role, may in (("System Manager", True), ("Sales Manager", False), ("Sales User", False)):
		user = make_user(role)
		for doctype in ("Zoho Settings", "Zoho Deleted Campaign"):
			assert bool(frappe.has_permission(doctype, "read", user=user)) == may, (role, doctype)
		assert not frappe.has_permission("Zoho Deleted Campaign", "create", user=user)
		assert bool(frappe.has_permission("Zoho Deleted Campaign", "delete", user=user)) == may


# People who asked to be forgotten


def forgotten(people: list[row_keys_and_digests.PersonKey]) -> int:
	"""Forget people; return how many rows are figures for that."""
	before = frappe.db.count(RECIPIENT, {"rtbf": 1})
	erasure.erase_people_erased_at_zoho(people, erased_people.among(people))
	return frappe.db.count(RECIPIENT, {"rtbf": 1}) - before


def test_a_person_is_forgotten_by_id_or_address_in_all_campaigns(campaign) -> None:
	other = frappe.get_doc({"doctype": "Campaign", "campaign_name": "Another"}).insert()
	for where in (campaign, other):
		sync_recipient(where, person("ada@example.com", 1), "Opened")
		sync_recipient(where, person("bob@example.com", 2), "Opened")
	new_row(campaign, "carl@example.com", full_name="Carl")
	assert forgotten([(None, person(None, 1)["contactid"]), ("CARL@example.com ", None)]) == 3
	left = {row.email for row in frappe.get_all(RECIPIENT, {"rtbf": 0}, ["email"])}
	assert left == {"bob@example.com"}
	erased = frappe.get_all(RECIPIENT, {"rtbf": 1}, ["*"])
	assert len(erased) == 3  # a digest may well have an "ada" in it
	assert not [word for word in ("ada@", "Ada", "Lovelace", "carl@", "Carl") if word in str(erased)]
	# One stand-in a person: how many there were can still be counted.
	assert len({row.email for row in erased}) == 2
	assert forgotten([(None, person(None, 1)["contactid"])]) == 0


def test_another_contact_at_zoho_with_the_same_address_is_not_forgotten(campaign) -> None:
	sync_recipient(campaign, person("shared@example.com", 2), "Opened")
	assert forgotten([("shared@example.com", person(None, 1)["contactid"])]) == 0
	assert forgotten([("shared@example.com", person(None, 2)["contactid"])]) == 1


def test_a_record_of_an_erased_person_stores_no_person(campaign) -> None:
	sync_recipient(campaign, person("ada@example.com", 1), "Opened")
	sync_recipient(campaign, person("ada@example.com", 1), "Clicked")
	for email in ("null", "ada@example.com"):
		result = sync_recipient(campaign, person(email, 1, rtbf="1"), "Opened")
		assert result.erased == 1 and result.inserted == 0
	rows = rows_of(campaign.name)
	assert {row.action_type for row in rows} == {"Opened", "Clicked"} and all(row.rtbf for row in rows)
	assert not [word for word in ("ada@", "Ada", "Lovelace") if word in str(rows)]
	assert sync_recipient(campaign, person("null", 7, rtbf="1"), "Opened").inserted == 1
	assert frappe.db.count(RECIPIENT, {"rtbf": 1}) == 3
