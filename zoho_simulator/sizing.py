"""Builds the data with exactly as many rows as the settings ask for."""

from __future__ import annotations

from zoho_simulator.campaigns import Campaign
from zoho_simulator.expected import count_stored_rows
from zoho_simulator.mailings import Counts, Mailing
from zoho_simulator.settings import Settings
from zoho_simulator.world import World

FIRST_DAYS = 14 * 86400  # seconds after the send within which all actions before the first sync happened
OVERLAP = 2  # persons of an A/B test group who also receive the winner


def make_world(settings: Settings) -> World:
	"""Build the data of an account. A complete sync of it stores `settings.recipients` rows."""
	others = settings.other_campaigns
	if others < 0:
		others = max(6, settings.campaigns // 10)
	world = World(settings, settings.people or max(1, settings.recipients * 62 // 100))
	world.campaigns = [world.generator.campaign(index) for index in range(settings.campaigns)]
	world.others = [world.generator.other(number) for number in range(others)]
	_size_campaigns(world, settings.recipients)
	for campaign in world.others:
		if campaign.sent_at:  # stopped or paused after some mails were sent
			counts = world.generator.counts(campaign.index, "", min(40, world.population * 3 // 4 or 1))
			campaign.mailings = [_mailing(world, campaign.key, campaign.index * 31, campaign.sent_at, counts)]
	for campaign in (*world.campaigns, *world.others):
		for mailing in campaign.mailings:
			date_back(mailing, world.now)
	world.index()
	return world


def _size_campaigns(world: World, rows: int) -> None:
	"""Give the sent campaigns mailings of which a sync stores `rows` rows."""
	to_send = rows / 1.3
	for _attempt in range(8):
		_send_all(world, to_send)
		stored = sum(count_stored_rows(world, campaign) for campaign in world.campaigns)
		if not stored or not rows or abs(stored - rows) <= max(2, rows // 200):
			break
		to_send *= rows / stored
	_add_rows(world, rows - stored)


def send(world: World, campaign: Campaign, size: int, first: int) -> None:
	"""Send a campaign to `size` persons from index `first` on: one mailing, or three for an A/B campaign."""
	index, special = campaign.index, world.generator.special(campaign.index)
	if special != "ab" or size < 20:
		counts = world.generator.counts(index, "", size, special)
		campaign.mailings = [_mailing(world, campaign.key, first, campaign.sent_at, counts)]
		return
	test = size // 5
	campaign.mailings = []
	for role, start, sent, hours in (
		("", first + 2 * test - OVERLAP, size - 2 * test, 0),
		("a", first, test, -4),
		("b", first + test, test, -4),
	):
		key = world.generator.key(index, role)
		counts = world.generator.counts(index, role, sent)
		mailing = _mailing(world, key, start, campaign.sent_at + hours * 3600, counts)
		campaign.mailings.append(mailing)


def _send_all(world: World, to_send: float) -> None:
	"""Send all campaigns, to about `to_send` recipients altogether."""
	generator = world.generator
	weights = [
		0.0 if generator.special(campaign.index) == "tiny" else generator.weight(campaign.index)
		for campaign in world.campaigns
	]
	whole = sum(weights) or 1
	sizes = [max(1, round(to_send * weight / whole)) for weight in weights]
	largest = max(sizes, default=1)
	world.population = max(world.population, largest + largest // 60 + OVERLAP)
	# Go through the population once, so that neighbouring campaigns share persons and every person gets a campaign.
	stride = min(1.0, world.population / (sum(sizes) or 1))
	first = 0.0
	for campaign, size in zip(world.campaigns, sizes, strict=True):
		send(world, campaign, size, int(first))
		first += size * stride


def _add_rows(world: World, missing: int) -> None:
	"""Add openers until `missing` more rows are stored; remove openers if `missing` is negative."""
	for campaign in sorted(world.campaigns, key=lambda each: -each.mailings[0].counts.sent):
		mailing = campaign.mailings[0]
		for _attempt in range(50):
			counts = mailing.counts
			opened = max(counts.clicked, min(counts.delivered, counts.opened + missing))
			if opened == counts.opened or not counts.opened:
				break
			before = count_stored_rows(world, campaign)
			mailing.counts = counts._replace(opened=opened)
			missing -= count_stored_rows(world, campaign) - before
		if not missing:
			return


def _mailing(world: World, key: str, first: int, sent_at: int, counts: Counts) -> Mailing:
	return Mailing(key, first % world.population, world.population, sent_at, counts)


def date_back(mailing: Mailing, now: int) -> None:
	"""Spread the actions so far over the first days after the send. `now` is in epoch seconds (UTC)."""
	until = max(mailing.sent_at + 600, min(now, mailing.sent_at + FIRST_DAYS))
	for counter in ("opened", "clicked", "hard", "opted_out", "complained"):
		mailing.history[counter] = [(getattr(mailing.counts, counter), until)]
