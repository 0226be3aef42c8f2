"""Recipients: no spelling of a field and no bad value loses a person."""

import json
import pickle

import pytest

from erpnext_zoho_integration.zoho import ACTIONS, BadRecord, Recipient


def test_the_nine_actions():
	assert {action: kind for action, kind in ACTIONS.items() if kind} == {
		"sentcontacts": "Sent",
		"openedcontacts": "Opened",
		"clickedcontacts": "Clicked",
		"senthardbounce": "Hard Bounced",
		"sentsoftbounce": "Soft Bounced",
		"optoutcontacts": "Unsubscribed",
		"spamcontacts": "Complaint",
	}
	assert {action for action, kind in ACTIONS.items() if not kind} == {"unopenedcontacts", "unsentcontacts"}


RECIPIENT = {
	"contactid": "1234567000000098765",
	"contactemailaddress": " Anna.Bell@Example.COM ",
	"contactfn": "Anna",
	"contactln": "Müller",
	"companyname": "ACME",
	"jobtitle": "CEO",
	"phone": "+49 30 1234",
	"mobile": "null",
	"website": "https://acme.example",
	"note": "",
	"city": "Berlin",
	"state": "undefined",
	"country": "Germany",
	"contactstatus": "active",
	"sent_time": "1783038249000",
	"sentdate": "02 Jul 2026, 12:24 PM",
	"rtbf": "0",
	"cf_loyalty": "gold",
}


def test_a_recipient():
	recipient = Recipient.from_zoho(RECIPIENT)
	assert recipient.contact_id == "1234567000000098765"
	assert recipient.email == "Anna.Bell@Example.COM"
	assert (recipient.first_name, recipient.last_name) == ("Anna", "Müller")
	assert (recipient.company, recipient.job_title) == ("ACME", "CEO")
	assert (recipient.phone, recipient.mobile) == ("+49 30 1234", None)
	assert (recipient.country, recipient.city, recipient.state) == ("Germany", "Berlin", None)
	assert (recipient.status, recipient.erased) == ("active", False)
	assert (recipient.sent_time_raw, recipient.sent_date_raw) == ("1783038249000", "02 Jul 2026, 12:24 PM")
	assert recipient.extra == {"website": "https://acme.example", "cf_loyalty": "gold"}
	assert (recipient.links, recipient.open_events, recipient.click_events) == ((), (), ())


def test_a_recipient_can_be_compared_and_pickled_but_not_changed():
	recipient = Recipient.from_zoho(RECIPIENT)
	assert pickle.loads(pickle.dumps(recipient)) == recipient
	assert recipient != Recipient.from_zoho({**RECIPIENT, "city": "Bonn"})
	with pytest.raises(AttributeError):
		recipient.email = "other@example.com"


def test_the_documented_names_are_read_too():
	recipient = Recipient.from_zoho({"contactid": "1", "firstname": "Anna", "lastname": "Bell"})
	assert (recipient.first_name, recipient.last_name, recipient.email) == ("Anna", "Bell", None)


@pytest.mark.parametrize(
	"row",
	[{}, {"contactid": "", "contactemailaddress": "null"}, {"contactfn": "Anna"}, None, "x", 3, ["a"]],
)
def test_a_recipient_without_identity_is_a_bad_record(row):
	record = Recipient.from_zoho(row)
	assert isinstance(record, BadRecord)
	assert record.raw == row
	assert "Anna" not in repr(record)


@pytest.mark.parametrize(
	"junk", [None, "null", "", "x", 7, 1.5, True, [], {}, [[]], [{}], {"a": {"b": []}}, "[{", "{a}"]
)
def test_no_value_of_any_field_raises(junk):
	keys = [
		*RECIPIENT,
		"clickcount",
		"opencount",
		"clickedurls",
		"urlclicks",
		"openreports",
		"clickreports",
		"optOutTime",
	]
	for key in keys:
		record = Recipient.from_zoho({"contactid": "1", "contactemailaddress": "a@b.example", key: junk})
		assert isinstance(record, Recipient)
		json.dumps([record.open_reports_raw, record.click_reports_raw, record.extra])


def test_counts_that_cannot_be_read_are_none():
	recipient = Recipient.from_zoho(
		{"contactid": "1", "contactemailaddress": "nobody", "clickcount": "some", "opencount": "-1"}
	)
	assert (recipient.email, recipient.click_count, recipient.open_count) == ("nobody", None, None)


@pytest.mark.parametrize(
	"rtbf, erased", [("1", True), (1, True), ("true", True), ("0", False), ("", False), ("null", False)]
)
def test_erased_people_are_marked(rtbf, erased):
	assert Recipient.from_zoho({**RECIPIENT, "rtbf": rtbf}).erased is erased


@pytest.mark.parametrize("key", ["bouncedDate", "bounceddate"])
def test_the_time_of_a_bounce(key):
	assert (
		Recipient.from_zoho({**RECIPIENT, key: "02 Jul 2026, 12:30 PM"}).bounced_at_raw
		== "02 Jul 2026, 12:30 PM"
	)


@pytest.mark.parametrize("key", ["optOutTime", "optouttime"])
def test_the_time_of_an_opt_out(key):
	assert (
		Recipient.from_zoho({**RECIPIENT, key: "02 Jul 2026, 12:30 PM"}).opted_out_at_raw
		== "02 Jul 2026, 12:30 PM"
	)
