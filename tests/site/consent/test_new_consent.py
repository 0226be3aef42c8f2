"""Lifting a block: only a person with proof does."""

from __future__ import annotations

import pytest

import frappe
from frappe.utils import add_to_date, now_datetime

from erpnext_zoho_integration.consent import new_consent, rules, suppression_list
from erpnext_zoho_integration.consent.events import Fact
from erpnext_zoho_integration.consent.recording import record
from erpnext_zoho_integration.erpnext_zoho_integration.api import consent as api
from tests.site.consent.helpers import blocked, events, hold_back, new_lead, ticked
from tests.site.syncing import new_contact


@pytest.fixture(autouse=True)
def gate(site) -> None:
	hold_back()


def opt_out(email: str, hours_ago: float = 1, event: str = rules.OPTED_OUT) -> None:
	moment = add_to_date(now_datetime(), hours=-hours_ago)
	record([Fact(email, event, moment, rules.EXACT, "Zoho", f"test {moment}")])


def proof(content: str = "I agree", is_private: int = 1) -> str:
	return frappe.get_doc(
		{"doctype": "File", "file_name": "proof.txt", "content": content, "is_private": is_private}
	).insert()


def consent(email: str = "ada@example.com", **more: object) -> str:
	values = {
		"given_at": str(now_datetime()),
		"method": "Written Form",
		"text": "I want the news",
		"file": proof().name,
		**more,
	}
	return api.record_consent(email, **values)


def test_new_consent_lifts_the_block_and_clears_the_boxes() -> None:
	contact, lead = new_contact("ada@example.com", "second@example.com"), new_lead("ada@example.com")
	opt_out("ada@example.com")
	assert ticked("Contact", contact.name) and ticked("Lead", lead.name)
	event = consent()
	assert not blocked("ada@example.com")
	assert not ticked("Contact", contact.name) and not ticked("Lead", lead.name)
	assert events("ada@example.com") == [("Opted Out", "Zoho"), ("Consent Given", "Person")]
	stored = frappe.get_doc("Zoho Consent Event", event)
	assert stored.user == "Administrator" and "I want the news" in stored.proof
	assert list(suppression_list.differences()) == []
	opt_out("ada@example.com", hours_ago=-1)
	assert blocked("ada@example.com"), "a newer opt-out counts"


def test_a_contact_whose_other_address_is_blocked_stays_marked() -> None:
	contact = new_contact("ada@example.com", "second@example.com")
	opt_out("ada@example.com")
	opt_out("second@example.com")
	consent()
	assert ticked("Contact", contact.name)


@pytest.mark.parametrize(
	("wrong", "said"),
	[
		({"given_at": "2999-01-01 00:00:00"}, "not in the future"),
		({"given_at": "2000-01-01 00:00:00"}, "later than the opt-out"),
		({"given_at": ""}, "when the person agreed"),
		({"method": "Telepathy"}, "Choose how"),
		({"text": "  "}, "words"),
		({"file": ""}, "Attach the file"),
		({"file": "no such file"}, "Attach the file"),
		({"email": "never@example.com"}, "nothing to lift"),
		({"email": "no address"}, "Enter the e-mail address"),
	],
)
def test_bad_input_is_refused_in_words(wrong: dict, said: str) -> None:
	opt_out("ada@example.com")
	with pytest.raises(frappe.ValidationError, match=said):
		consent(**wrong)
	assert blocked("ada@example.com")


@pytest.mark.parametrize(("made", "said"), [({"is_private": 0}, "public file")])
def test_a_public_file_proves_nothing(made: dict, said: str) -> None:
	opt_out("ada@example.com")
	with pytest.raises(frappe.ValidationError, match=said):
		consent(file=proof(**made).name)
	empty = proof()
	frappe.db.set_value("File", empty.name, "file_size", 0)
	with pytest.raises(frappe.ValidationError, match="empty"):
		consent(file=empty.name)


def test_an_address_that_works_again_gets_mail() -> None:
	opt_out("ada@example.com", event=rules.HARD_BOUNCED)
	assert suppression_list.held({"ada@example.com"})
	with pytest.raises(frappe.ValidationError, match="has not opted out"):
		consent()
	api.record_address_works_again("ada@example.com")
	assert not suppression_list.held({"ada@example.com"})
	with pytest.raises(frappe.ValidationError, match="nothing to lift"):
		new_consent.record_address_works_again("ada@example.com")


@pytest.mark.parametrize("role", ["Sales Manager", "Sales User", "Guest"])
def test_only_a_system_manager_lifts_and_reads_the_proof(session_of, role: str) -> None:
	opt_out("ada@example.com")
	frappe.db.commit()
	session = session_of(role)
	base = "erpnext_zoho_integration.erpnext_zoho_integration.api.consent"
	for function, args in (
		(
			"record_consent",
			{"email": "ada@example.com", "given_at": "", "method": "", "text": "", "file": ""},
		),
		("record_address_works_again", {"email": "ada@example.com"}),
		("queue_again", {"held": "x"}),
		("hold_back_marketing_mail", {}),
		("consent_evidence", {"email": "ada@example.com"}),
	):
		assert session.call(f"{base}.{function}", **args).status_code in (401, 403), function
	for doctype in ("Zoho Consent Event", "Zoho Suppressed Address", "Zoho Held Mail"):
		assert session.get(f"/api/resource/{doctype}").status_code in (401, 403), doctype


def test_evidence_is_shown_in_order() -> None:
	opt_out("ada@example.com")
	consent()
	assert [each["event"] for each in api.consent_evidence(" ADA@example.com")] == [
		"Opted Out",
		"Consent Given",
	]
