"""Earlier opt-outs, and what document events missed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import frappe

from erpnext_zoho_integration.consent import backfill, hourly, missed_opt_outs, suppression_list, upgrade
from erpnext_zoho_integration.erpnext_zoho_integration.desk import consent as desk
from tests.site.consent.helpers import EVENT, LIST, blocked, events, hold_back, new_lead, new_member, ticked
from tests.site.syncing import answer_with, connect, new_contact, person, sync_all


def forget_events() -> None:
	"""Leave the site as one that was upgraded: rows and boxes are there, events are not."""
	for doctype in (EVENT, LIST):
		frappe.db.delete(doctype)
	frappe.db.set_single_value("Zoho Settings", "consent_backfill", None)
	hold_back(False)
	frappe.db.commit()


@pytest.fixture
def upgraded(start_simulator: Callable):
	zoho = connect(start_simulator(seed=1, campaigns=1, recipients=10))
	answer_with(
		zoho,
		{
			"optoutcontacts": [person(f"out{n}@example.com", n) for n in range(30)],
			"spamcontacts": [person("spam@example.com", 91)],
			"senthardbounce": [person("dead@example.com", 92)],
			"openedcontacts": [person("open@example.com", 93)],
		},
	)
	sync_all()
	new_contact("box@example.com", unsubscribed=1)
	lead = new_lead("out1@example.com")
	member = new_member("out2@example.com")
	frappe.get_doc(
		{"doctype": "Email Unsubscribe", "email": "all@example.com", "global_unsubscribe": 1}
	).insert()
	for email in ("admin@example.com", "guest@example.com"):
		if not frappe.db.exists("Email Unsubscribe", {"email": email}):
			frappe.get_doc({"doctype": "Email Unsubscribe", "email": email, "global_unsubscribe": 1}).insert()
	for document in (lead, member):
		frappe.db.set_value(document.doctype, document.name, "unsubscribed", 0)
	forget_events()
	return lead, member


def test_what_was_known_before_becomes_events_and_marks_nobody(upgraded) -> None:
	lead, member = upgraded
	assert not backfill.is_complete()
	backfill.run()
	assert backfill.is_complete()
	for email in ("out0", "out29", "spam", "box", "all"):
		assert blocked(f"{email}@example.com"), email
	assert suppression_list.held({"dead@example.com"}) and not blocked("dead@example.com")
	assert not blocked("open@example.com")
	assert not blocked("admin@example.com") and not blocked("guest@example.com")
	assert not ticked("Lead", lead.name) and not ticked("Email Group Member", member.name)
	assert list(suppression_list.differences()) == []
	count = frappe.db.count(EVENT)
	frappe.db.set_single_value("Zoho Settings", "consent_backfill", None)
	assert backfill.run() == 0 and frappe.db.count(EVENT) == count


def test_it_can_be_stopped_after_any_slice_and_goes_on(upgraded, monkeypatch) -> None:
	monkeypatch.setattr(backfill, "_SLICE", 7)
	lives = 0
	while not backfill.is_complete():
		backfill.run(seconds=0)
		lives += 1
		assert lives < 30
		if not backfill.is_complete():  # one slice more, then it is killed
			names, _new = backfill._slice(backfill._progress().get("after", ""))
			if names:
				backfill._store({"after": names[-1]})
			else:
				backfill.run()
			frappe.db.commit()
	assert frappe.db.count(EVENT, {"event": "Opted Out", "source": "Zoho"}) == 30


def test_a_notice_says_what_turning_it_on_changes_and_one_click_does(upgraded, run_jobs) -> None:
	lead, member = upgraded
	backfill.run()
	cleared = frappe.db.get_value("Campaign Recipient", {"email": "out3@example.com"}, "contact")
	frappe.db.set_value("Contact", cleared, "unsubscribed", 0)
	lost = new_contact("out4@example.com", first_name="Lost")
	frappe.db.set_value("Contact", lost.name, "unsubscribed", 0)
	frappe.db.commit()
	found = desk.overview()
	assert not found["hold_back"] and found["complete"]
	impact = found["impact"]
	assert impact["addresses"] == 34 and impact["leads"] == 1 and impact["members"] == 1
	assert impact["cleared"] == 2
	upgrade.turn_on()
	frappe.db.commit()
	assert not run_jobs()
	assert ticked("Lead", lead.name) and ticked("Email Group Member", member.name)
	assert not ticked("Contact", cleared), "somebody cleared it"
	assert ticked("Contact", lost.name), "it was never marked"
	assert desk.overview()["hold_back"]


def test_boxes_that_sql_ticked_are_found_within_the_hour(site) -> None:
	hold_back()
	backfill.run()
	contact, lead = new_contact("sql@example.com"), new_lead("sqllead@example.com")
	member = new_member("sqlmember@example.com")
	for document in (contact, lead, member):
		frappe.db.set_value(document.doctype, document.name, "unsubscribed", 1)
	frappe.db.sql(
		"insert into `tabEmail Unsubscribe` (name, creation, modified, owner, modified_by, docstatus, email, global_unsubscribe)"
		" values ('zoho-test', %s, %s, 'Guest', 'Guest', 0, 'sqllink@example.com', 1)",
		(frappe.utils.now(), frappe.utils.now()),
	)
	hourly.check()
	for email in ("sql", "sqllead", "sqlmember", "sqllink"):
		assert blocked(f"{email}@example.com"), email
	assert events("sql@example.com") == [("Opted Out", "Contact")]
	count = frappe.db.count(EVENT)
	assert missed_opt_outs.record_missed() == 0 and frappe.db.count(EVENT) == count


def test_a_mark_says_nothing_about_the_other_address_of_a_contact(site) -> None:
	hold_back()
	contact = new_contact("one@example.com", "two@example.com")
	frappe.get_doc(
		{"doctype": "Email Unsubscribe", "email": "one@example.com", "global_unsubscribe": 1}
	).insert()
	assert ticked("Contact", contact.name)
	missed_opt_outs.record_missed()
	assert blocked("one@example.com") and not blocked("two@example.com")
