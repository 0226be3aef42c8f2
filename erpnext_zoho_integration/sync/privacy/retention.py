"""Anonymises the recipients of campaigns that were sent longer ago than Zoho Settings allow.

The time counts from when a campaign was sent. After it, the campaign's rows keep the figures only. What Zoho reports
later (a late opt-out) is stored without the person, too, but the opt-out still reaches the Contact.

`campaigns.sync_state` writes Zoho Campaign State. This module also sets two of its fields: `anonymised_at`, and `engagement`,
whose links it cleans.
"""

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime

from pypika.terms import ExistsCriterion

import frappe
from frappe.model.document import Document
from frappe.query_builder import DocType
from frappe.query_builder.functions import Coalesce
from frappe.utils import get_datetime, now_datetime

from erpnext_zoho_integration.connection.settings import get_settings
from erpnext_zoho_integration.consent import backfill
from erpnext_zoho_integration.shared_locks import shared_lock
from erpnext_zoho_integration.store.addresses import normalize_email
from erpnext_zoho_integration.store.doctypes import CAMPAIGN_STATE, RECIPIENT
from erpnext_zoho_integration.store.fields import ZOHO_CAMPAIGN_KEY, ZOHO_SENT_TIME
from erpnext_zoho_integration.store.row_keys_and_digests import row_key
from erpnext_zoho_integration.sync.campaigns.identity import campaign_identity
from erpnext_zoho_integration.sync.campaigns.sync_state import CampaignState
from erpnext_zoho_integration.sync.campaigns.top_links_and_daily_figures import engagement
from erpnext_zoho_integration.sync.mapping.recipient_rows import content_hash
from erpnext_zoho_integration.sync.privacy import anonymised_rows

_BATCH = 1000
_LOCK_SECONDS = 900
# RQ kills jobs in `long` after 25 minutes. The remaining campaigns follow the next night.
_JOB_SECONDS = 1200
# A merge waits so long for a sync of the campaign to end.
_WAIT_SECONDS = 300


def anonymise_old_campaigns() -> int:
	"""Anonymise the recipients of all old campaigns; called every night. Commits.

	Returns:
		The number of rows that were anonymised.
	"""
	limit, changed, deadline = cutoff(), 0, time.monotonic() + _JOB_SECONDS
	for name, key in _campaigns_due(limit) if limit else ():
		with shared_lock(_lock_name(name, key), seconds=_LOCK_SECONDS, wait=0) as lock:
			if lock:  # otherwise a sync is working on the campaign, and anonymises it itself
				changed += anonymise_campaign(name, after_batch=lock.extend)
		if time.monotonic() > deadline:
			break
	return changed


def cutoff() -> datetime | None:
	"""Return the time (in the site's zone) before which campaigns are anonymised, or None if none ever is."""
	return get_settings().people_since()


def is_past_cutoff(sent_time: datetime | str | None, limit: datetime | None) -> bool:
	"""Return whether a campaign was sent before the cutoff; a plain function.

	Args:
		sent_time: in the site's zone; a campaign without one is not past the cutoff.
		limit: see `cutoff`.
	"""
	return bool(limit and sent_time and get_datetime(sent_time) < limit)


def anonymise_if_due(campaign: Document, state: CampaignState, limit: datetime | None) -> bool:
	"""Anonymise a campaign that is past the cutoff, before a sync reads its lists. Commits if it does.

	Args:
		campaign: the document; the caller holds the campaign's lock.
		state: of the campaign.
		limit: see `cutoff`.

	Returns:
		Whether the campaign is anonymised, so that the sync must not store people either.
	"""
	if state.anonymised_at is None and is_past_cutoff(campaign.zoho_sent_time, limit):
		anonymise_campaign(campaign.name)
		state.anonymised_at = now_datetime()
	return state.anonymised_at is not None


