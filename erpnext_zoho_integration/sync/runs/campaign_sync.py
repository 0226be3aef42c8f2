"""One campaign of a run: metadata, figures, the lists whose counters have moved, and the reconciliation.

Pages that are as long together as a full one are committed with the position behind them and with their account. A sync
that dies loses and repeats at most these.
"""

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime

import frappe
from frappe.model.document import Document
from frappe.utils import now_datetime

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection.messages import explain
from erpnext_zoho_integration.store.digests import site_key
from erpnext_zoho_integration.store.doctypes import DELETED_CAMPAIGN
from erpnext_zoho_integration.sync.campaigns import (
	bounces,
	engagement,
	pruning,
	reconciliation,
	seen_keys,
)
from erpnext_zoho_integration.sync.campaigns import documents as campaign_documents
from erpnext_zoho_integration.sync.campaigns import state as campaign_state
from erpnext_zoho_integration.sync.campaigns.state import Cursor, ListState
from erpnext_zoho_integration.sync.fetch import pages_ahead
from erpnext_zoho_integration.sync.fetch import reports as zoho_reports
from erpnext_zoho_integration.sync.fetch.session import ZohoSession
from erpnext_zoho_integration.sync.mapping import pages, site_clock
from erpnext_zoho_integration.sync.mapping.results import Note, PageResult
from erpnext_zoho_integration.sync.mapping.rows import Times
from erpnext_zoho_integration.sync.planning import lists, schedule
from erpnext_zoho_integration.sync.planning.lists import CountedList
from erpnext_zoho_integration.sync.planning.policy import Policy
from erpnext_zoho_integration.sync.privacy import retention
from erpnext_zoho_integration.sync.recipients.writers import Writers
from erpnext_zoho_integration.sync.runs.batch_writer import BatchWriter
from erpnext_zoho_integration.sync.runs.campaign_log import CampaignLog

_ATTEMPTS = 5
# What an error says that comes of another transaction.
_LOST = (
	frappe.DuplicateEntryError,
	frappe.QueryDeadlockError,
	frappe.QueryTimeoutError,
	frappe.TimestampMismatchError,
	frappe.DoesNotExistError,
)
_PAUSE_SECONDS = 0.2
# A list that was left off longer ago is read from its beginning: too much may have moved.
_RESUMABLE_SECONDS = 3600


class CampaignGone(Exception):
	"""Somebody has deleted the Campaign while it was synced."""


