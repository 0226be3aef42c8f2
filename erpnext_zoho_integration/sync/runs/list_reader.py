"""Reads the lists of one campaign, batch by batch, and moves the cursor behind what is written.

A batch holds at most as many rows as a full page of Zoho. It is committed with the cursor behind it and with its numbers,
so a sync that dies loses and repeats at most one batch.
"""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass

import frappe

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection.error_messages import explain
from erpnext_zoho_integration.sync.campaigns import reconciliation
from erpnext_zoho_integration.sync.campaigns.seen_keys import SeenKeys
from erpnext_zoho_integration.sync.campaigns.sync_state import CampaignState, Cursor, ListState
from erpnext_zoho_integration.sync.fetch.pages_ahead import PagesAhead
from erpnext_zoho_integration.sync.mapping.page_results import Note, PageResult
from erpnext_zoho_integration.sync.mapping.recipient_pages import FetchedPage
from erpnext_zoho_integration.sync.planning import lists_to_read
from erpnext_zoho_integration.sync.planning.lists_to_read import CountedList
from erpnext_zoho_integration.sync.recipients.mapped_batch import MappedBatch
from erpnext_zoho_integration.sync.recipients.matched_batch import MaybeStored
from erpnext_zoho_integration.sync.runs.campaign_log import CampaignLog
from erpnext_zoho_integration.sync.runs.checkpoint import Checkpoint

# Writes a batch: name of the Campaign, the pages, which keys may be stored; as `BatchWriter.write`.
WriteBatch = Callable[[str, list[FetchedPage], MaybeStored], tuple[MappedBatch, dict[str, PageResult]]]


@dataclass(slots=True)
class ReadingPlan:
	"""The lists of a campaign that a sync reads.

	Attributes:
		counted: all lists, action by action.
		wanted: those that are read.
		reports: Zoho's reports of the campaign.
		resumed: whether an earlier slice of this run left the cursor.
		stored_before: number of stored rows by action type; empty if no list is wanted.
	"""

	counted: list[CountedList]
	wanted: list[CountedList]
	reports: list[zoho.Report]
	resumed: bool
	stored_before: dict[str, int]


