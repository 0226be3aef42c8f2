"""Activity after the first sync: opens, clicks, bounces, opt-outs, and new, renamed and deleted campaigns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zoho_simulator.campaigns import Campaign
from zoho_simulator.mailings import Mailing
from zoho_simulator.people import SPECIAL
from zoho_simulator.sizing import date_back, send
from zoho_simulator.world import World

COUNTERS = {
	"opens": "opened",
	"clicks": "clicked",
	"opt_outs": "opted_out",
	"complaints": "complained",
	"soft_to_hard": "hard",
}
KINDS = (*COUNTERS, "repeat_clicks", "new_campaigns", "renamed", "deleted", "erased")


def evolve(world: World, days: float = 1, campaign: str = "", **what: int) -> dict[str, Any]:
	"""Move the account's clock by `days`, and add activity. Without numbers in `what`, add the usual activity.

	The same calls on the same data give the same result.

	Args:
		world: the data to change.
		days: days that pass; the activity happens within them.
		campaign: key of the only campaign to change; "" changes all campaigns, the newest first.
		what: numbers of `opens` (new openers), `clicks` (openers who now click), `repeat_clicks` (further clicks of
			persons who clicked before), `opt_outs`, `complaints`, `soft_to_hard` bounces, `new_campaigns`, `renamed`
			and `deleted` campaigns, `erased` persons.

	Returns:
		The activity that happened: per kind, the numbers by campaign key, or the keys, or the contact ids. The numbers
		are smaller than requested if too few recipients are left.

	Raises:
		ValueError: for an unknown kind or campaign.
	"""
	unknown = sorted(set(what) - set(KINDS))
	if unknown:
		raise ValueError(f"cannot evolve {', '.join(unknown)}; known: {', '.join(KINDS)}")
	with world.lock:
		world.now += round(days * 86400)
		world.version += 1
		chosen = _chosen(world, campaign)
		if not what:
			what = usual_activity(world, days)
		done: dict[str, Any] = {}
		for kind in KINDS:
			number = int(what.get(kind) or 0)
			if number > 0:
				done[kind] = _add(world, kind, number, chosen)
		world.index()
		return {"version": world.version, "now": world.now, **done}


def usual_activity(world: World, days: float) -> dict[str, int]:
	"""Return the usual activity of `days` in an account of this size."""
	rows = world.settings.recipients * days
	return {
		"opens": max(1, round(rows / 200)),
		"clicks": max(1, round(rows / 1000)),
		"repeat_clicks": max(1, round(rows / 2000)),
		"opt_outs": max(1, round(rows / 4000)),
		"complaints": round(rows / 20000),
		"soft_to_hard": max(1, round(rows / 8000)),
		"new_campaigns": int(days // 3),
	}


def _chosen(world: World, key: str) -> list[Campaign]:
	if not key:
		return sorted(world.sent(), key=lambda each: (-each.sent_at, each.index))
	campaign, _mailing = world.by_key.get(key, (None, None))
	if not campaign or not campaign.mailings or campaign.deleted:
		raise ValueError("no sent campaign has that key")
	return [campaign]


def _add(world: World, kind: str, number: int, chosen: list[Campaign]) -> Any:
	if kind in COUNTERS:
		return _grow(world, chosen, COUNTERS[kind], number)
	if kind == "repeat_clicks":
		return _repeat_clicks(world, chosen, number)
	changes: dict[str, Callable[[], Any]] = {
		"new_campaigns": lambda: [_new_campaign(world).key for _each in range(number)],
		"renamed": lambda: {
			each.key: _rename(world, each) for each in _choose(world, chosen, number, "renamed")
		},
		"deleted": lambda: [_delete(each) for each in _choose(world, chosen, number, "deleted")],
		"erased": lambda: _erase(world, chosen, number),
	}
	return changes[kind]()


def _grow(world: World, chosen: list[Campaign], counter: str, number: int) -> dict[str, int]:
	"""Add `number` rows: each mailing in turn gets half of the remaining rows, the newest campaign first."""
	grown: dict[str, int] = {}
	while number > 0:
		before = number
		for campaign in chosen:
			for mailing in campaign.mailings:
				by = mailing.grow(counter, (number + 1) // 2, world.now)
				number -= by
				if by:
					grown[mailing.key] = grown.get(mailing.key, 0) + by
		if number == before:
			break
	return grown


def _repeat_clicks(world: World, chosen: list[Campaign], number: int) -> dict[str, int]:
	clicked = [each for campaign in chosen for each in campaign.mailings if each.counts.clicked]
	done: dict[str, int] = {}
	for nth in range(number if clicked else 0):
		mailing: Mailing = clicked[nth % len(clicked)]
		rank = world.generator.hash("click", world.version, nth) % mailing.counts.clicked
		mailing.more_clicks[rank] = mailing.more_clicks.get(rank, 0) + 1
		done[mailing.key] = done.get(mailing.key, 0) + 1
	return done


def _choose(world: World, chosen: list[Campaign], number: int, purpose: str) -> list[Campaign]:
	"""Choose at most `number` campaigns at random. `purpose` makes the choice differ between kinds of activity."""
	order = sorted(chosen, key=lambda each: world.generator.hash(purpose, world.version, each.index))
	return order[:number]


def _new_campaign(world: World) -> Campaign:
	"""Send one more campaign, half to known persons and half to new ones."""
	index = len(world.campaigns)
	campaign = world.generator.campaign(index, sent_at=world.now - 3600 + index % 60)
	size = max(1, world.settings.recipients // max(1, world.settings.campaigns) * 3 // 4)
	first = max(0, world.population - size // 2)
	world.population = max(world.population, first + size + size // 60)
	send(world, campaign, size, first)
	for mailing in campaign.mailings:
		date_back(mailing, world.now)
	world.campaigns.append(campaign)
	return campaign


def _rename(world: World, campaign: Campaign) -> str:
	campaign.name = f"{campaign.name.partition(' (renamed')[0]} (renamed {world.version})"
	return campaign.name


def _delete(campaign: Campaign) -> str:
	campaign.deleted = True
	return campaign.key


def _erase(world: World, chosen: list[Campaign], number: int) -> list[str]:
	"""Erase recipients, some of them openers. Return their contact ids."""
	mailings = [mailing for campaign in chosen for mailing in campaign.mailings]
	erased: list[str] = []
	for nth in range(number * 20 if mailings else 0):
		mailing = mailings[nth % len(mailings)]
		bits = world.generator.hash("erase", world.version, nth)
		ranks = mailing.counts.opened if bits % 2 and mailing.counts.opened else mailing.counts.sent
		person = mailing.person((bits >> 8) % ranks)
		if person in world.erased or person % 100 in SPECIAL:
			continue
		world.erased.add(person)
		erased.append(world.people.contact_id(person))
		if len(erased) == number:
			break
	return erased
