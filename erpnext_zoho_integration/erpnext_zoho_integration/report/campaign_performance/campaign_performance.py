"""Campaign Performance: counts and rates of each campaign, from Zoho's own counters."""

import frappe
from frappe import _
from frappe.utils import format_date

from erpnext_zoho_integration.erpnext_zoho_integration.report.campaign_figures import (
	RATES,
	get_rows,
	get_total,
	validate_filters,
)
from erpnext_zoho_integration.erpnext_zoho_integration.report.campaign_performance.previous_period import (
	comparison,
	indicators,
	previous_filters,
)
from erpnext_zoho_integration.erpnext_zoho_integration.report.columns import column
from erpnext_zoho_integration.store.fields import SENT_TIME

# How many bars a chart may have. A narrow chart shows every second, third, fourth or sixth label and always the last one:
# with these sizes the last label is one of them and does not overlap another.
CHART_SIZES = (13, 9, 7, 5)


def execute(filters: dict | None = None) -> tuple:
	"""Return columns, rows, message, chart and summary; two queries for any number of campaigns.

	Args:
		filters: `from_date`, `to_date` (days in the site's zone, both included), `campaign`, `status`, and `compare`
			with the previous period, which costs two more queries.
	"""
	filters = frappe._dict(filters or {})
	validate_filters(filters)
	data = get_rows(filters)
	message = before = None
	if (period := previous_filters(filters)) and data:
		before = get_total(get_rows(period))
		message = comparison(get_total(data), before, period, get_labels())
	return get_columns(), data, message, get_chart(data), get_report_summary(data, before)


def get_columns() -> list[dict]:
	"""Return the columns: campaign, when, status, then each count with its rate."""
	return [
		column("campaign", _("Campaign"), "Link", 200, options="Campaign"),
		column("campaign_name", _("Name in Zoho"), "Data", 180),
		column(SENT_TIME, _("Sent Time"), "Datetime", 170),
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


def get_chart(data: list[dict]) -> dict | None:
	"""Return open and click rates of the newest campaigns, in the order they were sent.

	The labels are the days on which they were sent; names do not fit below the bars.
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


def get_report_summary(data: list[dict], before: dict | None = None) -> list[dict]:
	"""Return the totals over all rows, coloured by their change since the previous period.

	Args:
		data: the rows.
		before: totals of the previous period; None without a comparison.
	"""
	if not data:
		return []
	total, labels = get_total(data), get_labels()
	colors = indicators(total, before)
	return [
		{
			"label": label,
			"value": total[key],
			# Frappe separates the thousands of a Float, but not of an Int.
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
