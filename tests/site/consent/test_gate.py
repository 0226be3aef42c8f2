"""The gate: marketing mail leaves out who opted out, all other mail is sent, and it never fails open."""

from __future__ import annotations

import pytest

import frappe

from erpnext_zoho_integration.consent import held_mail, rules, suppression_list
from erpnext_zoho_integration.consent.events import Fact
from erpnext_zoho_integration.consent.recording import record
from erpnext_zoho_integration.erpnext_zoho_integration.api.privacy import erase_person
from tests.site.consent.helpers import (
	blocked,
	events,
	held,
	hold_back,
	mailed,
	marketing,
	new_lead,
	new_member,
	ticked,
)
from tests.site.syncing import new_contact, statements

NOW = frappe.utils.now_datetime


@pytest.fixture(autouse=True)
def gate(site) -> None:
	hold_back()


def suppress(*addresses: str, event: str = rules.OPTED_OUT) -> None:
	record(Fact(a, event, NOW(), rules.EXACT, "Zoho", f"test {a}") for a in addresses)


def newsletter(*emails: str) -> frappe.model.document.Document:
	for email in emails:
		if not frappe.db.exists("Email Group Member", {"email": email}):
			new_member(email)
	if not frappe.db.table_exists("Newsletter"):
		pytest.skip("Newsletter is an app of its own since Frappe 16, and not installed")
	values = {"subject": "Summer Sale", "message": "Now", "sender_email": "site@example.com"}
	document = frappe.get_doc({"doctype": "Newsletter", **values})
	document.append("email_group", {"email_group": "News"})
	return document.insert()


def send(reference: str, name: str = "any", to=("free@example.com", "gone@example.com"), **more) -> None:
	frappe.sendmail(
		recipients=list(to),
		subject="Hello",
		message="Hello",
		reference_doctype=reference,
		reference_name=name,
		**more,
	)


def test_a_newsletter_reaches_everybody_else_once(at_once) -> None:
	document = newsletter("free@example.com", "gone@example.com", "also@example.com")
	suppress("gone@example.com")
	frappe.db.set_value("Email Group Member", {"email": "gone@example.com"}, "unsubscribed", 0)
	document.queue_all()
	assert mailed("Newsletter") == ["also@example.com", "free@example.com"]
	assert held() == ["gone@example.com"] and held_mail.count("Newsletter", document.name) == 1


@pytest.mark.parametrize(
	"text",
	["GONE@Example.com", "Gone <gone@example.com>", " gone@example.com ", "gone@example.com\u200b"],
)
def test_no_spelling_of_an_address_gets_through(text: str) -> None:
	suppress("gone@example.com")
	send(marketing(), to=["free@example.com", text])
	assert mailed() == ["free@example.com"]


@pytest.mark.parametrize("other", ["gone+news@example.com", "gone@example.org", "g.one@example.com"])
def test_look_alikes_get_their_mail(other: str) -> None:
	suppress("gone@example.com")
	send(marketing(), to=[other])
	assert mailed() == [other]


def email_campaign(kind: str, recipient: str) -> frappe.model.document.Document:
	template = "zoho test mail"
	if not frappe.db.exists("Email Template", template):
		values = {"name": template, "subject": "Hello", "response": "Hello"}
		frappe.get_doc({"doctype": "Email Template", **values}).insert()
	campaign = frappe.get_doc({"doctype": "Campaign", "campaign_name": f"By mail {kind}"})
	campaign.append("campaign_schedules", {"email_template": template, "send_after_days": 0})
	campaign.insert()
	return frappe.get_doc(
		{
			"doctype": "Email Campaign",
			"campaign_name": campaign.name,
			"email_campaign_for": kind,
			"recipient": recipient,
			"start_date": frappe.utils.today(),
		}
	).insert()


