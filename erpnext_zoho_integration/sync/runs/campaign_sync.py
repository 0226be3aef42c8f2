"""Syncs one campaign of a run: asks Zoho, saves the Campaign, plans, reads its lists, and closes it."""

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import now_datetime

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.consent import bursts
from erpnext_zoho_integration.store.doctypes import DELETED_CAMPAIGN
from erpnext_zoho_integration.store.fields import ZOHO_CAMPAIGN_KEY
from erpnext_zoho_integration.store.row_keys_and_digests import site_key
from erpnext_zoho_integration.sync.campaigns import (
	bounced_recipient_flags,
	reconciliation,
	sync_state,
	top_links_and_daily_figures,
)
from erpnext_zoho_integration.sync.campaigns import documents as campaign_documents
from erpnext_zoho_integration.sync.campaigns.sync_state import CampaignState, Cursor, ListState
from erpnext_zoho_integration.sync.fetch import reports as zoho_reports
from erpnext_zoho_integration.sync.fetch.pages_ahead import PagesAhead
from erpnext_zoho_integration.sync.fetch.zoho_session import ZohoSession
from erpnext_zoho_integration.sync.mapping import site_clock
from erpnext_zoho_integration.sync.mapping.page_results import Note
from erpnext_zoho_integration.sync.mapping.recipient_pages import PageMapper
from erpnext_zoho_integration.sync.mapping.recipient_rows import Times
from erpnext_zoho_integration.sync.planning import check_intervals, lists_to_read
from erpnext_zoho_integration.sync.planning.lists_to_read import CountedList
from erpnext_zoho_integration.sync.planning.sync_settings import Policy
from erpnext_zoho_integration.sync.privacy import retention
from erpnext_zoho_integration.sync.recipients.row_writers import Writers
from erpnext_zoho_integration.sync.runs.batch_writer import BatchWriter
from erpnext_zoho_integration.sync.runs.campaign_log import CampaignLog
from erpnext_zoho_integration.sync.runs.checkpoint import CampaignGone, Checkpoint
from erpnext_zoho_integration.sync.runs.list_reader import ListReader, ReadingPlan

_ATTEMPTS = 5
# Errors that mean: another transaction won the race.
_LOST_RACE = (
	frappe.DuplicateEntryError,
	frappe.QueryDeadlockError,
	frappe.QueryTimeoutError,
	frappe.TimestampMismatchError,
	frappe.DoesNotExistError,
)
_PAUSE_SECONDS = 0.2
# A sync that was left off longer ago begins anew: the lists may have changed too much.
_RESUMABLE_SECONDS = 3600


@dataclass(slots=True)
class ZohoCampaign:
	"""Zoho's answers about a campaign before its lists are read.

	Attributes:
		record: the campaign in Zoho's list.
		reports: of the campaign and its test mails, those that have one.
		counted: its lists, action by action.
	"""

	record: zoho.Campaign
	reports: list[zoho.Report]
	counted: list[CountedList]


def ask_zoho(client: zoho.CampaignsClient, record: zoho.Campaign, actions: tuple[str, ...]) -> ZohoCampaign:
	"""Return the reports of a campaign and its lists.

	Args:
		client: for the API.
		record: the campaign in Zoho's list.
		actions: Zoho's names of the actions that are synced.
	"""
	sources = zoho_reports.sources(client, record.key, record.type)
	reports = zoho_reports.reports(client, sources)
	counted = lists_to_read.counted(actions, sources, reports)
	return ZohoCampaign(record, [report for report in reports if report is not None], counted)


