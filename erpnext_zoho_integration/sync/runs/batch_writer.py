"""Writes the batches of one campaign: again where another worker was quicker, at last row by row.

Commits what must not wait for their rows: contacts where they are many or others want the same ones, and people
whom Zoho has erased.
"""

import random
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager

from rq.timeouts import JobTimeoutException

import frappe

from erpnext_zoho_integration.locks import Held, shared_lock
from erpnext_zoho_integration.store import erased_people, sql_writes
from erpnext_zoho_integration.sync.mapping.pages import FetchedPage
from erpnext_zoho_integration.sync.mapping.results import PageResult
from erpnext_zoho_integration.sync.privacy import erasure
from erpnext_zoho_integration.sync.recipients.batch import MatchedBatch, MaybeStored
from erpnext_zoho_integration.sync.recipients.mapped_batch import MappedBatch, map_batch
from erpnext_zoho_integration.sync.recipients.writers import Writers
from erpnext_zoho_integration.sync.runs.campaign_log import CampaignLog

_ATTEMPTS = 5
_PAUSE_SECONDS = 0.2
# Longer than a full page's contacts take; after it another worker goes on, and the unique keys decide.
_TURN_SECONDS = 30
_TURN_POLL_SECONDS = 0.002  # a turn takes some twenty times as long
# So many contacts are created with the rows that speak of them: that does not take long.
_FEW = 250
# What was read before a longer wait is read again.
_STALE_SECONDS = 2


def _write_lock(what: str) -> AbstractContextManager[Held]:
	return shared_lock(what, seconds=_TURN_SECONDS, wait=_TURN_SECONDS, poll=_TURN_POLL_SECONDS)


class _Outdated(Exception):
	"""What was read is no longer so."""


class BatchWriter:
	"""Writes batches of pages; whoever calls it commits them, with the position behind them.

	Args:
		identity: of the campaign, see `campaigns.identity`.
		anonymous: whether only figures of it are kept, see `retention`.
		create_for: for whom contacts are created, one of `batch.CREATE_FOR`.
		writers: those of the run.
		account: of the campaign; contacts that are committed ahead of their rows are counted there.
	"""

	def __init__(
		self,
		identity: str,
		anonymous: bool,
		create_for: str,
		writers: Writers,
		account: CampaignLog,
	) -> None:
		self._identity = identity
		self._anonymous = anonymous
		self._create_for = create_for
		self._writers = writers
		self._account = account

	def write(
		self, campaign: str, batch: Sequence[FetchedPage], maybe_stored: MaybeStored
	) -> tuple[MappedBatch, dict[str, PageResult]]:
		"""Write a batch; what lost against another transaction is written again, at last row by row.

		Args:
			campaign: name of the Campaign.
			batch: from Zoho.
			maybe_stored: returns those of the keys of an action of which there may be rows.

		Returns:
			The pages as they were read, and what became of them, by action type.
		"""
		writers = self._writers
		for attempt in range(1, _ATTEMPTS + 1):
			try:
				read = self._read(batch)
				pages = MatchedBatch(campaign, read, self._create_for, writers, maybe_stored)
				if pages.wanted and writers.parallel:
					seconds = self._create_in_turn(pages)
					if attempt == 1 and seconds > _STALE_SECONDS:
						raise _Outdated
				elif len(pages.wanted) > _FEW:
					self._create_ahead(pages)
				else:
					made = pages.create_contacts()
					pages.results[batch[0].action_type].add(made)
				return read, pages.store()
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
					error, frappe.QueryDeadlockError | frappe.QueryTimeoutError | _Outdated
				):
					# What is refused again and again is no other worker's doing.
					writers = Writers.by_document()
		raise AssertionError("unreachable")

	def _read(self, batch: Sequence[FetchedPage]) -> MappedBatch:
		"""Return the rows of the pages, read anew each time: by now somebody may be erased whom they name.

		Where there are several workers, people whom Zoho has erased since it was last asked are forgotten first, by one of
		them at a time: whoever enters somebody into the register waits for all who have looked into it, and two of those
		would wait for each other.
		"""
		read = map_batch(batch, self._identity, self._anonymous)
		if not (read.unforgotten and self._writers.parallel):
			return read
		frappe.db.commit()  # nosemgrep - so that nobody waits for this worker
		with _write_lock("erased"):
			erasure.erase_people_erased_at_zoho(read.unforgotten, erased_people.among(read.unforgotten))
			frappe.db.commit()  # nosemgrep - for the worker whose turn is next
		return map_batch(batch, self._identity, self._anonymous)

	def _create_in_turn(self, pages: MatchedBatch) -> float:
		"""Create the contacts of some pages while no other worker creates any, and commit them ahead of their rows.

		Two workers of a first sync have many people in common: who comes second would do its pages again, and again.

		Returns:
			How long that took, in seconds.

		Raises:
			_Outdated: do the pages again; their contacts may be there by then.
		"""
		begun = time.monotonic()
		frappe.db.commit()  # nosemgrep - nobody waits for these pages while they wait; ends what it sees of the site
		with _write_lock("contacts"):
			self._require_same_register(pages.pages)
			pages.writers.contacts.follow()
			pages.match_again()
			self._create_ahead(pages)
		return time.monotonic() - begun

	def _create_ahead(self, pages: MatchedBatch) -> None:
		"""Create the contacts and commit them ahead of the rows: two short transactions instead of a long one.

		Raises:
			_Outdated: do the pages again.
		"""
		made = pages.create_contacts()
		with self._account.all_or_nothing():
			self._account.add(made)
			self._account.flush()
			frappe.db.commit()  # nosemgrep - see above
		self._require_same_register(pages.pages)

	@staticmethod
	def _require_same_register(read: MappedBatch) -> None:
		"""Raise `_Outdated` if one of the people was erased meanwhile; none will be until the next commit."""
		if erased_people.look_up(read.digests) != read.known:
			raise _Outdated
