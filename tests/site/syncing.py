"""What the tests of the sync share: connecting without a browser, running, and comparing with what the simulator holds."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import frappe
from frappe.utils import get_system_timezone

from erpnext_zoho_integration.erpnext_zoho_integration.api.sync import sync_all_campaigns
from erpnext_zoho_integration.sync.runs import queue
from erpnext_zoho_integration.zoho import ACTION_COUNTERS, ACTIONS
from tests.site import connecting
from tests.site.server import settle
from zoho_simulator import Simulator

RECIPIENT = "Campaign Recipient"
STORED_ACTIONS = tuple(label for label in ACTIONS.values() if label)
LISTS = {label: action for action, label in ACTIONS.items() if label}
# Everything that a sync writes except its own record; a run without changes at Zoho must not touch it.
SYNCED = (
	"Campaign",
	"Campaign Analytics",
	RECIPIENT,
	"Contact",
	"Contact Email",
	"Contact Phone",
	"Zoho Deleted Campaign",
	"Zoho Consent Event",
	"Zoho Suppressed Address",
)


def connect(simulator: Simulator, **settings: object) -> Simulator:
	"""Connect the site to a simulator, as a Self Client's code does; `settings` are fields of Zoho Settings."""
	connecting.connect(simulator, **settings)
	return simulator


def sync_all(*, full: bool = False) -> frappe.model.document.Document:
	"""Sync all campaigns in this process and return the Zoho Sync Run; `full` reads every list again."""
	if full:
		return frappe.get_doc("Zoho Sync Run", queue.run_now("Command Line", mode="Full"))
	return frappe.get_doc("Zoho Sync Run", sync_all_campaigns(now=True)["run"])


def runs() -> list[frappe.model.document.Document]:
	"""Return every Zoho Sync Run as stored now, the oldest first."""
	settle()
	names = frappe.get_all("Zoho Sync Run", pluck="name", order_by="creation, name")
	return [frappe.get_doc("Zoho Sync Run", name) for name in names]


def errors_of(run: frappe.model.document.Document) -> list:
	return [row for row in run.errors if row.severity == "Error"]


def notes_of(run: frappe.model.document.Document) -> list:
	return [row for row in run.errors if row.severity == "Note"]


def campaign_named(key: str) -> str | None:
	"""Return the name of the Campaign with this Zoho key."""
	return frappe.db.get_value("Campaign", {"zoho_campaign_key": key})


def rows_of(campaign: str, action_type: str | None = None, **filters: object) -> list[frappe._dict]:
	"""Return a campaign's stored rows, all columns."""
	filters |= {"campaign": campaign} | ({"action_type": action_type} if action_type else {})
	return frappe.get_all(RECIPIENT, filters, ["*"], order_by="name")


def assert_database_is(simulator: Simulator, actions: tuple[str, ...] = STORED_ACTIONS) -> None:
	"""Compare every stored row with what the simulator expects, per campaign and action."""
	wanted = simulator.expected()
	stored = frappe.get_all("Campaign", {"zoho_campaign_key": ("is", "set")}, pluck="zoho_campaign_key")
	assert {each["campaign_key"] for each in wanted["campaigns"]} <= set(stored)
	for each in wanted["campaigns"]:
		campaign = campaign_named(each["campaign_key"])
		for action in actions:
			expected = {row["email"]: row for row in simulator.rows(each["campaign_key"], action)}
			rows = rows_of(campaign, action, rtbf=0)
			where = f"{each['campaign_name']}, {action}"
			assert sorted(row.email for row in rows) == sorted(expected), where
			assert len(rows) == each["actions"][action]["rows"], where
			for row in rows:
				assert_row_is(row, expected[row.email])
			erased = frappe.db.count(RECIPIENT, {"campaign": campaign, "action_type": action, "rtbf": 1})
			assert erased == each["actions"][action]["erased"], where
	assert not duplicates()


def assert_row_is(row: frappe._dict, expected: dict) -> None:
	"""Compare one stored row with the expected one."""
	# If two contacts share an address, the lower id is stored; `expected` may have the other one. Ids are 13 apart.
	assert abs(int(row.zoho_contact_id) - int(expected["contact_id"])) in (0, 13)
	assert row.sent_time == at_site(expected["sent_time"])
	assert row.is_optout == (row.action_type == "Unsubscribed")
	assert row.is_spam == (row.action_type == "Complaint")
	if row.action_type == "Clicked" and row.zoho_contact_id == expected["contact_id"]:
		assert row.click_count == expected["click_count"]
		assert row.clicked_links.split("\n") == list(expected["links"])


