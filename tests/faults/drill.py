"""The account that the faults happen to, and a site that is connected to it and emptied in no time between two cells."""

from __future__ import annotations

import json
from collections import Counter

import frappe
from frappe.utils import add_to_date, now_datetime
from frappe.utils.password import set_encrypted_password

from erpnext_zoho_integration.connection import authorization
from erpnext_zoho_integration.sync.runs import queue
from erpnext_zoho_integration.sync.runs import worker as run_worker
from tests.site.connecting import SETTINGS, enter_client, is_live, secret
from tests.site.database_content import RUN, content, forget_everything, forget_keys, pages_asked, table
from tests.site.server import settle
from zoho_simulator import Simulator
from zoho_simulator.recipients import RowWriter
from zoho_simulator.reports import Reporter

# Three campaigns, one of them an A/B test; every list has somebody in it, there are duplicates, a person without an
# address and one who asked to be forgotten; the larger lists have several pages.
ACCOUNT = {"seed": 109, "campaigns": 3, "recipients": 130}
PAGE_SIZE = 10
# So many pages of this account are written together at most, with those that are fetched ahead meanwhile.
UNDER_WAY = 7
# What must never be seen anywhere; so must no token.
CLIENT_SECRET = "canary-3f9a1c7e5b2d4860"
# Tables beyond those of a sync that a cell may have written to.
TRACES = (
	"Error Log",
	"Comment",
	"Version",
	"Deleted Document",
	"Notification Log",
	"Scheduled Job Log",
	"Communication",
	"Activity Log",
)


