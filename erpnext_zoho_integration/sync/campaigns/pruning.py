"""Rows that Zoho no longer lists: found by comparing a list that was read to its end, and removed.

A soft bounce that became a hard one leaves Zoho's list of soft bounces; a contact deleted at Zoho leaves all of them. A
row is removed only if all lists of its action were read to the end in one go (or were taken up with what had come
before) and were as long as Zoho's own counter says: never because of an error, an empty answer or a list that broke off.
"""

from collections.abc import Callable

import frappe
from frappe.query_builder import DocType

from erpnext_zoho_integration.store.doctypes import RECIPIENT
from erpnext_zoho_integration.sync.campaigns.seen_keys import SeenKeys, _number

_BATCH = 1000


def delete_rows_gone_at_zoho(
	campaign: str, action_type: str, seen: SeenKeys, count: Callable[[int], None], *, figures: bool
) -> None:
	"""Delete the rows of an action whose keys were not seen. Commits batch by batch.

	Args:
		campaign: name of the Campaign.
		action_type: all of whose lists have been read.
		seen: the keys that came.
		count: called with the number of rows that are deleted with the next commit.
		figures: what erased people left as well; not where a record had neither address nor id, which may be one of them.
	"""
	listed = seen.as_set()
	last = ""
	while rows := _next(campaign, action_type, last):
		last = rows[-1][0]
		gone = [
			name
			for name, key, erased in rows
			if (figures or not erased) and _number(key or "0") not in listed
		]
		if gone:
			frappe.db.delete(RECIPIENT, {"name": ("in", gone)})
			count(len(gone))
			frappe.db.commit()  # nosemgrep - a long list is not one transaction


def _next(campaign: str, action_type: str, after: str) -> list[tuple]:
	recipient = DocType(RECIPIENT)
	return (
		frappe.qb.from_(recipient)
		.select(recipient.name, recipient.row_key, recipient.rtbf)
		.where(
			(recipient.campaign == campaign)
			& (recipient.action_type == action_type)
			& recipient.content_hash.isnotnull()  # not what came by a merge or was made by hand
			& (recipient.name > after)
		)
		.orderby(recipient.name)
		.limit(_BATCH)
	).run()
