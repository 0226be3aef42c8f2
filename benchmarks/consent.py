"""Consent beside many events: the backfill against a bare insert, the gate against mails without it, runs without news."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import frappe
from frappe.utils import now_datetime

from benchmarks import testbed
from erpnext_zoho_integration.consent import backfill, missed_opt_outs, suppression_list
from erpnext_zoho_integration.consent import settings as consent_settings
from erpnext_zoho_integration.consent.recording import record
from erpnext_zoho_integration.consent.zoho_facts import fact_of_recipient

CAMPAIGNS = 50
MAILS = 300
_ROW = (
	"name",
	"creation",
	"modified",
	"owner",
	"modified_by",
	"campaign",
	"email",
	"action_type",
	"sent_time",
)


def measure(count: int) -> dict:
	"""Return the figures.

	Args:
		count: opt-outs that are known before the backfill; each is one event and one suppressed address.
	"""
	testbed.empty()
	_store_opt_outs(count)
	with _longest_transaction() as longest:
		seconds = _seconds(lambda: backfill.run(seconds=86_400))
	events = frappe.db.count("Zoho Consent Event")
	again = _known_facts(min(count, 20_000))
	with _writes() as written:
		read_again = _seconds(lambda: record(again))
	_tick_boxes(count // 10)
	hourly = _seconds(missed_opt_outs.record_missed)
	bare = _bare_insert(min(count, 100_000))
	figures = {
		"events": events,
		"backfill_events_per_second": events / seconds,
		"bare_insert_rows_per_second": bare,
		"backfill_to_bare_insert_ratio": events / seconds / bare,
		"longest_backfill_transaction_seconds": longest[0],
		"known_facts_per_second": len(again) / read_again,
		"statements_that_write_known_facts": written[0],
		"ticked_boxes": count // 10,
		"hourly_check_seconds": hourly,
		"addresses_suppressed": sum(suppression_list.counts().values()),
	}
	return figures | _gate(count)


def _store_opt_outs(count: int) -> None:
	"""Store a Campaign Recipient for each opt-out, as an upgraded site has them."""
	now = now_datetime()
	for number in range(CAMPAIGNS):
		frappe.get_doc({"doctype": "Campaign", "campaign_name": f"Bench {number}"}).insert()
	rows = (
		(
			f"bench-{number:08}",
			now,
			now,
			"Administrator",
			"Administrator",
			f"Bench {number % CAMPAIGNS}",
			_address(number),
			"Unsubscribed",
			now - timedelta(days=number % 900),
		)
		for number in range(count)
	)
	frappe.db.bulk_insert("Campaign Recipient", _ROW, rows, chunk_size=5_000)
	frappe.db.set_single_value("Zoho Settings", "consent_backfill", None)
	frappe.db.commit()


def _tick_boxes(count: int) -> None:
	"""Store Contacts whose boxes are ticked, as the opt-outs have marked them."""
	now = now_datetime()
	standard = ("name", "creation", "modified", "owner", "modified_by")
	contacts = (
		(f"bench-{n}", now, now, "Administrator", "Administrator", _address(n), 1) for n in range(count)
	)
	frappe.db.bulk_insert("Contact", (*standard, "email_id", "unsubscribed"), contacts, chunk_size=5_000)
	emails = (
		(
			f"bench-e{n}",
			now,
			now,
			"Administrator",
			"Administrator",
			f"bench-{n}",
			"Contact",
			"email_ids",
			_address(n),
			1,
		)
		for n in range(count)
	)
	columns = (*standard, "parent", "parenttype", "parentfield", "email_id", "is_primary")
	frappe.db.bulk_insert("Contact Email", columns, emails, chunk_size=5_000)
	frappe.db.commit()


def _address(number: int) -> str:
	return f"person.{number}@company{number % 997}.example"


def _known_facts(count: int) -> list:
	rows = frappe.get_all(
		"Campaign Recipient",
		fields=["email", "campaign", "sent_time"],
		order_by="name",
		limit_page_length=count,
	)
	return [
		fact_of_recipient(row.email, "Unsubscribed", None, row.sent_time, row.campaign, row.campaign, None)
		for row in rows
	]


def _gate(count: int) -> dict:
	"""Return what the gate adds to a marketing mail, and to any other mail, beside a list of this length."""
	frappe.db.set_single_value("Zoho Settings", "hold_back_marketing_mail", 1)
	consent_settings.forget()
	frappe.db.commit()
	step = max(1, count // MAILS)
	found: dict[str, float] = {}
	for name, reference, address in (
		("suppressed", "Newsletter", _address),
		("free", "Newsletter", lambda number: f"free{number}@example.com"),
		("other_mail", "Customer", _address),
	):
		times, queries = [], []
		_mail(reference, address(0)).run_method("before_insert")  # fills Frappe's caches
		for number in range(MAILS):
			mail = _mail(reference, address(number * step))
			with _queries() as sent:
				times.append(_seconds(lambda mail=mail: mail.run_method("before_insert")))
			queries.append(sent[0])
		found[f"gate_{name}_milliseconds"] = 1000 * statistics.median(times)
		found[f"gate_{name}_queries"] = max(queries)
	inserts = [
		_seconds(lambda number=number: _mail("Customer", _address(number)).insert(ignore_links=True))
		for number in range(50)
	]
	frappe.db.rollback()
	found["mail_without_gate_milliseconds"] = 1000 * statistics.median(inserts)
	found["gate_to_mail_ratio"] = found["gate_free_milliseconds"] / found["mail_without_gate_milliseconds"]
	return found


def _mail(reference: str, address: str) -> frappe.model.document.Document:
	return frappe.get_doc(
		{
			"doctype": "Email Queue",
			"sender": "news@example.com",
			"message": "News",
			"reference_doctype": reference,
			"reference_name": "Bench",
			"recipients": [{"recipient": address, "status": "Not Sent"}],
		}
	)


def _bare_insert(count: int) -> float:
	"""Return rows per second of inserting rows like events, in the same slices, with nothing else."""
	now = now_datetime()
	frappe.db.sql_ddl("DROP TABLE IF EXISTS `tabBench Event`")
	frappe.db.sql_ddl(
		"CREATE TABLE `tabBench Event` (name varchar(140) PRIMARY KEY, creation datetime(6), email varchar(254),"
		" event varchar(140), happened_at datetime(6), fact_key varchar(64) UNIQUE)"
	)
	columns = ("name", "creation", "email", "event", "happened_at", "fact_key")

	def insert() -> None:
		for start in range(0, count, 2_000):
			rows = [
				(f"e{n}", now, _address(n), "Opted Out", now, f"{n:064}")
				for n in range(start, min(start + 2_000, count))
			]
			frappe.db.bulk_insert("Bench Event", columns, rows, chunk_size=2_000)
			frappe.db.commit()

	seconds = _seconds(insert)
	frappe.db.sql_ddl("DROP TABLE `tabBench Event`")
	return count / seconds


def _seconds(act: Callable[[], object]) -> float:
	begun = time.perf_counter()
	act()
	return time.perf_counter() - begun


@contextmanager
def _longest_transaction() -> Iterator[list[float]]:
	"""Yield the length of the longest transaction in seconds, as a list of one."""
	longest, begun, commit = [0.0], [time.perf_counter()], frappe.db.commit

	def timed() -> None:
		commit()
		now = time.perf_counter()
		longest[0], begun[0] = max(longest[0], now - begun[0]), now

	frappe.db.commit = timed
	try:
		yield longest
	finally:
		del frappe.db.commit


@contextmanager
def _queries(only: str = "") -> Iterator[list[int]]:
	"""Yield how many statements were sent, as a list of one; only those that begin with one of some words."""
	count, sql = [0], frappe.db.sql
	words = tuple(only.split())

	def counted(query: object, *args: object, **kwargs: object) -> object:
		count[0] += not words or str(query).lstrip().lower().startswith(words)
		return sql(query, *args, **kwargs)

	frappe.db.sql = counted
	try:
		yield count
	finally:
		del frappe.db.sql


def _writes() -> Iterator[list[int]]:
	return _queries("insert update delete replace")
