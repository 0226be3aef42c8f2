"""Bulk writing ends as document by document does, gives way where the site listens, and needs few statements."""

from __future__ import annotations

import gc
import json
import sys
import types
from collections.abc import Callable, Iterator

import pytest

import frappe
from frappe.custom.doctype.custom_field.custom_field import create_custom_field

from erpnext_zoho_integration.erpnext_zoho_integration.doctype.campaign_recipient.campaign_recipient import (
	CampaignRecipient,
)
from erpnext_zoho_integration.store import document_listeners
from erpnext_zoho_integration.sync.contacts.contact_writers import BulkContacts, DocumentContacts
from erpnext_zoho_integration.sync.mapping.recipient_rows import Row
from erpnext_zoho_integration.sync.recipients.matched_batch import MatchedBatch
from erpnext_zoho_integration.sync.recipients.row_writers import BulkRecipients, Writers
from tests.site.database_content import by_document, content, difference, forget_everything, run_all, states
from tests.site.server import settle
from tests.site.syncing import RECIPIENT, answer_with, connect, new_contact, notes_of, person, statements

TABLES = (RECIPIENT, "Contact", "Contact Email", "Contact Phone")
# The names of children are random; those of contacts are part of what is compared.
STAMPS = frozenset({"creation", "modified", "zoho_last_synced"})


@pytest.fixture
def zoho(start_simulator: Callable):
	"""A connected Zoho of one campaign, whose people a test names itself."""
	return connect(start_simulator(seed=1, campaigns=1, recipients=10), create_contacts_for="Everyone")


@pytest.fixture
def fields_with_defaults() -> Iterator[None]:
	made = [
		("Contact", {"fieldname": "zoho_test_tier", "fieldtype": "Data", "default": "Bronze"}),
		("Contact", {"fieldname": "zoho_test_score", "fieldtype": "Int", "default": "7"}),
		("Contact", {"fieldname": "zoho_test_note", "fieldtype": "Small Text"}),
		("Contact Email", {"fieldname": "zoho_test_kind", "fieldtype": "Data", "default": "work"}),
	]
	for doctype, field in made:
		create_custom_field(doctype, {"label": field["fieldname"], **field})
	settle()
	yield
	for doctype, field in made:
		frappe.delete_doc("Custom Field", f"{doctype}-{field['fieldname']}")
	settle()


def people() -> list[dict]:
	"""Return people of all kinds: equal names, markup, numbers, no names, look-alikes, a user, opted out."""
	many = [person(f"twin{n}@example.com", n) for n in range(1, 5)]
	odd = [
		person("markup@example.com", 11, contactfn="<b>Bold</b>", contactln="O'Neil & Söhne"),
		person("phones@example.com", 12, phone="+49 30 1234567", mobile="+49 170 1234567"),
		person("badphone@example.com", 13, phone="ask my mother"),
		person("noname@example.com", 14, contactfn="", contactln=""),
		person("lastonly@example.com", 15, contactfn="", contactln="Only"),
		person("firstonly@example.com", 16, contactfn="Only", contactln=""),
		person("company@example.com", 17, companyname="Acme <Tools>", jobtitle="Head of %s"),
		person("müller@example.com", 18),
		person("ADA@Example.com ", 19, contactfn="ada", contactln="LOVELACE"),
		person("accent@example.com", 20, contactfn="Adà", contactln="Lovelace"),
		person("number@example.com", 21, contactfn="Ada", contactln="Lovelace-1"),
		person("long@example.com", 22, contactfn="L" * 200, contactln="M" * 200),
		person("contact@example.com", 23, contactfn="Contact", contactln=""),
		person("new@example.com", 24, contactfn="New Contact", contactln="1"),
		person("zoho-user@example.com", 25),
		person("filled@example.com", 26, companyname="Zoho's word", jobtitle="Zoho's title"),
		person("empty@example.com", 27, companyname="Taken over"),
		person("emoji@example.com", 28, contactfn="Zoë 🌻", contactln="नमस्ते"),
		person("twice@example.com", 29),
		person("Twice@example.com", 30),
	]
	return many + odd


