"""The test harness of the fault matrix: a simulated Zoho account and a connected site, reset before each cell."""

from __future__ import annotations

import json
import time
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

# Three campaigns, one of them an A/B test. No list is empty. There are duplicates, a recipient without an address and
# an erased one. The larger lists have several pages.
ACCOUNT = {"seed": 109, "campaigns": 3, "recipients": 130}
PAGE_SIZE = 10
# The most pages of this account that are written together, plus those fetched ahead meanwhile.
PAGES_IN_FLIGHT = 7
# Must never appear in a record, a log, a message or an address; neither must a token.
CLIENT_SECRET = "canary-3f9a1c7e5b2d4860"
# Frappe's own tables that a cell may have written to.
LOG_DOCTYPES = (
	"Error Log",
	"Comment",
	"Version",
	"Deleted Document",
	"Notification Log",
	"Scheduled Job Log",
	"Communication",
	"Activity Log",
)


class Harness:
	"""One account and one site, which all cells use one after the other.

	Attributes:
		zoho: the simulator.
		plain_key: key of a campaign with several pages of recipients.
		ab_key: key of the A/B campaign.
		campaign_keys: keys of all campaigns, in the order in which a run syncs them.
		expected_content: the content of the database after a run without a fault.
		expected_pages: the pages of recipients that such a run asks for, counted.
		job_error: the error with which the job of the last run failed.
	"""

	def __init__(self, zoho: Simulator) -> None:
		self.zoho = zoho
		self.job_error: Exception | None = None
		campaigns = sorted(zoho.expected()["campaigns"], key=lambda each: each["sent_time"], reverse=True)
		self.campaign_keys = [each["campaign_key"] for each in campaigns]
		self.ab_key = next(each["campaign_key"] for each in campaigns if each["type"] == "abtesting")
		plain = [each for each in campaigns if each["type"] == "normal"]
		self.plain_key = max(plain, key=lambda each: each["listed"])["campaign_key"]
		enter_client(client_secret=CLIENT_SECRET, page_size=PAGE_SIZE)
		authorization.exchange(zoho.grant_code(), "in")
		settle()
		self._settings = frappe.db.sql(f"select field, value from `tabSingles` where doctype='{SETTINGS}'")
		self.reset()
		run = self.run()
		assert run.status == "Success", (
			run.message,
			[error.message for error in run.errors],
			self.job_error,
		)
		self.expected_content = self.content()
		self.expected_pages = Counter(pages_asked(zoho))

	def reset(self) -> None:
		"""Empty and connect the site, and reset the simulator."""
		forget_everything()
		for doctype in LOG_DOCTYPES:
			frappe.db.delete(doctype)
		self.zoho.reset(tokens=True)
		self.connect()
		frappe.local.message_log = []

	def is_connected(self) -> bool:
		"""Tell whether the site is active and Zoho accepts its refresh token, so that nobody has to authorise again."""
		active = frappe.db.get_single_value(SETTINGS, "is_active", cache=False)
		return bool(active) and is_live(self.zoho, secret("refresh_token"))

	def connect(self, scope: str = "ZohoCampaigns.campaign.READ") -> None:
		"""Store new tokens, as an authorization does."""
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
		"""Let the access token expire, as after an hour."""
		self.zoho.tokens.expire_access_tokens()
		frappe.db.set_single_value(SETTINGS, "token_expiry", now_datetime(), update_modified=False)
		settle()

	def run(self, mode: str = "All") -> frappe.model.document.Document:
		"""Start a run, work on it until it ends or waits, and return it."""
		return self.continue_run(self.open_run(mode))

	def open_run(self, mode: str = "All") -> str:
		"""Create a run that no worker has taken yet, and return its name."""
		name, created = queue.open_run("Python", None, mode)
		assert created
		frappe.db.commit()
		return name

	def continue_run(self, name: str) -> frappe.model.document.Document:
		"""Work on a run until it ends or waits, and return it."""
		self.work_on(name)
		return self.reload_run(name)

	def work_on(self, name: str) -> None:
		"""Execute slices of a run until it ends or waits; keep the error that fails its job in `job_error`."""
		self.job_error = None
		try:
			while run_worker.execute_slice(name) == "Running":
				pass
		except Exception as error:
			self.job_error = error

	def reload_run(self, name: str) -> frappe.model.document.Document:
		"""Return a run as it is committed now."""
		frappe.db.rollback()
		settle()
		return frappe.get_doc(RUN, name)

	def let_an_hour_pass(self) -> None:
		"""Let an hour pass at Zoho and on the site: waits end, locks and token end, counted calls are dropped."""
		self.zoho.advance(3601)
		frappe.db.set_value(
			RUN, {"resume_epoch": (">", 0)}, "resume_epoch", time.time(), update_modified=False
		)
		frappe.db.set_single_value(
			SETTINGS,
			{"method_locks": None, "no_tokens_before": None, "token_expiry": now_datetime()},
			update_modified=False,
		)
		forget_keys()
		settle()

	def mailing_keys(self) -> list[str]:
		"""Return the keys under which Zoho lists recipients: those of campaigns and of the A/B test's mails."""
		return [mailing.key for campaign in self.zoho.world.sent() for mailing in campaign.mailings]

	def records(self, key: str, action: str) -> list[dict]:
		"""Return a whole list of recipients as Zoho sends it."""
		campaign, mailing = self.zoho.world.by_key[key]
		writer = RowWriter(self.zoho.world, self.zoho.settings, campaign, mailing, action)
		return [json.loads(row) for row in writer.page(0, 10_000)]

	def listed(self, key: str, action: str) -> list[str]:
		"""Return the addresses of a list as the site stores them."""
		records = self.records(key, action)
		return [(record.get("contactemailaddress") or "").strip().lower() for record in records]

	def campaigns(self) -> list[dict]:
		"""Return the campaigns as Zoho lists them, newest first."""
		sent = [each for each in reversed(self.zoho.world.oldest_first) if each.is_sent]
		return [Reporter(self.zoho.settings).listed(campaign, None) for campaign in sent]

	def content(self) -> dict[str, list[str]]:
		"""Return all that a sync has stored, without values that differ between two runs, such as times and names."""
		found = content()
		times = {
			"checked_at",
			"next_check",
			"next_check_epoch",
			"full_check_at",
			"reconciled_at",
			"campaign",
			"lists",
			"name",
		}
		stamps = frozenset({"creation", "modified", "modified_by", "owner", "idx", *times})
		found["Zoho Campaign State"] = sorted(
			str(sorted(each.items(), key=str)) for each in table("Zoho Campaign State", stamps)
		)
		return found

	def faults_fired(self) -> int:
		"""Return how often the planned faults have happened."""
		return sum(fault["done"] for fault in self.zoho.faults.as_list())
