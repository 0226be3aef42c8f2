"""Figures of campaigns: which campaigns the user may read, what Zoho counted for them, and the rates.

The reports, the forms and the workspace all take their figures from here, so they agree.
"""

from collections.abc import Mapping
from datetime import timedelta

import frappe
from frappe import _
from frappe.core.doctype.user_permission.user_permission import get_user_permissions
from frappe.permissions import get_allowed_docs_for_doctype
from frappe.query_builder import DocType
from frappe.utils import flt, getdate

from erpnext_zoho_integration.store.doctypes import ANALYTICS
from erpnext_zoho_integration.store.fields import ZOHO_CAMPAIGN_KEY, ZOHO_CAMPAIGN_STATUS, ZOHO_SENT_TIME
from erpnext_zoho_integration.sync.mapping.campaign_analytics import percentage

# Count → metric of Campaign Analytics.
COUNTS = {
	"sent": "Emails Sent",
	"delivered": "Delivered",
	"opens": "Opens",
	"clicks": "Unique Clicks",
	"bounces": "Bounces",
	"unsubscribes": "Unsubscribes",
	"complaints": "Complaints",
}
# Rate → (part, whole), by Zoho's own definitions.
RATES = {
	"delivery_rate": ("delivered", "sent"),
	"open_rate": ("opens", "delivered"),
	"click_rate": ("clicks", "delivered"),
	"bounce_rate": ("bounces", "sent"),
	"unsubscribe_rate": ("unsubscribes", "delivered"),
	"complaint_rate": ("complaints", "delivered"),
}
# Count → the action types of the recipients it counts. Zoho has no list of delivered mails: they are the rows of
# those it was sent to, without those that bounced.
ACTIONS = {
	"sent": ("Sent",),
	"delivered": ("Sent",),
	"opens": ("Opened",),
	"clicks": ("Clicked",),
	"bounces": ("Hard Bounced", "Soft Bounced"),
	"unsubscribes": ("Unsubscribed",),
	"complaints": ("Complaint",),
}


def card_labels() -> dict[str, str]:
	"""Return the translated label of each count, as the cards on forms show it."""
	return {
		"sent": _("Sent"),
		"delivered": _("Delivered"),
		"opens": _("Opened"),
		"clicks": _("Clicked"),
		"bounces": _("Bounced"),
		"unsubscribes": _("Unsubscribed"),
		"complaints": _("Complaints"),
	}


def validate_filters(filters: frappe._dict) -> None:
	"""Refuse a period that ends before it begins.

	Raises:
		frappe.ValidationError: `from_date` is after `to_date`.
	"""
	if filters.from_date and filters.to_date and getdate(filters.from_date) > getdate(filters.to_date):
		frappe.throw(_("From Date must not be after To Date."))


def get_campaigns(filters: frappe._dict) -> list[frappe._dict]:
	"""Return the synced campaigns that the user may read, the newest first; User Permissions apply.

	Args:
		filters: `from_date`, `to_date` (days on which campaigns were sent, in the site's zone, both included),
			`campaign` and `status`; each may be missing.

	Returns:
		`campaign` (name of the document), `campaign_name`, `sent_time` and `status` of each.
	"""
	conditions = [[ZOHO_CAMPAIGN_KEY, "is", "set"]]
	if filters.from_date or filters.to_date:
		conditions.append([ZOHO_SENT_TIME, "is", "set"])
	if filters.from_date:
		conditions.append([ZOHO_SENT_TIME, ">=", str(getdate(filters.from_date))])
	if filters.to_date:
		conditions.append([ZOHO_SENT_TIME, "<", str(getdate(filters.to_date) + timedelta(days=1))])
	if filters.campaign:
		conditions.append(["name", "=", filters.campaign])
	if filters.status:
		conditions.append([ZOHO_CAMPAIGN_STATUS, "=", filters.status])
	fields = [
		"name as campaign",
		"campaign_name",
		"zoho_sent_time as sent_time",
		"zoho_campaign_status as status",
	]
	read = frappe.get_list
	if "System Manager" in frappe.get_roles():
		# A stock site gives System Manager no permission on Campaign; they may read figures all the same.
		read = frappe.get_all
		if allowed := get_allowed_docs_for_doctype(get_user_permissions().get("Campaign", []), "Campaign"):
			conditions.append(["name", "in", allowed])
	return read(
		"Campaign", filters=conditions, fields=fields, order_by="zoho_sent_time desc", limit_page_length=0
	)


def get_counts(campaigns: list[str]) -> dict[str, dict[str, int]]:
	"""Return the counts of each campaign by name, in one query; one that has no figures yet is missing."""
	if not campaigns:
		return {}
	row = DocType(ANALYTICS)
	rows = (
		frappe.qb.from_(row)
		.select(row.parent, row.metric, row.value)
		.where(
			(row.parenttype == "Campaign")
			& row.parent.isin(campaigns)
			& row.metric.isin(list(COUNTS.values()))
		)
	).run()
	metrics: dict[str, dict[str, str]] = {}
	for parent, metric, value in rows:
		metrics.setdefault(parent, {})[metric] = value
	return {parent: counts_of(found) for parent, found in metrics.items()}


def counts_of(metrics: Mapping[str, str | None]) -> dict[str, int]:
	"""Return every count, from the values of Campaign Analytics by metric; 0 for a metric that is missing."""
	return {fieldname: int(flt(metrics.get(metric))) for fieldname, metric in COUNTS.items()}


def add_rates(row: dict) -> None:
	"""Add every rate in per cent to a row of counts; 0 if the whole is 0."""
	for rate, (part, whole) in RATES.items():
		row[rate] = percentage(row[part], row[whole]) or 0.0


def get_rows(filters: frappe._dict) -> list[frappe._dict]:
	"""Return the campaigns of `get_campaigns` with their counts and rates, in two queries."""
	campaigns = get_campaigns(filters)
	counts = get_counts([campaign.campaign for campaign in campaigns])
	for row in campaigns:
		row.update(counts.get(row.campaign) or counts_of({}))
		add_rates(row)
	return campaigns


def get_total(rows: list[frappe._dict]) -> dict:
	"""Return the number of `campaigns`, the sum of each count, and the rates of these sums."""
	total = {fieldname: sum(row[fieldname] for row in rows) for fieldname in COUNTS}
	add_rates(total)
	return {"campaigns": len(rows), **total}
