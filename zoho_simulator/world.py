"""The account's data: persons, campaigns and mailings, and what of it a correct sync stores."""

from __future__ import annotations

import threading

from zoho_simulator.audience import STORED_ACTIONS, Mailing
from zoho_simulator.campaigns import Campaign, Planner
from zoho_simulator.people import ERASED, MISSING, SPECIAL, People
from zoho_simulator.settings import Settings
from zoho_simulator.sizing import size_campaigns


class World:
	"""All data of one simulator. Kept in memory: the campaigns and what was changed; never a person or a row.

	`now` is the account's clock in epoch seconds (UTC), moved by `evolve`; `version` changes with every change.
	"""

	def __init__(self, settings: Settings) -> None:
		self.settings = settings
		self.lock = threading.RLock()
		self.people = People(settings.seed)
		self.planner = Planner(settings)
		self.now = self.planner.now
		self.version = 0
		self.erased: set[int] = set()  # beyond those erased from the start
		self.population = settings.people or max(1, settings.recipients * 62 // 100)
		others = settings.other_campaigns
		if others < 0:
			others = max(6, settings.campaigns // 10)
		self.campaigns = [self.planner.campaign(index) for index in range(settings.campaigns)]
		self.others = [self.planner.other(number) for number in range(others)]
		size_campaigns(self)
		self.index()

	def index(self) -> None:
		"""Rebuild the look-up of campaigns and mailings by key, and the order in which campaigns are listed."""
		everything = (*self.campaigns, *self.others)
		self.by_key: dict[str, tuple[Campaign, Mailing | None]] = {}
		for campaign in everything:
			self.by_key[campaign.key] = (campaign, None)
			self.by_key.update((mailing.key, (campaign, mailing)) for mailing in campaign.mailings)
		self.oldest_first = sorted(everything, key=lambda each: (each.created_at, each.index))

	def sent(self) -> list[Campaign]:
		"""Return the campaigns a sync stores: those sent and not deleted."""
		return [campaign for campaign in self.campaigns if campaign.is_sent]

	def is_erased(self, person: int) -> bool:
		"""Tell whether the person asked to be forgotten (rtbf)."""
		return person % 100 == ERASED or person in self.erased

	def is_missing(self, person: int) -> bool:
		"""Tell whether Zoho has no e-mail for the contact."""
		return person % 100 == MISSING

	def notable(self, campaign: Campaign) -> set[int]:
		"""Return the campaign's persons for whom a row listed may not be simply a row stored."""
		found: set[int] = set()
		runs: list[range] = []
		for mailing in campaign.mailings:
			for run in mailing.runs():
				for special in SPECIAL:
					found.update(range(run.start + (special - run.start) % 100, run.stop, 100))
				for other in runs:  # those who got two of an A/B campaign's mailings
					found.update(range(max(run.start, other.start), min(run.stop, other.stop)))
			runs += mailing.runs()
			found.update(person for person in self.erased if mailing.rank(person) >= 0)
		return found

	def tally(self, campaign: Campaign, action: str, notable: set[int]) -> dict[str, int]:
		"""Return the rows Zoho lists for an action, over all the campaign's keys, and what becomes of them.

		A correct sync stores one row per distinct e-mail (`rows`), and none for contacts without an e-mail or
		erased; so listed = rows + duplicates + missing_email + erased.
		"""
		listed = sum(mailing.counts.length(action) for mailing in campaign.mailings)
		missing = erased = looked_at = 0
		keys: set[str] = set()
		for person in notable:
			times = sum(mailing.holds(action, mailing.rank(person)) for mailing in campaign.mailings)
			looked_at += times
			if self.is_erased(person):
				erased += times
			elif self.is_missing(person):
				missing += times
			elif times:
				keys.add(self.people.key(person))
		return {
			"listed": listed,
			"rows": listed - looked_at + len(keys),
			"duplicates": looked_at - missing - erased - len(keys),
			"missing_email": missing,
			"erased": erased,
		}

	def rows_of(self, campaign: Campaign) -> int:
		"""Return the rows a sync stores for a campaign, over all stored actions."""
		notable = self.notable(campaign)
		return sum(self.tally(campaign, action, notable)["rows"] for action in STORED_ACTIONS)