class CampaignSync:
	"""Syncs one campaign.

	Args:
		session: connection of the run.
		policy: what the settings say.
		times: clocks of account and site.
		writers: how rows and contacts are written.
		account: of this campaign.
		full: read every list again.
		between_pages: called after every commit; may raise to stop here.
		check: called before every batch with what is to be looked up for it, see `sql_lookups.values_of`, and returns that; may
			raise to stop here.
	"""

	def __init__(
		self,
		session: ZohoSession,
		policy: Policy,
		times: Times,
		writers: Writers,
		account: CampaignLog,
		*,
		full: bool = False,
		between_pages: Callable[[], None],
		check: Callable[[tuple[str, str, str]], object],
	) -> None:
		self.session = session
		self.policy = policy
		self.times = times
		self.writers = writers
		self.account = account
		self.full = full
		self.between_pages = between_pages
		self.check = check
		self.own_position = False  # whether an earlier slice of this run has left it
		self.inserted: Counter[str] = Counter()  # rows of each action that are new
		self.lists_read = False  # whether a list was read since the campaign was last closed
		self.anonymous = False  # whether only figures of this campaign are stored
		self.announced = 0  # rows of the lists being read that are not counted yet
		self.results: dict[str, PageResult] = {}  # of written pages of actions not taken note of, by type
		self.uncommitted: dict[str, PageResult] = {}  # those of pages that are not committed
		self.refused: set[str] = set()  # actions of which Zoho has refused a list
		self.contacts = seen_keys.SeenKeys()  # Zoho's ids of those who came in the list being read
		self.action_type = ""  # being read
		self.seen: seen_keys.SeenKeys | None = None  # of the action being read; None: not all keys are known

	@property
	def position(self) -> Cursor:
		"""Where this sync stands; there is one from its beginning to its end."""
		assert self.state.cursor is not None
		return self.state.cursor

	def sync(self, record: zoho.Campaign) -> None:
		"""Sync a campaign from Zoho's list to the end.

		Raises:
			zoho.ZohoError: what concerns the campaign as a whole; one refused list is noted and left out.
			CampaignGone: it was deleted here after the run had been planned.
		"""
		sources, reports = self._ask_zoho(record)
		known = [report for report in reports if report is not None]
		counted = lists.counted(self.policy.actions, sources, reports)
		reading = pages.PageMapper(record.key, self.times, site_key())
		with pages_ahead.PagesAhead(self.session, reading, self._following) as self.ahead:
			self._begin_to_fetch(record.key, counted)
			campaign = self._save(record, known)
			self._plan(campaign, counted)
			self.batch_writer = BatchWriter(
				record.key, self.anonymous, self.policy.create_for, self.writers, self.account
			)
			for action in self.policy.actions:
				self._sync_action(action, [each for each in counted if each.action == action], known)
		self._close(campaign, counted, known)

	def _begin_to_fetch(self, key: str, counted: list[CountedList]) -> None:
		"""Have the first lists fetched while the Campaign is saved, where all are wanted: none has been read before."""
		if campaign_state.load([key]):
			return
		self.wanted = lists.wanted(
			counted, campaign_state.CampaignState(None, key, cursor=self._new_position()), True
		)
		if self.wanted:
			self.ahead.expect((self.wanted[0].source, self.wanted[0].action))

	def _plan(self, campaign: Document, counted: list[CountedList]) -> None:
		"""See what is to be read, and commit where this sync begins."""
		self.anonymous = retention.anonymise_if_due(campaign, self.state, self.policy.people_since)
		self.full = self.full or (not self.anonymous and self._full_check_due(campaign.zoho_sent_time))
		left_off = self.state.cursor
		self.lists_read = left_off is not None
		self.own_position = bool(left_off and left_off.run == self.account.run)
		if not self.own_position:
			self.state.cursor = self._begin(self.state.cursor, counted)
		self._commit()
		self.campaign = campaign.name
		self.wanted = lists.wanted(counted, self.state, self.full)
		self.stored_before = reconciliation.count_stored(campaign.name) if self.wanted else {}

	def _ask_zoho(self, record: zoho.Campaign) -> tuple[list[zoho_reports.Source], list[zoho.Report | None]]:
		"""Return the keys of a campaign with the report of each; where Zoho refuses them, what its list says is saved."""
		try:
			sources = zoho_reports.sources(self.session.client, record.key, record.type)
			return sources, zoho_reports.reports(self.session.client, sources)
		except zoho.ZohoError:
			self._save(record, [])
			self._commit()
			raise

	def _save(self, record: zoho.Campaign, reports: list[zoho.Report]) -> Document:
		"""Save the Campaign and load its state.

		Where another worker takes the same name at the same moment, it gets the next free one; where somebody has edited or
		renamed it while Zoho was asked, it is read again.

		Raises:
			CampaignGone: somebody has deleted it here.
		"""
		frappe.db.rollback()  # of nothing: what is read from here on is as it is now that Zoho has been asked

		def save() -> Document:
			name = campaign_documents.find_campaign(record.key, record.id)
			if not name and frappe.db.exists(DELETED_CAMPAIGN, {"zoho_campaign_key": record.key}):
				raise CampaignGone
			campaign, self.account.figures_changed = campaign_documents.save(
				name, record, self.times, reports
			)
			self.account.campaign = campaign.name
			self.state = campaign_state.load_one(record.key, campaign.name)
			return campaign

		return _until_it_wins(save)

	def _begin(self, left_off: Cursor | None, counted: list[CountedList]) -> Cursor:
		"""Return the position to begin at: behind the last page of a recent sync that did not end."""
		if left_off and left_off.saved_at and (left_off.full or not self.full):
			# Unless all is read, the counters say of other actions what is to be read.
			done = left_off.done if self.full else lists.done_before(left_off, counted, self.state)
			if done is not None and 0 <= site_clock.now_epoch() - left_off.saved_at < _RESUMABLE_SECONDS:
				return replace(left_off, run=self.account.run, done=done, full=self.full)
		return self._new_position()

	def _new_position(self) -> Cursor:
		return Cursor(self.account.run, full=self.full)

	def _full_check_due(self, sent_time: datetime | None) -> bool:
		now = now_datetime()
		age = now - sent_time if sent_time else now - now
		interval = schedule.interval(age, self.policy.intervals)
		return schedule.full_check_due(now, self.state.full_check_at, self.policy.full_check_days, interval)

	def _following(self, source: zoho_reports.Source, action: str) -> pages_ahead.List | None:
		"""Return the list that will be read after this one."""
		wanted = [(each.source, each.action) for each in self.wanted]
		behind = wanted.index((source, action)) + 1
		return wanted[behind] if behind < len(wanted) else None

	def _sync_action(self, action: str, members: list[CountedList], reports: list[zoho.Report]) -> None:
		"""Read the lists of one action, then remove what none of them has any more."""
		position, ids = self.position, [each.id for each in members]
		self.action_type = zoho.ACTION_TYPES[action]
		if action in position.done:
			return
		begun = position.list_id in ids or any(list_id in position.done for list_id in ids)
		self.seen = seen_keys.SeenKeys.load(position.seen) if begun else seen_keys.SeenKeys()
		for each in members:
			if not self._sync_list(each):
				self.seen = None
		if self.seen is not None:
			expected = reconciliation.expected_of(reports, (action,))
			self._settle_action(self.seen, expected[self.action_type], ids)
		if action in self.refused:  # whoever goes on after a later error reads all its lists
			position.done = [done for done in position.done if done not in ids]
			return
		position.done.append(action)  # from here on, the keys kept with the position are another action's

	def _sync_list(self, one: CountedList) -> bool:
		"""Read one list; one that Zoho refuses leaves the campaign's other lists standing.

		Returns:
			Whether the keys of all that it holds have been seen.
		"""
		position, list_id, counter = self.position, one.id, one.counter
		if one not in self.wanted:
			empty = lists.is_empty(one, self.state)
			self.state.lists.setdefault(list_id, ListState(counter=counter))
			return list_id in position.done or empty
		self.lists_read = True
		begun = position.list_id == list_id
		self.contacts = seen_keys.SeenKeys()
		if not begun:
			position.list_id, position.next_index, position.read = list_id, 1, ListState()
		if not (begun and self.own_position):  # which an earlier slice of this run has counted
			self.announced += max(0, (counter or 0) - position.read.listed)
		try:
			if position.next_index:
				for fetched in self.ahead.pages(one.source, one.action, position.next_index):
					self._page(fetched)
		except zoho.ZohoError as error:
			if error.action != "skip" or isinstance(error, zoho.RecordUnavailable):
				raise
			frappe.db.rollback()
			self._announce()
			position.list_id = None
			self.refused.add(one.action)
			self.state.lists.setdefault(list_id, ListState()).failed += 1
			note = Note(explain(error), "Recipients", is_error=True)
			self.account.note(note, zoho.ACTION_TYPES[one.action], error.code)
			return False
		if not self.uncommitted:
			self._announce()
		self._end_list(list_id, counter)
		return True

	def _announce(self) -> None:
		"""Count what Zoho says that a list holds: with its first page, which may have to be written by another worker."""
		self.account.count("rows_expected", self.announced)
		self.announced = 0

	def _page(self, fetched: pages.FetchedPage) -> None:
		"""Take note of a page: with the first of a batch all are written, with the last all are committed."""
		batch, action_type = self.ahead.batch, fetched.action_type
		if fetched is batch[0]:
			self._follow_campaign()
			self.read, self.results = self.batch_writer.write(self.campaign, batch, self._maybe_stored)
			self.uncommitted = dict(self.results)
		position = self.position
		position.next_index = fetched.next_index or 0
		position.read.listed += fetched.listed
		if result := self.results.pop(action_type, None):  # with the first of its pages
			position.read.skipped += result.skipped
			position.read.failed += sum(note.is_error for note in result.notes)
			self.inserted[action_type] += result.inserted
			if self.seen is not None:
				self.seen.add(row.key for row in self.read.by_action[action_type].rows)
		self.contacts.add_ids(contact_id for _email, contact_id in fetched.people)
		position.seen = self.seen.dump() if self.seen is not None else None
		if fetched is batch[-1]:
			self._commit_batch()
			self.between_pages()

	def _commit_batch(self) -> None:
		"""Commit what is written, with the position behind what was taken note of."""
		with self.account.all_or_nothing():
			self._announce()
			for action_type, result in self.uncommitted.items():
				self.account.add(result, action_type)
			campaign_state.save_cursor(self.state)
			self.account.flush()
			self._commit()
		self.uncommitted = {}

	def _maybe_stored(self, action_type: str, keys: Collection[str]) -> Collection[str]:
		"""Return the keys of which there may be rows: none but those of this sync where the action had no row before it."""
		if self.stored_before.get(action_type):
			return keys
		if action_type != self.action_type:
			return ()  # its lists come with this batch
		return keys if self.seen is None else self.seen.among(keys)

	def _follow_campaign(self) -> None:
		"""Find the Campaign again if somebody has renamed or merged it meanwhile.

		Raises:
			CampaignGone: somebody has deleted it.
		"""
		key = self.check(("Campaign", self.campaign, "zoho_campaign_key"))
		if key == self.state.zoho_campaign_key:
			return
		name = campaign_documents.find_campaign(self.state.zoho_campaign_key)
		if not name:
			raise CampaignGone
		self.campaign = self.account.campaign = name

	def _end_list(self, list_id: str, counter: int | None) -> None:
		position = self.position
		before = self.state.lists.get(list_id)
		done = position.read
		done.counter, done.repeated, done.uncounted = counter, self.contacts.repeated(), True
		short = counter is not None and done.listed < counter
		if before and before.counter == counter and (short or done.repeated or before.uncounted):
			done.repairs = before.repairs + 1
		self.state.lists[list_id] = done
		position.done.append(list_id)
		position.list_id, position.next_index, position.read = None, 1, ListState()

	def _close(self, campaign: Document, counted: list[CountedList], reports: list[zoho.Report]) -> None:
		"""Reconcile, and note when the campaign is due again."""
		found: dict[str, str] = {}
		if self.lists_read:
			identity, write = self.state.zoho_campaign_key, self.writers.recipients.mark_bounced
			bounces.mark_campaign(self.campaign, identity, write)
			found["engagement"] = json.dumps(engagement.engagement(self.campaign))
		expected = reconciliation.expected_of(reports, self.policy.actions)
		stored = reconciliation.count_stored(self.campaign)
		verdict = reconciliation.reconcile(stored, expected, self._lists_by_action(counted))
		self.account.verdict = verdict.name
		if verdict.name == "Incomplete":
			self.account.note(Note(verdict.reason or "", "Recipients"))
		campaign_state.close(
			self.state,
			full=self.full,  # a list that has failed is read again all the same
			next_check_in=schedule.next_check_in(
				now_datetime(), campaign.zoho_sent_time, self.policy.intervals
			),
			found={**verdict.fields(), **found},
		)

	def _settle_action(self, seen: seen_keys.SeenKeys, expected: int | None, list_ids: list[str]) -> None:
		"""Count duplicates exactly, and remove rows that Zoho no longer lists, after all lists of an action were read."""
		read = [self.state.lists[list_id] for list_id in list_ids]
		distinct = seen.distinct()
		listed, skipped = sum(part.listed for part in read), sum(part.skipped for part in read)
		for part in read:
			part.duplicates, part.uncounted = 0, False
		read[-1].duplicates = max(0, listed - skipped - distinct)
		moved, action_type = any(part.repeated for part in read), self.action_type
		if (
			listed == expected
			and not moved
			and self.stored_before.get(action_type)
			and self.stored_before[action_type] + self.inserted[action_type] > distinct
		):
			if self.uncommitted:  # what the removal commits
				self.position.seen = seen.dump()
				self._commit_batch()
			pruning.delete_rows_gone_at_zoho(
				self.campaign,
				action_type,
				seen,
				self._count_removed,
				anonymised=not any(part.failed for part in read),
			)

	def _count_removed(self, number: int) -> None:
		self.account.count("rows_removed", number)
		self.account.flush()

	def _lists_by_action(self, counted: list[CountedList]) -> dict[str, list[ListState]]:
		found: dict[str, list[ListState]] = {zoho.ACTION_TYPES[action]: [] for action in self.policy.actions}
		for each in counted:
			if each.id in self.state.lists:
				found[zoho.ACTION_TYPES[each.action]].append(self.state.lists[each.id])
		return found

	def _commit(self) -> None:
		frappe.db.commit()  # nosemgrep - rows, position and account belong together, page by page


def _until_it_wins(save: Callable[[], Document]) -> Document:
	"""Do what may lose against another transaction again; it rolls back whatever was not committed before."""
	for attempt in range(1, _ATTEMPTS + 1):
		try:
			return save()
		except _LOST:
			frappe.db.rollback()
			frappe.clear_last_message()
			if attempt == _ATTEMPTS:
				raise
			time.sleep(attempt * random.uniform(0, _PAUSE_SECONDS))  # until the other one is through
	raise AssertionError("unreachable")