class ListReader:
	"""Reads the lists of one campaign, action by action.

	Args:
		plan: which lists are read.
		state: of the campaign, with the cursor to begin at.
		ahead: the lists, fetched ahead.
		write: writes a batch.
		log: of the campaign.
		checkpoint: commits each batch, and may stop the sync.

	Attributes:
		any_read: whether a list has been read.
		refused: why Zoho refused a list, by action.
	"""

	def __init__(
		self,
		plan: ReadingPlan,
		state: CampaignState,
		ahead: PagesAhead,
		write: WriteBatch,
		log: CampaignLog,
		checkpoint: Checkpoint,
	) -> None:
		self.plan = plan
		self.state = state
		self.ahead = ahead
		self.write = write
		self.log = log
		self.checkpoint = checkpoint
		self.any_read = False
		# For the campaign:
		self.inserted: Counter[str] = Counter()  # new rows, by action type
		self.refused: dict[str, str] = {}
		# For the action being read:
		self.action_type = ""
		self.seen: SeenKeys | None = None  # keys that came; None: not all are known
		# For the list being read:
		self.contacts = SeenKeys()  # Zoho's ids of the people that came
		self.expected = 0  # rows that Zoho counts and that the log does not count yet
		# For the batch being written:
		self.mapped: MappedBatch | None = None
		self.uncounted: dict[str, PageResult] = {}  # results of actions that no page has counted yet
		self.uncommitted: dict[str, PageResult] = {}  # results that are not committed

	@property
	def cursor(self) -> Cursor:
		assert self.state.cursor is not None
		return self.state.cursor

	def read(self) -> None:
		"""Read all wanted lists, and remove rows that Zoho no longer lists.

		Raises:
			zoho.ZohoError: what concerns the campaign as a whole; one refused list is noted and left out.
			CampaignGone: it was deleted here after the run had been planned.
		"""
		for action in dict.fromkeys(each.action for each in self.plan.counted):
			self._read_action(action, [each for each in self.plan.counted if each.action == action])

	def _read_action(self, action: str, members: list[CountedList]) -> None:
		"""Read the lists of one action, then remove the rows that none of them has any more."""
		cursor, ids = self.cursor, [each.id for each in members]
		if action in cursor.done:
			return
		self.action_type = zoho.ACTION_TYPES[action]
		begun = cursor.list_id in ids or any(list_id in cursor.done for list_id in ids)
		self.seen = SeenKeys.load(cursor.seen) if begun else SeenKeys()
		for each in members:
			if not self._read_list(each):
				self.seen = None
		if self.seen is not None:
			self._end_action(action, ids, self.seen)
		if action in self.refused:  # after a later error, the next sync reads all lists of the action
			cursor.done = [done for done in cursor.done if done not in ids]
			return
		cursor.done.append(action)  # from here on, the keys kept with the cursor are another action's

	def _read_list(self, one: CountedList) -> bool:
		"""Read one list; the others of a campaign are read even if Zoho refuses this one.

		Returns:
			Whether the keys of all its records have been seen.
		"""
		if one not in self.plan.wanted:
			empty = lists_to_read.is_empty(one, self.state)
			self.state.lists.setdefault(one.id, ListState(counter=one.counter))
			return one.id in self.cursor.done or empty
		self._begin_list(one)
		try:
			if self.cursor.next_index:
				for page in self.ahead.pages(one.source, one.action, self.cursor.next_index):
					self._page(page)
		except zoho.ZohoError as error:
			if error.action != "skip" or isinstance(error, zoho.RecordUnavailable):
				raise
			self._refuse_list(one, error)
			return False
		if not self.uncommitted:
			self._count_expected()
		self._end_list(one)
		return True

	def _begin_list(self, one: CountedList) -> None:
		cursor, begun = self.cursor, self.cursor.list_id == one.id
		self.any_read = True
		self.contacts = SeenKeys()
		if not begun:
			cursor.list_id, cursor.next_index, cursor.read = one.id, 1, ListState()
		if not (begun and self.plan.resumed):  # else an earlier slice of this run has counted them
			self.expected += max(0, (one.counter or 0) - cursor.read.listed)

	def _page(self, page: FetchedPage) -> None:
		"""Go through a page. With the first of a batch the whole batch is written, with the last it is committed."""
		pages, action_type, cursor = self.ahead.batch, page.action_type, self.cursor
		if page is pages[0]:
			self._write_batch(pages)
		cursor.next_index = page.next_index or 0
		cursor.read.listed += page.listed
		if result := self.uncounted.pop(action_type, None):  # with the first page of its action
			self._count_result(action_type, result)
		self.contacts.add_ids(contact_id for _email, contact_id in page.people)
		cursor.seen = self.seen.dump() if self.seen is not None else None
		if page is pages[-1]:
			self._commit_batch()
			self.checkpoint.between_batches()

	def _write_batch(self, pages: list[FetchedPage]) -> None:
		campaign = self.checkpoint.find_campaign()
		self.mapped, results = self.write(campaign, pages, self._maybe_stored)
		self.uncounted, self.uncommitted = dict(results), dict(results)

	def _count_result(self, action_type: str, result: PageResult) -> None:
		read = self.cursor.read
		read.skipped += result.skipped
		read.failed += sum(note.is_error for note in result.notes)
		self.inserted[action_type] += result.inserted
		if self.seen is not None and self.mapped:
			self.seen.add(row.key for row in self.mapped.by_action[action_type].rows)

	def _commit_batch(self) -> None:
		"""Commit what is written, with the cursor behind the pages gone through."""
		self.checkpoint.commit(self.uncommitted, self.expected)
		self.uncommitted, self.expected = {}, 0

	def _count_expected(self) -> None:
		"""Count the rows that Zoho counts in lists of which nothing is waiting to be committed."""
		self.log.count("rows_expected", self.expected)
		self.expected = 0

	def _maybe_stored(self, action_type: str, keys: Collection[str]) -> Collection[str]:
		"""Return the keys that may have rows: only those of this sync if the action had no rows before."""
		if self.plan.stored_before.get(action_type):
			return keys
		if action_type != self.action_type:
			return ()  # its lists begin in this batch
		return keys if self.seen is None else self.seen.among(keys)

	def _refuse_list(self, one: CountedList, error: zoho.ZohoError) -> None:
		"""Note that Zoho refused a list; it is read again at the next check."""
		frappe.db.rollback()
		self._count_expected()
		self.cursor.list_id = None
		self.refused[one.action] = explain(error)
		self.state.lists.setdefault(one.id, ListState()).failed += 1
		note = Note(self.refused[one.action], "Recipients", is_error=True)
		self.log.note(note, zoho.ACTION_TYPES[one.action], error.code)

	def _end_list(self, one: CountedList) -> None:
		cursor, before = self.cursor, self.state.lists.get(one.id)
		done = cursor.read
		done.counter, done.repeated, done.uncounted = one.counter, self.contacts.repeated(), True
		short = one.counter is not None and done.listed < one.counter
		if before and before.counter == one.counter and (short or done.repeated or before.uncounted):
			done.repairs = before.repairs + 1
		self.state.lists[one.id] = done
		cursor.done.append(one.id)
		cursor.list_id, cursor.next_index, cursor.read = None, 1, ListState()

	def _end_action(self, action: str, list_ids: list[str], seen: SeenKeys) -> None:
		"""Count the duplicates of an action whose lists were all read, and remove rows that Zoho no longer lists."""
		read = [self.state.lists[list_id] for list_id in list_ids]
		distinct = seen.distinct()
		listed, skipped = sum(part.listed for part in read), sum(part.skipped for part in read)
		for part in read:
			part.duplicates, part.uncounted = 0, False
		read[-1].duplicates = max(0, listed - skipped - distinct)
		before = self.plan.stored_before.get(self.action_type)
		expected = reconciliation.expected_of(self.plan.reports, (action,))[self.action_type]
		complete = listed == expected and not any(part.repeated for part in read)
		if complete and before and before + self.inserted[self.action_type] > distinct:
			if self.uncommitted:  # the pruning would commit it
				self.cursor.seen = seen.dump()
				self._commit_batch()
			figures = not any(part.failed for part in read)
			self.checkpoint.prune(self.action_type, seen, figures)
