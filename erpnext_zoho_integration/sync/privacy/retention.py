"""How long people stay in recipients: after the time set in Zoho Settings a campaign keeps its figures only.

The time counts from when the campaign was sent. What Zoho says of it later (a late opt-out) is taken over as a figure as
well, so that nobody comes back; an opt-out still reaches the Contact.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from pypika.terms import ExistsCriterion

import frappe
from frappe.model.document import Document
from frappe.query_builder import DocType
from frappe.query_builder.functions import Coalesce
from frappe.utils import add_to_date, cint, get_datetime, now_datetime

from erpnext_zoho_integration.locks import shared_lock
from erpnext_zoho_integration.store.addresses import normalize_email
from erpnext_zoho_integration.store.digests import row_key
from erpnext_zoho_integration.store.doctypes import CAMPAIGN_STATE, RECIPIENT, SETTINGS
from erpnext_zoho_integration.sync.campaigns.engagement import engagement
from erpnext_zoho_integration.sync.campaigns.identity import campaign_identity
from erpnext_zoho_integration.sync.campaigns.state import CampaignState
from erpnext_zoho_integration.sync.mapping.rows import content_hash
from erpnext_zoho_integration.sync.privacy import anonymised_rows

_BATCH = 1000
_LOCK_SECONDS = 900
# The rest follows the next night; RQ kills long jobs after 25 minutes.
_JOB_SECONDS = 1200


def anonymise_old_campaigns() -> int:
	"""Anonymise the recipients of all campaigns whose time has passed; called every night. Commits.

	Returns:
		The number of rows that became figures.
	"""
	limit, changed, deadline = cutoff(), 0, time.monotonic() + _JOB_SECONDS
	for name, key in _due(limit) if limit else ():
		with shared_lock(f"campaign-{key or name}", seconds=_LOCK_SECONDS, wait=0) as lock:
			if lock:  # else a sync is at it, and does this by itself
				changed += anonymise(name, between=lock.extend)
		if time.monotonic() > deadline:
			break
	return changed


def cutoff() -> datetime | None:
	"""Return the time before which campaigns keep figures only, or None if people stay for ever."""
	months = cint(frappe.db.get_single_value(SETTINGS, "anonymise_after_months"))
	return get_datetime(add_to_date(now_datetime(), months=-months)) if months > 0 else None


def is_over(sent_time: datetime | str | None, limit: datetime | None) -> bool:
	"""Return whether the time of a campaign has passed.

	Args:
		sent_time: in the site's zone; a campaign without one is not over.
		limit: see `cutoff`.
	"""
	return bool(limit and sent_time and get_datetime(sent_time) < limit)


def keeps_figures_only(campaign: Document, state: CampaignState, limit: datetime | None) -> bool:
	"""Return whether a sync of a campaign is to bring figures only; what is stored of people becomes figures first.

	Args:
		campaign: the document, whose lock the caller holds.
		state: of the campaign.
		limit: see `cutoff`.
	"""
	if state.anonymised_at is None and is_over(campaign.zoho_sent_time, limit):
		anonymise(campaign.name)
		state.anonymised_at = now_datetime()
	return state.anonymised_at is not None


def after_merge(campaign: str) -> None:
	"""Queue another pass for a Campaign that keeps figures only, since it has taken in another one's people."""
	if frappe.db.get_value(CAMPAIGN_STATE, {"campaign": campaign}, "anonymised_at"):
		frappe.enqueue(
			"erpnext_zoho_integration.sync.privacy.retention.anonymise_merged",
			queue="long",
			timeout=_JOB_SECONDS,
			enqueue_after_commit=True,
			campaign=campaign,
		)


def anonymise_merged(campaign: str) -> None:
	"""Make figures of what a merge has brought into a Campaign; a sync of it is waited for. Commits."""
	key = frappe.db.get_value("Campaign", campaign, "zoho_campaign_key")
	with shared_lock(f"campaign-{key or campaign}", seconds=_LOCK_SECONDS, wait=300) as lock:
		anonymise(campaign, between=lock.extend)


def is_anonymous(campaign: str) -> bool:
	"""Return whether only figures of a campaign are stored."""
	if frappe.db.get_value(CAMPAIGN_STATE, {"campaign": campaign}, "anonymised_at"):
		return True
	return is_over(frappe.db.get_value("Campaign", campaign, "zoho_sent_time"), cutoff())


def anonymise(campaign: str, between: Callable[[], None] = lambda: None) -> int:
	"""Make figures of all rows of a campaign, and note that it is so. Commits batch by batch.

	Args:
		campaign: name of the Campaign, whose lock the caller holds.
		between: called after each batch.

	Returns:
		The number of rows that became figures.
	"""
	identity, changed, last = campaign_identity(campaign), 0, ""
	while rows := anonymised_rows.stored_of_campaign(campaign, last, _BATCH):
		last = rows[-1].name
		changed += anonymised_rows.replace(_figures(rows, identity))
		frappe.db.commit()  # nosemgrep - a large campaign is not one transaction
		between()
	# The links of the form are worked out anew as well: they are kept as they were clicked.
	noted = {"anonymised_at": now_datetime(), "engagement": json.dumps(engagement(campaign))}
	frappe.db.set_value(CAMPAIGN_STATE, {"campaign": campaign}, noted, update_modified=False)
	frappe.db.commit()  # nosemgrep - from here on, syncs bring figures only
	return changed


def _figures(rows: list[frappe._dict], identity: str) -> Iterator[tuple[Mapping, dict, str, str]]:
	for row in rows:
		values = anonymised_rows.figure(
			row, anonymised_rows.campaign_stand_in(identity, normalize_email(row.email))
		)
		key = row_key(identity, values["email"], row.action_type)
		yield row, values, key, content_hash(values)


def _due(limit: datetime) -> list[tuple[str, str | None]]:
	"""Return name and Zoho's key of the old campaigns that still name people, the oldest first."""
	campaign, state, recipient = DocType("Campaign"), DocType(CAMPAIGN_STATE), DocType(RECIPIENT)
	somebody = (
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
		.where((sent < limit) & state.anonymised_at.isnull() & ExistsCriterion(somebody))
		.orderby(sent)
	).run()
