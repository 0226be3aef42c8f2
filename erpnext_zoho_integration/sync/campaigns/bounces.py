"""Whom a campaign reached: a mark on the rows of those who were sent it and off whom it bounced.

Zoho keeps no list of the people who received a campaign; they are those it was sent to less those that bounced. With the
mark a list can show exactly them, however many there are. It follows from other rows, so it is no part of what came
from Zoho: neither `content_hash` nor `modified` know it.
"""

from collections.abc import Callable, Iterable

import frappe
from frappe.query_builder import DocType

from erpnext_zoho_integration.store.digests import row_key
from erpnext_zoho_integration.store.doctypes import RECIPIENT
from erpnext_zoho_integration.sync.campaigns.identity import campaign_identity

SENT = "Sent"
BOUNCED = ("Hard Bounced", "Soft Bounced")
_BATCH = 1000


def mark_campaign(
	campaign: str, identity: str | None = None, write: Callable[[list[str], bool], None] | None = None
) -> int:
	"""Bring the marks of a campaign into line with its bounces; return how many changed.

	Two queries by an index, and one statement for a thousand changes. Addresses meet in `row_key`, since the database
	holds müller@ and muller@ for the same.

	Args:
		campaign: name of the Campaign, all of whose lists have been read.
		identity: of the campaign, where the caller knows it.
		write: sets or clears the mark of the rows with these keys; by default in one statement.
	"""
	write = write or set_marks
	identity = identity or campaign_identity(campaign)
	recipient = DocType(RECIPIENT)
	ours = frappe.qb.from_(recipient).where(recipient.campaign == campaign)
	bounced = ours.select(recipient.email).where(recipient.action_type.isin(BOUNCED)).run(pluck=True)
	marked = (
		ours.select(recipient.row_key)
		.where((recipient.action_type == SENT) & (recipient.bounced == 1))
		.run(pluck=True)
	)
	wanted, present = {row_key(identity, email, SENT) for email in bounced}, set(marked)
	for keys, mark in ((wanted - present, True), (present - wanted, False)):
		for batch in _batches(sorted(keys)):
			write(batch, mark)
	return len(wanted ^ present)


def mark_person(campaign: str, email: str) -> None:
	"""Bring the mark of one person into line, after somebody has made, changed or deleted a row by hand.

	Args:
		campaign: name of the Campaign.
		email: normalized.
	"""
	identity = campaign_identity(campaign)
	keys = [row_key(identity, email, action) for action in BOUNCED]
	bounced = frappe.db.exists(RECIPIENT, {"row_key": ("in", keys)})
	set_marks([row_key(identity, email, SENT)], bool(bounced))


def set_marks(keys: list[str], mark: bool) -> None:
	"""Set or clear the mark of the rows with these keys, in one statement."""
	recipient = DocType(RECIPIENT)
	frappe.qb.update(recipient).set(recipient.bounced, int(mark)).where(recipient.row_key.isin(keys)).run()


def _batches(keys: list[str]) -> Iterable[list[str]]:
	return (keys[start : start + _BATCH] for start in range(0, len(keys), _BATCH))
