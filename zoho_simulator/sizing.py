"""How many persons each campaign goes to, so that a sync stores exactly the rows asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoho_simulator.audience import Counts, Mailing
from zoho_simulator.campaigns import Campaign

if TYPE_CHECKING:
	from zoho_simulator.world import World

FIRST_DAYS = 14 * 86400  # within which the opens that exist at the start happened
OVERLAP = 2  # persons of an A/B campaign's test group who also get the winner


def size_campaigns(world: World) -> None:
	"""Give every campaign of a new world its mailings."""
	wanted = world.settings.recipients
	to_send = wanted / 1.3
	for _attempt in range(8):
		_send_all(world, to_send)
		rows = sum(world.rows_of(campaign) for campaign in world.campaigns)
		if not rows or not wanted or abs(rows - wanted) <= max(2, wanted // 200):
			break
		to_send *= wanted / rows
	_even_out(world, wanted - rows)
	for campaign in world.others:
		if campaign.sent_at:  # stopped or paused: some mails went out before
			counts = world.planner.counts(campaign.index, "", min(40, world.population * 3 // 4 or 1))
			campaign.mailings = [_mailing(world, campaign.key, campaign.index * 31, campaign.sent_at, counts)]
	for campaign in (*world.campaigns, *world.others):
		for mailing in campaign.mailings:
			date_back(mailing, world.now)


def send(world: World, campaign: Campaign, size: int, first: int) -> None:
	"""Give a campaign its mailings: to `size` persons from number `first` on, in three parts if it is A/B."""
	index, special = campaign.index, world.planner.special(campaign.index)
	if special != "ab" or size < 20:
		counts = world.planner.counts(index, "", size, special)
		campaign.mailings = [_mailing(world, campaign.key, first, campaign.sent_at, counts)]
		return
	test = size // 5
	campaign.mailings = []
	for role, start, sent, hours in (
		("", first + 2 * test - OVERLAP, size - 2 * test, 0),
		("a", first, test, -4),
		("b", first + test, test, -4),
	):
		key = world.planner.key(index, role)
		counts = world.planner.counts(index, role, sent)
		mailing = _mailing(world, key, start, campaign.sent_at + hours * 3600, counts)
		campaign.mailings.append(mailing)


def _send_all(world: World, to_send: float) -> None:
	planner = world.planner
	weights = [
		0.0 if planner.special(campaign.index) == "tiny" else planner.weight(campaign.index)
		for campaign in world.campaigns
	]
	whole = sum(weights) or 1
	sizes = [max(1, round(to_send * weight / whole)) for weight in weights]
	largest = max(sizes, default=1)
	world.population = max(world.population, largest + largest // 60 + OVERLAP)
	# Walk through the population once: neighbouring campaigns share persons, and everyone gets one.
	stride = min(1.0, world.population / (sum(sizes) or 1))
	first = 0.0
	for campaign, size in zip(world.campaigns, sizes, strict=True):
		send(world, campaign, size, int(first))
		first += size * stride


def _even_out(world: World, short: int) -> None:
	"""Move the number of openers, so that `short` more rows (or fewer, if negative) are stored."""
	for campaign in sorted(world.campaigns, key=lambda each: -each.mailings[0].counts.sent):
		mailing = campaign.mailings[0]
		for _attempt in range(50):
			counts = mailing.counts
			opened = max(counts.clicked, min(counts.delivered, counts.opened + short))
			if opened == counts.opened or not counts.opened:
				break
			before = world.rows_of(campaign)
			mailing.counts = counts._replace(opened=opened)
			short -= world.rows_of(campaign) - before
		if not short:
			return


def _mailing(world: World, key: str, first: int, sent_at: int, counts: Counts) -> Mailing:
	return Mailing(key, first % world.population, world.population, sent_at, counts)


def date_back(mailing: Mailing, now: int) -> None:
	"""Spread what happened before the start over the first days after the send."""
	until = max(mailing.sent_at + 600, min(now, mailing.sent_at + FIRST_DAYS))
	for counter in ("opened", "clicked", "hard", "opted_out", "complained"):
		mailing.history[counter] = [(getattr(mailing.counts, counter), until)]
