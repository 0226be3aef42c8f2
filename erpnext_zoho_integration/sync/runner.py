"""A run: plan → fetch → match contacts → upsert → account for it, campaign by campaign, page by page.

Each page is committed with its account, so a run that dies has lost nothing but its last page, and the next one finds
everything before it unchanged.
"""

import frappe
from frappe import _
from frappe.utils import now_datetime

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection import (
	NotConnected,
	campaigns_client,
	explain,
	mark_refused,
	mark_working,
)
from erpnext_zoho_integration.connection.locks import shared_lock
from erpnext_zoho_integration.sync import account, campaigns, fetch
from erpnext_zoho_integration.sync.identity import campaign_identity
from erpnext_zoho_integration.sync.page import Note, PageResult, read_page, store_page
from erpnext_zoho_integration.sync.plan import Plan, Policy, plan_all, plan_one, read_policy
from erpnext_zoho_integration.sync.text import clean
from erpnext_zoho_integration.sync.writers import Writers

_ATTEMPTS = 3
_CAMPAIGN_LOCK_SECONDS = 900


class StopRun(Exception):
	"""The run cannot go on: every further call would meet the same error."""


class Cancelled(StopRun):
	"""Somebody cancelled the run."""


def execute(run: str) -> str:
	"""Execute a queued run to its end and return how it ended.

	Errors that concern one campaign are listed and the rest goes on. What nobody foresaw is listed too and raised
	again, so that a failed job looks failed.

	Args:
		run: name of the Zoho Sync Run.
	"""
	if not account.mark_running(run):
		return frappe.db.get_value(account.RUN, run, "status")
	frappe.db.commit()  # nosemgrep: others must see that the run has been taken
	return Runner(run).execute()


