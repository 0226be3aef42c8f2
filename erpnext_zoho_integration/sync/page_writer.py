"""Writes the pages of one campaign: again where another worker was quicker, at last row by row.

Commits what must not wait for a page's rows: contacts where they are many or others want the same ones, and people
whom Zoho has erased.
"""

import random
import time
from contextlib import AbstractContextManager

from rq.timeouts import JobTimeoutException

import frappe

from erpnext_zoho_integration.connection.locks import Held, shared_lock
from erpnext_zoho_integration.sync import dialect, erased, erasure
from erpnext_zoho_integration.sync.account import CampaignAccount
from erpnext_zoho_integration.sync.fetch import FetchedPage
from erpnext_zoho_integration.sync.page import MatchedPage, MaybeStored, PageResult, ReadPage, read_page
from erpnext_zoho_integration.sync.writers import Writers

_ATTEMPTS = 5
_PAUSE_SECONDS = 0.2
# Longer than a page's contacts take; after it another worker goes on, and the unique keys decide.
_TURN_SECONDS = 30
_TURN_POLL_SECONDS = 0.002  # a turn takes some twenty times as long
# So many contacts are created with the rows of their page: that does not take long.
_FEW = 250
# What was read before a longer wait is read again.
_STALE_SECONDS = 2


def _turn(what: str) -> AbstractContextManager[Held]:
	return shared_lock(what, seconds=_TURN_SECONDS, wait=_TURN_SECONDS, poll=_TURN_POLL_SECONDS)


class _Outdated(Exception):
	"""What was read of a page is no longer so."""


class PageWriter:
	"""Writes pages; whoever calls it commits them, with the position behind them.

	Args:
		identity: of the campaign, see `identity.campaign_identity`.
		anonymous: whether only figures of it are kept, see `retention`.
		create_for: for whom contacts are created, one of `page.CREATE_FOR`.
		writers: those of the run.
		account: of the campaign; contacts that are committed ahead of their page are counted there.
	"""

	def __init__(
		self,
		identity: str,
		anonymous: bool,
		create_for: str,
		writers: Writers,
		account: CampaignAccount,
	) -> None:
		self._identity = identity
		self._anonymous = anonymous
		self._create_for = create_for
		self._writers = writers
		self._account = account

	def write(
		self, campaign: str, fetched: FetchedPage, maybe_stored: MaybeStored
	) -> tuple[ReadPage, PageResult]:
		"""Write a page; one that lost against another transaction is written again, at last row by row.

		Args:
			campaign: name of the Campaign.
			fetched: from Zoho.
			maybe_stored: returns those of its keys of which there may be rows.
		"""
		writers = self._writers
		for attempt in range(1, _ATTEMPTS + 1):
			try:
				read = self._read(fetched)
				page = MatchedPage(campaign, read, self._create_for, writers, maybe_stored)
				if page.wanted and writers.taking_turns:
					seconds = self._create_in_turn(page, fetched)
					if attempt == 1 and seconds > _STALE_SECONDS:
						raise _Outdated
				elif len(page.wanted) > _FEW:
					self._create_ahead(page, fetched)
				else:
					page.result.add(page.create_contacts())
				return read, page.store()
			except JobTimeoutException:
				raise
			except Exception as error:
				frappe.db.rollback()
				if attempt == _ATTEMPTS:
					raise
				if isinstance(error, frappe.QueryDeadlockError):
					time.sleep(attempt * random.uniform(0, _PAUSE_SECONDS))  # until the others are through
				duplicate = dialect.is_duplicate(error)
				if duplicate and not writers.taking_turns:
					writers.taking_turns = True
				elif attempt > (2 if duplicate else 1) and not isinstance(
					error, frappe.QueryDeadlockError | frappe.QueryTimeoutError | _Outdated
				):
					# What is refused again and again is no other worker's doing.
					writers = Writers.by_document()
		raise AssertionError("unreachable")

	def _read(self, fetched: FetchedPage) -> ReadPage:
		"""Return the rows of a page, read anew each time: by now somebody may be erased whom it names.

		Where there are several workers, people whom Zoho has erased since it was last asked are forgotten first, by one of
		them at a time: whoever enters somebody into the register waits for all who have looked into it, and two of those
		would wait for each other.
		"""
		read = read_page(fetched, self._identity, self._anonymous)
		if not (read.unforgotten and self._writers.taking_turns):
			return read
		frappe.db.commit()  # nosemgrep - so that nobody waits for this worker
		with _turn("erased"):
			erasure.forget(read.unforgotten, erased.among(read.unforgotten))
			frappe.db.commit()  # nosemgrep - for the worker whose turn is next
		return read_page(fetched, self._identity, self._anonymous)

	def _create_in_turn(self, page: MatchedPage, fetched: FetchedPage) -> float:
		"""Create the contacts of a page while no other worker creates any, and commit them ahead of its rows.

		Two workers of a first sync have many people in common: who comes second would do its page again, and again.

		Returns:
			How long that took, in seconds.

		Raises:
			_Outdated: do the page again; its contacts may be there by then.
		"""
		begun = time.monotonic()
		frappe.db.commit()  # nosemgrep - nobody waits for this page while it waits; ends what it sees of the site
		with _turn("contacts"):
			self._require_same_register(page, fetched)
			page.writers.contacts.follow()
			page.match_again()
			self._create_ahead(page, fetched)
		return time.monotonic() - begun

	def _create_ahead(self, page: MatchedPage, fetched: FetchedPage) -> None:
		"""Create the contacts of a page and commit them ahead of its rows: two short transactions instead of a long one.

		Raises:
			_Outdated: do the page again.
		"""
		made = page.create_contacts()
		with self._account.all_or_nothing():
			self._account.add(made, fetched.action_type)
			self._account.flush()
			frappe.db.commit()  # nosemgrep - see above
		self._require_same_register(page, fetched)

	@staticmethod
	def _require_same_register(page: MatchedPage, fetched: FetchedPage) -> None:
		"""Raise `_Outdated` if one of a page's people was erased meanwhile; none will be until the next commit."""
		if erased.known_by(fetched.digests) != page.page.known:
			raise _Outdated
