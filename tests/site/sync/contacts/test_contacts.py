"""Contacts: found exactly, created as the settings say, filled and never overwritten, opted out for good."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest

import frappe

from erpnext_zoho_integration.erpnext_zoho_integration.api.sync import (
	find_or_create_contact,
	sync_recipient,
	update_contact_from_zoho,
)
from erpnext_zoho_integration.store.row_keys_and_digests import digests_of, site_key
from erpnext_zoho_integration.sync.contacts import matching
from erpnext_zoho_integration.sync.contacts.change_cache import ChangeCache
from erpnext_zoho_integration.sync.mapping.recipient_pages import FetchedPage
from erpnext_zoho_integration.sync.mapping.recipient_rows import Row, Times, recipient_row
from erpnext_zoho_integration.sync.recipients.mapped_batch import map_batch
from erpnext_zoho_integration.sync.recipients.matched_batch import match_batch
from erpnext_zoho_integration.sync.recipients.row_writers import Writers
from erpnext_zoho_integration.sync.recipients.store_batch import create_contacts, store_batch
from erpnext_zoho_integration.zoho import Clock, Recipient
from tests.site.desk.test_desk import make_campaign
from tests.site.syncing import (
	RECIPIENT,
	answer_with,
	connect,
	errors_of,
	new_contact,
	notes_of,
	person,
	snapshot,
	statements,
	sync_all,
)


@pytest.fixture
def zoho(start_simulator: Callable):
	"""A connected Zoho of one campaign, whose people a test names itself with `answer_with`."""
	return connect(start_simulator(seed=1, campaigns=1, recipients=10))


def linked(email: str, action_type: str = "Opened") -> str | None:
	"""Return the Contact of the only stored row of this exact address and action."""
	rows = frappe.get_all(RECIPIENT, {"action_type": action_type}, ["email", "contact"])
	(row,) = [row for row in rows if row.email == email]
	return row.contact


def give_address(contact, email: str) -> None:
	"""Give a Contact an address that Frappe would refuse or tidy up, as an import or another version may have left it."""
	frappe.db.set_value("Contact Email", contact.email_ids[0].name, "email_id", email)
	frappe.db.set_value("Contact", contact.name, "email_id", email)


# Matching


@pytest.mark.parametrize(
	("stored", "at_zoho"),
	[
		("muller@example.com", "müller@example.com"),
		("strasse@example.com", "straße@example.com"),
		("elodie@example.com", "élodie@example.com"),
		("a.b@example.com", "ab@example.com"),
	],
)
def test_a_look_alike_is_somebody_else(zoho, stored: str, at_zoho: str) -> None:
	contact = new_contact(stored)
	answer_with(zoho, {"openedcontacts": [person(at_zoho, 1), person(stored, 2, contactfn="Same")]})
	sync_all()
	assert linked(stored) == contact.name
	assert linked(at_zoho) != contact.name
	contact.reload()
	assert contact.zoho_contact_id == person(None, 2)["contactid"]
	assert [row.email_id for row in contact.email_ids] == [stored]


@pytest.mark.parametrize(
	("stored", "at_zoho", "other"),
	[
		("müller@example.com", "MÜLLER@example.com", "muller@example.com"),
		("straße@example.com", "straße@example.com", "strasse@example.com"),
		("😀@example.com", "😀@example.com", "😎@example.com"),
	],
)
def test_an_address_that_this_version_would_refuse_is_matched_exactly_too(
	zoho, stored: str, at_zoho: str, other: str
) -> None:
	contact, second = (
		new_contact("one@example.com", first_name="One"),
		new_contact("two@example.com", first_name="Two"),
	)
	give_address(contact, stored)
	give_address(second, other)
	answer_with(zoho, {"openedcontacts": [person(at_zoho, 1), person(other, 2)]})
	run = sync_all()
	assert not errors_of(run), [e.message for e in errors_of(run)]
	assert (linked(stored), linked(other)) == (contact.name, second.name)


@pytest.mark.parametrize(
	("stored", "at_zoho"),
	[
		("Ada@Example.COM", "ada@example.com"),
		("ada@example.com", "  ADA@example.com "),
		("ada@example.com ", "ada@example.com"),
		("MÜLLER@Example.com", "müller@example.com"),
	],
)
def test_case_and_blanks_around_do_not_matter(zoho, stored: str, at_zoho: str) -> None:
	contact = new_contact("ada@example.com")
	give_address(contact, stored)
	answer_with(zoho, {"openedcontacts": [person(at_zoho)]})
	sync_all()
	assert linked(at_zoho.strip().lower()) == contact.name
	assert frappe.db.count("Contact", {"zoho_contact_id": ("is", "set")}) == 1


def test_an_id_of_zoho_never_overrules_the_address_of_another_contact(zoho) -> None:
	known = new_contact("old@example.com", zoho_contact_id=person(None, 7)["contactid"])
	other = new_contact("new@example.com", first_name="Other")
	answer_with(zoho, {"openedcontacts": [person("new@example.com", 7), person("other@example.com", 8)]})
	sync_all()
	assert linked("new@example.com") == other.name
	assert not other.reload().zoho_contact_id and known.reload().zoho_contact_id


def test_a_second_address_of_a_contact_is_theirs_and_a_primary_one_comes_first(zoho) -> None:
	several = new_contact("first@example.com", "second@example.com")
	primary = new_contact("shared@example.com", first_name="Primary")
	new_contact("mine@example.com", "shared@example.com", first_name="Also")
	answer_with(zoho, {"openedcontacts": [person("second@example.com", 1), person("shared@example.com", 2)]})
	run = sync_all()
	assert linked("second@example.com") == several.name
	assert linked("shared@example.com") == primary.name
	assert run.contacts_created == 0 and not run.errors


def test_several_contacts_of_one_address_are_listed_and_not_guessed(zoho) -> None:
	one, two = (
		new_contact("twin@example.com", first_name="One"),
		new_contact("twin@example.com", first_name="Two"),
	)
	answer_with(zoho, {"openedcontacts": [person("twin@example.com")]})
	run = sync_all()
	assert linked("twin@example.com") is None and run.contacts_created == 0
	(note,) = notes_of(run)
	assert one.name in note.message and two.name in note.message and "twin@example.com" in note.message
	assert not one.reload().zoho_contact_id and not two.reload().zoho_contact_id
	# A third one does not decide it either; merging does.
	three = new_contact("twin@example.com", first_name="Three")
	assert linked("twin@example.com") is None
	frappe.rename_doc("Contact", three.name, one.name, merge=True)
	frappe.rename_doc("Contact", two.name, one.name, merge=True)
	sync_all(full=True)
	assert linked("twin@example.com") == one.name


# Creating


@pytest.mark.parametrize(
	("setting", "created"),
	[
		("Everyone Who Acted", {"acted@example.com"}),
		("Everyone", {"acted@example.com", "sent@example.com"}),
		("Nobody", set()),
	],
)
def test_contacts_are_created_as_the_setting_says(
	start_simulator: Callable, setting: str, created: set
) -> None:
	zoho = connect(start_simulator(campaigns=1, recipients=10), create_contacts_for=setting)
	known = new_contact("known@example.com")
	sent = [person("acted@example.com", 1), person("sent@example.com", 2), person("known@example.com", 3)]
	answer_with(zoho, {"openedcontacts": [person("acted@example.com", 1)], "sentcontacts": sent})
	run = sync_all()
	stored = frappe.get_all(
		"Contact", {"zoho_contact_id": ("is", "set"), "name": ("!=", known.name)}, pluck="email_id"
	)
	assert set(stored) == created and run.contacts_created == len(created)
	# Whoever has a Contact is linked, by every row, whatever the setting is.
	assert linked("known@example.com", "Sent") == known.name
	assert bool(linked("acted@example.com", "Sent")) == ("acted@example.com" in created)
	assert linked("acted@example.com", "Sent") == linked("acted@example.com", "Opened")


def test_a_new_contact_has_what_zoho_knows(zoho) -> None:
	known = {"companyname": "Acme", "jobtitle": "CTO", "phone": "+91 7000000001", "mobile": "+91 7000000002"}
	answer_with(zoho, {"openedcontacts": [person("Ada@example.com", 5, **known)]})
	run = sync_all()
	contact = frappe.get_doc("Contact", linked("ada@example.com"))
	assert (contact.first_name, contact.last_name, contact.full_name) == ("Ada", "Lovelace", "Ada Lovelace")
	assert (contact.company_name, contact.designation) == ("Acme", "CTO")
	assert contact.email_id == "ada@example.com"
	assert [(row.email_id, row.is_primary) for row in contact.email_ids] == [("ada@example.com", 1)]
	assert (contact.phone, contact.mobile_no) == ("+91 7000000001", "+91 7000000002")
	assert (contact.zoho_contact_id, contact.zoho_status) == (person(None, 5)["contactid"], "active")
	assert contact.zoho_last_synced and not contact.unsubscribed
	assert run.contacts_created == 1 and run.contacts_linked == 1
	contact.save()  # a person can go on with it


@pytest.mark.parametrize(
	("names", "full_name"),
	[
		({"contactfn": "<b>Bold</b>", "contactln": "<script>x</script>"}, "‹b›Bold‹/b› ‹script›x‹/script›"),
		({"contactfn": "New Contact", "contactln": "Person"}, "New Contact Person"),
		({"contactfn": "Contact", "contactln": ""}, "Contact"),
		({"contactfn": "null", "contactln": "null"}, "ada"),
		({"contactfn": "", "contactln": "Lovelace"}, "Lovelace"),
		({"contactfn": "美玲", "contactln": "王"}, "美玲 王"),
		({"contactfn": "x" * 150, "contactln": "y" * 150}, None),
		({"contactfn": "{{ 7 * 7 }}", "contactln": "%s %(name)s"}, "{{ 7 * 7 }} %s %(name)s"),
	],
)
def test_names_of_people_however_odd(zoho, names: dict, full_name: str | None) -> None:
	answer_with(zoho, {"openedcontacts": [person("ada@example.com", **names)]})
	run = sync_all()
	assert run.status == "Success" and run.contacts_created == 1
	contact = frappe.get_doc("Contact", linked("ada@example.com"))
	assert not set("<>") & set(f"{contact.name}{contact.full_name}{contact.first_name}{contact.last_name}")
	assert (
		len(contact.name) <= 140 and not contact.name.startswith("New Contact") and contact.name != "Contact"
	)
	if full_name:
		assert contact.full_name == full_name
	contact.save()


def test_people_of_one_name_are_several_contacts(zoho) -> None:
	mine = new_contact("mine@example.com", first_name="Ada", last_name="Lovelace")
	people = [person(f"ada{number}@example.com", number) for number in range(4)]
	answer_with(zoho, {"openedcontacts": [*people, person("muller@example.com", 9, contactln="Lövelace")]})
	run = sync_all()
	assert run.status == "Success" and run.contacts_created == 5
	names = {linked(f"ada{number}@example.com") for number in range(4)}
	assert len(names) == 4 and mine.name not in names
	assert all(name.startswith("Ada Lovelace-") for name in names)


@pytest.mark.parametrize(
	"email", ["müller@example.com", "no-at-sign", "a b@example.com", "x" * 150 + "@example.com"]
)
def test_an_address_that_erpnext_refuses_is_kept_without_a_contact(zoho, email: str) -> None:
	answer_with(zoho, {"openedcontacts": [person(email, 1), person("fine@example.com", 2)]})
	run = sync_all()
	assert run.status == "Success" and linked(email) is None and linked("fine@example.com")
	(note,) = notes_of(run)
	assert email in note.message
	assert sync_all(full=True).contacts_created == 0


# Filling


def test_typed_values_are_never_overwritten_and_empty_ones_filled(zoho) -> None:
	contact = new_contact("ada@example.com", first_name="Augusta", last_name="", designation="Countess")
	known = {"companyname": "Acme", "jobtitle": "CTO", "contactstatus": "active"}
	answer_with(zoho, {"openedcontacts": [person("ada@example.com", 5, **known)]})
	sync_all()
	contact.reload()
	assert (contact.first_name, contact.designation) == ("Augusta", "Countess")
	assert (contact.last_name, contact.company_name) == ("Lovelace", "Acme")
	assert contact.full_name == "Augusta Lovelace"
	assert (contact.zoho_contact_id, contact.zoho_status) == (person(None, 5)["contactid"], "active")
	contact.company_name = "Our own name for it"
	contact.save()
	answer_with(
		zoho, {"openedcontacts": [person("ada@example.com", 5, **known | {"companyname": "Acme Inc."})]}
	)
	run = sync_all(full=True)
	assert run.rows_updated == 1
	assert frappe.db.get_value("Contact", contact.name, "company_name") == "Our own name for it"


def test_a_contact_moves_only_if_something_about_it_changes(zoho) -> None:
	contact = new_contact("ada@example.com", first_name="Ada", last_name="Lovelace")
	answer_with(zoho, {"openedcontacts": [person("ada@example.com", 5)]})
	sync_all()
	changed = contact.reload().modified
	assert contact.zoho_last_synced
	# A click more is no news about the person.
	answer_with(zoho, {"openedcontacts": [person("ada@example.com", 5, city="London")]})
	assert sync_all(full=True).rows_updated == 1
	assert contact.reload().modified == changed
	answer_with(zoho, {"openedcontacts": [person("ada@example.com", 5, contactstatus="bounce")]})
	sync_all(full=True)
	assert contact.reload().zoho_status == "bounce" and contact.modified > changed


# Opting out


@pytest.mark.parametrize(
	("action", "label"), [("optoutcontacts", "Unsubscribed"), ("spamcontacts", "Complaint")]
)
def test_opting_out_only_ever_ratchets(zoho, action: str, label: str) -> None:
	known = new_contact("known@example.com")
	out = [person("known@example.com", 1, contactstatus="unsub"), person("new@example.com", 2)]
	answer_with(
		zoho, {action: out, "openedcontacts": [person("known@example.com", 1), person("open@example.com", 3)]}
	)
	run = sync_all()
	new = frappe.get_doc("Contact", linked("new@example.com", label))
	assert known.reload().unsubscribed and new.unsubscribed and run.opted_out == 2
	assert not frappe.db.get_value("Contact", linked("open@example.com"), "unsubscribed")
	# Cleared by hand it stays cleared while Zoho says nothing new.
	known.unsubscribed = 0
	known.save()
	assert sync_all(full=True).opted_out == 0
	assert not known.reload().unsubscribed
	# No sync clears it, even if Zoho no longer lists the person.
	answer_with(zoho, {"openedcontacts": [person("new@example.com", 2, contactstatus="active")]})
	sync_all(full=True)
	assert new.reload().unsubscribed


def test_a_contact_made_for_another_row_is_opted_out_by_the_row_that_waited(
	start_simulator: Callable,
) -> None:
	zoho = connect(start_simulator(campaigns=1, recipients=10), create_contacts_for="Nobody")
	answer_with(zoho, {"optoutcontacts": [person("ada@example.com")]})
	sync_all()
	contact = new_contact("ada@example.com")
	assert linked("ada@example.com", "Unsubscribed") == contact.name
	assert contact.reload().unsubscribed


def test_what_a_contact_agrees_with_is_no_news_and_what_campaigns_dispute_about_always_is(site) -> None:
	def row(status: str, minute: int = 0) -> Row:
		record = person(
			"ada@example.com", 5, contactstatus=status, sent_time=1_783_009_449_000 + 60_000 * minute
		)
		times = Times(Clock(skew_ms=0), ZoneInfo("UTC"))
		return recipient_row(Recipient.from_zoho(record), "Sent", "key", times)

	cache = ChangeCache()
	assert cache.changed("A", {"Ada": row("active")})
	cache.remember(["Ada"])
	assert not cache.changed("A", {"Ada": row("active", 5)}) and not cache.changed(
		"B", {"Ada": row("active", 9)}
	)
	assert cache.changed("B", {"Ada": row("bounce")})
	cache.remember(["Ada"], disputed=["Ada"])
	assert not cache.changed("B", {"Ada": row("bounce")})
	assert cache.changed("B", {"Ada": row("bounce", 5)}), "of another moment it may be the last word"
	assert cache.changed("C", {"Ada": row("bounce")}) and cache.changed("C", {"Ada": row("active")})
	cache.remember(["Ada"])
	cache.invalidate(["Ada"])
	assert cache.changed("D", {"Ada": row("active")})
	cache.remember(["Ada"])
	frappe.db.rollback()
	assert cache.changed("D", {"Ada": row("active")}), "what was not committed has not been taken over"


def test_addresses_are_found_by_an_index_however_many_contacts_there_are(site) -> None:
	with statements() as asked:
		matching.contacts_of(["ada@example.com"])
	query = next(query for query in asked if "LIKE" not in query)
	explain = "EXPLAIN" if frappe.db.db_type == "mariadb" else "EXPLAIN QUERY PLAN"
	values = ("ada@example.com",) * query.count("%s")
	assert "zoho_address" in str(frappe.db.sql(f"{explain} {query}", values))


# The functions for Python


def test_find_or_create_and_update_from_python(zoho) -> None:
	contact = find_or_create_contact(person("ada@example.com", 5))
	assert contact.zoho_contact_id == person(None, 5)["contactid"]
	assert find_or_create_contact(person(" ADA@example.com", 6)).name == contact.name
	assert find_or_create_contact(person("other@example.com", 5)).name == contact.name
	assert find_or_create_contact(person(None, 9)) is None
	assert find_or_create_contact(person("müller@example.com", 9)) is None
	assert find_or_create_contact(person("gone@example.com", 9, rtbf="1")) is None
	assert update_contact_from_zoho(contact, person("ada@example.com", 5, jobtitle="CTO")) is True
	assert contact.designation == "CTO"
	assert update_contact_from_zoho(contact, person("ada@example.com", 5, jobtitle="CEO")) is False
	contact.reload()
	contact.save()
	assert contact.designation == "CTO"


def test_one_recipient_from_python(zoho) -> None:
	campaign = frappe.get_doc({"doctype": "Campaign", "campaign_name": "By hand"}).insert()
	stored = sync_recipient(campaign, person("ada@example.com", 5), "Clicked")
	assert (stored.inserted, stored.contacts_created) == (1, 1)
	before = snapshot()
	again = sync_recipient(campaign, person("ada@example.com", 5), "Clicked")
	assert (again.inserted, again.updated, again.unchanged) == (0, 0, 1)
	assert snapshot() == before
	assert sync_recipient(campaign, person("ada@example.com", 5, city="London"), "Clicked").updated == 1
	assert sync_recipient(campaign, {}, "Clicked").skipped == 1
	assert frappe.db.count(RECIPIENT) == 1


def test_of_several_addresses_of_a_contact_in_one_list_the_trouble_counts(start_simulator: Callable) -> None:
	zoho = connect(start_simulator(campaigns=1, recipients=10))
	contact = new_contact("work@example.com")
	contact.append("email_ids", {"email_id": "home@example.com"})
	contact.zoho_status = "active"
	contact.save()
	frappe.db.commit()
	bounced = person("work@example.com", 1, contactstatus="bounce")
	answer_with(zoho, {"openedcontacts": [bounced, person("home@example.com", 2, contactstatus="active")]})
	sync_all()
	assert contact.reload().zoho_status == "bounce"


def test_a_status_that_its_row_takes_back_is_the_last_word_no_longer(site) -> None:
	campaign, writers = make_campaign("Spring offer").name, Writers.for_site()
	times = Times(Clock(skew_ms=0), ZoneInfo("UTC"))

	def write(action_type: str, status: str) -> str:
		record = Recipient.from_zoho(person("ada@example.com", 5, contactstatus=status))
		people = [(record.email, record.contact_id)]
		row = recipient_row(record, action_type, "key", times)
		digests = digests_of(people, site_key())
		page = FetchedPage(action_type, None, 1, None, [], people, [False], [row], digests)
		batch = match_batch(campaign, map_batch([page], "key"), "Everyone")
		create_contacts(batch, writers)
		store_batch(batch, writers)
		frappe.db.commit()
		return frappe.db.get_value("Contact", {"email_id": "ada@example.com"}, "zoho_status")

	assert write("Sent", "active") == "active"
	assert write("Clicked", "bounce") == "bounce"
	assert write("Opened", "active") == "bounce", "what is not active counts"
	assert write("Clicked", "active") == "active"
