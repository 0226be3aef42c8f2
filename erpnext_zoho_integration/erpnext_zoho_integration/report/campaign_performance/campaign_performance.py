"""Campaign Performance: what each campaign did, in figures and rates, from Zoho's own counters."""

from datetime import timedelta

import frappe
from frappe import _
from frappe.core.doctype.user_permission.user_permission import get_user_permissions
from frappe.permissions import get_allowed_docs_for_doctype
from frappe.query_builder import DocType
from frappe.utils import flt, format_date, getdate

from erpnext_zoho_integration.erpnext_zoho_integration.report.campaign_performance.comparison import (
	comparison,
	indicators,
	previous_filters,
)
from erpnext_zoho_integration.erpnext_zoho_integration.report.columns import column
from erpnext_zoho_integration.store.doctypes import ANALYTICS
from erpnext_zoho_integration.sync.mapping.analytics import percentage

# Column → metric of Campaign Analytics.
COUNTS = {
	"sent": "Emails Sent",
	"delivered": "Delivered",
	"opens": "Opens",
	"clicks": "Unique Clicks",
	"bounces": "Bounces",
	"unsubscribes": "Unsubscribes",
	"complaints": "Complaints",
}
# Rate → (part, whole), as Zoho takes them.
RATES = {
	"delivery_rate": ("delivered", "sent"),
	"open_rate": ("opens", "delivered"),
	"click_rate": ("clicks", "delivered"),
	"bounce_rate": ("bounces", "sent"),
	"unsubscribe_rate": ("unsubscribes", "delivered"),
	"complaint_rate": ("complaints", "delivered"),
}
# How many bars a chart has. A narrow one shows every second, third, fourth or sixth label and in any case the last: with
# these numbers the last one is among them, and runs into no other.
CHART_SIZES = (13, 9, 7, 5)


def execute(filters: dict | None = None) -> tuple:
	"""Return columns, rows, message, chart and summary; two queries of its own for any number of campaigns.

	Args:
		filters: `from_date`, `to_date` (days in the site's zone, both included), `campaign`, `status`, and `compare`
			with the previous period, which costs two more queries.
	"""
	filters = frappe._dict(filters or {})
	validate_filters(filters)
	data = get_data(filters)
	message = before = None
	if (period := previous_filters(filters)) and data:
		before = get_total(get_data(period))
		message = comparison(get_total(data), before, period, get_labels())
	return get_columns(), data, message, get_chart(data), get_report_summary(data, before)


def validate_filters(filters: frappe._dict) -> None:
	"""Refuse a period that ends before it begins."""
	if filters.from_date and filters.to_date and getdate(filters.from_date) > getdate(filters.to_date):
		frappe.throw(_("From Date must not be after To Date."))


def get_columns() -> list[dict]:
	"""Return the columns: campaign, when, status, then each count with its rate."""
	return [
		column("campaign", _("Campaign"), "Link", 200, options="Campaign"),
		column("campaign_name", _("Name at Zoho"), "Data", 180),
		column("sent_time", _("Sent Time"), "Datetime", 170),
		column("status", _("Status"), "Data", 90),
		column("sent", _("Sent"), "Int", 90),
		column("delivered", _("Delivered"), "Int", 90),
		column("delivery_rate", _("Delivery Rate"), "Percent", 115),
		column("opens", _("Opens"), "Int", 90),
		column("open_rate", _("Open Rate"), "Percent", 100),
		column("clicks", _("Clicks"), "Int", 90),
		column("click_rate", _("Click Rate"), "Percent", 100),
		column("bounces", _("Bounces"), "Int", 90),
		column("bounce_rate", _("Bounce Rate"), "Percent", 110),
		column("unsubscribes", _("Unsubscribes"), "Int", 115),
		column("unsubscribe_rate", _("Unsubscribe Rate"), "Percent", 140),
		column("complaints", _("Complaints"), "Int", 105),
		column("complaint_rate", _("Complaint Rate"), "Percent", 125),
	]


def get_data(filters: frappe._dict) -> list[dict]:
	"""Return a row per campaign, the newest first."""
	campaigns = get_campaigns(filters)
	figures = get_figures([campaign.campaign for campaign in campaigns])
	for row in campaigns:
		metrics = figures.get(row.campaign, {})
		for fieldname, metric in COUNTS.items():
			row[fieldname] = int(flt(metrics.get(metric)))
		add_rates(row)
	return campaigns


