"""Flags *Sent* rows whose mail bounced (`bounced`), so that a list can show who was actually reached.

Zoho has no list of the people who received a campaign: they are those it was sent to, without those whose mail bounced.
The flag follows from other rows and does not come from Zoho, so it changes neither `content_hash` nor `modified`.

`recipients.row_writers` writes Campaign Recipient; only this module decides about `bounced`, and sets it after all lists have
been read.
"""

from collections.abc import Callable

import frappe
from frappe.query_builder import DocType
from frappe.utils import create_batch

from erpnext_zoho_integration.store.doctypes import RECIPIENT
from erpnext_zoho_integration.store.fields import ROW_KEY
from erpnext_zoho_integration.store.row_keys_and_digests import row_key
from erpnext_zoho_integration.sync.campaigns.identity import campaign_identity

SENT = "Sent"
BOUNCED = ("Hard Bounced", "Soft Bounced")
_BATCH = 1000


def mark_campaign(
	campaign: str, identity: str | None = None, write: Callable[[list[str], bool], None] | None = None
) -> int:
	"""Set and clear the flags of a campaign as its bounces say; return how many changed.

	Two queries that use an index, and one statement for 1,000 changes. Rows are compared by `row_key`, because MariaDB
	takes müller@ and muller@ for the same address.

	Args:
		campaign: name of the Campaign; all of its lists have been read.
		identity: of the campaign, if the caller knows it.
		write: sets or clears the flag of the rows with these keys; by default `set_marks`.
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
		for batch in create_batch(sorted(keys), _BATCH):
			write(batch, mark)
	return len(wanted ^ present)


def mark_person(campaign: str, email: str) -> None:
	"""Set or clear the flag of one person, after a user has created, changed or deleted a row.

	Args:
		campaign: name of the Campaign.
		email: normalized.
	"""
	identity = campaign_identity(campaign)
	keys = [row_key(identity, email, action) for action in BOUNCED]
	bounced = frappe.db.exists(RECIPIENT, {ROW_KEY: ("in", keys)})
	set_marks([row_key(identity, email, SENT)], bool(bounced))


def set_marks(keys: list[str], mark: bool) -> None:
	"""Set or clear the flag of the rows with these keys, in one statement. The caller commits."""
	recipient = DocType(RECIPIENT)
	frappe.qb.update(recipient).set(recipient.bounced, int(mark)).where(recipient.row_key.isin(keys)).run()
