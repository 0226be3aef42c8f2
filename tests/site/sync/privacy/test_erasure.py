"""Erasing people: by the button, at Zoho, and by Frappe's data deletion requests."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

import frappe

from erpnext_zoho_integration.erpnext_zoho_integration.api.privacy import erase_person
from erpnext_zoho_integration.erpnext_zoho_integration.api.sync import find_or_create_contact, sync_recipient
from erpnext_zoho_integration.store import erased_people, row_keys_and_digests
from erpnext_zoho_integration.store.doctypes import ERASED_PERSON
from erpnext_zoho_integration.sync.privacy import scrubbing
from erpnext_zoho_integration.sync.runs import batch_writer
from erpnext_zoho_integration.sync.runs.campaign_sync import CampaignSync
from erpnext_zoho_integration.sync.runs.dry_run import DryRun
from tests.site.connecting import API
from tests.site.server import Web, settle
from tests.site.sync.privacy.people import ADA, BOB, TRACES_OF_ADA, ada, bob, figures
from tests.site.syncing import (
	RECIPIENT,
	answer_with,
	campaign_named,
	errors_of,
	new_contact,
	person,
	rows_of,
	sync_all,
)
from tests.site.tables import tables


def whole_database(*except_for: str) -> dict[str, str]:
	"""Return which traces of Ada each table contains."""
	found = {}
	for table in tables():
		if table in except_for or table.startswith("__global_search_"):  # SQLite's index of __global_search
			continue
		text = json.dumps(frappe.db.sql(f"select * from `{table}`"), default=str)
		if found_in := [word for word in TRACES_OF_ADA if word.lower() in text.lower()]:
			found[table] = found_in
	return found


def leave_traces(zoho) -> str:
	"""Create every kind of record that can name Ada; return the name of her Contact."""
	row = rows_of(campaign_named(zoho.expected()["campaigns"][0]["campaign_key"]), "Opened", email=ADA)[0]
	document, run = frappe.get_doc(RECIPIENT, row.name), frappe.get_last_doc("Zoho Sync Run")
	document.add_comment("Comment", f"Called {ADA}")
	frappe.get_doc(
		{"doctype": "ToDo", "description": "Ring", "reference_type": RECIPIENT, "reference_name": row.name}
	).insert()
	file = {"doctype": "File", "file_name": "note.txt", "content": f"about {ADA}", "is_private": 1}
	frappe.get_doc({**file, "attached_to_doctype": RECIPIENT, "attached_to_name": row.name}).insert()
	frappe.get_doc(
		{
			"doctype": "Version",
			"ref_doctype": RECIPIENT,
			"docname": row.name,
			"data": json.dumps({"changed": [["email", "x", ADA]]}),
		}
	).insert()
	frappe.get_doc(
		{
			"doctype": "Version",
			"ref_doctype": "Contact",
			"docname": row.contact,
			"data": json.dumps(
				{"changed": [["zoho_contact_id", "", row.zoho_contact_id], ["designation", "", "CTO"]]}
			),
		}
	).insert()
	doubled = {"doctype": RECIPIENT, "campaign": row.campaign, "email": ADA, "action_type": "Complaint"}
	frappe.delete_doc(RECIPIENT, frappe.get_doc(doubled).insert().name)
	frappe.log_error("Zoho Test", f"Failed for {ADA.upper()} at /?q=ada%40example.com and nora@example.com")
	frappe.db.set_value("Zoho Sync Run", run.name, "message", f"{ADA}: refused")
	run.append("errors", {"severity": "Error", "stage": "Write", "message": f"{ADA}: refused"})
	run.errors[-1].db_insert()
	# Left by a worker that was killed.
	issues = json.dumps([["Note", "Contacts", f"{ADA} is not usable", None, None, 1]], ensure_ascii=False)
	task = {"doctype": "Zoho Sync Task", "run": run.name, "status": "Working", "issues": issues}
	frappe.get_doc(task).insert()
	frappe.db.sql(
		"insert into `__global_search` (doctype, name, content) values (%s, %s, %s)",
		(RECIPIENT, row.name, ADA),
	)
	settings = json.dumps({"List": {"filters": [[RECIPIENT, "email", "=", ADA]]}})
	frappe.db.sql(
		"insert into `__UserSettings` (`user`, `doctype`, `data`) values (%s, %s, %s)",
		("Administrator", RECIPIENT, settings),
	)
	frappe.db.commit()
	return row.contact


@pytest.fixture
def _own_tables():
	"""Clear the tables without DocType, which the usual cleanup does not know."""
	yield
	frappe.db.sql("delete from `__global_search` where doctype=%s", RECIPIENT)
	frappe.db.sql("delete from `__UserSettings` where `doctype`=%s", RECIPIENT)
	frappe.db.commit()


@pytest.mark.usefixtures("_own_tables")
def test_a_person_is_erased_everywhere_and_the_figures_stay(zoho) -> None:
	# Users whom other tests called Ada, and e-mails to them; a sync writes none of these tables.
	of_other_tests = {
		"tabDefaultValue",
		"tabEmail Queue",
		"tabEmail Queue Recipient",
	} & whole_database().keys()
	contact = leave_traces(zoho)
	before = figures()
	assert {
		"tabCampaign Recipient",
		"tabComment",
		"tabVersion",
		"tabError Log",
		"tabDeleted Document",
		"tabZoho Sync Task",
	} <= set(whole_database())
	result = erase_person(" ADA@example.com ", delete_contact=True)
	assert result["rows"] == 3 and result["deleted"] == [contact] and result["texts"] >= 4
	assert whole_database(*of_other_tests) == {}
	assert figures() == before
	assert frappe.db.count(RECIPIENT, {"rtbf": 1}) == 3 and frappe.db.count(RECIPIENT, {"email": BOB}) == 3
	assert "nora@example.com" in frappe.db.get_value("Error Log", {"method": "Zoho Test"}, "error")
	clicked = frappe.db.get_value(
		RECIPIENT, {"rtbf": 1, "action_type": "Clicked"}, ["url_clicks", "clicked_links"]
	)
	assert "https://example.com/offer?utm_source=news" in clicked[0] and "subscriber" not in str(clicked)


def test_a_contact_that_stays_loses_what_came_from_zoho_and_keeps_the_opt_out(zoho) -> None:
	contact = frappe.db.get_value(RECIPIENT, {"email": ADA}, "contact")
	frappe.db.set_value("Contact", contact, "unsubscribed", 1)
	assert erase_person(ADA)["contacts"] == [contact]
	stored = frappe.get_doc("Contact", contact)
	assert not (stored.zoho_contact_id or stored.zoho_status or stored.zoho_last_synced)
	assert stored.unsubscribed and stored.email_id == ADA
	assert not frappe.db.count(RECIPIENT, {"contact": contact})


def test_a_contact_whose_address_was_changed_here_is_cleaned_and_never_deleted(zoho) -> None:
	contact = frappe.get_doc("Contact", frappe.db.get_value(RECIPIENT, {"email": ADA}, "contact"))
	contact.email_ids = []
	contact.append("email_ids", {"email_id": "married@example.com", "is_primary": 1})
	contact.save()
	result = erase_person(ADA, delete_contact=True)
	assert result["contacts"] == [contact.name] and result["deleted"] == []
	contact.reload()
	assert contact.email_id == "married@example.com" and not contact.zoho_contact_id


def test_a_contact_that_another_document_links_to_is_kept_and_reported(zoho) -> None:
	contact = frappe.db.get_value(RECIPIENT, {"email": ADA}, "contact")
	frappe.get_doc(
		{
			"doctype": "Communication",
			"subject": "Hello",
			"content": "x",
			"reference_doctype": "Contact",
			"reference_name": contact,
		}
	).insert()
	customer = frappe.get_doc({"doctype": "Customer", "customer_name": "Engines"}).insert()
	frappe.db.set_value("Customer", customer.name, "customer_primary_contact", contact)
	result = erase_person(ADA, delete_contact=True)
	assert result["kept"] == [contact] and result["deleted"] == [] and frappe.db.exists("Contact", contact)


def test_no_sync_brings_an_erased_person_back(zoho) -> None:
	erase_person(ADA, delete_contact=True)
	before = frappe.get_all(RECIPIENT, ["*"], order_by="name")
	run = sync_all(full=True)
	assert run.status == "Success" and run.rows_inserted == run.rows_updated == run.contacts_created == 0
	assert frappe.get_all(RECIPIENT, ["*"], order_by="name") == before
	# Neither a new address, nor changed fields, nor another list bring her back.
	news = [ada(contactemailaddress="countess@example.com"), ada(contactstatus="unsub"), bob()]
	answer_with(zoho, {"openedcontacts": news[:1] + news[2:], "optoutcontacts": [news[1]]})
	sync_all(full=True)
	stored = frappe.get_all(RECIPIENT, ["*"])
	assert not [word for word in ("countess", *TRACES_OF_ADA) if word in str(stored)]
	assert [row.email for row in stored if row.action_type == "Unsubscribed"] == [
		frappe.get_all(ERASED_PERSON, pluck="stand_in")[0]
	]
	assert not frappe.db.exists("Contact Email", {"email_id": ("in", (ADA, "countess@example.com"))})


def test_neither_a_single_step_nor_a_dry_run_brings_an_erased_person_back(zoho) -> None:
	campaign = frappe.get_last_doc("Campaign")
	erase_person(ADA, delete_contact=True)
	sync_recipient(campaign, ada(), "Complaint")
	assert find_or_create_contact(ada()) is None
	assert not frappe.db.count(RECIPIENT, {"email": ADA}) and not frappe.db.exists(
		"Contact Email", {"email_id": ADA}
	)
	[preview] = list(DryRun.for_site("Full").previews())
	assert (preview.inserted, preview.updated, preview.contacts) == (0, 0, 0)


def test_people_with_similar_addresses_stay(zoho) -> None:
	campaign = frappe.get_last_doc("Campaign").name
	for email in ("nada@example.com", "ada@example.com.au", "adà@example.com"):
		frappe.get_doc(
			{"doctype": RECIPIENT, "campaign": campaign, "email": email, "action_type": "Opened"}
		).insert()
	assert erase_person(ADA)["rows"] == 3
	assert frappe.db.count(RECIPIENT, {"rtbf": 0}) == 3 + 3


def test_the_register_does_not_reveal_who_was_erased(zoho) -> None:
	erase_person(ADA)
	register = json.dumps(frappe.get_all(ERASED_PERSON, ["*"]), default=str)
	assert not [word for word in TRACES_OF_ADA if word in register]
	assert erased_people.count() == 2  # her address and her Zoho contact id
	assert erased_people.among([(ADA, None)]).stand_in(ADA, None)
	assert erased_people.among([(BOB, None)]).stand_in(BOB, None) is None


@pytest.mark.parametrize("email", ["", "   ", "%", "ada", "a\n@example.com", "x" * 300 + "@example.com"])
def test_a_text_that_is_no_address_erases_nobody(zoho, email: str) -> None:
	with pytest.raises(frappe.ValidationError, match="e-mail address"):
		erase_person(email)
	assert not erased_people.count() and not frappe.db.count(RECIPIENT, {"rtbf": 1})


def test_an_unknown_person_who_was_erased_is_not_stored_later(zoho) -> None:
	assert erase_person("new@example.com")["rows"] == 0
	answer_with(zoho, {"openedcontacts": [person("new@example.com", 5), bob()]})
	sync_all(full=True)
	assert not frappe.db.count(RECIPIENT, {"email": "new@example.com"})


def test_an_erasure_while_a_page_is_written_finds_its_rows(zoho, monkeypatch: pytest.MonkeyPatch) -> None:
	"""The page is mapped before the erasure and written after it: the write fails, and the page is mapped again."""
	store = batch_writer.store_batch
	attempts = []

	def erase_first(*args: object):
		attempts.append(1)
		if len(attempts) == 1:
			frappe.db.rollback()
			erase_person(ADA)
			raise frappe.QueryDeadlockError
		return store(*args)

	answer_with(zoho, {"openedcontacts": [ada(city="Marylebone"), bob()]})
	monkeypatch.setattr(batch_writer, "store_batch", erase_first)
	assert sync_all(full=True).status == "Success" and len(attempts) > 1
	assert not frappe.db.count(RECIPIENT, {"email": ADA})


def test_notes_of_a_running_sync_do_not_name_a_person_erased_meanwhile(
	zoho, monkeypatch: pytest.MonkeyPatch
) -> None:
	"""Notes are collected during the run and written at the end of the campaign, with the address redacted."""
	eve, evelyn = "eve@example.com", "eve@example.community"
	for email in (eve, eve, evelyn, evelyn):
		new_contact(email)
	close = CampaignSync._close

	def erase_first(campaign: CampaignSync, *args: object) -> None:
		assert [issue for issue in campaign.log.issues.values() if eve in issue.message]
		erase_person("Eve@Example.com")
		close(campaign, *args)

	answer_with(zoho, {"openedcontacts": [person(eve, 5), person(evelyn, 6), bob()]})
	monkeypatch.setattr(CampaignSync, "_close", erase_first)
	told = " ".join(note.message for note in sync_all(full=True).errors)
	assert scrubbing.REDACTED in told and evelyn in told
	assert eve not in told.replace(evelyn, "")


@pytest.mark.parametrize(
	"others", [(), ("somebody@example.com", "else@example.com")], ids=["nobody", "others"]
)
def test_an_erasure_waits_for_a_page_that_has_read_the_register_and_is_not_written(
	zoho, others: tuple[str, ...]
) -> None:
	if frappe.db.db_type != "mariadb":
		pytest.skip("SQLite has one writer at a time")
	import pymysql

	for email in others:
		erase_person(email)
	frappe.db.commit()
	assert erased_people.among([(ADA, None)]).stand_in(ADA, None) is None  # a page has read the register
	conf = frappe.conf
	address = {"host": conf.db_host or "127.0.0.1", "port": int(conf.db_port or 3306)}
	erasing = pymysql.connect(user=conf.db_name, password=conf.db_password, database=conf.db_name, **address)
	try:
		with erasing.cursor() as cursor:
			cursor.execute("set innodb_lock_wait_timeout = 1")
			entry = f"insert into `tab{ERASED_PERSON}` (name, stand_in) values (%s, 'x')"
			[digest] = row_keys_and_digests.person_digests(ADA, None)
			with pytest.raises(pymysql.OperationalError, match="Lock wait timeout"):
				cursor.execute(entry, digest)
			frappe.db.commit()  # the page is written
			cursor.execute(entry, digest)
	finally:
		erasing.rollback()
		erasing.close()


def test_only_a_system_manager_may_erase(web: Web, make_user: Callable[..., str], zoho) -> None:
	settle()
	path = f"{API}.privacy.erase_person"
	for roles in ((), ("Sales User",), ("Sales Manager",), ("Sales Master Manager",)):
		assert web.session(make_user(*roles)).call(path, email=ADA).status_code == 403, roles
	assert web.session().call(path, email=ADA).status_code in (401, 403)
	manager = web.session(make_user("System Manager"))
	assert manager.call(path, "GET", email=ADA).status_code in (403, 405)
	settle()
	assert frappe.db.count(RECIPIENT, {"email": ADA}) == 3
	answer = manager.call(path, email=ADA)
	assert answer.json()["message"]["rows"] == 3
	settle()
	assert not frappe.db.count(RECIPIENT, {"email": ADA})


# Erased at Zoho


def test_a_person_erased_at_zoho_is_erased_here_too(zoho) -> None:
	frappe.log_error("Zoho Test", f"Failed for {ADA}")
	contact = frappe.db.get_value(RECIPIENT, {"email": ADA}, "contact")
	before = figures()
	gone = person("null", 1, rtbf="1", contactfn="null", contactln="null")
	answer_with(
		zoho,
		{action: [gone, bob()] for action in ("sentcontacts", "openedcontacts", "clickedcontacts")},
	)
	run = sync_all(full=True)
	assert run.status == "Success" and not errors_of(run) and figures() == before
	assert ADA not in frappe.db.get_value("Error Log", {"method": "Zoho Test"}, "error")
	assert not frappe.db.get_value("Contact", contact, "zoho_contact_id")
	assert sync_all(full=True).rows_updated == 0


# Frappe's requests for personal data


def test_the_deletion_request_of_a_user_erases_them(zoho, make_user: Callable[..., str]) -> None:
	before = figures()
	user = frappe.get_doc({"doctype": "User", "email": ADA, "first_name": "Ada", "send_welcome_email": 0})
	user.flags.no_welcome_mail = True
	user.insert()
	request = frappe.get_doc({"doctype": "Personal Data Deletion Request", "email": ADA})
	request.insert()
	try:
		assert frappe.db.count(RECIPIENT, {"email": ADA}) == 3, "nothing happens before it is approved"
		request.db_set("status", "Pending Approval")
		request.reload()
		request._anonymize_data()
		assert not frappe.db.count(RECIPIENT, {"email": ADA}) and figures() == before
		step = next(step for step in request.deletion_steps if step.document_type == RECIPIENT)
		assert step.status == "Deleted"
		assert sync_all(full=True).contacts_created == 0
	finally:
		for name in (ADA, request.name):
			frappe.delete_doc("User", name, force=True, ignore_missing=True)
		frappe.db.commit()


def test_the_download_request_of_a_user_includes_their_recipients(zoho) -> None:
	from frappe.website.doctype.personal_data_download_request.personal_data_download_request import (
		get_user_data,
	)

	rows = json.loads(get_user_data(ADA))[RECIPIENT]
	assert {row["email"] for row in rows} == {ADA} and len(rows) == 3
