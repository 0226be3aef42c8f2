"""Deletes rows that are gone at Zoho: those whose keys did not come in lists that were read to their end.

A soft bounce that became a hard bounce leaves Zoho's list of soft bounces; a contact deleted at Zoho leaves all lists. The
caller makes sure that all lists of the action were read to their end, by one sync or one that continued it, and were as
long as Zoho's counter says. So no row is deleted because of an error, an empty answer or a list that broke off.

`recipients.row_writers` writes Campaign Recipient; only this module deletes rows because Zoho no longer lists them.
"""

from collections.abc import Callable

import frappe
from frappe.query_builder import DocType

from erpnext_zoho_integration.store.doctypes import RECIPIENT
from erpnext_zoho_integration.sync.campaigns.seen_keys import SeenKeys, key_number

_BATCH = 1000


def delete_rows_gone_at_zoho(
	campaign: str, action_type: str, seen: SeenKeys, count: Callable[[int], None], *, anonymised: bool
) -> None:
	"""Delete the rows of an action whose keys were not seen. Commits batch by batch.

	Args:
		campaign: name of the Campaign.
		action_type: all of its lists have been read.
		seen: the row keys that came in them.
		count: called with the number of rows that the next commit deletes.
		anonymised: whether to delete anonymised rows too. Pass False if a record had neither address nor id: it may stand
			for one of them.
	"""
	listed = seen.as_set()
	last = ""
	while rows := _next_rows(campaign, action_type, last):
		last = rows[-1][0]
		gone = [
			name
			for name, key, is_anonymised in rows
			if (anonymised or not is_anonymised) and key_number(key or "0") not in listed
		]
		if gone:
			frappe.db.delete(RECIPIENT, {"name": ("in", gone)})
			count(len(gone))
			frappe.db.commit()  # nosemgrep - a long list is not one transaction


def _next_rows(campaign: str, action_type: str, after: str) -> list[tuple]:
	recipient = DocType(RECIPIENT)
	return (
		frappe.qb.from_(recipient)
		.select(recipient.name, recipient.row_key, recipient.rtbf)
		.where(
			(recipient.campaign == campaign)
			& (recipient.action_type == action_type)
			& recipient.content_hash.isnotnull()  # rows that came by a merge, or that a user created, have none
			& (recipient.name > after)
		)
		.orderby(recipient.name)
		.limit(_BATCH)
	).run()
