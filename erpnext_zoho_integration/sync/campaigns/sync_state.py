"""Zoho Campaign State: what the last sync of each campaign saw, and the cursor of an unfinished one.

Syncs write that DocType here only. Besides, `document_events` deletes the states of deleted and merged Campaigns,
`privacy.retention` notes that a campaign is anonymised and cleans its `engagement`, and `privacy.scrubbing` redacts links. Nobody edits a state in a
form, so a sync never collides with a person.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import frappe
from frappe.query_builder import DocType
from frappe.utils import now_datetime

from erpnext_zoho_integration.store.doctypes import CAMPAIGN_STATE
from erpnext_zoho_integration.store.fields import ZOHO_CAMPAIGN_KEY
from erpnext_zoho_integration.sync.mapping import site_clock


@dataclass(slots=True)
class ListState:
	"""The state of one list of recipients since it was last read to its end.

	Attributes:
		counter: the count in Zoho's report when the list was read.
		listed: how many records the list had.
		skipped: records that could not be stored, such as those without an address.
		duplicates: records that have the same row as another record.
		repairs: how often the list was read again because it had fewer records than Zoho's report counted.
		failed: how many records, or reads of the whole list, failed; if any, the list is read again at the next check.
		repeated: contacts that came twice: the list changed while it was read, so others may be missing.
		uncounted: whether the duplicates of its action are unknown, because not all keys of its lists were seen.
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
	"""The point that a sync of a campaign has reached, committed with every batch.

	Attributes:
		run: the run that was under way.
		done: ids of lists that were read to their end, and actions of which all lists were read.
		list_id: the list being read, or None between two lists.
		next_index: index of its next page, from 1; 0 after the last page.
		read: what was counted in the list so far.
		full: whether all lists are being read again.
		seen: keys in the lists of the action so far, see `seen_keys.SeenKeys`; None: too many to be kept.
		saved_at: when the cursor was saved, in seconds since the epoch.
	"""

	run: str
	done: list[str] = field(default_factory=list)
	list_id: str | None = None
	next_index: int = 1
	read: ListState = field(default_factory=ListState)
	full: bool = False
	seen: str | None = ""
	saved_at: float = 0.0


@dataclass(slots=True)
class CampaignState:
	"""The state of one campaign."""

	name: str | None
	zoho_campaign_key: str
	campaign: str | None = None
	checked_at: datetime | None = None
	next_check_epoch: float = 0.0  # 0: unknown
	full_check_at: datetime | None = None
	verdict: str | None = None
	anonymised_at: datetime | None = None
	lists: dict[str, ListState] = field(default_factory=dict)
	cursor: Cursor | None = None

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
		state.next_check_epoch,
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
	"""Return the state of a campaign; insert one if there is none."""
	found = load([key]).get(key)
	if found is None:
		document = frappe.new_doc(CAMPAIGN_STATE)
		document.update({ZOHO_CAMPAIGN_KEY: key, "campaign": campaign})
		document.insert(ignore_permissions=True)
		found = CampaignState(document.name, key, campaign)
	elif found.campaign != campaign:
		frappe.db.set_value(CAMPAIGN_STATE, found.name, "campaign", campaign, update_modified=False)
		found.campaign = campaign
	return found


def save_cursor(state: CampaignState) -> None:
	"""Write the cursor; the caller commits it together with the page before it."""
	assert state.cursor is not None
	state.cursor.saved_at = site_clock.now_epoch()
	_set(state, {"position": _dump(state.cursor), "lists": _dump_lists(state.lists)})


def close(state: CampaignState, *, full: bool, next_check_in: timedelta, found: dict) -> None:
	"""Note that a campaign has been checked to the end.

	Args:
		full: whether all its lists were read again.
		next_check_in: after how long it is due again.
		found: fields of the verdict, and the engagement if lists were read.
	"""
	now, next_check = now_datetime(), site_clock.now_epoch() + next_check_in.total_seconds()
	values = {
		"position": None,
		"lists": _dump_lists(state.lists),
		"checked_at": now,
		"next_check": site_clock.at_site(next_check),
		"next_check_epoch": next_check,
		**found,
	}
	if full:
		values["full_check_at"] = now
	state.cursor = None
	_set(state, values)


def _set(state: CampaignState, values: dict) -> None:
	assert state.name is not None
	frappe.db.set_value(CAMPAIGN_STATE, state.name, values, update_modified=False)


def _from_row(row: frappe._dict) -> CampaignState:
	lists = {list_id: ListState(**values) for list_id, values in json.loads(row.lists or "{}").items()}
	cursor = json.loads(row.position) if row.position else None
	if cursor:
		cursor = Cursor(**{**cursor, "read": ListState(**cursor["read"])})
	return CampaignState(
		row.name,
		row.zoho_campaign_key,
		row.campaign,
		row.checked_at,
		row.next_check_epoch or 0.0,
		row.full_check_at,
		row.verdict,
		row.anonymised_at,
		lists,
		cursor,
	)


def _dump_lists(lists: dict[str, ListState]) -> str:
	return json.dumps({list_id: _as_dict(state) for list_id, state in lists.items()}, sort_keys=True)


def _dump(cursor: Cursor) -> str:
	return json.dumps({**_as_dict(cursor), "read": _as_dict(cursor.read)})


def _as_dict(value: ListState | Cursor) -> dict:
	return {slot: getattr(value, slot) for slot in value.__slots__}
