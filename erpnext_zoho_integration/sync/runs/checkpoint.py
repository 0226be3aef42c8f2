"""Commits what a sync of one campaign has written, with the cursor behind it and with its numbers and notes."""

from collections.abc import Callable, Mapping

import frappe

from erpnext_zoho_integration.store.fields import ZOHO_CAMPAIGN_KEY
from erpnext_zoho_integration.sync.campaigns import documents as campaign_documents
from erpnext_zoho_integration.sync.campaigns import pruning, sync_state
from erpnext_zoho_integration.sync.campaigns.seen_keys import SeenKeys
from erpnext_zoho_integration.sync.campaigns.sync_state import CampaignState
from erpnext_zoho_integration.sync.mapping.page_results import PageResult
from erpnext_zoho_integration.sync.runs.campaign_log import CampaignLog


class CampaignGone(Exception):
	"""Somebody deleted the Campaign while it was synced."""


class Checkpoint:
	"""Writes what the reader of a campaign's lists stores beside the rows. A dry run has one that writes nothing.

	Args:
		state: of the campaign, with the cursor.
		log: of the campaign, with the name of the Campaign.
		check: returns one looked-up value, see `sql_lookups.values_of`; may raise to stop the sync before a batch.
		between_batches: called after every commit of a batch; may raise to stop the sync.
	"""

	def __init__(
		self,
		state: CampaignState,
		log: CampaignLog,
		check: Callable[[tuple[str, str, str]], object],
		between_batches: Callable[[], None],
	) -> None:
		self.state = state
		self.log = log
		self.check = check
		self.between_batches = between_batches

	def find_campaign(self) -> str:
		"""Return the name of the Campaign before a batch, found again if somebody has renamed or merged it.

		Raises:
			CampaignGone: somebody has deleted it.
		"""
		campaign = self.log.campaign
		assert campaign
		key = self.check(("Campaign", campaign, ZOHO_CAMPAIGN_KEY))
		if key != self.state.zoho_campaign_key:
			campaign = campaign_documents.find_campaign(self.state.zoho_campaign_key)
			if not campaign:
				raise CampaignGone
			self.log.campaign = campaign
		return campaign

	def commit(self, results: Mapping[str, PageResult], expected: int) -> None:
		"""Commit the rows that are written, with the cursor behind them.

		Args:
			results: what became of the rows, by action type.
			expected: rows that Zoho counts in the lists begun since the last commit.
		"""
		with self.log.all_or_nothing():
			self.log.count("rows_expected", expected)
			for action_type, result in results.items():
				self.log.add(result, action_type)
			sync_state.save_cursor(self.state)
			self.log.flush()
			frappe.db.commit()  # nosemgrep - rows, cursor and numbers belong together, batch by batch

	def prune(self, action_type: str, seen: SeenKeys, anonymised: bool) -> None:
		"""Delete the rows of an action that Zoho no longer lists. Commits.

		Args:
			action_type: all of whose lists have been read.
			seen: the keys that came.
			anonymised: see `pruning.delete_rows_gone_at_zoho`.
		"""
		assert self.log.campaign
		pruning.delete_rows_gone_at_zoho(
			self.log.campaign, action_type, seen, self._count_removed, anonymised=anonymised
		)

	def _count_removed(self, number: int) -> None:
		self.log.count("rows_removed", number)
		self.log.flush()
