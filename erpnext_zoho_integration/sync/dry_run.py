"""What a run would do: the same reading, matching and comparing, and nothing written."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import frappe

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection import explain
from erpnext_zoho_integration.sync import (
	campaigns,
	contacts,
	fetch,
	lists,
	plan,
	recipients,
	retention,
	state,
)
from erpnext_zoho_integration.sync.batch import CREATE_FOR
from erpnext_zoho_integration.sync.identity import campaign_identity, site_key
from erpnext_zoho_integration.sync.mapping import Row
from erpnext_zoho_integration.sync.match import find_contacts
from erpnext_zoho_integration.sync.page import ReadPages, read_pages
from erpnext_zoho_integration.sync.session import Session
from erpnext_zoho_integration.sync.state import CampaignState, Position


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
		self.session = Session()
		self.policy = plan.read_policy()
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
			self.times = plan.times_from_samples(made.samples, self.policy)
			for record in made.records:
				yield self._preview(record)
		finally:
			self.session.executor.shutdown(wait=True, cancel_futures=True)
			frappe.db.rollback()

	def _plan(self) -> plan.Plan:
		if not self.campaign:
			return plan.plan_all(self.session.client, self.policy, self.mode)
		key = frappe.db.get_value("Campaign", self.campaign, "zoho_campaign_key")
		return plan.plan_one(self.session.client, key)

	def _preview(self, record: zoho.Campaign) -> Preview:
		name, before = campaigns.find_campaign(record.key, record.id), self.session.calls
		preview = Preview(record.name, name)
		try:
			self._lists(record, name, preview)
		except zoho.ZohoError as error:
			preview.error = explain(error)
		preview.calls = self.session.calls - before
		return preview

	def _lists(self, record: zoho.Campaign, name: str | None, preview: Preview) -> None:
		sources = fetch.sources(self.session.client, record.key, record.type)
		reports = fetch.reports(self.session.client, sources)
		full = self.mode == "Full" or bool(self.campaign)
		known = state.load([record.key]).get(record.key) or CampaignState(None, record.key)
		known.position = Position("dry run")
		identity = campaign_identity(name) if name else record.key
		anonymous = retention.is_anonymous(name) if name else False
		reading = fetch.Reading(identity, self.times, site_key())
		counted = lists.counted(self.policy.actions, sources, reports)
		wanted = [(each.source, each.action) for each in lists.wanted(counted, known, full)]
		following = dict(pairwise(wanted))
		with fetch.PagesAhead(self.session, reading, lambda *done: following.get(done)) as ahead:
			for source, action in wanted:
				for fetched in ahead.pages(source, action):
					self._page(read_pages([fetched], identity, anonymous), preview)

	def _page(self, read: ReadPages, preview: Preview) -> None:
		for page in read.by_action.values():
			preview.skipped += page.skipped
			for note in page.notes:
				preview.reasons[note.message] = preview.reasons.get(note.message, 0) + 1
		found = recipients.difference(read.rows, recipients.stored_rows({row.key for row in read.rows}))
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
				and contacts.usable(person.email)
			):
				self.would_create.add(row.email)
				preview.contacts += 1
				preview.linked += 1