class Runner:
	"""One run. `client` can be given, for instance with a governed transport."""

	def __init__(self, run: str, client: zoho.CampaignsClient | None = None) -> None:
		self.run = run
		self.account = account.RunAccount(run)
		self.transport = zoho.Transport()
		self.client = client or campaigns_client(transport=self.transport)
		self.policy: Policy = read_policy()
		self.writers = Writers.for_site()
		self.plan: Plan | None = None

	def execute(self) -> str:
		"""Run to the end, whatever happens; see `execute`."""
		try:
			self._sync_all(frappe.db.get_value(account.RUN, self.run, "campaign"))
		except Cancelled:
			return self._finish(_("Cancelled."), cancelled=True)
		except StopRun as stop:
			return self._finish(str(stop))
		except Exception as error:
			frappe.db.rollback()
			frappe.log_error("Zoho Sync: run failed")
			self.account.fail_run(_("Unexpected error: {0}. See the Error Log.").format(error), "Write")
			self._finish(_("The run broke off because of an unexpected error."))
			raise
		mark_working()
		return self._finish(None)

	def _sync_all(self, campaign: str | None) -> None:
		self.plan = self._make_plan(campaign)
		self.account.total_campaigns = len(self.plan.campaigns)
		self._commit()
		for record in self.plan.campaigns:
			self._check_cancelled()
			self._sync_one(record)

	def _make_plan(self, campaign: str | None) -> Plan:
		try:
			if not campaign:
				return plan_all(self.client, self.policy)
			key = frappe.db.get_value("Campaign", campaign, "zoho_campaign_key")
			return plan_one(self.client, self.policy, key)
		except (zoho.ZohoError, NotConnected) as error:
			self._stop(error, "List")

	def _sync_one(self, record: zoho.Campaign) -> None:
		open_account = self.account.begin_campaign(clean(record.name), record.key)
		with shared_lock(f"campaign-{record.key}", seconds=_CAMPAIGN_LOCK_SECONDS, wait=0) as lock:
			try:
				if lock:
					self._sync_locked(record, lock)
				else:
					self.account.note(
						Note(
							_("Another sync of this campaign is under way; it was left to that one."),
							"Campaign",
						)
					)
			except zoho.ZohoError as error:
				self._campaign_failed(open_account, error)
				if error.action != "skip":
					self._end_campaign()
					self._stop(error, "Recipients", listed=True)
			except (StopRun, NotConnected):
				raise
			except Exception as error:
				frappe.db.rollback()
				frappe.log_error("Zoho Sync: campaign failed", f"{record.key}\n{frappe.get_traceback()}")
				open_account.failed = True
				self.account.note(Note(str(error) or type(error).__name__, "Write", is_error=True))
		self._end_campaign()

	def _sync_locked(self, record: zoho.Campaign, lock) -> None:
		open_account = self.account.open
		campaign = campaigns.save_metadata(record, self.plan.times)
		open_account.campaign = campaign.name
		self._commit()
		sources = fetch.sources(self.client, record.key, record.type)
		open_account.figures_changed = campaigns.save_figures(campaign, fetch.reports(self.client, sources))
		self._commit()
		identity = campaign_identity(campaign.name)
		for source in sources:
			for action in self.policy.actions:
				self._sync_list(campaign.name, identity, source, action, lock)

	def _sync_list(self, campaign: str, identity: str, source: fetch.Source, action: str, lock) -> None:
		"""Sync one list of recipients; one that Zoho refuses leaves the campaign's other lists standing."""
		try:
			for fetched in fetch.recipient_pages(self.client, source, action):
				result = self._store(campaign, identity, fetched)
				self.account.add_page(result, fetched.action_type)
				self._commit()
				lock.keep()
				self._check_cancelled()
		except zoho.ZohoError as error:
			if error.action != "skip" or isinstance(error, zoho.RecordUnavailable):
				raise
			frappe.db.rollback()
			note = Note(explain(error), "Recipients", is_error=True)
			self.account.note(note, zoho.ACTIONS[action], error.code)

	def _store(self, campaign: str, identity: str, fetched: fetch.FetchedPage) -> PageResult:
		"""Write a page; one that lost against another transaction is written again."""
		for attempt in range(1, _ATTEMPTS + 1):
			try:
				read = read_page(fetched, identity, self.plan.times)
				return store_page(campaign, read, self.policy.create_for, self.writers)
			except (frappe.QueryDeadlockError, frappe.QueryTimeoutError):
				frappe.db.rollback()
				if attempt == _ATTEMPTS:
					raise
		raise AssertionError("unreachable")

	def _campaign_failed(self, open_account: account.CampaignAccount, error: zoho.ZohoError) -> None:
		frappe.db.rollback()
		open_account.failed = True
		self.account.note(Note(explain(error), "Recipients", is_error=True), code=error.code)

	def _end_campaign(self) -> None:
		self.account.end_campaign()
		self._commit()

	def _stop(self, error: Exception, stage: str, listed: bool = False) -> None:
		"""End the run because of an error that every further call would meet."""
		frappe.db.rollback()
		message = explain(error) if isinstance(error, zoho.ZohoError) else str(error)
		if isinstance(error, zoho.AuthenticationError):
			mark_refused(message)
		if not listed:
			self.account.fail_run(message, stage, getattr(error, "code", None))
		raise StopRun(message) from error

	def _check_cancelled(self) -> None:
		if frappe.db.get_value(account.RUN, self.run, "cancel_requested"):
			raise Cancelled

	def _commit(self) -> None:
		self.account.api_calls = self.transport.calls
		self.account.flush()
		frappe.db.commit()  # nosemgrep: rows and the account of them belong together, page by page

	def _finish(self, stopped: str | None, cancelled: bool = False) -> str:
		self.account.api_calls = self.transport.calls
		account.set_last_synced(self.account.checked)
		frappe.db.set_single_value("Zoho Settings", {"last_sync": now_datetime()}, update_modified=False)
		status = self.account.finish(stopped, cancelled)
		frappe.db.commit()  # nosemgrep: the end of the run
		return status
