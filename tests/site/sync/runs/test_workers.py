"""Two workers meet one person at the same moment: she becomes one Contact, whichever of them is quicker."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

import frappe

from erpnext_zoho_integration.erpnext_zoho_integration.api.sync import sync_recipient
from erpnext_zoho_integration.sync.privacy import erasure
from erpnext_zoho_integration.sync.recipients.row_writers import Writers
from erpnext_zoho_integration.sync.runs import batch_writer, queue
from erpnext_zoho_integration.sync.runs import run_end as end_of_runs
from erpnext_zoho_integration.sync.runs import worker as run_worker
from tests.site.database_content import (
	assert_same,
	content,
	forget_everything,
	need_several_writers,
	run_all,
	run_end,
	share,
)
from tests.site.server import TestSite, settle
from tests.site.syncing import (
	RECIPIENT,
	answer_with,
	before_each_statement,
	connect,
	errors_of,
	new_contact,
	person,
)

HOW = {"bulk": Writers.for_site, "documents": Writers.by_document}
EMAIL = "ada@example.com"


class OtherWorker(threading.Thread):
	"""A run with a connection of its own.

	Attributes:
		writing: set when it has looked for the person's Contact, found none, and begins to insert one.
	"""

	def __init__(self, site: TestSite, how: str) -> None:
		super().__init__()
		self.site, self.how = site, how
		self.writing = threading.Event()
		self.run_name = ""

	def run(self) -> None:
		try:
			frappe.init(self.site.name)
			frappe.connect()
			with before_each_statement(self._look):
				self.run_name = run_all(writers=HOW[self.how]()).name
		finally:
			self.writing.set()
			frappe.destroy()

	def _look(self, statement: str) -> None:
		if statement.lstrip().upper().startswith("INSERT") and "tabContact Email" in statement:
			self.writing.set()


def contacts() -> list[str]:
	return frappe.get_all("Contact Email", {"email_id": EMAIL}, pluck="parent")


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("numbers", [("", ""), ("", "15"), ("2", "15")], ids=["no id", "one id", "two ids"])
def test_a_person_whom_two_workers_meet_becomes_one_contact(
	site: TestSite, start_simulator: Callable, how: str, numbers: tuple[str, str]
) -> None:
	need_several_writers()
	zoho = connect(start_simulator(seed=1, campaigns=1, recipients=10))
	mine, theirs = (f"123456700000000{number}" if number else "" for number in numbers)
	answer_with(zoho, {"openedcontacts": [person(EMAIL, contactid=theirs), person("other@example.com", 3)]})
	campaign = frappe.get_doc({"doctype": "Campaign", "campaign_name": "Of this worker"}).insert()
	settle()

	other = OtherWorker(site, how)
	sync_recipient(campaign, person(EMAIL, contactid=mine, contactfn="Augusta", contactln="King"), "Opened")
	other.start()
	other.writing.wait(20)  # or it is held up before that; then there is nothing to wait for
	frappe.db.commit()
	other.join()
	settle()

	run = frappe.get_doc("Zoho Sync Run", other.run_name)
	assert (run.status, errors_of(run)) == ("Success", [])
	(contact,) = contacts()
	assert set(frappe.get_all(RECIPIENT, {"email": EMAIL}, pluck="contact")) == {contact}
	assert run.contacts_created == 1  # the other person


def test_a_worker_among_several_ends_with_the_same_database(start_simulator: Callable) -> None:
	connect(start_simulator(seed=3, campaigns=4, recipients=120))
	alone = run_all()
	wanted = content()
	forget_everything()
	name, _created = queue.open_run("User", None, "All", workers=2)
	settle()
	assert run_worker.execute(name) == "Success"
	assert_same(wanted, content())
	among = run_end(name)
	for number in ("rows_inserted", "contacts_created", "contacts_linked", "opted_out", "rows_skipped"):
		assert (number, among.get(number)) == (number, alone.get(number))
	assert Counter(errors_of(among)) == Counter(errors_of(alone))


def among_two(while_it_waits: Callable[[], None], monkeypatch: pytest.MonkeyPatch):
	"""Do a run as one of two workers; something happens while this one waits for its first turn at creating Contacts."""
	real, happened = batch_writer.shared_lock, []

	@contextmanager
	def lock(name: str, **options: object) -> Iterator:
		if not happened:
			happened.append(name)
			while_it_waits()
			frappe.db.commit()
		with real(name, **options) as held:
			yield held

	monkeypatch.setattr(batch_writer, "shared_lock", lock)
	name, _created = queue.open_run("User", None, "All", workers=2)
	settle()
	run_worker.execute(name)
	assert happened
	return run_end(name)


def test_a_contact_made_while_a_worker_waits_for_its_turn_is_found(
	start_simulator: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
	zoho = connect(start_simulator(seed=1, campaigns=1, recipients=10))
	answer_with(zoho, {"openedcontacts": [person(EMAIL, 1), person("other@example.com", 3)]})
	run = among_two(lambda: new_contact(EMAIL), monkeypatch)
	assert (run.status, errors_of(run), run.contacts_created) == ("Success", [], 1)
	(contact,) = contacts()
	assert frappe.get_all(RECIPIENT, {"email": EMAIL}, pluck="contact") == [contact]


def test_a_person_erased_while_a_worker_waits_for_its_turn_is_not_stored(
	start_simulator: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
	zoho = connect(start_simulator(seed=1, campaigns=1, recipients=10))
	answer_with(zoho, {"openedcontacts": [person(EMAIL, 1), person("other@example.com", 3)]})
	run = among_two(lambda: erasure.erase_person(EMAIL), monkeypatch)
	assert (run.status, errors_of(run), run.contacts_created) == ("Success", [], 1)
	assert not contacts()
	assert sorted(frappe.get_all(RECIPIENT, pluck="rtbf")) == [0, 1]
	assert not frappe.db.exists(RECIPIENT, {"email": EMAIL})


def test_a_page_that_waited_long_is_read_again(
	start_simulator: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
	zoho = connect(start_simulator(seed=1, campaigns=1, recipients=10))
	known = new_contact("known@example.com")
	answer_with(zoho, {"openedcontacts": [person("known@example.com", 1), person("other@example.com", 3)]})

	def wait() -> None:
		time.sleep(1.1)
		frappe.delete_doc("Contact", known.name)

	monkeypatch.setattr(batch_writer, "_STALE_SECONDS", 1)
	run = among_two(wait, monkeypatch)
	assert (run.status, errors_of(run), run.contacts_created) == ("Success", [], 2)
	links = frappe.get_all(RECIPIENT, pluck="contact")
	assert known.name not in links and all(frappe.db.exists("Contact", name) for name in links)


def before_its_end(act: Callable[[], None], monkeypatch: pytest.MonkeyPatch, **options: object):
	"""Do a run as one of two workers; something happens behind its last page."""
	end = end_of_runs.end_run

	def after_the_last_page(*args: object) -> str:
		act()
		frappe.db.commit()
		return end(*args)

	monkeypatch.setattr(end_of_runs, "end_run", after_the_last_page)
	name, _created = queue.open_run("User", None, "All", workers=2)
	settle()
	run_worker.execute(name, **options)
	return run_end(name)


def unseen() -> None:
	"""Leave the site as if each page had been written by a worker that did not see the other ones' pages."""
	frappe.db.sql("update `tabContact` set zoho_status = 'active'")
	frappe.db.sql(f"update `tab{RECIPIENT}` set contact = null where action_type = 'Sent'")


