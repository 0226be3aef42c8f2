"""Writes the pages of one campaign: again where another worker was quicker, at last row by row."""

from rq.timeouts import JobTimeoutException

import frappe

from erpnext_zoho_integration.connection.locks import shared_lock
from erpnext_zoho_integration.sync import dialect
from erpnext_zoho_integration.sync.account import CampaignAccount
from erpnext_zoho_integration.sync.fetch import FetchedPage
from erpnext_zoho_integration.sync.page import (
	NeedsTurn,
	PageResult,
	ReadPage,
	make_contacts,
	read_page,
	store_page,
)
from erpnext_zoho_integration.sync.writers import Writers

_ATTEMPTS = 5
# Longer than a page's contacts take; after it another worker goes on, and the unique keys decide.
_TURN_SECONDS = 30
_TURN_POLL_SECONDS = 0.005  # a turn takes about ten times as long


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

	def write(self, campaign: str, fetched: FetchedPage) -> tuple[ReadPage, PageResult]:
		"""Write a page; one that lost against another transaction is written again, at last row by row.

		Args:
			campaign: name of the Campaign.
			fetched: from Zoho.
		"""
		writers, had_turn = self._writers, False
		needs_turn = writers.taking_turns and writers.creating
		for attempt in range(1, _ATTEMPTS + 1):
			try:
				if needs_turn:
					self._make_contacts(fetched)
					needs_turn, had_turn = False, True
				# Read anew as well: by now somebody may be erased whom it names.
				read = self._read(fetched)
				alone = had_turn or attempt == _ATTEMPTS or not writers.taking_turns
				return read, store_page(campaign, read, self._create_for, writers, alone=alone)
			except NeedsTurn:
				frappe.db.rollback()
				needs_turn = True
			except JobTimeoutException:
				raise
			except Exception as error:
				frappe.db.rollback()
				if attempt == _ATTEMPTS:
					raise
				duplicate = dialect.is_duplicate(error)
				if duplicate and not writers.taking_turns:
					writers.taking_turns = needs_turn = True
				elif attempt > (2 if duplicate else 1) and not isinstance(
					error, frappe.QueryDeadlockError | frappe.QueryTimeoutError
				):
					# What is refused again and again is no other worker's doing.
					writers, needs_turn, had_turn = Writers.by_document(), False, True
		raise AssertionError("unreachable")

	def _read(self, fetched: FetchedPage) -> ReadPage:
		return read_page(fetched, self._identity, self._anonymous)

	def _make_contacts(self, fetched: FetchedPage) -> None:
		"""Create the contacts of a page while no other worker creates any, and commit them ahead of its rows.

		Two workers of a first sync have many people in common: who comes second would do its page again, and again.
		"""
		with shared_lock("contacts", seconds=_TURN_SECONDS, wait=_TURN_SECONDS, poll=_TURN_POLL_SECONDS):
			frappe.db.commit()  # nosemgrep - what the worker before has created is seen from here on
			self._writers.contacts.follow()
			made = make_contacts(self._read(fetched), self._create_for, self._writers)
			with self._account.all_or_nothing():
				self._account.add(made, fetched.action_type)
				self._account.flush()
				frappe.db.commit()  # nosemgrep - for the worker whose turn is next
		self._writers.creating = bool(made.contacts_created)
