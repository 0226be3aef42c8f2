"""Rows that have come to claim the same identity: folded into one, with nothing lost that either knew."""

import frappe
from frappe.query_builder import DocType
from frappe.utils import now_datetime

from erpnext_zoho_integration.store import sql_lookups, sql_writes
from erpnext_zoho_integration.store.addresses import normalize_email
from erpnext_zoho_integration.store.digests import row_key
from erpnext_zoho_integration.store.doctypes import RECIPIENT
from erpnext_zoho_integration.sync.campaigns.identity import campaign_identity

_BATCH = 500
# The higher number, the earlier moment, and any text that the surviving row lacks.
_HIGHER = ("open_count", "click_count", "is_optout", "is_spam")
_EARLIER = ("action_date", "sent_time")
_TEXT = (
	"contact",
	"zoho_contact_id",
	"full_name",
	"company_name",
	"job_title",
	"contact_status",
	"country",
	"state",
	"city",
	"variant",
	"clicked_links",
	"url_clicks",
	"open_reports",
	"click_reports",
)


def rekey_campaign(campaign: str, *, merged: bool = False) -> int:
	"""Give all rows of a campaign the keys they should have, and fold those that then collide.

	Args:
		campaign: name of the Campaign.
		merged: another one has just been merged into it. Zoho does not list that one's rows under this campaign, so they
			lose their content hash, by which a sync tells the rows that it answers for.

	Returns:
		The number of rows that were folded into another.
	"""
	identity = campaign_identity(campaign)
	more = {"content_hash": None} if merged else {}
	last, folded = "", 0
	while rows := _next_rows(campaign, last):
		last = rows[-1].name
		folded += _rekey(rows, identity, more)
	return folded


def _next_rows(campaign: str, after: str) -> list:
	recipient = DocType(RECIPIENT)
	return (
		frappe.qb.from_(recipient)
		.select(recipient.name, recipient.email, recipient.action_type, recipient.row_key)
		.where((recipient.campaign == campaign) & (recipient.name > after))
		.orderby(recipient.name)
		.limit(_BATCH)
	).run(as_dict=True)


def _rekey(rows: list, identity: str, more: dict) -> int:
	"""Give rows their keys and normalized addresses in one statement, and fold those whose key another row has.

	A row without an address has no identity and stays as it is.
	"""
	keys = {
		row.name: row_key(identity, normalize_email(row.email), row.action_type) for row in rows if row.email
	}
	moving = [row for row in rows if row.name in keys and keys[row.name] != row.row_key]
	taken = dict(
		sql_lookups.select_in(RECIPIENT, ("row_key", "name"), "row_key", {keys[row.name] for row in moving})
	)
	written, folding = [], []
	for row in moving:
		key = keys[row.name]
		if taken.setdefault(key, row.name) == row.name:
			written.append((row.name, normalize_email(row.email), key, *more.values()))
		else:
			folding.append((taken[key], row.name))
	updated = ("email", "row_key", *more)
	sql_writes.upsert_rows(RECIPIENT, ("name", *updated), written, "name", updated)
	_fold_into(folding)
	return len(folding)


def _fold_into(pairs: list[tuple[str, str]]) -> None:
	"""Fold rows into others, each pair a survivor and the row that goes; four statements for any number."""
	columns = ("name", *_HIGHER, *_EARLIER, *_TEXT)
	names = {name for pair in pairs for name in pair}
	stored = {
		row[0]: dict(zip(columns, row, strict=True))
		for row in sql_lookups.select_in(RECIPIENT, columns, "name", names)
	}
	changed = {}
	for survivor, name in pairs:
		if values := merge_rows(stored[survivor], stored[name]):
			stored[survivor].update(values)
			changed[survivor] = stored[survivor]
	if pairs:
		frappe.db.delete(RECIPIENT, {"name": ("in", [name for _survivor, name in pairs])})
	stamp = {"modified": now_datetime(), "modified_by": frappe.session.user}
	rows = [(*row.values(), *stamp.values()) for row in changed.values()]
	sql_writes.upsert_rows(RECIPIENT, (*columns, *stamp), rows, "name", (*columns[1:], *stamp))


def merge_rows(kept: dict, folded: dict) -> dict:
	"""Return what has to change in `kept` so that nothing is lost of `folded`."""
	values = {}
	for field in _HIGHER:
		if (folded[field] or 0) > (kept[field] or 0):
			values[field] = folded[field]
	for field in _EARLIER:
		if folded[field] and (not kept[field] or folded[field] < kept[field]):
			values[field] = folded[field]
	for field in _TEXT:
		if folded[field] and not kept[field]:
			values[field] = folded[field]
	return values
