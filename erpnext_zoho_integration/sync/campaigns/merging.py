"""Merges rows of Campaign Recipient that claim the same key, without losing what either row knew.

Rows come to claim the same key when users merge campaigns, or in a site of version 0.0.1, which had no keys.
`recipients.row_writers` writes Campaign Recipient; this module changes keys and deletes rows, while no sync works on them.
"""

import frappe
from frappe.query_builder import DocType
from frappe.utils import now_datetime

from erpnext_zoho_integration.store import sql_lookups, sql_writes
from erpnext_zoho_integration.store.addresses import normalize_email
from erpnext_zoho_integration.store.doctypes import RECIPIENT
from erpnext_zoho_integration.store.fields import (
	ACTION_DATE,
	CONTENT_HASH,
	ROW_KEY,
	SENT_TIME,
	ZOHO_CONTACT_ID,
)
from erpnext_zoho_integration.store.row_keys_and_digests import row_key
from erpnext_zoho_integration.sync.campaigns.identity import campaign_identity

_BATCH = 500
# The row that is kept takes over the higher number, the earlier time, and any text that it lacks.
_HIGHER = ("open_count", "click_count", "is_optout", "is_spam")
_EARLIER = (ACTION_DATE, SENT_TIME)
_TEXT = (
	"contact",
	ZOHO_CONTACT_ID,
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
	"""Set the keys of all rows of a campaign, and merge rows that then have the same key. The caller commits.

	Args:
		campaign: name of the Campaign.
		merged: another Campaign has just been merged into it. Its rows are not in Zoho's lists of this campaign: all rows
			lose their content hash, so that no sync deletes them as gone at Zoho.

	Returns:
		The number of rows that were merged into another row.
	"""
	identity = campaign_identity(campaign)
	more = {CONTENT_HASH: None} if merged else {}
	last, merged_rows = "", 0
	while rows := _next_rows(campaign, last):
		last = rows[-1].name
		merged_rows += _rekey(rows, identity, more)
	return merged_rows


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
	"""Set keys and normalized addresses in one statement, and merge rows whose key another row already has.

	A row without an address has no key and stays as it is.
	"""
	keys = {
		row.name: row_key(identity, normalize_email(row.email), row.action_type) for row in rows if row.email
	}
	moving = [row for row in rows if row.name in keys and keys[row.name] != row.row_key]
	taken = dict(
		sql_lookups.select_in(RECIPIENT, (ROW_KEY, "name"), ROW_KEY, {keys[row.name] for row in moving})
	)
	written, pairs = [], []
	for row in moving:
		key = keys[row.name]
		if taken.setdefault(key, row.name) == row.name:
			written.append((row.name, normalize_email(row.email), key, *more.values()))
		else:
			pairs.append((taken[key], row.name))
	updated = ("email", ROW_KEY, *more)
	sql_writes.upsert_rows(RECIPIENT, ("name", *updated), written, "name", updated)
	_merge_pairs(pairs)
	return len(pairs)


def _merge_pairs(pairs: list[tuple[str, str]]) -> None:
	"""Merge pairs of rows, each the row that is kept and the row that is deleted; few statements for any number."""
	columns = ("name", *_HIGHER, *_EARLIER, *_TEXT)
	names = {name for pair in pairs for name in pair}
	stored = {
		row[0]: dict(zip(columns, row, strict=True))
		for row in sql_lookups.select_in(RECIPIENT, columns, "name", names)
	}
	changed = {}
	for kept, deleted in pairs:
		if values := merge_rows(stored[kept], stored[deleted]):
			stored[kept].update(values)
			changed[kept] = stored[kept]
	if pairs:
		frappe.db.delete(RECIPIENT, {"name": ("in", [deleted for _kept, deleted in pairs])})
	stamp = {"modified": now_datetime(), "modified_by": frappe.session.user}
	rows = [(*row.values(), *stamp.values()) for row in changed.values()]
	sql_writes.upsert_rows(RECIPIENT, (*columns, *stamp), rows, "name", (*columns[1:], *stamp))


def merge_rows(kept: dict, deleted: dict) -> dict:
	"""Return the fields to change in `kept` so that nothing is lost of `deleted`; a plain function."""
	values = {}
	for field in _HIGHER:
		if (deleted[field] or 0) > (kept[field] or 0):
			values[field] = deleted[field]
	for field in _EARLIER:
		if deleted[field] and (not kept[field] or deleted[field] < kept[field]):
			values[field] = deleted[field]
	for field in _TEXT:
		if deleted[field] and not kept[field]:
			values[field] = deleted[field]
	return values
