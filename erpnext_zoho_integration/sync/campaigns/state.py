"""Zoho Campaign State: what the last sync of each campaign saw, and where an unfinished one goes on.

The only writer of that DocType. Its rows belong to no form that somebody edits, so a sync never collides with a person.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime

import frappe
from frappe.query_builder import DocType
from frappe.utils import now_datetime

from erpnext_zoho_integration.store.doctypes import CAMPAIGN_STATE


@dataclass(slots=True)
class ListState:
	"""What is known of one list of recipients, as of the last time it was read to its end.

	Attributes:
		counter: what Zoho's report counted when it was read.
		listed: how many records the list had.
		skipped: records that could not be stored, such as those without an address.
		duplicates: records that stood for a row of another record.
		repairs: how often it has been read again because fewer came than were counted.
		failed: records that could not be read or written, or the list itself: it is read again at the next check.
		repeated: contacts that came twice: the list moved while it was read, and others may not have come at all.
		uncounted: whether its action's duplicates could not be counted, since not all keys of its lists were seen.
	"""

	counter: int | None = None
	listed: int = 0
	skipped: int = 0
	duplicates: int = 0
	repairs: int = 0
	failed: int = 0
	repeated: int = 0
	uncounted: bool = False


@dataclass(slots=True)
class Cursor:
	"""Where a sync of a campaign stands, committed with every page.

	Attributes:
		run: the run that was under way.
		done: lists that it has read to their end, and actions of which it has read all lists.
		list_id: the list being read, or None between two lists.
		next_index: of the next page of it, from 1; 0 behind the last one.
		read: what was counted in it so far.
		full: whether all lists are being read again.
		seen: keys that came in the lists of its action so far, see `unlisted.SeenKeys`; None: too many to be kept.
		at: when this was written, ISO 8601.
	"""

	run: str
	done: list[str] = field(default_factory=list)
	list_id: str | None = None
	next_index: int = 1
	read: ListState = field(default_factory=ListState)
	full: bool = False
	seen: str | None = ""
	at: str = ""


@dataclass(slots=True)
class CampaignState:
	"""The state of one campaign."""

	name: str | None
	zoho_campaign_key: str
	campaign: str | None = None
	checked_at: datetime | None = None
	next_check: datetime | None = None
	full_check_at: datetime | None = None
	verdict: str | None = None
	anonymised_at: datetime | None = None
	lists: dict[str, ListState] = field(default_factory=dict)
	position: Cursor | None = None

	@property
	def needs_repair(self) -> bool:
		return self.verdict == "Incomplete"


def load(keys: list[str] | None = None) -> dict[str, CampaignState]:
	"""Return the states of these campaigns, or of all, by Zoho's key, in one query."""
	state = DocType(CAMPAIGN_STATE)
	query = frappe.qb.from_(state).select(
		state.name,
		state.zoho_campaign_key,
		state.campaign,
		state.checked_at,
		state.next_check,
		state.full_check_at,
		state.verdict,
		state.anonymised_at,
		state.lists,
		state.position,
	)
	if keys is not None:
		query = query.where(state.zoho_campaign_key.isin(keys))
	return {row.zoho_campaign_key: _from_row(row) for row in query.run(as_dict=True)}


def load_one(key: str, campaign: str) -> CampaignState:
	"""Return the state of a campaign, made if there is none."""
	found = load([key]).get(key)
	if found is None:
		document = frappe.new_doc(CAMPAIGN_STATE)
		document.update({"zoho_campaign_key": key, "campaign": campaign})
		document.insert(ignore_permissions=True)
		found = CampaignState(document.name, key, campaign)
	elif found.campaign != campaign:
		frappe.db.set_value(CAMPAIGN_STATE, found.name, "campaign", campaign, update_modified=False)
		found.campaign = campaign
	return found


def save_position(state: CampaignState) -> None:
	"""Write where the sync stands; the caller commits it with the page that it speaks of."""
	assert state.position is not None
	state.position.at = now_datetime().isoformat()
	_set(state, {"position": _dump(state.position), "lists": _dump_lists(state.lists)})


def close(state: CampaignState, *, full: bool, next_check: datetime, found: dict) -> None:
	"""Note that a campaign has been checked to the end.

	Args:
		full: whether all its lists were read again.
		next_check: when it is due again.
		found: fields of the verdict, and the engagement if lists were read.
	"""
	now = now_datetime()
	values = {
		"position": None,
		"lists": _dump_lists(state.lists),
		"checked_at": now,
		"next_check": next_check,
		**found,
	}
	if full:
		values["full_check_at"] = now
	state.position = None
	_set(state, values)


def _set(state: CampaignState, values: dict) -> None:
	assert state.name is not None
	frappe.db.set_value(CAMPAIGN_STATE, state.name, values, update_modified=False)


def _from_row(row: frappe._dict) -> CampaignState:
	lists = {list_id: ListState(**values) for list_id, values in json.loads(row.lists or "{}").items()}
	position = json.loads(row.position) if row.position else None
	if position:
		position = Cursor(**{**position, "read": ListState(**position["read"])})
	return CampaignState(
		row.name,
		row.zoho_campaign_key,
		row.campaign,
		row.checked_at,
		row.next_check,
		row.full_check_at,
		row.verdict,
		row.anonymised_at,
		lists,
		position,
	)


def _dump_lists(lists: dict[str, ListState]) -> str:
	return json.dumps({list_id: _as_dict(state) for list_id, state in lists.items()}, sort_keys=True)


def _dump(position: Cursor) -> str:
	return json.dumps({**_as_dict(position), "read": _as_dict(position.read)})


def _as_dict(value: ListState | Cursor) -> dict:
	return {slot: getattr(value, slot) for slot in value.__slots__}