def through_communication(document, to: list[str]) -> None:
	"""As ERPNext up to 15.65 does: one Communication names everybody."""
	from frappe.core.doctype.communication.email import make

	make(
		doctype="Email Campaign",
		name=document.name,
		subject="Hello",
		content="Hello",
		sender="site@example.com",
		recipients=to,
		communication_medium="Email",
		sent_or_received="Sent",
		send_email=True,
		email_template=None,
	)


def through_communication_without_reference(document, to: list[str]) -> None:
	"""As ERPNext from the end of 2025 does: mails that name a Communication only."""
	communication = frappe.get_doc(
		{
			"doctype": "Communication",
			"reference_doctype": "Email Campaign",
			"reference_name": document.name,
			"subject": "Hello",
			"content": "Hello",
			"communication_medium": "Email",
			"sent_or_received": "Sent",
			"recipients": ", ".join(to),
		}
	).insert()
	frappe.sendmail(
		recipients=to,
		subject="Hello",
		content="Hello",
		communication=communication.name,
		queue_separately=True,
	)


def with_reference(document, to: list[str]) -> None:
	"""As the newest ERPNext does: mails with a reference."""
	for each in to:
		send("Email Campaign", document.name, [each])


@pytest.mark.parametrize(
	"way", [through_communication, through_communication_without_reference, with_reference]
)
def test_each_generation_of_email_campaign_is_gated(way, at_once) -> None:
	lead = new_lead("gone@example.com")
	document = email_campaign("Lead", lead.name)
	suppress("gone@example.com")
	way(document, ["free@example.com", "gone@example.com"])
	assert [address for address in mailed() if "gone" in address] == []
	assert [address for address in mailed() if "free" in address]
	assert "gone@example.com" not in str(frappe.get_all("Email Queue", pluck="message"))


@pytest.mark.parametrize(
	"way", [through_communication, through_communication_without_reference, with_reference]
)
def test_an_email_campaign_to_nobody_else_is_mailed_to_nobody(way, at_once) -> None:
	contact = new_contact("gone@example.com")
	suppress("gone@example.com")
	way(email_campaign("Contact", contact.name), ["gone@example.com"])
	assert mailed() == [] and held()


def test_other_mail_is_sent() -> None:
	suppress("gone@example.com")
	for reference in ("Customer", "User", "Notification", "Contact"):
		send(reference)
	frappe.sendmail(recipients=["gone@example.com"], subject="Reset", message="Reset")
	assert mailed().count("gone@example.com") == 5 and held() == []


def test_other_mail_costs_no_query() -> None:
	send("Contact")
	suppress("gone@example.com")
	with statements() as asked:
		send("Contact")
	ours = ("Zoho", "Singles")
	assert not [query for query in asked if any(word in query for word in ours)]


def test_marketing_mail_costs_at_most_three_queries() -> None:
	suppress("gone@example.com")
	send(marketing())
	with statements() as asked:
		send(marketing(), to=["free@example.com"])
	assert len([query for query in asked if "Zoho" in query]) <= 3


def test_it_can_be_turned_off() -> None:
	suppress("gone@example.com")
	hold_back(False)
	send(marketing())
	assert "gone@example.com" in mailed()


def test_hard_bounces_are_a_setting_and_can_be_lifted() -> None:
	suppress("dead@example.com", event=rules.HARD_BOUNCED)
	send(marketing(), to=["dead@example.com"])
	assert mailed() == []
	hold_back(hold_back_after_hard_bounces=0)
	send(marketing(), to=["dead@example.com"])
	assert mailed() == ["dead@example.com"]


def test_erased_people_get_no_marketing_mail() -> None:
	suppress("gone@example.com")
	erase_person("gone@example.com")
	erase_person("never-opted-out@example.com")
	assert not blocked("gone@example.com"), "nothing names them any more"
	send(marketing(), to=["gone@example.com", "never-opted-out@example.com", "free@example.com"])
	assert mailed() == ["free@example.com"]


