"""On MariaDB: the suppression list is locked in the middle of a Newsletter and of the day's Email Campaigns.

Nobody suppressed gets a mail, everybody else gets one, and other mail goes out while the list is locked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

import frappe

from erpnext_zoho_integration.consent import held_mail
from tests.site.consent.helpers import HELD, hold_back, mailed, new_lead, new_member
from tests.site.consent.test_gate import send, suppress
from tests.site.syncing import before_each_statement

PEOPLE = [f"reader{n}@example.com" for n in range(20)]
GONE = PEOPLE[::5]


@pytest.fixture(autouse=True)
def people(site) -> None:
	if frappe.db.db_type != "mariadb":
		pytest.skip("SQLite has no locked tables")
	hold_back()
	suppress(*GONE)
	for email in PEOPLE:
		new_member(email)
	# A list that was imported after the opt-outs: its boxes are empty.
	frappe.db.set_value("Email Group Member", {"email": ("in", GONE)}, "unsubscribed", 0)
	frappe.db.commit()


@contextmanager
def locked_between(first: int, last: int) -> Iterator[list[int]]:
	"""Lock the list, by another connection, from the first to the last of the mails that are put into the queue.

	MariaDB lets nobody lock a table that a transaction has read, so the sending job has committed before.
	"""
	conf, count = frappe.conf, [0]
	other = frappe.database.get_db(
		host=conf.db_host,
		port=conf.db_port,
		user=conf.get("db_user") or conf.db_name,
		password=conf.db_password,
		cur_db_name=conf.db_name,
	)

	def act(statement: str) -> None:
		if not statement.lstrip().lower().startswith("insert into `tabemail queue` "):
			return
		count[0] += 1
		if count[0] == first:
			frappe.db.commit()
			other.sql("LOCK TABLES `tabZoho Suppressed Address` WRITE")
		elif count[0] == last:
			other.sql("UNLOCK TABLES")

	try:
		with before_each_statement(act):
			yield count
	finally:
		other.sql("UNLOCK TABLES")
		other.close()


def queue_again() -> None:
	for name in frappe.get_all(HELD, {"reason": held_mail.UNREADABLE}, pluck="name"):
		held_mail.queue_again(name)


def test_a_newsletter(at_once) -> None:
	if not frappe.db.table_exists("Newsletter"):
		pytest.skip("Newsletter is an app of its own since Frappe 16, and not installed")
	newsletter = frappe.get_doc(
		{"doctype": "Newsletter", "subject": "Sale", "message": "Now", "sender_email": "site@example.com"}
	)
	newsletter.append("email_group", {"email_group": "News"})
	newsletter.insert()
	with locked_between(4, 7):
		newsletter.queue_all()
	assert not set(mailed()) & set(GONE)
	queue_again()
	assert mailed() == sorted(set(PEOPLE) - set(GONE))


def test_the_days_email_campaigns(at_once) -> None:
	from erpnext.crm.doctype.email_campaign.email_campaign import send_email_to_leads_or_contacts

	template = {"doctype": "Email Template", "name": "Locked", "subject": "Hello", "response": "Hello"}
	frappe.get_doc(template).insert(ignore_if_duplicate=True)
	campaign = frappe.get_doc({"doctype": "Campaign", "campaign_name": "Day"})
	campaign.append("campaign_schedules", {"email_template": "Locked", "send_after_days": 0})
	campaign.insert()
	for email in PEOPLE:
		frappe.get_doc(
			{
				"doctype": "Email Campaign",
				"campaign_name": campaign.name,
				"email_campaign_for": "Lead",
				"recipient": new_lead(email).name,
				"start_date": frappe.utils.today(),
				"status": "In Progress",
			}
		).insert()
	frappe.db.set_value("Email Campaign", {"campaign_name": campaign.name}, "status", "In Progress")
	frappe.db.commit()
	with locked_between(4, 7):
		send_email_to_leads_or_contacts()
	assert not set(mailed()) & set(GONE)
	queue_again()
	assert mailed() == sorted(set(PEOPLE) - set(GONE))


@pytest.mark.parametrize("about", ["Customer", "Notification", "User", None])
def test_other_mail_does_not_wait_for_the_list(about: str | None) -> None:
	with locked_between(1, 99):
		send(about, to=[GONE[0]])
		send(about, to=[GONE[1]])
	assert mailed() == sorted(GONE[:2])


def test_a_password_reset_and_an_invoice_reach_somebody_who_opted_out(make_user: Callable[..., str]) -> None:
	user = make_user("Sales User")
	suppress(user)
	frappe.get_doc("User", user).reset_password(send_email=True)
	send("Sales Invoice", to=[GONE[0]])
	assert {user, GONE[0]} <= set(mailed())