def duplicates() -> list[tuple]:
	"""Return rows that are stored twice: campaign, exact address and action."""
	rows = frappe.get_all(RECIPIENT, fields=["campaign", "email", "action_type"])
	counted = Counter((row.campaign, row.email, row.action_type) for row in rows)
	return [identity for identity, number in counted.items() if number > 1]


def at_site(moment: str) -> datetime:
	"""Return a moment (ISO, UTC) as the site stores it."""
	utc = datetime.fromisoformat(moment.replace("Z", "+00:00"))
	return utc.astimezone(ZoneInfo(get_system_timezone())).replace(tzinfo=None)


def snapshot() -> dict[str, list]:
	"""Return every row that a sync writes, without `Campaign.last_synced`."""
	taken = {}
	for doctype in SYNCED:
		rows = frappe.db.sql(f"select * from `tab{doctype}`", as_dict=True)
		for row in rows:
			row.pop("last_synced", None)
		taken[doctype] = sorted(rows, key=lambda row: row["name"])
	return taken


@contextlib.contextmanager
def before_each_statement(act: Callable[[str], None]) -> Iterator[None]:
	"""Call `act` with each SQL statement that this thread is about to send."""
	database, original = frappe.local.db, frappe.local.db.sql

	def sql(query: object, *args: object, **kwargs: object) -> object:
		act(str(query))
		return original(query, *args, **kwargs)

	database.sql = sql
	try:
		yield
	finally:
		del database.sql


@contextlib.contextmanager
def statements() -> Iterator[list[str]]:
	"""Record the SQL statements that this thread sends."""
	sent: list[str] = []
	with before_each_statement(sent.append):
		yield sent


def body_of(rows: list[dict], action: str = "openedcontacts") -> dict:
	"""Return a page of recipients as Zoho answers it, for the simulator's fault `body`."""
	envelope = {"code": "0", "uri": "/api/v1.1/getcampaignrecipientsdata", "version": "1.1"}
	details = {"range": 500, "action": action, "fromindex": 1}
	return {"requestdetails": details, "status": "success", "list_of_details": rows, **envelope}


def report_of(lists: dict[str, list[dict]]) -> dict:
	"""Return the report of a campaign with these lists, counted as Zoho counts."""
	counters = {
		name: len(lists.get(action, ())) for action, names in ACTION_COUNTERS.items() for name in names
	}
	figures = {name: str(number) for name, number in counters.items()}
	return {"status": "success", "code": "0", "campaign-reports": [figures]}


def answer_with(simulator: Simulator, lists: dict[str, list[dict]]) -> None:
	"""Let the simulator answer with these people.

	Args:
		simulator: the simulator.
		lists: records by Zoho's name of the list; every other list is empty.
	"""
	empty = {
		"status": "error",
		"code": "6303",
		"message": "There are no contacts in the selected mailing list.",
	}
	faults = [{"fault": "body", "endpoint": "campaignreports", "body": report_of(lists)}]
	for action in LISTS.values():
		body = body_of(lists[action], action) if lists.get(action) else empty
		match = {"action": action}
		faults.append(
			{"fault": "body", "endpoint": "getcampaignrecipientsdata", "match": match, "body": body}
		)
	simulator.plan(*faults)


def person(email: str | None, number: int = 1, **more: object) -> dict:
	"""Return a recipient as Zoho lists one."""
	return {
		"contactid": str(1234567000000000000 + number),
		"contactemailaddress": email,
		"contactfn": "Ada",
		"contactln": "Lovelace",
		"contactstatus": "active",
		"sent_time": "1790000000000",
		"sentdate": "21 Sep 2026, 06:03 PM",
		"rtbf": "0",
		**more,
	}


def new_contact(*emails: str, **values: object) -> frappe.model.document.Document:
	"""Insert a Contact as a person does; the first address is the primary one."""
	contact = frappe.new_doc("Contact")
	contact.update({"first_name": "Hand", "last_name": "Made", **values})
	for number, email in enumerate(emails):
		contact.append("email_ids", {"email_id": email, "is_primary": number == 0})
	return contact.insert()