def before_the_sync() -> None:
	"""Have some of these people as Contacts already, as a person may have entered them."""
	new_contact(
		"filled@example.com", first_name="Filled", company_name="Typed", designation="Typed", unsubscribed=1
	)
	new_contact("other@example.com", "empty@example.com", first_name="Empty", last_name="")
	new_contact("namesake@example.com", first_name="Ada", last_name="Lovelace")
	new_contact("numbered@example.com", first_name="Ada", last_name="Lovelace-2")
	settle()


def rows(doctype: str) -> list[dict]:
	found = []
	for row in frappe.db.sql(f"select * from `tab{doctype}`", as_dict=True):
		left_out = STAMPS if doctype == "Contact" else STAMPS | {"name"}
		found.append({key: value for key, value in row.items() if key not in left_out})
	return sorted(found, key=str)


def lists(opted_out: slice) -> dict[str, list[dict]]:
	everyone = people()
	return {"openedcontacts": everyone, "optoutcontacts": everyone[opted_out], "sentcontacts": everyone}


@pytest.fixture
def a_user(make_user: Callable) -> Iterator[str]:
	frappe.flags.in_import = True
	user = frappe.get_doc(
		{"doctype": "User", "email": "zoho-user@example.com", "first_name": "Zoho", "send_welcome_email": 0}
	)
	user.insert(ignore_permissions=True)
	frappe.flags.in_import = False
	settle()
	yield user.name
	frappe.delete_doc("User", user.name, force=True, ignore_permissions=True)
	frappe.db.delete("Contact", {"user": user.name})
	settle()


def test_documents_do_not_take_longer_from_page_to_page(zoho) -> None:
	answer_with(zoho, lists(slice(3, 20, 4)))
	before = len(frappe.flags.currently_saving)  # Frappe goes through these at each document
	by_document()
	assert frappe.db.count("Contact") > 10
	assert len(frappe.flags.currently_saving) <= before + 2  # the Campaign, and its run


