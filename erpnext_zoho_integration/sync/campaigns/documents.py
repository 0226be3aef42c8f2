"""Writes Campaign documents with their Campaign Analytics: found by Zoho's id or key, saved only if something changed.

A campaign is never matched by its name. Campaigns are few, so they always go through the Document API. Two others write
these tables: `runs.run_log` sets `last_synced` of all checked campaigns in one statement, and `document_events`
moves the Zoho fields and the analytics to another Campaign when users merge.
"""

import json
from collections.abc import Iterable

import frappe
from frappe.model.document import Document
from frappe.query_builder import DocType
from frappe.utils import flt, get_datetime

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.compat import campaign_writes_utm
from erpnext_zoho_integration.store.doctypes import ANALYTICS
from erpnext_zoho_integration.store.document_names import free_name
from erpnext_zoho_integration.store.fields import (
	ZOHO_CAMPAIGN_ID,
	ZOHO_CAMPAIGN_KEY,
	ZOHO_CAMPAIGN_STATUS,
	ZOHO_CAMPAIGN_TYPE,
	ZOHO_SENT_TIME,
)
from erpnext_zoho_integration.sync.campaigns.merging import rekey_campaign
from erpnext_zoho_integration.sync.mapping.campaign_analytics import analytics_rows, opens_by_country
from erpnext_zoho_integration.sync.mapping.clean_text_and_urls import clean, clean_url
from erpnext_zoho_integration.sync.mapping.recipient_rows import Times


def find_campaign(campaign_key: str, campaign_id: str | None = None) -> str | None:
	"""Return the name of the Campaign with this Zoho id or key, compared exactly."""
	campaign = DocType("Campaign")
	condition = campaign.zoho_campaign_key == campaign_key
	if campaign_id:
		condition = condition | (campaign.zoho_campaign_id == campaign_id)
	rows = (
		frappe.qb.from_(campaign)
		.select(campaign.name, campaign.zoho_campaign_id, campaign.zoho_campaign_key)
		.where(condition)
	).run()
	by_id = [name for name, identifier, _key in rows if campaign_id and identifier == campaign_id]
	by_key = [name for name, _identifier, key in rows if key == campaign_key]
	return next(iter(by_id + by_key), None)


def save(
	name: str | None, record: zoho.Campaign, times: Times, reports: Iterable[zoho.Report] = ()
) -> tuple[Document, bool]:
	"""Create or update the Campaign of a record from Zoho's list, with its analytics, in at most one save.

	Args:
		name: of the Campaign, as `find_campaign` found it; None creates one.
		record: from `recentcampaigns`.
		times: clocks of account and site.
		reports: as for `save_analytics`; without reports the analytics stay as they are.

	Returns:
		The document, and whether its analytics changed.
	"""
	campaign = frappe.get_doc("Campaign", name) if name else frappe.new_doc("Campaign")
	values = metadata(record, times)
	differs = not name or _differs(campaign, values)
	rekeyed = bool(name) and campaign.zoho_campaign_key != record.key
	if differs:
		campaign.update(values)
	analytics_changed = _set_analytics(campaign, reports)
	if differs or analytics_changed:
		_save(campaign)
	if rekeyed:
		rekey_campaign(campaign.name)
	return campaign, analytics_changed


def save_analytics(campaign: Document, reports: Iterable[zoho.Report]) -> bool:
	"""Rebuild Campaign Analytics from the reports of a campaign if they differ; return whether they did.

	Args:
		campaign: the document.
		reports: the campaign's own report, then those of its A/B variants. If none has counters, nothing changes.
	"""
	changed = _set_analytics(campaign, reports)
	if changed:
		_save(campaign)
	return changed


def _set_analytics(campaign: Document, reports: Iterable[zoho.Report]) -> bool:
	"""Set the analytics of a document from reports; return whether they changed."""
	reports = list(reports)
	rows = analytics_rows(reports)
	if not rows:
		return False
	countries = json.dumps(opens_by_country(reports), ensure_ascii=False)
	if _same_rows(campaign, rows) and (campaign.zoho_opens_by_country or "{}") == countries:
		return False
	if not campaign.campaign_analytics:
		# Frappe would first delete the existing rows. With none to delete, MariaDB locks the index gap in which other
		# workers insert their rows.
		campaign.flags.ignore_children_type = [ANALYTICS]
	campaign.set("campaign_analytics", rows)
	campaign.zoho_opens_by_country = countries
	return True


def metadata(record: zoho.Campaign, times: Times) -> dict:
	"""Return the fields of a Campaign that come from Zoho's list of campaigns; times in the site's zone."""
	return {
		"campaign_name": clean(record.name) or f"Zoho Campaign {record.id or record.key[:12]}",
		ZOHO_CAMPAIGN_ID: clean(record.id),
		ZOHO_CAMPAIGN_KEY: clean(record.key),
		"zoho_subject": clean(record.subject),
		"zoho_from_email": clean(record.from_email),
		"zoho_reply_to": clean(record.reply_to),
		ZOHO_SENT_TIME: times.at_site(times.clock.at(record.sent)),
		ZOHO_CAMPAIGN_STATUS: clean(record.status),
		ZOHO_CAMPAIGN_TYPE: clean(record.type),
		"zoho_preview_url": clean_url(record.preview_url),
	}


def _save(campaign: Document) -> None:
	"""Insert or save a Campaign; a new one gets a free name.

	At each save, ERPNext 16 writes a UTM Campaign and links it to the Campaign whose *name* equals `campaign_name`. The
	save fails if the two differ, so `campaign_name` is set to the name while saving, and to Zoho's text afterwards.
	"""
	campaign.flags.ignore_permissions = True
	new, text = campaign.is_new(), campaign.campaign_name
	if new:
		by_series = frappe.defaults.get_global_default("campaign_naming_by") == "Naming Series"
		campaign.set_new_name(set_name=None if by_series else free_name("Campaign", text))
	if campaign_writes_utm():
		campaign.campaign_name = campaign.name
	campaign.insert() if new else campaign.save()
	campaign.flags.ignore_children_type = None
	if campaign.campaign_name != text:
		campaign.campaign_name = text
		frappe.db.set_value("Campaign", campaign.name, "campaign_name", text, update_modified=False)


def _differs(campaign: Document, values: dict) -> bool:
	return any((campaign.get(field) or None) != (value or None) for field, value in _typed(values).items())


def _typed(values: dict) -> dict:
	return {**values, ZOHO_SENT_TIME: values[ZOHO_SENT_TIME] and get_datetime(values[ZOHO_SENT_TIME])}


def _same_rows(campaign: Document, rows: list[dict]) -> bool:
	stored = [(row.metric, row.value or None, flt(row.percentage)) for row in campaign.campaign_analytics]
	return stored == [(row["metric"], row["value"], flt(row["percentage"])) for row in rows]