class Drill:
	"""One account and one site, used by one cell after the other.

	Attributes:
		zoho: the simulator.
		plain: key of a campaign with several pages of recipients.
		split: key of the A/B campaign.
		keys: of all campaigns, in the order in which a run takes them.
		wanted: the content after a run without a fault.
		pages: the pages of recipients that such a run asks for.
		unforeseen: an error that a run has raised, the last one.
	"""

	unforeseen: Exception | None = None

	def __init__(self, zoho: Simulator) -> None:
		self.zoho = zoho
		campaigns = sorted(zoho.expected()["campaigns"], key=lambda each: each["sent_time"], reverse=True)
		self.keys = [each["campaign_key"] for each in campaigns]
		self.split = next(each["campaign_key"] for each in campaigns if each["type"] == "abtesting")
		plain = [each for each in campaigns if each["type"] == "normal"]
		self.plain = max(plain, key=lambda each: each["listed"])["campaign_key"]
		enter_client(client_secret=CLIENT_SECRET, page_size=PAGE_SIZE)
		authorization.exchange(zoho.grant_code(), "in")
		settle()
		self._settings = frappe.db.sql(f"select field, value from `tabSingles` where doctype='{SETTINGS}'")
		self.begin()
		run = self.run()
		assert run.status == "Success", (
			run.message,
			[error.message for error in run.errors],
			self.unforeseen,
		)
		self.wanted = self.content()
		self.pages = Counter(pages_asked(zoho))

	def begin(self) -> None:
		"""Empty the site and connect it; Zoho is at its beginning."""
		forget_everything()
		for doctype in TRACES:
			frappe.db.delete(doctype)
		self.zoho.reset(tokens=True)
		self.connect()
		frappe.local.message_log = []

	def is_connected(self) -> bool:
		"""Tell whether nobody has to authorise again: the site is active and Zoho knows its refresh token."""
		active = frappe.db.get_single_value(SETTINGS, "is_active", cache=False)
		return bool(active) and is_live(self.zoho, secret("refresh_token"))

	def connect(self, scope: str = "ZohoCampaigns.campaign.READ") -> None:
		"""Store new tokens, as after an authorization."""
		tokens = self.zoho.grant_tokens(scope)
		frappe.db.delete("Singles", {"doctype": SETTINGS})
		frappe.db.bulk_insert(
			"Singles",
			["doctype", "field", "value"],
			[(SETTINGS, field, value) for field, value in self._settings if field != "token_expiry"]
			+ [(SETTINGS, "token_expiry", str(add_to_date(now_datetime(), hours=1)))],
		)
		set_encrypted_password(SETTINGS, SETTINGS, tokens["access_token"], "access_token")
		set_encrypted_password(SETTINGS, SETTINGS, tokens["refresh_token"], "refresh_token")
		frappe.clear_document_cache(SETTINGS, SETTINGS)
		settle()

	def let_token_expire(self) -> None:
		"""Let the access token run out, as after an hour."""
		self.zoho.tokens.expire_access_tokens()
		frappe.db.set_single_value(SETTINGS, "token_expiry", now_datetime(), update_modified=False)
		settle()

	def run(self, mode: str = "All") -> frappe.model.document.Document:
		"""Do a run up to its end or its wait, and return it."""
		return self.go_on(self.open(mode))

	def open(self, mode: str = "All") -> str:
		"""Make a run that nobody works on yet, and return its name."""
		name, created = queue.open_run("Python", None, mode)
		assert created
		frappe.db.commit()
		return name

	def go_on(self, name: str) -> frappe.model.document.Document:
		"""Do slices of a run until it ends or waits, and return it."""
		self.work(name)
		return self.look(name)

	def work(self, name: str) -> None:
		"""Do slices of a run until it ends or waits; an error that it raises, which fails its job, is kept."""
		self.unforeseen = None
		try:
			while run_worker.execute_slice(name) == "Running":
				pass
		except Exception as error:
			self.unforeseen = error

	def look(self, name: str) -> frappe.model.document.Document:
		"""Return a run as others see it now."""
		frappe.db.rollback()
		settle()
		return frappe.get_doc(RUN, name)

	def pass_time(self) -> None:
		"""Let an hour pass, at Zoho and in all that the site has written down: times to come, and the calls of an hour ago."""
		self.zoho.advance(3601)
		frappe.db.set_value(
			RUN, {"resume_at": ("is", "set")}, "resume_at", now_datetime(), update_modified=False
		)
		frappe.db.set_single_value(
			SETTINGS,
			{"method_locks": None, "no_tokens_before": None, "token_expiry": now_datetime()},
			update_modified=False,
		)
		forget_keys()
		settle()

	def keys_with_children(self) -> list[str]:
		"""Return the keys under which Zoho lists recipients: those of the campaigns, and of the A/B test's mails."""
		return [mailing.key for campaign in self.zoho.world.sent() for mailing in campaign.mailings]

	def records(self, key: str, action: str) -> list[dict]:
		"""Return a whole list of recipients as Zoho gives it."""
		campaign, mailing = self.zoho.world.by_key[key]
		writer = RowWriter(self.zoho.world, self.zoho.settings, campaign, mailing, action)
		return [json.loads(row) for row in writer.page(0, 10_000)]

	def listed(self, key: str, action: str) -> list[str]:
		"""Return the addresses of a list, as they are stored."""
		records = self.records(key, action)
		return [(record.get("contactemailaddress") or "").strip().lower() for record in records]

	def campaigns(self) -> list[dict]:
		"""Return the campaigns as Zoho lists them, the newest first."""
		sent = [each for each in reversed(self.zoho.world.oldest_first) if each.is_sent]
		return [Reporter(self.zoho.settings).listed(campaign, None) for campaign in sent]

	def content(self) -> dict[str, list[str]]:
		"""Return all that a sync has stored, without what no two runs have in common."""
		found = content()
		times = {"checked_at", "next_check", "full_check_at", "reconciled_at", "campaign", "lists", "name"}
		stamps = frozenset({"creation", "modified", "modified_by", "owner", "idx", *times})
		found["Zoho Campaign State"] = sorted(
			str(sorted(each.items(), key=str)) for each in table("Zoho Campaign State", stamps)
		)
		return found

	def fired(self) -> int:
		"""Return how often the planned faults have happened."""
		return sum(fault["done"] for fault in self.zoho.faults.as_list())