def test_what_two_workers_could_not_see_of_each_other_is_put_right_at_the_end(
	start_simulator: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
	connect(start_simulator(seed=3, campaigns=3, recipients=120))
	run_all()
	wanted = content()
	assert frappe.db.count(RECIPIENT, {"contact_status": "bounce"})
	forget_everything()
	assert before_its_end(unseen, monkeypatch).status == "Success"
	assert_same(wanted, content())


def test_a_contact_that_cannot_be_put_right_at_the_end_is_listed(
	start_simulator: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
	connect(start_simulator(seed=3, campaigns=3, recipients=120))
	broken: list[str] = []

	def act() -> None:
		contact, email = frappe.get_all("Contact", {"zoho_status": "bounce"}, ["name", "email_id"])[
			0
		].values()
		broken.append(email)
		unseen()
		frappe.db.sql("update `tabContact` set status = 'Nonsense' where name = %s", contact)

	run = before_its_end(act, monkeypatch, writers=Writers.by_document())
	assert run.status == "Partial"
	assert [each.stage for each in run.errors if each.message.startswith(f"{broken[0]}: ")] == ["Contacts"]


def test_workers_that_name_contacts_alike_do_not_get_in_each_other_s_way(
	start_simulator: Callable, process: Callable
) -> None:
	need_several_writers()
	zoho = connect(start_simulator(seed=1, campaigns=2, recipients=10))
	others = [f"grace{number}@example.com" for number in range(30)]
	people = [person(email, contactid="", contactfn="Grace", contactln="Hopper") for email in others]
	answer_with(zoho, {"openedcontacts": people[:15], "clickedcontacts": people[15:]})
	name, _created = queue.open_run("User", None, "All", workers=2)
	settle()
	assert share(process, name, 2) == ["Success"] * 2
	run = run_end(name)
	assert (run.status, errors_of(run), run.contacts_created) == ("Success", [], 30)
	names = frappe.get_all("Contact", {"first_name": "Grace"}, pluck="name")
	assert set(names) == {"Grace Hopper", *(f"Grace Hopper-{number}" for number in range(1, 30))}


def test_workers_that_meet_people_erased_at_zoho_do_not_get_in_each_other_s_way(
	start_simulator: Callable, process: Callable
) -> None:
	need_several_writers()
	connect(start_simulator(seed=1, campaigns=4, recipients=6000, people=6000), workers=4, page_size=100)
	name, _created = queue.open_run("User", None, "All", workers=4)
	settle()
	assert share(process, name, 4) == ["Success"] * 4
	run = run_end(name)
	assert (run.status, run.failed_campaigns, errors_of(run)) == ("Success", 0, [])
	assert frappe.db.count(RECIPIENT, {"rtbf": 1}) > 20


def test_an_address_taken_out_of_a_contact_may_get_another_one(start_simulator: Callable) -> None:
	zoho = connect(start_simulator(seed=1, campaigns=1, recipients=10))
	answer_with(zoho, {"openedcontacts": [person(EMAIL, contactid="")]})
	assert run_all().contacts_created == 1
	first = frappe.get_doc("Contact", contacts()[0])
	first.email_ids[0].email_id = "moved@example.com"
	first.save()
	frappe.db.delete(RECIPIENT)
	settle()
	run = run_all("Full")
	assert (run.status, run.contacts_created) == ("Success", 1)
	assert contacts() != [first.name]
