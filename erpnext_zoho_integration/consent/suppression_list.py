"""The suppression list: who gets no marketing mail, one row for each address, derived from the events.

This module writes Zoho Suppressed Address; `consent.tell_zoho` writes the columns about telling Zoho, and
`consent.back_at_zoho` those about who is active there again. The list can be
compared with the events and made anew from them: `bench zoho-consent`.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import frappe
from frappe.query_builder.functions import Count
from frappe.utils import get_datetime, now_datetime

from erpnext_zoho_integration.consent import events
from erpnext_zoho_integration.consent.rules import Suppression, suppression
from erpnext_zoho_integration.store import erased_people, sql_lookups, sql_writes
from erpnext_zoho_integration.store.addresses import address_key
from erpnext_zoho_integration.store.doctypes import CONSENT_EVENT, SUPPRESSED_ADDRESS

# What follows from the events.
DERIVED = ("blocked", "bounced", "reason", "since", "campaign", "event")
_NOTHING = (0, 0, None, None, None, None)
_SLICE = 2_000
# Whoever queues a mail waits no longer for a table that is locked.
_PATIENCE_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Held:
	"""Why an address gets no marketing mail.

	Attributes:
		blocked: the person objected, or was erased.
		reason: `Opted Out`, `Complained`, `Hard Bounced`, or `Erased`.
		since: the earliest possible moment, in the site's time zone; None for erased people.
		campaign: name of the Campaign, if it came from one.
	"""

	blocked: bool
	reason: str
	since: datetime | None = None
	campaign: str | None = None


def derive(addresses: Collection[str]) -> None:
	"""Bring the rows of some addresses in line with their events. The caller commits.

	Two workers that record different facts of one address wait for each other here: each first locks the rows, in the same
	order, and then reads the latest committed events.

	Args:
		addresses: in their normal form.
	"""
	if not addresses:
		return
	by_key = {address_key(address): address for address in addresses}
	keys = sorted(by_key)
	now, user = now_datetime(), frappe.session.user
	columns = ("name", "creation", "owner", "email")
	rows = [(key, now, user, by_key[key][:254]) for key in keys]
	sql_writes.upsert_rows(SUPPRESSED_ADDRESS, columns, rows, "name", ("email",))
	wanted = {key: suppression(found) for key, found in _events_of(keys).items()}
	_write_derived(wanted)
	_delete_lifted([key for key, found in wanted.items() if found is None])


def held(addresses: Collection[str], count_bounces: bool = True) -> dict[str, Held]:
	"""Return which of these addresses get no marketing mail, in two queries by index: list and register of erased people.

	Args:
		addresses: in their normal form.
		count_bounces: whether hard bounces hold mail back, a setting.

	Raises:
		Exception: the list or the register cannot be read; then nobody may be mailed.
	"""
	if not addresses:
		return {}
	found = _on_list(addresses, count_bounces)
	for address in erased_people.suppressed_among(addresses):
		found.setdefault(address, Held(True, "Erased"))
	return found


def blocked_among(addresses: Collection[str]) -> set[str]:
	"""Return those of these addresses whose owners objected, in one query; bounces do not count."""
	return {address for address, entry in _on_list(addresses, count_bounces=False).items() if entry.blocked}


def counts() -> dict[str, int]:
	"""Return how many addresses are suppressed, by reason."""
	table = frappe.qb.DocType(SUPPRESSED_ADDRESS)
	query = frappe.qb.from_(table).select(table.reason, Count("*")).groupby(table.reason)
	return dict(query.run())


def differences() -> Iterator[str]:
	"""Compare the list with the events, slice by slice, and describe each row that differs."""
	for keys in _all_keys():
		stored = {row[0]: row[1:] for row in _stored(keys)}
		for key, found in _events_of(keys).items():
			wanted = _derived(suppression(found))
			if _comparable(stored.get(key, _NOTHING)) != _comparable(wanted):
				yield f"{key}: stored {stored.get(key)}, by the events {wanted}"


def rebuild() -> int:
	"""Make the list from the events, slice by slice, each committed; return the number of suppressed addresses."""
	for keys in _all_keys():
		table = frappe.qb.DocType(CONSENT_EVENT)
		query = frappe.qb.from_(table).select(table.email).distinct().where(table.address_key.isin(keys))
		addresses = {email for email in query.run(pluck=True) if email}
		derive(addresses)
		orphans = set(keys) - {address_key(address) for address in addresses}
		if orphans:
			frappe.db.delete(SUPPRESSED_ADDRESS, {"name": ("in", sorted(orphans))})
		frappe.db.commit()  # nosemgrep - a slice, so that no transaction is long
	return frappe.db.count(SUPPRESSED_ADDRESS)


def _on_list(addresses: Iterable[str], count_bounces: bool) -> dict[str, Held]:
	by_key = {address_key(address): address for address in addresses}
	rows = sql_lookups.select_in(
		SUPPRESSED_ADDRESS,
		("name", "blocked", "bounced", "reason", "since", "campaign"),
		"name",
		by_key,
		seconds=_PATIENCE_SECONDS,
	)
	return {
		by_key[key]: Held(bool(blocked), reason, get_datetime(since), campaign)
		for key, blocked, bounced, reason, since, campaign in rows
		if blocked or (bounced and count_bounces)
	}


def _events_of(keys: Collection[str]) -> dict[str, list]:
	"""Return the events by key; a key without any has an empty list."""
	return {**{key: [] for key in keys}, **events.of_addresses(keys)}


def _derived(found: Suppression | None) -> tuple:
	if found is None:
		return _NOTHING
	cause = found.cause
	return (
		int(found.blocked),
		int(found.bounced),
		cause.kind,
		cause.happened_at,
		cause.campaign,
		cause.name,
	)


def _comparable(row: tuple) -> tuple:
	blocked, bounced, reason, since, campaign, event = row
	return blocked, bounced, reason, since and get_datetime(since), campaign, event


def _stored(keys: Collection[str]) -> list[tuple]:
	return sql_lookups.select_in(SUPPRESSED_ADDRESS, ("name", *DERIVED), "name", keys)


def _write_derived(wanted: dict[str, Suppression | None]) -> None:
	"""Write the derived columns of rows, which exist, where they differ from what is wanted."""
	stored = {row[0]: row[1:] for row in _stored(wanted)}
	now, user = now_datetime(), frappe.session.user
	columns = ("name", "modified", "modified_by", *DERIVED)
	changed = [
		(key, now, user, *_derived(found))
		for key, found in wanted.items()
		if _comparable(stored.get(key, _NOTHING)) != _comparable(_derived(found))
	]
	updated = ("modified", "modified_by", *DERIVED)
	sql_writes.upsert_rows(SUPPRESSED_ADDRESS, columns, changed, "name", updated)


def _delete_lifted(keys: Collection[str]) -> None:
	"""Delete rows that hold nothing back any more."""
	if not keys:
		return
	table = frappe.qb.DocType(SUPPRESSED_ADDRESS)
	lifted = table.name.isin(keys) & (table.blocked == 0) & (table.bounced == 0)
	frappe.qb.from_(table).delete().where(lifted).run()


def _all_keys() -> Iterator[list[str]]:
	"""Yield the keys of all addresses that have events or a row, in slices."""
	event, row = frappe.qb.DocType(CONSENT_EVENT), frappe.qb.DocType(SUPPRESSED_ADDRESS)
	last = ""
	while True:
		of_events = (
			frappe.qb.from_(event)
			.select(event.address_key)
			.distinct()
			.where(event.address_key > last)
			.orderby(event.address_key)
			.limit(_SLICE)
			.run(pluck=True)
		)
		of_rows = (
			frappe.qb.from_(row)
			.select(row.name)
			.where(row.name > last)
			.orderby(row.name)
			.limit(_SLICE)
			.run(pluck=True)
		)
		keys = sorted({*of_events, *of_rows})[:_SLICE]
		if not keys:
			return
		yield keys
		last = keys[-1]