@pytest.mark.parametrize("copies", [{"cc": ["boss@example.com"]}, {"bcc": ["boss@example.com"]}])
def test_a_mail_whose_to_is_empty_is_held_whole(copies: dict) -> None:
	suppress("gone@example.com")
	communication = frappe.get_doc(
		{
			"doctype": "Communication",
			"reference_doctype": "Newsletter",
			"reference_name": newsletter("reader@example.com").name,
			"communication_medium": "Email",
			"sent_or_received": "Sent",
			"subject": "Hello",
			"recipients": "gone@example.com",
			**{kind: ", ".join(who) for kind, who in copies.items()},
		}
	).insert()
	assert not communication.recipients and not communication.cc and not communication.bcc
	if "cc" in copies:
		send(marketing(), to=["gone@example.com"], **copies)
		assert mailed() == []


def test_a_copy_to_somebody_who_opted_out_is_left_out() -> None:
	suppress("gone@example.com")
	send(marketing(), to=["free@example.com"], cc=["gone@example.com", "boss@example.com"])
	assert mailed() == ["boss@example.com", "free@example.com"]


def test_lists_are_compared_and_made_anew() -> None:
	suppress("gone@example.com", "also@example.com")
	assert list(suppression_list.differences()) == []
	frappe.db.sql("update `tabZoho Suppressed Address` set blocked = 0 where email = 'gone@example.com'")
	frappe.db.sql("delete from `tabZoho Suppressed Address` where email = 'also@example.com'")
	frappe.db.sql(
		"insert into `tabZoho Suppressed Address` (name, email, blocked, bounced) values ('nobody', 'x@y.z', 1, 0)"
	)
	assert len(list(suppression_list.differences())) == 3
	assert suppression_list.rebuild() == 2
	assert (
		list(suppression_list.differences()) == []
		and blocked("gone@example.com")
		and blocked("also@example.com")
	)


def test_events_are_changed_by_nobody() -> None:
	suppress("gone@example.com")
	event = frappe.get_last_doc("Zoho Consent Event")
	for act in (
		event.save,
		event.delete,
		lambda: frappe.rename_doc("Zoho Consent Event", event.name, "other", force=True),
	):
		with pytest.raises(frappe.PermissionError):
			act()
	with pytest.raises(frappe.PermissionError):
		frappe.get_doc({"doctype": "Zoho Consent Event", "email": "a@b.c"}).insert(ignore_permissions=True)
	with pytest.raises(frappe.PermissionError):
		frappe.get_doc("Zoho Suppressed Address", {"email": "gone@example.com"}).delete()
	assert events("gone@example.com") == [("Opted Out", "Zoho")]


def test_users_say_so_in_erpnext() -> None:
	contact, lead = new_contact("box@example.com", "second@example.com"), new_lead("lead@example.com")
	for document in (contact, lead):
		document.unsubscribed = 1
		document.save()
	member = new_member("member@example.com")
	new_member("member@example.com", "Other")
	member.unsubscribed = 1
	member.save()
	assert not blocked("member@example.com"), "still in the other group"
	other = frappe.get_doc("Email Group Member", {"email": "member@example.com", "email_group": "Other"})
	other.unsubscribed = 1
	other.save()
	for reference, email in (
		(newsletter("reader@example.com"), "link@example.com"),
		(email_campaign("Lead", lead.name), "campaign@example.com"),
		(contact, "conversation@example.com"),
	):
		document = {"reference_doctype": reference.doctype, "reference_name": reference.name}
		frappe.get_doc({"doctype": "Email Unsubscribe", "email": email, **document}).insert()
	frappe.get_doc(
		{"doctype": "Email Unsubscribe", "email": "all@example.com", "global_unsubscribe": 1}
	).insert()
	for email in ("box", "second", "lead", "member", "link", "campaign", "all"):
		assert blocked(f"{email}@example.com"), email
	assert not blocked("conversation@example.com")
	assert events("link@example.com") == [("Opted Out", "Unsubscribe Link")]
	assert ticked("Contact", contact.name)