class CampaignSync:
	"""Syncs one campaign.

	Args:
		session: connection of the run.
		policy: what the settings say.
		times: clocks of account and site.
		writers: those of the run.
		log: of this campaign.
		full: read every list again.
		between_batches: called after every commit; may raise to stop here.
		check: called before every batch, see `Checkpoint`.
	"""

	def __init__(
		self,
		session: ZohoSession,
		policy: Policy,
		times: Times,
		writers: Writers,
		log: CampaignLog,
		*,
		full: bool = False,
		between_batches: Callable[[], None],
		check: Callable[[tuple[str, str, str]], object],
	) -> None:
		self.session = session
		self.policy = policy
		self.times = times
		self.writers = writers
		self.log = log
		self.full = full
		self.between_batches = between_batches
		self.check = check

	def sync(self, record: zoho.Campaign) -> None:
		"""Sync a campaign from Zoho's list, from its report to its reconciliation.

		Raises:
			zoho.ZohoError: what concerns the campaign as a whole; one refused list is noted and left out.
			CampaignGone: it was deleted here after the run had been planned.
		"""
		asked = self._ask_zoho(record)
		with PagesAhead(self.session, PageMapper(record.key, self.times, site_key())) as ahead:
			self._fetch_first_lists(ahead, asked)
			campaign, state = self._save(record, asked.reports)
			anonymous = retention.anonymise_if_due(campaign, state, self.policy.people_since)
			full = self.full or (not anonymous and self._full_check_due(campaign, state))
			lists_read = state.cursor is not None
			plan = self._plan(campaign, state, asked, full)
			ahead.order = [(each.source, each.action) for each in plan.wanted]
			writer = BatchWriter(record.key, anonymous, self.policy.create_for, self.writers, self.log)
			checkpoint = Checkpoint(state, self.log, self.check, self.between_batches)
			reader = ListReader(plan, state, ahead, writer.write, self.log, checkpoint)
			reader.read()
		self._close(campaign, state, asked, full, lists_read or reader.any_read)

	def _ask_zoho(self, record: zoho.Campaign) -> ZohoCampaign:
		"""Return what Zoho says of a campaign; if it refuses to, save what its list says."""
		try:
			return ask_zoho(self.session.client, record, self.policy.actions)
		except zoho.ZohoError:
			self._save(record, [])
			frappe.db.commit()  # nosemgrep - kept, although the sync of this campaign has failed
			raise

	def _fetch_first_lists(self, ahead: PagesAhead, asked: ZohoCampaign) -> None:
		"""Fetch the lists of a campaign that was never synced while its document is saved: all of them are wanted."""
		key = asked.record.key
		if sync_state.load([key]):
			return
		state = CampaignState(None, key, cursor=Cursor(self.log.run))
		ahead.expect(
			[(each.source, each.action) for each in lists_to_read.wanted(asked.counted, state, True)]
		)

	def _save(self, record: zoho.Campaign, reports: list[zoho.Report]) -> tuple[Document, CampaignState]:
		"""Save the Campaign and load its state.

		If another worker takes the same name at the same moment, the Campaign gets the next free one. If somebody has edited
		or renamed it while Zoho was asked, it is read again.

		Raises:
			CampaignGone: somebody has deleted it here.
		"""
		frappe.db.rollback()  # nothing is lost; what is read from here on is as new as Zoho's answer

		def save() -> tuple[Document, CampaignState]:
			name = campaign_documents.find_campaign(record.key, record.id)
			if not name and frappe.db.exists(DELETED_CAMPAIGN, {ZOHO_CAMPAIGN_KEY: record.key}):
				raise CampaignGone
			campaign, self.log.figures_changed = campaign_documents.save(name, record, self.times, reports)
			self.log.campaign = campaign.name
			return campaign, sync_state.load_one(record.key, campaign.name)

		return _repeat_lost_races(save)

	def _plan(self, campaign: Document, state: CampaignState, asked: ZohoCampaign, full: bool) -> ReadingPlan:
		"""Decide which lists are read and where, and commit the Campaign."""
		left_off = state.cursor
		resumed = bool(left_off and left_off.run == self.log.run)
		if not resumed:
			state.cursor = self._begin(left_off, state, asked.counted, full)
		frappe.db.commit()  # nosemgrep - the Campaign, before its rows
		wanted = lists_to_read.wanted(asked.counted, state, full)
		stored_before = reconciliation.count_stored(campaign.name) if wanted else {}
		return ReadingPlan(asked.counted, wanted, asked.reports, resumed, stored_before)

	def _begin(
		self, left_off: Cursor | None, state: CampaignState, counted: list[CountedList], full: bool
	) -> Cursor:
		"""Return the cursor to begin at: the one of a recent sync that did not end, or a new one."""
		if left_off and left_off.saved_at and (left_off.full or not full):
			# Unless all lists are read, the counters say which lists of other actions are read.
			done = left_off.done if full else lists_to_read.done_before(left_off, counted, state)
			if done is not None and 0 <= site_clock.now_epoch() - left_off.saved_at < _RESUMABLE_SECONDS:
				return replace(left_off, run=self.log.run, done=done, full=full)
		return Cursor(self.log.run, full=full)

	def _full_check_due(self, campaign: Document, state: CampaignState) -> bool:
		now = now_datetime()
		age = now - campaign.zoho_sent_time if campaign.zoho_sent_time else now - now
		interval = check_intervals.interval(age, self.policy.intervals)
		return check_intervals.full_check_due(now, state.full_check_at, self.policy.full_check_days, interval)

	def _close(
		self, campaign: Document, state: CampaignState, asked: ZohoCampaign, full: bool, lists_read: bool
	) -> None:
		"""Bring up to date what follows from the rows, reconcile, and note when the campaign is due again."""
		assert self.log.campaign
		found: dict[str, str] = {}
		if lists_read:
			write = self.writers.recipients.mark_bounced
			bounced_recipient_flags.mark_campaign(self.log.campaign, state.zoho_campaign_key, write)
			found["engagement"] = json.dumps(top_links_and_daily_figures.engagement(self.log.campaign))
		expected = reconciliation.expected_of(asked.reports, self.policy.actions)
		stored = reconciliation.count_stored(self.log.campaign)
		verdict = reconciliation.reconcile(stored, expected, self._lists_by_action(state, asked.counted))
		self.log.verdict = verdict.name
		if verdict.name == "Incomplete":
			self.log.note(Note(verdict.reason or "", "Recipients"))
		if lists_read:
			self._note_bursts(self.log.campaign)
		sync_state.close(
			state,
			full=full,  # a list that failed is read again all the same
			next_check_in=check_intervals.next_check_in(
				now_datetime(), campaign.zoho_sent_time, self.policy.intervals
			),
			found={**verdict.fields(), **found},
		)

	def _note_bursts(self, campaign: str) -> None:
		for burst in bursts.find(campaign):
			text = _(
				"{0} opt-outs of {1} came right after sending: perhaps a program that follows every link. Zoho Settings, Check at Zoho, shows whether Zoho took them back."
			)
			self.log.note(Note(text.format(len(burst.addresses), burst.domain), "Recipients"))

	def _lists_by_action(
		self, state: CampaignState, counted: list[CountedList]
	) -> dict[str, list[ListState]]:
		found: dict[str, list[ListState]] = {zoho.ACTION_TYPES[action]: [] for action in self.policy.actions}
		for each in counted:
			if each.id in state.lists:
				found[zoho.ACTION_TYPES[each.action]].append(state.lists[each.id])
		return found


def _repeat_lost_races(
	save: Callable[[], tuple[Document, CampaignState]],
) -> tuple[Document, CampaignState]:
	"""Call `save` again if it lost against another transaction; rolls back what was not committed before."""
	for attempt in range(1, _ATTEMPTS + 1):
		try:
			return save()
		except _LOST_RACE:
			frappe.db.rollback()
			frappe.clear_last_message()
			if attempt == _ATTEMPTS:
				raise
			time.sleep(attempt * random.uniform(0, _PAUSE_SECONDS))  # until the other one is through
	raise AssertionError("unreachable")
