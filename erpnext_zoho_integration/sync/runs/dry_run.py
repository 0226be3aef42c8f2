"""Shows what a run would do: the same reader, matching and steps of a batch, with writers that write nothing.

Saving the Campaign, its state and the run's log, pruning and closing are nothing but writes, so a dry run has none of
these steps. Each batch is compared with the database as it is; nothing is ever committed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import frappe

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection.error_messages import explain
from erpnext_zoho_integration.store.fields import ZOHO_CAMPAIGN_KEY
from erpnext_zoho_integration.store.row_keys_and_digests import site_key
from erpnext_zoho_integration.sync.campaigns import documents as campaign_documents
from erpnext_zoho_integration.sync.campaigns import reconciliation, sync_state
from erpnext_zoho_integration.sync.campaigns.identity import campaign_identity
from erpnext_zoho_integration.sync.campaigns.seen_keys import SeenKeys
from erpnext_zoho_integration.sync.campaigns.sync_state import CampaignState, Cursor
from erpnext_zoho_integration.sync.fetch.pages_ahead import PagesAhead
from erpnext_zoho_integration.sync.fetch.zoho_session import ZohoSession, open_session
from erpnext_zoho_integration.sync.mapping.page_results import PageResult
from erpnext_zoho_integration.sync.mapping.recipient_pages import FetchedPage, PageMapper
from erpnext_zoho_integration.sync.mapping.recipient_rows import Times
from erpnext_zoho_integration.sync.planning import due_campaigns, lists_to_read, sync_settings
from erpnext_zoho_integration.sync.privacy import retention
from erpnext_zoho_integration.sync.recipients.mapped_batch import MappedBatch, map_batch
from erpnext_zoho_integration.sync.recipients.matched_batch import MaybeStored, match_batch
from erpnext_zoho_integration.sync.recipients.preview_writer import PreviewWriter
from erpnext_zoho_integration.sync.recipients.store_batch import create_contacts, store_batch
from erpnext_zoho_integration.sync.runs import campaign_tasks
from erpnext_zoho_integration.sync.runs.campaign_log import CampaignLog
from erpnext_zoho_integration.sync.runs.campaign_sync import ask_zoho
from erpnext_zoho_integration.sync.runs.checkpoint import Checkpoint
from erpnext_zoho_integration.sync.runs.list_reader import ListReader, ReadingPlan


@dataclass(slots=True)
class Preview:
	"""The result that a run would have for one campaign.

	Attributes:
		campaign_name: Zoho's name of it.
		campaign: name of the Campaign; None if a run would create it.
		error: why Zoho did not answer for the campaign, or for some of its lists.
		calls: how many calls to Zoho the preview took.
		reasons: notes about recipients, each with its number of occurrences.
	"""

	campaign_name: str | None
	campaign: str | None
	error: str | None = None
	inserted: int = 0
	updated: int = 0
	unchanged: int = 0
	skipped: int = 0
	linked: int = 0
	contacts: int = 0
	calls: int = 0
	reasons: dict[str, int] = field(default_factory=dict)


class DryRun:
	"""Goes through a run without writing.

	Args:
		session: connection of the dry run; closed at its end.
		policy: what the settings say.
		mode: `Due`, `All` or `Full`.
		campaign: name of the Campaign; by default all.
	"""

	def __init__(
		self, session: ZohoSession, policy: sync_settings.Policy, mode: str, campaign: str | None = None
	) -> None:
		self.session = session
		self.policy = policy
		self.mode = mode
		self.campaign = campaign
		self.writer = PreviewWriter()
		self.writers = self.writer.as_writers()

	@classmethod
	def for_site(cls, mode: str, campaign: str | None = None) -> "DryRun":
		"""Return a dry run with the settings of this site."""
		return cls(open_session(), sync_settings.read_policy(), mode, campaign)

	@property
	def calls(self) -> int:
		"""How many calls to Zoho there have been."""
		return self.session.calls

	def previews(self) -> Iterator[Preview]:
		"""Yield what would become of each campaign.

		Raises:
			zoho.ZohoError: Zoho did not list its campaigns.
		"""
		try:
			plan = self._plan()
			times = due_campaigns.times_from_samples(plan.samples, self.policy)
			for record in plan.records:
				yield self._preview(record, times)
		finally:
			self.session.close(remember=False)
			frappe.db.rollback()

	def _plan(self) -> due_campaigns.Plan:
		if not self.campaign:
			return due_campaigns.plan_all(self.session.client, self.policy, self.mode)
		key = frappe.db.get_value("Campaign", self.campaign, ZOHO_CAMPAIGN_KEY)
		return due_campaigns.plan_one(self.session.client, key)

	def _preview(self, record: zoho.Campaign, times: Times) -> Preview:
		name, calls = campaign_documents.find_campaign(record.key, record.id), self.session.calls
		log = CampaignLog(
			"", campaign_tasks.Task("", record, dict.fromkeys(campaign_tasks.NUMBERS, 0), []), name
		)
		try:
			error = self._read_lists(record, log, times)
		except zoho.ZohoError as refusal:
			error = explain(refusal)
		numbers = log.task.numbers
		return Preview(
			record.name,
			name,
			error,
			inserted=numbers["rows_inserted"],
			updated=numbers["rows_updated"],
			unchanged=numbers["rows_unchanged"],
			skipped=numbers["rows_skipped"],
			linked=numbers["contacts_linked"],
			contacts=numbers["contacts_created"],
			calls=self.session.calls - calls,
			reasons={each.message: each.occurrences for each in log.issues.values() if each.message != error},
		)

	def _read_lists(self, record: zoho.Campaign, log: CampaignLog, times: Times) -> str | None:
		"""Read the lists that a run would read, from their beginning, and count in `log` what it would write.

		Returns:
			Why Zoho refused lists, if it did.
		"""
		name = log.campaign
		asked = ask_zoho(self.session.client, record, self.policy.actions)
		state = sync_state.load([record.key]).get(record.key) or CampaignState(None, record.key)
		state.cursor = Cursor("dry run")
		full = self.mode == "Full" or bool(self.campaign)
		plan = ReadingPlan(
			asked.counted,
			wanted=lists_to_read.wanted(asked.counted, state, full),
			reports=asked.reports,
			resumed=False,
			stored_before=reconciliation.count_stored(name) if name else {},
		)
		identity = campaign_identity(name) if name else record.key
		anonymous = retention.is_anonymised(name) if name else False

		def write(
			campaign: str, pages: list[FetchedPage], maybe_stored: MaybeStored
		) -> tuple[MappedBatch, dict[str, PageResult]]:
			mapped = map_batch(pages, identity, anonymous)
			batch = match_batch(campaign, mapped, self.policy.create_for, maybe_stored, self.writer.find)
			batch.unchanged_unlinked = [
				(row, stored)
				for row, stored in batch.unchanged_unlinked
				if stored.name not in self.writer.linked
			]
			next(iter(batch.results.values())).add(create_contacts(batch, self.writers))
			return mapped, store_batch(batch, self.writers)

		with PagesAhead(self.session, PageMapper(identity, times, site_key())) as ahead:
			ahead.expect([(each.source, each.action) for each in plan.wanted])
			# After each batch a rollback, so that no transaction lasts as long as the dry run.
			checkpoint = PreviewCheckpoint(state, log, lambda _wanted: None, frappe.db.rollback)
			reader = ListReader(plan, state, ahead, write, log, checkpoint)
			reader.read()
		return "\n".join(dict.fromkeys(reader.refused.values())) or None


class PreviewCheckpoint(Checkpoint):
	"""Counts what a run would commit, and commits nothing."""

	def find_campaign(self) -> str:
		return self.log.campaign or self.state.zoho_campaign_key

	def commit(self, results: Mapping[str, PageResult], expected: int) -> None:
		for action_type, result in results.items():
			self.log.add(result, action_type)

	def prune(self, action_type: str, seen: SeenKeys, anonymised: bool) -> None:
		pass
