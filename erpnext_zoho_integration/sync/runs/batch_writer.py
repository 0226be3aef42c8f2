"""Writes the batches of one campaign; a batch that lost a race against another worker is written again.

Commits only what must not wait for the rows: new Contacts where they are many or other workers want the same ones, and
the erasure of people whom Zoho has erased.
"""

import random
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager

from rq.timeouts import JobTimeoutException

import frappe

from erpnext_zoho_integration.shared_locks import Held, shared_lock
from erpnext_zoho_integration.store import erased_people, sql_writes
from erpnext_zoho_integration.sync.mapping.page_results import PageResult
from erpnext_zoho_integration.sync.mapping.recipient_pages import FetchedPage
from erpnext_zoho_integration.sync.privacy import erasure
from erpnext_zoho_integration.sync.recipients.mapped_batch import MappedBatch, map_batch
from erpnext_zoho_integration.sync.recipients.matched_batch import (
	MatchedBatch,
	MaybeStored,
	match_again,
	match_batch,
)
from erpnext_zoho_integration.sync.recipients.row_writers import Writers
from erpnext_zoho_integration.sync.recipients.store_batch import (
	create_contacts,
	erase_newly_erased,
	store_batch,
)
from erpnext_zoho_integration.sync.runs.campaign_log import CampaignLog

_ATTEMPTS = 5
_PAUSE_SECONDS = 0.2
# Longer than the Contacts of a full page take. After it another worker goes on, and the unique keys decide.
_LOCK_SECONDS = 30
_LOCK_POLL_SECONDS = 0.002  # the lock is held some twenty times as long
# Up to this many Contacts are created in the transaction of their rows, which then stays short enough.
_FEW = 250
# After a longer wait for the lock, the batch is read again.
_STALE_SECONDS = 2


class BatchOutdated(Exception):
	"""The data read for a batch have changed meanwhile; the batch is done again."""


class BatchWriter:
	"""Writes batches of pages. The caller commits each with the cursor behind it.

	Args:
		identity: of the campaign, see `campaigns.identity`.
		anonymous: keep figures only, see `retention`.
		create_for: for whom Contacts are created, one of `CREATE_FOR`.
		writers: those of the run.
		log: of the campaign; counts Contacts that are committed ahead of their rows.
	"""

	def __init__(
		self, identity: str, anonymous: bool, create_for: str, writers: Writers, log: CampaignLog
	) -> None:
		self._identity = identity
		self._anonymous = anonymous
		self._create_for = create_for
		self._writers = writers
		self._log = log

	def write(
		self, campaign: str, pages: Sequence[FetchedPage], maybe_stored: MaybeStored
	) -> tuple[MappedBatch, dict[str, PageResult]]:
		"""Write a batch. After a lost race it is written again; after another error that comes again, document by document.

		Args:
			campaign: name of the Campaign.
			pages: of the batch, from Zoho.
			maybe_stored: returns those keys of an action that may have stored rows.

		Returns:
			The mapped rows, and what became of them by action type.
		"""
		writers = self._writers
		for attempt in range(1, _ATTEMPTS + 1):
			try:
				mapped = self._map_and_erase(pages)
				batch = match_batch(campaign, mapped, self._create_for, maybe_stored)
				self._create_contacts(batch, writers, require_fresh=attempt == 1)
				return mapped, store_batch(batch, writers)
			except JobTimeoutException:
				raise
			except Exception as error:
				frappe.db.rollback()
				if attempt == _ATTEMPTS:
					raise
				if isinstance(error, frappe.QueryDeadlockError):
					time.sleep(attempt * random.uniform(0, _PAUSE_SECONDS))  # until the others are through
				duplicate = sql_writes.is_duplicate(error)
				if duplicate and not writers.parallel:
					writers.parallel = True
				elif attempt > (2 if duplicate else 1) and not isinstance(
					error, frappe.QueryDeadlockError | frappe.QueryTimeoutError | BatchOutdated
				):
					# An error that comes again and again has another cause than another worker.
					writers = Writers.by_document()
		raise AssertionError("unreachable")

	def _map_and_erase(self, pages: Sequence[FetchedPage]) -> MappedBatch:
		"""Return the rows of the pages, after erasing here the people whom Zoho has erased. May commit.

		Each attempt maps anew, because somebody may have been erased here meanwhile. With several workers, one at a time
		erases, in a transaction of its own: whoever writes to the register waits for all who have read it, and two such
		workers would wait for each other.
		"""
		mapped = map_batch(pages, self._identity, self._anonymous)
		if mapped.newly_erased and self._writers.parallel:
			frappe.db.commit()  # nosemgrep - so that nobody waits for this worker
			with _write_lock("erased"):
				erasure.erase_people_erased_at_zoho(
					mapped.newly_erased, erased_people.among(mapped.newly_erased)
				)
				frappe.db.commit()  # nosemgrep - for the worker that gets the lock next
			mapped = map_batch(pages, self._identity, self._anonymous)
		erase_newly_erased(mapped)
		return mapped

	def _create_contacts(self, batch: MatchedBatch, writers: Writers, require_fresh: bool) -> None:
		"""Create the missing Contacts: few with their rows, many or contested ones ahead of them.

		Args:
			batch: to be stored next.
			writers: that write it.
			require_fresh: give up if the wait for other workers was long.

		Raises:
			BatchOutdated: do the batch again.
		"""
		if batch.people and writers.parallel:
			seconds = self._create_in_turn(batch, writers)
			if require_fresh and seconds > _STALE_SECONDS:
				raise BatchOutdated
		elif len(batch.people) > _FEW:
			self._create_ahead(batch, writers)
		else:
			next(iter(batch.results.values())).add(create_contacts(batch, writers))

	def _create_in_turn(self, batch: MatchedBatch, writers: Writers) -> float:
		"""Create Contacts while no other worker creates any, and commit them ahead of the rows.

		Two workers of a first sync have many people in common; without the lock the slower one would do its batches again
		and again.

		Returns:
			How long that took, in seconds.

		Raises:
			BatchOutdated: do the batch again; its Contacts may exist by then.
		"""
		begun = time.monotonic()
		frappe.db.commit()  # nosemgrep - holds no lock while waiting, and sees what others have committed
		with _write_lock("contacts"):
			_require_same_register(batch.mapped)
			writers.contacts.follow()
			match_again(batch)
			self._create_ahead(batch, writers)
		return time.monotonic() - begun

	def _create_ahead(self, batch: MatchedBatch, writers: Writers) -> None:
		"""Create Contacts and commit them ahead of the rows: two short transactions instead of a long one.

		Raises:
			BatchOutdated: do the batch again.
		"""
		made = create_contacts(batch, writers)
		with self._log.all_or_nothing():
			self._log.add(made)
			self._log.flush()
			frappe.db.commit()  # nosemgrep - see above
		_require_same_register(batch.mapped)


def _write_lock(what: str) -> AbstractContextManager[Held]:
	return shared_lock(what, seconds=_LOCK_SECONDS, wait=_LOCK_SECONDS, poll=_LOCK_POLL_SECONDS)


def _require_same_register(mapped: MappedBatch) -> None:
	"""Raise `BatchOutdated` if one of the people was erased meanwhile; none will be until the next commit."""
	if erased_people.look_up(mapped.digests) != mapped.erased:
		raise BatchOutdated
