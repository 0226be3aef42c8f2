"""Mail that was held: whatever is tried reaches nobody, and what was held in doubt reaches everybody else once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import frappe

from erpnext_zoho_integration.consent import held_mail
from tests.site.consent.helpers import HELD, held, hold_back, mailed, marketing, new_lead, queued
from tests.site.consent.test_gate import (
	email_campaign,
	send,
	suppress,
	through_communication,
	through_communication_without_reference,
	with_reference,
)


@pytest.fixture(autouse=True)
def gate(site) -> None:
	hold_back()


@contextmanager
def hidden_list() -> Iterator[None]:
	frappe.db.commit()
	frappe.db.sql_ddl("ALTER TABLE `tabZoho Suppressed Address` RENAME TO `tabZoho Hidden`")
	try:
		yield
		frappe.db.commit()
	finally:
		frappe.db.rollback()
		frappe.db.sql_ddl("ALTER TABLE `tabZoho Hidden` RENAME TO `tabZoho Suppressed Address`")


def test_held_mail_reaches_nobody_however_it_is_retried() -> None:
	from frappe.email.doctype.email_queue import email_queue

	suppress("gone@example.com")
	send(marketing(), to=["gone@example.com"])
	(mail,) = queued(marketing())
	assert mail.status == "Error" and "Held back" in mail.error
	if hasattr(email_queue, "retry_sending"):
		email_queue.retry_sending([mail.name])
	else:
		frappe.get_doc("Email Queue", mail.name).retry_sending()  # Frappe 15
	email_queue.send_now(mail.name)
	assert frappe.get_doc("Email Queue", mail.name).recipients == []


def test_an_opt_out_leaves_the_mails_that_wait() -> None:
	send(marketing(), "one", ["gone@example.com"])
	send(marketing(), "two", ["free@example.com", "Gone <GONE@example.com>"])
	send("Customer", "three", ["gone@example.com"])
	suppress("gone@example.com")
	assert mailed(marketing()) == ["free@example.com"] and mailed("Customer") == ["gone@example.com"]
	statuses = {mail.reference_name: mail.status for mail in queued(marketing())}
	assert statuses == {"one": "Error", "two": "Not Sent"}
	assert len(held()) == 2


def test_a_list_that_cannot_be_read_holds_marketing_mail_and_nothing_else() -> None:
	with hidden_list():
		send(marketing(), to=["free@example.com"])
		send("Customer", to=["free@example.com"])
	assert mailed(marketing()) == [] and mailed("Customer") == ["free@example.com"]
	assert held() == ["free@example.com"]
	assert frappe.get_all(HELD, pluck="reason") == ["List Unreadable"]


def test_what_was_held_in_doubt_can_be_queued_again() -> None:
	suppress("gone@example.com")
	with hidden_list():
		send(marketing(), to=["free@example.com", "gone@example.com"])
	assert mailed() == []
	(name,) = frappe.get_all(HELD, pluck="name")
	assert held_mail.queue_again(name) == 1
	assert mailed() == ["free@example.com"] and held() == ["gone@example.com"]
	assert queued()[0].status == "Not Sent"
	with pytest.raises(frappe.ValidationError, match="queued again"):
		held_mail.queue_again(name)


@pytest.mark.parametrize(
	"way", [through_communication, through_communication_without_reference, with_reference]
)
def test_what_each_generation_held_in_doubt_reaches_everybody_else_once(way, at_once) -> None:
	document = email_campaign("Lead", new_lead("free@example.com").name)
	suppress("gone@example.com")
	with hidden_list():
		way(document, ["free@example.com", "gone@example.com"])
	assert mailed() == []
	for name in frappe.get_all(HELD, {"reason": held_mail.UNREADABLE}, pluck="name"):
		held_mail.queue_again(name)
	assert mailed() == ["free@example.com"]


def test_a_list_that_is_back_before_the_mail_is_queued_holds_nothing_twice(at_once) -> None:
	document = email_campaign("Lead", new_lead("free@example.com").name)
	suppress("gone@example.com")
	with hidden_list():
		communication = frappe.get_doc(
			{
				"doctype": "Communication",
				"reference_doctype": "Email Campaign",
				"reference_name": document.name,
				"subject": "Hello",
				"communication_medium": "Email",
				"sent_or_received": "Sent",
				"recipients": "free@example.com, gone@example.com",
			}
		).insert()
	frappe.sendmail(
		recipients=["free@example.com", "gone@example.com"],
		subject="Hello",
		content="Hello",
		communication=communication.name,
		queue_separately=True,
	)
	assert mailed() == ["free@example.com"] and held_mail.count("Email Campaign", document.name) == 1
	assert frappe.get_all(HELD, {"reason": held_mail.UNREADABLE}) == []
