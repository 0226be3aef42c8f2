"""The data of the account: persons, campaigns and mailings."""

from __future__ import annotations

import threading

from zoho_simulator.campaigns import Campaign, CampaignGenerator
from zoho_simulator.mailings import Mailing
from zoho_simulator.people import ERASED, MISSING, SPECIAL, People
from zoho_simulator.settings import Settings


class World:
	"""All data of one account. It keeps campaigns and changes in memory, but no person and no row.

	A new world is empty; `sizing.make_world` returns a filled one. Hold `lock` for consistent reads and for changes.

	Attributes:
		population: number of persons.
		campaigns, others: campaigns that were sent; drafts, scheduled, stopped and paused ones.
		now: the account's clock in epoch seconds (UTC); `activity.evolve` moves it.
		version: grows with every change.
		erased: persons erased later; `people.ERASED` were erased from the start.
		by_key, oldest_first: campaigns and mailings by campaign key; campaigns by creation time. `index` sets them.
	"""

	def __init__(self, settings: Settings, population: int) -> None:
		self.settings = settings
		self.lock = threading.RLock()
		self.people = People(settings.seed)
		self.generator = CampaignGenerator(settings)
		self.now = self.generator.now
		self.version = 0
		self.erased: set[int] = set()
		self.population = population
		self.campaigns: list[Campaign] = []
		self.others: list[Campaign] = []
		self.by_key: dict[str, tuple[Campaign, Mailing | None]] = {}
		self.oldest_first: list[Campaign] = []

	def index(self) -> None:
		"""Rebuild `by_key` and `oldest_first` after campaigns or mailings changed."""
		everything = (*self.campaigns, *self.others)
		by_key: dict[str, tuple[Campaign, Mailing | None]] = {}
		for campaign in everything:
			by_key[campaign.key] = (campaign, None)
			by_key.update((mailing.key, (campaign, mailing)) for mailing in campaign.mailings)
		self.by_key = by_key
		self.oldest_first = sorted(everything, key=lambda each: (each.created_at, each.index))

	def sent(self) -> list[Campaign]:
		"""Return the campaigns that a sync stores: sent and not deleted."""
		return [campaign for campaign in self.campaigns if campaign.is_sent]

	def is_erased(self, person: int) -> bool:
		"""Return whether the person asked to be forgotten (Zoho's `rtbf`)."""
		return person % 100 == ERASED or person in self.erased

	def is_missing(self, person: int) -> bool:
		"""Return whether Zoho has no e-mail for the contact."""
		return person % 100 == MISSING

	def special_persons(self, campaign: Campaign) -> set[int]:
		"""Return the recipients of a campaign whose listed rows may not be exactly one stored row each."""
		found: set[int] = set()
		ranges: list[range] = []
		for mailing in campaign.mailings:
			for persons in mailing.person_ranges():
				for special in SPECIAL:
					found.update(range(persons.start + (special - persons.start) % 100, persons.stop, 100))
				for other in ranges:  # persons who received two mailings of an A/B campaign
					found.update(range(max(persons.start, other.start), min(persons.stop, other.stop)))
			ranges += mailing.person_ranges()
			found.update(person for person in self.erased if mailing.rank(person) >= 0)
		return found
