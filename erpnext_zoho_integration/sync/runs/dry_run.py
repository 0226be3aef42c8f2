"""What a run would do: the same reading, matching and comparing, and nothing written."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import frappe

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection.messages import explain
from erpnext_zoho_integration.store.digests import site_key
from erpnext_zoho_integration.sync.campaigns import documents as campaign_documents
from erpnext_zoho_integration.sync.campaigns import state as campaign_state
from erpnext_zoho_integration.sync.campaigns.identity import campaign_identity
from erpnext_zoho_integration.sync.campaigns.state import CampaignState, Cursor
from erpnext_zoho_integration.sync.contacts import updates as contact_updates
from erpnext_zoho_integration.sync.contacts.matching import find_contacts
from erpnext_zoho_integration.sync.contacts.updates import CREATE_FOR
from erpnext_zoho_integration.sync.fetch import pages_ahead
from erpnext_zoho_integration.sync.fetch import reports as zoho_reports
from erpnext_zoho_integration.sync.fetch.session import ZohoSession
from erpnext_zoho_integration.sync.mapping import pages
from erpnext_zoho_integration.sync.mapping.rows import Row
from erpnext_zoho_integration.sync.planning import due_campaigns, lists
from erpnext_zoho_integration.sync.planning import policy as sync_policy
from erpnext_zoho_integration.sync.privacy import retention
from erpnext_zoho_integration.sync.recipients import difference
from erpnext_zoho_integration.sync.recipients.mapped_batch import MappedBatch, map_batch


@dataclass(slots=True)
class Preview:
	"""What would become of one campaign."""

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
		mode: `Due`, `All` or `Full`.
		campaign: name of the Campaign; by default all.
	"""

	def __init__(self, mode: str, campaign: str | None = None) -> None:
		self.session = ZohoSession()
		self.policy = sync_policy.read_policy()
		self.mode = mode
		self.campaign = campaign
		self.would_create: set[str] = set()

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
			made = self._plan()
			self.times = due_campaigns.times_from_samples(made.samples, self.policy)
			for record in made.records:
				yield self._preview(record)
		finally:
			self.session.executor.shutdown(wait=True, cancel_futures=True)
			frappe.db.rollback()

	def _plan(self) -> due_campaigns.Plan:
		if not self.campaign:
			return due_campaigns.plan_all(self.session.client, self.policy, self.mode)
		key = frappe.db.get_value("Campaign", self.campaign, "zoho_campaign_key")
		return due_campaigns.plan_one(self.session.client, key)

	def _preview(self, record: zoho.Campaign) -> Preview:
		name, before = campaign_documents.find_campaign(record.key, record.id), self.session.calls
		preview = Preview(record.name, name)
		try:
			self._lists(record, name, preview)
		except zoho.ZohoError as error:
			preview.error = explain(error)
		preview.calls = self.session.calls - before
		return preview

	def _lists(self, record: zoho.Campaign, name: str | None, preview: Preview) -> None:
		sources = zoho_reports.sources(self.session.client, record.key, record.type)
		reports = zoho_reports.reports(self.session.client, sources)
		full = self.mode == "Full" or bool(self.campaign)
		known = campaign_state.load([record.key]).get(record.key) or CampaignState(None, record.key)
		known.cursor = Cursor("dry run")
		identity = campaign_identity(name) if name else record.key
		anonymous = retention.is_anonymised(name) if name else False
		reading = pages.PageMapper(identity, self.times, site_key())
		counted = lists.counted(self.policy.actions, sources, reports)
		wanted = [(each.source, each.action) for each in lists.wanted(counted, known, full)]
		following = dict(pairwise(wanted))
		with pages_ahead.PagesAhead(self.session, reading, lambda *done: following.get(done)) as ahead:
			for source, action in wanted:
				for fetched in ahead.pages(source, action):
					self._page(map_batch([fetched], identity, anonymous), preview)

	def _page(self, read: MappedBatch, preview: Preview) -> None:
		for page in read.by_action.values():
			preview.skipped += page.skipped
			for note in page.notes:
				preview.reasons[note.message] = preview.reasons.get(note.message, 0) + 1
		found = difference.difference(read.rows, difference.stored_rows({row.key for row in read.rows}))
		preview.inserted += len(found.new)
		preview.updated += len(found.changed)
		preview.unchanged += len(found.unchanged)
		loose = [*found.new, *(row for row, old in found.changed if not old.contact)]
		self._contacts([row for row in loose if not row.erased], preview)

	def _contacts(self, rows: list[Row], preview: Preview) -> None:
		matches = find_contacts(row.person for row in rows)
		for row in rows:
			person = row.person
			if matches.contact_of(person) or row.email in self.would_create:
				preview.linked += 1
			elif (
				matches.is_unknown(person)
				and CREATE_FOR[self.policy.create_for](person)
				and contact_updates.usable(person.email)
			):
				self.would_create.add(row.email)
				preview.contacts += 1
				preview.linked += 1
