"""Rows that have come to claim the same identity: folded into one, with nothing lost that either knew."""

import frappe
from frappe.query_builder import DocType

from erpnext_zoho_integration.sync.identity import campaign_identity, row_key

RECIPIENT = "Campaign Recipient"
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


def fold_campaign(campaign: str, *, merged: bool = False) -> int:
	"""Give all rows of a campaign the keys they should have, and fold those that then collide.

	Args:
		campaign: name of the Campaign.
		merged: another one has just been merged into it. Zoho does not list that one's rows under this campaign, so they
			lose their content hash, by which a sync tells the rows that it answers for.

	Returns:
		The number of rows that were folded into another.
	"""
	identity = campaign_identity(campaign)
	last, folded = "", 0
	while rows := _next_rows(campaign, last):
		last = rows[-1].name
		for row in rows:
			key = row_key(identity, row.email, row.action_type)
			if key != row.row_key:
				folded += _rekey(row.name, key, {"content_hash": None} if merged else {})
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


def _rekey(name: str, key: str, values: dict) -> int:
	"""Give a row its key and these values, or fold it into the row that has the key; return 1 if it was folded."""
	survivor = frappe.db.get_value(RECIPIENT, {"row_key": key}, "name")
	if not survivor:
		frappe.db.set_value(RECIPIENT, name, {**values, "row_key": key}, update_modified=False)
		return 0
	fields = ["name", *_HIGHER, *_EARLIER, *_TEXT]
	kept, folded = (frappe.db.get_value(RECIPIENT, n, fields, as_dict=True) for n in (survivor, name))
	frappe.db.delete(RECIPIENT, {"name": name})
	if values := fold(kept, folded):
		frappe.db.set_value(RECIPIENT, survivor, values)
	return 1


def fold(kept: dict, folded: dict) -> dict:
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
