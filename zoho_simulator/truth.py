"""What a correct and complete sync ends up with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

from zoho_simulator.audience import STORED_ACTIONS
from zoho_simulator.campaigns import Campaign
from zoho_simulator.recipients import RowWriter
from zoho_simulator.reports import figures
from zoho_simulator.world import World

COLUMNS = ("listed", "rows", "duplicates", "missing_email", "erased")


def truth(world: World) -> dict[str, Any]:
	"""Return the exact figures, per campaign and action and in all.

	For each stored action of each sent campaign: `listed` (rows Zoho lists over the campaign's keys), `rows` (rows a
	correct sync stores: distinct e-mails, trimmed and lower-cased), and the difference: `duplicates`,
	`missing_email`, `erased`. `reports` has Zoho's own counters by key. Times are UTC in ISO format.
	"""
	with world.lock:
		campaigns = [_campaign(world, campaign) for campaign in world.sent()]
		totals = {name: sum(each[name] for each in campaigns) for name in COLUMNS}
		by_action = {
			action: {name: sum(each["actions"][action][name] for each in campaigns) for name in COLUMNS}
			for action in STORED_ACTIONS.values()
		}
		hidden = [each for each in (*world.campaigns, *world.others) if not each.is_sent]
		return {
			"version": world.version,
			"now": iso(world.now),
			**totals,
			"actions": by_action,
			"sent_campaigns": len(campaigns),
			"campaigns": campaigns,
			"not_stored": [
				{
					"campaign_key": each.key,
					"campaign_name": each.name,
					"status": "Deleted" if each.deleted else each.status,
				}
				for each in hidden
			],
		}


def _campaign(world: World, campaign: Campaign) -> dict[str, Any]:
	notable = world.notable(campaign)
	actions = {label: world.tally(campaign, action, notable) for action, label in STORED_ACTIONS.items()}
	for action, label in STORED_ACTIONS.items():
		actions[label]["by_key"] = {each.key: each.counts.length(action) for each in campaign.mailings}
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
		"reports": {each.key: figures(each.counts) for each in campaign.mailings},
	}


def rows(world: World, key: str, label: str) -> Iterator[dict[str, Any]]:
	"""Yield the rows a correct sync stores for one campaign and action ("Opened", …), by reading every page of it.

	Each has e-mail, contact id, names, when the mail left, when the person acted, and for clicks how many and where.
	Where two contacts share an e-mail, the first one listed stands for both.
	"""
	by_label = {each: action for action, each in STORED_ACTIONS.items()}
	campaign, _mailing = world.by_key.get(key, (None, None))
	if not campaign or label not in by_label:
		raise ValueError("no such campaign or action")
	action, seen = by_label[label], set()
	for mailing in campaign.mailings:
		writer = RowWriter(world, world.settings, campaign, mailing, action)
		for position in range(mailing.counts.length(action)):
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
	"""Return the number of distinct e-mails among the rows of the given actions (all, if not given).

	Reads every row; a bit per person is all it keeps.
	"""
	wanted = [action for action, label in STORED_ACTIONS.items() if labels is None or label in labels]
	met = bytearray(world.population + 1)
	for campaign in world.sent():
		for mailing in campaign.mailings:
			for action in wanted:
				for position in range(mailing.counts.length(action)):
					person = mailing.person(mailing.rank_at(action, position))
					if not (world.is_erased(person) or world.is_missing(person)):
						met[world.people.first_of(person)] = 1
	return sum(met)


def iso(seconds: int) -> str:
	return datetime.fromtimestamp(seconds, timezone.utc).isoformat().replace("+00:00", "Z")
