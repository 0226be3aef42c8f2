"""The rows and figures that a complete and correct sync stores. Tests compare a sync with them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

from zoho_simulator.campaigns import Campaign
from zoho_simulator.mailings import STORED_ACTIONS
from zoho_simulator.recipients import RowWriter
from zoho_simulator.reports import figures
from zoho_simulator.world import World

COLUMNS = ("listed", "rows", "duplicates", "missing_email", "erased")


def expected(world: World) -> dict[str, Any]:
	"""Return the exact figures of a complete sync: per campaign and action, and in total.

	See `count_rows` for the figures of an action. `by_key` has the listed rows per campaign key, `reports` Zoho's own
	counters per campaign key. Times are UTC in ISO format.
	"""
	with world.lock:
		campaigns = [_campaign(world, campaign) for campaign in world.sent()]
		totals = {name: sum(each[name] for each in campaigns) for name in COLUMNS}
		by_action = {
			action: {name: sum(each["actions"][action][name] for each in campaigns) for name in COLUMNS}
			for action in STORED_ACTIONS.values()
		}
		not_stored = [
			{
				"campaign_key": each.key,
				"campaign_name": each.name,
				"status": "Deleted" if each.deleted else each.status,
			}
			for each in (*world.campaigns, *world.others)
			if not each.is_sent
		]
		return {
			"version": world.version,
			"now": iso(world.now),
			**totals,
			"actions": by_action,
			"sent_campaigns": len(campaigns),
			"campaigns": campaigns,
			"not_stored": not_stored,
		}


def _campaign(world: World, campaign: Campaign) -> dict[str, Any]:
	special = world.special_persons(campaign)
	actions: dict[str, Any] = {}
	for action, label in STORED_ACTIONS.items():
		by_key = {each.key: each.length(action) for each in campaign.mailings}
		actions[label] = {**count_rows(world, campaign, action, special), "by_key": by_key}
	return {
		"campaign_key": campaign.key,
		"campaign_id": campaign.id,
		"campaign_name": campaign.name,
		"subject": campaign.subject,
		"type": campaign.type,
		"zuid": campaign.zuid,
		"created_time": iso(campaign.created_at),
		"sent_time": iso(campaign.sent_at),
		"child_keys": [each.key for each in campaign.mailings[1:]],
		**{name: sum(each[name] for each in actions.values()) for name in COLUMNS},
		"actions": actions,
		"reports": {each.key: figures(each.shown) for each in campaign.mailings},
	}


def count_rows(world: World, campaign: Campaign, action: str, special: set[int]) -> dict[str, int]:
	"""Count the rows that Zoho lists for an action of a campaign, and what a correct sync does with them.

	A correct sync stores one row per distinct e-mail, and none for a contact that is erased or has no e-mail. Therefore
	listed = rows + duplicates + missing_email + erased.

	Args:
		world: the data.
		campaign: a sent campaign; all its mailings count.
		action: Zoho's name of the list, such as "openedcontacts".
		special: `world.special_persons(campaign)`.
	"""
	listed = sum(mailing.length(action) for mailing in campaign.mailings)
	missing = erased = special_rows = 0
	keys: set[str] = set()
	for person in special:
		times = sum(mailing.holds(action, mailing.rank(person)) for mailing in campaign.mailings)
		special_rows += times
		if world.is_erased(person):
			erased += times
		elif world.is_missing(person):
			missing += times
		elif times:
			keys.add(world.people.key(person))
	return {
		"listed": listed,
		"rows": listed - special_rows + len(keys),
		"duplicates": special_rows - missing - erased - len(keys),
		"missing_email": missing,
		"erased": erased,
	}


def count_stored_rows(world: World, campaign: Campaign) -> int:
	"""Return the number of rows that a sync stores for a campaign, over all actions."""
	special = world.special_persons(campaign)
	return sum(count_rows(world, campaign, action, special)["rows"] for action in STORED_ACTIONS)


def rows(world: World, key: str, label: str) -> Iterator[dict[str, Any]]:
	"""Yield the rows that a correct sync stores for one action of a campaign.

	If two contacts share an e-mail, the row of the first listed contact is stored.

	Args:
		world: the data.
		key: the campaign key.
		label: the stored action, such as "Opened".

	Raises:
		ValueError: for an unknown campaign or action.
	"""
	by_label = {each: action for action, each in STORED_ACTIONS.items()}
	campaign, _mailing = world.by_key.get(key, (None, None))
	if not campaign or label not in by_label:
		raise ValueError("no such campaign or action")
	action, seen = by_label[label], set()
	for mailing in campaign.mailings:
		writer = RowWriter(world, world.settings, campaign, mailing, action)
		for position in range(mailing.length(action)):
			rank = mailing.rank_at(action, position)
			person = mailing.person(rank)
			email = world.people.key(person)
			if world.is_erased(person) or not email or email in seen:
				continue
			seen.add(email)
			profile = json.loads("{" + world.people.profile(person) + "}")
			row = {
				"email": email,
				"action": label,
				"contact_id": profile["contactid"],
				"campaign_key": mailing.key,
				"first_name": profile.get("contactfn", profile.get("firstname", "")),
				"last_name": profile.get("contactln", profile.get("lastname", "")),
				"sent_time": iso(mailing.happened_at("sentcontacts", rank)),
				"action_time": iso(mailing.happened_at(action, rank)),
			}
			if action == "clickedcontacts":
				row |= {"click_count": mailing.clicks(rank), "links": dict(writer.links(rank))}
			yield row


def contacts(world: World, labels: set[str] | None = None) -> int:
	"""Return the number of distinct e-mails among the rows of the given actions, by default of all actions.

	It reads every row, but keeps one byte per person only.
	"""
	wanted = [action for action, label in STORED_ACTIONS.items() if labels is None or label in labels]
	met = bytearray(world.population + 1)
	for campaign in world.sent():
		for mailing in campaign.mailings:
			for action in wanted:
				for position in range(mailing.length(action)):
					person = mailing.person(mailing.rank_at(action, position))
					if not (world.is_erased(person) or world.is_missing(person)):
						met[world.people.first_of(person)] = 1
	return sum(met)


def iso(seconds: int) -> str:
	"""Format epoch seconds as UTC in ISO format, such as "2026-06-30T00:00:00Z"."""
	return datetime.fromtimestamp(seconds, timezone.utc).isoformat().replace("+00:00", "Z")
