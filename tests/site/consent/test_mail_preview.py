"""Before sending: how many will get a mail, and who is held back, for those who may read it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import frappe

from erpnext_zoho_integration.consent import rules
from erpnext_zoho_integration.erpnext_zoho_integration.desk import consent as desk
from tests.site.consent.helpers import hold_back, new_lead, new_member
from tests.site.consent.test_gate import email_campaign, newsletter, suppress


@pytest.fixture(autouse=True)
def group(site) -> None:
	"""Five members: two are free, one has left this group only, one opted out and is marked, one's mail bounces."""
	hold_back()
	for name in ("free", "also", "left", "gone", "dead"):
		new_member(f"{name}@example.com")
	frappe.db.set_value("Email Group Member", {"email": "left@example.com"}, "unsubscribed", 1)
	suppress("gone@example.com")
	suppress("dead@example.com", event=rules.HARD_BOUNCED)


def test_an_email_group_says_who_gets_mail_and_who_does_not() -> None:
	found = desk.preview("Email Group", "News")
	assert (found["get"], found["held_back"]) == (2, 2)
	assert [each["email"] for each in found["people"]] == ["dead@example.com", "gone@example.com"]
	assert "bounced" in found["people"][0]["text"] and "opted out" in found["people"][1]["text"]


def test_a_newsletter_says_the_same() -> None:
	found = desk.preview("Newsletter", newsletter().name)
	assert (found["get"], found["held_back"]) == (2, 2)


def test_an_email_campaign_to_a_lead_or_a_group() -> None:
	to_lead = email_campaign("Lead", new_lead("gone@example.com").name)
	assert desk.preview("Email Campaign", to_lead.name)["held_back"] == 1
	to_group = email_campaign("Email Group", "News")
	found = desk.preview("Email Campaign", to_group.name)
	assert (found["get"], found["held_back"]) == (2, 2)


def test_if_nothing_is_held_back_everybody_gets_it() -> None:
	hold_back(False)
	found = desk.preview("Email Group", "News")
	assert (found["get"], found["held_back"]) == (3, 0)


def test_who_may_not_see_the_list_gets_numbers_and_who_may_not_read_the_document_nothing(
	make_user: Callable[..., str],
) -> None:
	user = make_user("Newsletter Manager")
	frappe.set_user(user)
	try:
		found = desk.preview("Email Group", "News")
		assert found["held_back"] == 2 and found["people"] == []
		frappe.set_user(make_user("Sales User"))
		with pytest.raises(frappe.PermissionError):
			desk.preview("Email Group", "News")
	finally:
		frappe.set_user("Administrator")


def test_other_documents_are_refused() -> None:
	with pytest.raises(frappe.PermissionError):
		desk.preview("Customer", "any")