def get_campaigns(filters: frappe._dict) -> list[frappe._dict]:
	"""Return the synced campaigns that the user may read, permissions on single Campaigns included."""
	conditions = [["zoho_campaign_key", "is", "set"]]
	if filters.from_date or filters.to_date:
		conditions.append(["zoho_sent_time", "is", "set"])
	if filters.from_date:
		conditions.append(["zoho_sent_time", ">=", str(getdate(filters.from_date))])
	if filters.to_date:
		conditions.append(["zoho_sent_time", "<", str(getdate(filters.to_date) + timedelta(days=1))])
	if filters.campaign:
		conditions.append(["name", "=", filters.campaign])
	if filters.status:
		conditions.append(["zoho_campaign_status", "=", filters.status])
	fields = [
		"name as campaign",
		"campaign_name",
		"zoho_sent_time as sent_time",
		"zoho_campaign_status as status",
	]
	read = frappe.get_list
	if "System Manager" in frappe.get_roles():
		# On a stock site Campaign gives System Manager no permission; figures are theirs to read all the same.
		read = frappe.get_all
		if allowed := get_allowed_docs_for_doctype(get_user_permissions().get("Campaign", []), "Campaign"):
			conditions.append(["name", "in", allowed])
	return read(
		"Campaign", filters=conditions, fields=fields, order_by="zoho_sent_time desc", limit_page_length=0
	)


def get_figures(campaigns: list[str]) -> dict[str, dict[str, str]]:
	"""Return the stored metrics of all these campaigns, in one query."""
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
	figures: dict[str, dict[str, str]] = {}
	for parent, metric, value in rows:
		figures.setdefault(parent, {})[metric] = value
	return figures


def add_rates(row: dict) -> None:
	"""Add every rate to a row of counts; 0 where there is nothing to take it of."""
	for rate, (part, whole) in RATES.items():
		row[rate] = percentage(row[part], row[whole]) or 0.0


def get_chart(data: list[dict]) -> dict | None:
	"""Return open and click rates of the newest campaigns, the oldest of them first.

	Names do not fit below the bars; the days on which they were sent do.
	"""
	newest = [row for row in data if row.sent]
	size = next((size for size in CHART_SIZES if size <= len(newest)), len(newest))
	shown = newest[:size][::-1]
	if not shown:
		return None
	return {
		"data": {
			"labels": [format_date(row.sent_time, "d MMM") if row.sent_time else "–" for row in shown],
			"datasets": [
				{"name": _("Open Rate"), "values": [row.open_rate for row in shown]},
				{"name": _("Click Rate"), "values": [row.click_rate for row in shown]},
			],
		},
		"type": "bar",
		"fieldtype": "Percent",
	}


def get_total(data: list[dict]) -> dict:
	"""Return the number of campaigns, the counts over all rows, and rates over these."""
	total = {fieldname: sum(row[fieldname] for row in data) for fieldname in COUNTS}
	add_rates(total)
	return {"campaigns": len(data), **total}


def get_report_summary(data: list[dict], before: dict | None = None) -> list[dict]:
	"""Return the totals over all rows, coloured by how they compare with those of the previous period.

	Args:
		data: the rows.
		before: totals of the previous period, if it is compared with.
	"""
	if not data:
		return []
	total, labels = get_total(data), get_labels()
	colors = indicators(total, before)
	return [
		{
			"label": label,
			"value": total[key],
			# Of a Float, Frappe separates the thousands.
			"datatype": "Percent" if key in RATES else "Float",
			"indicator": colors.get(key),
		}
		for key, label in labels.items()
	]


def get_labels() -> dict[str, str]:
	"""Return the translated labels of the totals, in their order."""
	return {
		"campaigns": _("Campaigns"),
		"sent": _("Sent"),
		"delivery_rate": _("Delivery Rate"),
		"open_rate": _("Open Rate"),
		"click_rate": _("Click Rate"),
		"bounce_rate": _("Bounce Rate"),
		"unsubscribes": _("Unsubscribes"),
		"complaints": _("Complaints"),
	}