def queue_anonymising_after_merge(campaign: str) -> None:
	"""Queue another pass over an anonymised Campaign, because a merge has added another Campaign's people to it."""
	if frappe.db.get_value(CAMPAIGN_STATE, {"campaign": campaign}, "anonymised_at"):
		frappe.enqueue(
			"erpnext_zoho_integration.sync.privacy.retention.anonymise_merged_campaign",
			queue="long",
			timeout=_JOB_SECONDS,
			enqueue_after_commit=True,
			campaign=campaign,
		)


def anonymise_merged_campaign(campaign: str) -> None:
	"""Anonymise the rows that a merge has added to a Campaign, after waiting for a running sync of it. Commits."""
	key = frappe.db.get_value("Campaign", campaign, ZOHO_CAMPAIGN_KEY)
	with shared_lock(_lock_name(campaign, key), seconds=_LOCK_SECONDS, wait=_WAIT_SECONDS) as lock:
		anonymise_campaign(campaign, after_batch=lock.extend)


def is_anonymised(campaign: str) -> bool:
	"""Return whether a campaign is anonymised, or past the cutoff and about to be."""
	if frappe.db.get_value(CAMPAIGN_STATE, {"campaign": campaign}, "anonymised_at"):
		return True
	return is_past_cutoff(frappe.db.get_value("Campaign", campaign, ZOHO_SENT_TIME), cutoff())


def anonymise_campaign(campaign: str, after_batch: Callable[[], None] = lambda: None) -> int:
	"""Anonymise all rows of a campaign and record it in the campaign's state. Commits batch by batch.

	Args:
		campaign: name of the Campaign; the caller holds the campaign's lock.
		after_batch: called after each batch.

	Returns:
		The number of rows that were anonymised.
	"""
	backfill.record_campaign(campaign)
	identity, changed, last = campaign_identity(campaign), 0, ""
	while rows := anonymised_rows.load_rows_of_campaign(campaign, last, _BATCH):
		last = rows[-1].name
		changed += anonymised_rows.replace_rows(_replacements(rows, identity))
		frappe.db.commit()  # nosemgrep - a large campaign is not one transaction
		after_batch()
	# The stored engagement contains the links as they were clicked: compute it again from the anonymised rows.
	noted = {"anonymised_at": now_datetime(), "engagement": json.dumps(engagement(campaign))}
	frappe.db.set_value(CAMPAIGN_STATE, {"campaign": campaign}, noted, update_modified=False)
	frappe.db.commit()  # nosemgrep - from here on, syncs store no people of this campaign
	return changed


def _lock_name(campaign: str, key: str | None) -> str:
	return f"campaign-{key or campaign}"


def _replacements(rows: list[frappe._dict], identity: str) -> Iterator[anonymised_rows.Replacement]:
	for row in rows:
		stand_in = anonymised_rows.campaign_stand_in(identity, normalize_email(row.email))
		values = anonymised_rows.anonymised_values(row, stand_in)
		key = row_key(identity, stand_in, row.action_type)
		yield anonymised_rows.Replacement(row, values, key, content_hash(values))


def _campaigns_due(limit: datetime) -> list[tuple[str, str | None]]:
	"""Return name and Zoho campaign key of the campaigns to anonymise, the oldest first."""
	campaign, state, recipient = DocType("Campaign"), DocType(CAMPAIGN_STATE), DocType(RECIPIENT)
	a_person = (
		frappe.qb.from_(recipient)
		.select(recipient.name)
		.where((recipient.campaign == campaign.name) & (recipient.rtbf == 0))
	)
	sent = Coalesce(campaign.zoho_sent_time, campaign.creation)
	return (
		frappe.qb.from_(campaign)
		.left_join(state)
		.on(state.campaign == campaign.name)
		.select(campaign.name, campaign.zoho_campaign_key)
		.where((sent < limit) & state.anonymised_at.isnull() & ExistsCriterion(a_person))
		.orderby(sent)
	).run()