@pytest.mark.parametrize("refused", ["address", "row"])
def test_what_is_written_is_let_go_without_a_search_for_cycles(
	zoho, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
	"""The search comes seldom; an error that kept its page, frame by frame, would keep a dozen of them in memory."""
	answer_with(zoho, {"openedcontacts": people(), "sentcontacts": people()})
	if refused == "row":
		monkeypatch.setattr(Writers, "for_site", Writers.by_document)
		monkeypatch.setattr(CampaignRecipient, "before_insert", refuse, raising=False)
	gc.collect()
	gc.disable()
	try:
		assert run_all().errors
		kept = [each for each in gc.get_objects() if isinstance(each, Row | MatchedBatch)]
	finally:
		gc.enable()
	assert not kept


def refuse(document: CampaignRecipient) -> None:
	frappe.throw("Not this one.")


def test_new_contacts_are_queued_for_global_search_as_by_document(zoho) -> None:
	queued: list[dict[str, dict]] = []
	for run in (run_all, by_document):
		forget_everything()
		frappe.cache.delete_value("global_search_queue")
		answer_with(zoho, {"openedcontacts": people()})
		assert run().contacts_created > 20
		items = [json.loads(item) for item in frappe.cache.lrange("global_search_queue", 0, -1)]
		queued.append({item["name"]: item for item in reversed(items) if item["doctype"] == "Contact"})
	assert queued[0] == queued[1] and len(queued[0]) > 20


def test_bulk_writes_what_documents_would(zoho, a_user: str, fields_with_defaults: None) -> None:
	written = {}
	for how, run in (("documents", by_document), ("bulk", run_all)):
		forget_everything()
		frappe.db.delete("Series", {"name": "Campaign Recipient-"})
		before_the_sync()
		answer_with(zoho, lists(slice(3, 20, 4)))
		assert run().status in ("Success", "Partial")
		first = {doctype: rows(doctype) for doctype in TABLES}
		changed = [{**each, "contactstatus": "bounced", "jobtitle": "Promoted"} for each in people()]
		answer_with(zoho, {**lists(slice(1, 20, 3)), "openedcontacts": changed})
		run("Full")
		written[how] = (first, {doctype: rows(doctype) for doctype in TABLES})
	for moment, (documents, bulk) in enumerate(zip(*written.values(), strict=True)):
		for doctype in TABLES:
			assert bulk[doctype] == documents[doctype], (moment, doctype)
	first, _second = written["bulk"]
	assert len(first["Contact"]) > 20
	assert {"Bronze"} == {row["zoho_test_tier"] for row in first["Contact"]}
	assert [row["user"] for row in first["Contact"] if row["email_id"] == a_user] == [a_user]


def test_a_stock_site_is_written_in_bulk(zoho) -> None:
	writers = Writers.for_site()
	assert writers.reasons == []
	assert isinstance(writers.recipients, BulkRecipients) and isinstance(writers.contacts, BulkContacts)


@pytest.mark.parametrize("doctype", ["Contact", RECIPIENT])
def test_every_listener_of_frappe_and_erpnext_is_known(site, doctype: str) -> None:
	ours = {app for app in frappe.get_installed_apps() if app not in ("frappe", "erpnext")}
	of_others = {path for path in document_listeners.hooked(doctype) if path.split(".")[0] not in ours}
	assert of_others and not of_others - document_listeners.KNOWN.keys()
	assert all(reason for reason in document_listeners.KNOWN.values())


def listening(doctype: str) -> tuple[dict, ...]:
	"""Return documents that want to see others saved, of which each leaves a trace."""
	return (
		{
			"doctype": "Notification",
			"subject": "Zoho test",
			"document_type": doctype,
			"event": "New",
			"channel": "System Notification",
			"message": "heard",
			"enabled": 1,
			"name": "Zoho test",
			"recipients": [{"receiver_by_role": "System Manager"}],
			"set_property_after_alert": "department",
			"property_value": "heard",
		},
		{
			"doctype": "Webhook",
			"__newname": "Zoho test",
			"naming_series": "HOOK-.####",
			"webhook_doctype": doctype,
			"webhook_docevent": "after_insert",
			"request_url": "http://127.0.0.1:9/",
			"request_structure": "Form URL-Encoded",
			"enabled": 1,
		},
		{
			"doctype": "Assignment Rule",
			"name": "Zoho test",
			"document_type": doctype,
			"description": "heard",
			"assign_condition": "1",
			"rule": "Round Robin",
			"assignment_days": [{"day": day} for day in DAYS],
			"users": [{"user": "Administrator"}],
		},
		{
			"doctype": "Document Naming Rule",
			"document_type": doctype,
			"prefix": "heard-",
			"prefix_digits": 5,
		},
	)


DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@pytest.mark.parametrize(
	"number", range(4), ids=["Notification", "Webhook", "Assignment Rule", "Naming Rule"]
)
def test_who_listens_is_heard_and_the_run_says_so(zoho, number: int) -> None:
	answer_with(zoho, {"openedcontacts": [person("heard@example.com", 1)]})
	wanted = listening("Contact")[number]
	listener = frappe.get_doc(wanted).insert(ignore_permissions=True)
	settle()
	try:
		assert document_listeners.reasons_for_documents("Contact") == [f"{wanted['doctype']} {listener.name}"]
		assert document_listeners.reasons_for_documents(RECIPIENT) == []
		run = run_all()
	finally:
		frappe.db.rollback()
		frappe.delete_doc(wanted["doctype"], listener.name, force=True, ignore_permissions=True)
		frappe.clear_cache()
		settle()
	contact = frappe.db.get_value("Contact", {"zoho_contact_id": ("is", "set")})
	assert any(
		wanted["doctype"] in row.message and "document by document" in row.message for row in notes_of(run)
	)
	if wanted["doctype"] == "Assignment Rule":
		assert frappe.db.exists("ToDo", {"reference_type": "Contact", "reference_name": contact})
	elif wanted["doctype"] == "Notification":
		assert frappe.db.get_value("Contact", contact, "department") == "heard"
	assert document_listeners.reasons_for_documents("Contact") == []


@pytest.mark.parametrize("doctype", ["Contact", RECIPIENT])
def test_another_app_s_document_event_is_called(zoho, monkeypatch: pytest.MonkeyPatch, doctype: str) -> None:
	heard: list[tuple[str, str]] = []
	module = types.ModuleType("erpnext.zoho_test_listener")  # listeners are looked for in installed apps
	module.hear = lambda document, method: heard.append((document.doctype, method))
	monkeypatch.setitem(sys.modules, module.__name__, module)
	path = f"{module.__name__}.hear"
	stock = frappe.get_doc_hooks()
	events = {key: dict(value) for key, value in stock.items()}
	events.setdefault(doctype, {})["after_insert"] = [*stock.get(doctype, {}).get("after_insert", []), path]
	answer_with(zoho, {"openedcontacts": [person("heard@example.com", 1), person("too@example.com", 2)]})
	monkeypatch.setattr(frappe, "get_doc_hooks", lambda: events)
	assert document_listeners.reasons_for_documents(doctype) == [path]
	run = run_all()
	assert heard == [(doctype, "after_insert")] * 2
	assert any(path in row.message for row in notes_of(run))


def test_a_mandatory_field_is_left_to_the_document(zoho) -> None:
	create_custom_field(
		"Contact", {"fieldname": "zoho_test_must", "label": "Must", "fieldtype": "Data", "reqd": 1}
	)
	settle()
	try:
		assert document_listeners.reasons_for_documents("Contact") == ["mandatory field zoho_test_must"]
		assert isinstance(Writers.for_site().contacts, DocumentContacts)
	finally:
		frappe.delete_doc("Custom Field", "Contact-zoho_test_must")
		settle()


def test_few_statements_for_many_rows(start_simulator: Callable) -> None:
	sent: dict[int, tuple[int, int, int]] = {}
	for size in (200, 2600):
		forget_everything()
		connect(start_simulator(seed=1, campaigns=1, recipients=size), page_size=500)
		with statements() as first:
			run = run_all()
		new = run.rows_inserted
		with statements() as second:
			again = run_all("Full")
		assert again.rows_unchanged == new and not again.rows_updated
		sent[size] = (new, len(first), len(second))
	# What a campaign and its seven lists cost, however long they are, is in both.
	rows, inserted, unchanged = (large - small for small, large in zip(*sent.values(), strict=True))
	assert inserted <= 0.15 * rows, sent
	assert unchanged <= 0.03 * rows, sent


def test_few_statements_for_many_campaigns(start_simulator: Callable) -> None:
	sent: dict[int, tuple[int, int, int]] = {}
	for campaigns in (2, 5):
		forget_everything()
		simulator = start_simulator(seed=1, campaigns=campaigns, recipients=2000 * campaigns, people=3000)
		connect(simulator, page_size=500)
		with statements() as first:
			new = run_all().rows_inserted
		with statements() as second:
			assert run_all("Full").rows_unchanged == new
		sent[campaigns] = (new, *(sum(not _is_control(query) for query in each) for each in (first, second)))
	# Of a run itself, which is in both, there are some thirty.
	rows, inserted, unchanged = (large - small for small, large in zip(*sent.values(), strict=True))
	assert inserted <= 0.15 * rows, sent
	assert unchanged <= 0.03 * rows, sent


def _is_control(query: str) -> bool:
	return query.upper().startswith(("START TRANSACTION", "COMMIT"))


def test_the_lists_of_test_mails_are_written_together(start_simulator: Callable) -> None:
	zoho = connect(start_simulator(seed=1, campaigns=4, recipients=400))
	(tested,) = (each for each in zoho.expected()["campaigns"] if each["child_keys"])
	assert sum(len(action["by_key"]) > 1 for action in tested["actions"].values()) > 2
	ended = {}
	for page_size in (20, 500):
		forget_everything()
		frappe.db.set_single_value("Zoho Settings", "page_size", page_size)
		settle()
		with statements() as sent:
			run = run_all()
		told = sorted((each.action_type, each.message, each.occurrences) for each in run.errors)
		numbers = [run.get(number) for number in ("rows_inserted", *COUNTED)]
		written = [query for query in sent if query.startswith("INSERT INTO") and RECIPIENT in query[:40]]
		verdicts = {
			key: (state.verdict, state.verdict_reason, state.lists) for key, state in states().items()
		}
		ended[page_size] = content(), (numbers, told, verdicts), len(written)
	(page_by_page, account, more), (together, same, fewer) = ended.values()
	assert more > 20 and fewer == 4, "one for each campaign"
	assert not difference(page_by_page, together), difference(page_by_page, together)
	assert account == same


@pytest.mark.parametrize("create_for", ["Everyone", "Everyone Who Acted"])
def test_short_lists_that_are_written_together_end_as_each_by_itself(zoho, create_for: str) -> None:
	frappe.db.set_single_value("Zoho Settings", "create_contacts_for", create_for)
	ended = {}
	for page_size in (LENGTH + 1, 500):  # only one of the lists has room in the former, all in the latter
		forget_everything()
		frappe.db.set_single_value("Zoho Settings", "page_size", page_size)
		before_the_sync()
		for _nth in range(2):
			new_contact("both@example.com", first_name="Which")
		settle()
		said = []
		for later in (False, True):
			answer_with(zoho, different_lists(later))
			with statements() as sent:
				run = run_all("Full")
			numbers = [run.get(number) for number in ("rows_inserted", "rows_updated", *COUNTED)]
			told = sorted((each.action_type, each.message, each.occurrences) for each in run.errors)
			said.append((content(), numbers, told))
		ended[page_size] = said, len([query for query in sent if "INSERT" in query[:6].upper()])
	(one_by_one, more), (together, fewer) = ended.values()
	assert fewer < more
	for moment, (single, joint) in enumerate(zip(one_by_one, together, strict=True)):
		assert not difference(single[0], joint[0]), (moment, difference(single[0], joint[0]))
		assert single[1:] == joint[1:], moment
	(_content, first, _told), (_content, second, _told) = together
	# One has no address, one is there twice.
	assert first[0] == 4 * LENGTH - 2 and min(first[2:]) > 0, first
	assert second[0] == 4 and second[1] > 2 and frappe.db.count(RECIPIENT) == first[0], second


LENGTH = 12
COUNTED = ("contacts_created", "opted_out", "rows_skipped", "rows_duplicate")


def different_lists(later: bool = False) -> dict[str, list[dict]]:
	"""Return four lists of the same length that say different things of the same people.

	Args:
		later: as they are at a second sync: with somebody new in each, and another opt-out.
	"""
	numbers = range(1, 10)
	odd = [person("both@example.com", 40), person("ada@localhost", 41), person("", 42)]
	sent = [*(person(f"p{n}@example.com", n) for n in numbers), *odd]
	opened = [
		*(
			person(f"p{n}@example.com", n, companyname="Acme" * (n % 2), jobtitle=f"Title {n}")
			for n in numbers
		),
		person("both@example.com", 40),
		person("empty@example.com", 43, contactln="Filled"),
		person("p1-other@example.com", 1),  # two addresses of one person
	]
	bounced = [
		*(person(f"p{n}@example.com", n, contactstatus="bounce", contactln="") for n in range(1, 6)),
		*(person(f"b{n}@example.com", 50 + n, contactfn="Ada", contactln="Lovelace") for n in range(5)),
		person("twice@example.com", 60),
		person("Twice@example.com", 61),
	]
	left = [
		*(person(f"p{n}@example.com", n, phone=f"+49 30 12345{n}") for n in range(3, 9)),
		*(person(f"b{n}@example.com", 50 + n, companyname="Bounced & Sons") for n in range(3)),
		person("filled@example.com", 70),
		person("ada@localhost", 41),
		person("left@example.com", 72),
	]
	lists = {
		"sentcontacts": sent,
		"openedcontacts": opened,
		"senthardbounce": bounced,
		"optoutcontacts": left,
	}
	if later:
		for number, people_listed in enumerate(lists.values()):
			people_listed[0] = person(f"new{number}@example.com", 80 + number)
			people_listed[1] = {**people_listed[1], "contactstatus": "unsubscribed"}
	assert {len(each) for each in lists.values()} == {LENGTH}
	return lists
