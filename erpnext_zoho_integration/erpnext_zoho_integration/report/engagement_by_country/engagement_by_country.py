"""Engagement by Country: how many recipients of each country opened, clicked, bounced and unsubscribed."""

import frappe
from frappe import _
from frappe.query_builder import DocType
from frappe.query_builder.functions import Count

from erpnext_zoho_integration.erpnext_zoho_integration.report.columns import column
from erpnext_zoho_integration.erpnext_zoho_integration.report.recipient_queries import (
	bars,
	campaign_names,
	number,
	read_filters,
)
from erpnext_zoho_integration.store.doctypes import RECIPIENT
from erpnext_zoho_integration.sync.mapping.campaign_analytics import percentage

CHART_COUNTRIES = 15
# Column → action types counted in it.
COLUMNS = {
	"sent": ("Sent",),
	"opened": ("Opened",),
	"clicked": ("Clicked",),
	"bounced": ("Hard Bounced", "Soft Bounced"),
	"unsubscribed": ("Unsubscribed",),
	"complaints": ("Complaint",),
}


def execute(filters: dict | None = None) -> tuple:
	"""Return columns, rows, message, chart and summary; two queries for any number of campaigns.

	Args:
		filters: see `recipient_queries.read_filters`.
	"""
	data = get_data(count_recipients(list(campaign_names(read_filters(filters)))))
	return get_columns(), data, None, get_chart(data), get_report_summary(data)


def get_columns() -> list[dict]:
	"""Return the columns: the country, then counts and rates."""
	return [
		column("country", _("Country"), "Data", 200),
		column("sent", _("Sent"), "Int", 100),
		column("opened", _("Opened"), "Int", 100),
		column("open_rate", _("Open Rate"), "Percent", 110),
		column("clicked", _("Clicked"), "Int", 100),
		column("click_rate", _("Click Rate"), "Percent", 110),
		column("bounced", _("Bounced"), "Int", 100),
		column("unsubscribed", _("Unsubscribed"), "Int", 120),
		column("complaints", _("Complaints"), "Int", 110),
	]


def count_recipients(campaigns: list[str]) -> list[tuple[str | None, str, int]]:
	"""Return (country, action type, recipients) of these campaigns, in one query."""
	if not campaigns:
		return []
	recipient = DocType(RECIPIENT)
	return (
		frappe.qb.from_(recipient)
		.select(recipient.country, recipient.action_type, Count(recipient.name))
		.where(recipient.campaign.isin(campaigns))
		.groupby(recipient.country, recipient.action_type)
	).run()


def get_data(counts: list[tuple[str | None, str, int]]) -> list[dict]:
	"""Return a row per country, the one with most opens first.

	Rates are shares of sent minus bounced; they are empty if nothing was delivered.
	"""
	column_of = {action: name for name, actions in COLUMNS.items() for action in actions}
	rows: dict[str, dict] = {}
	for country, action, recipients in counts:
		name = country or _("Unknown")
		row = rows.setdefault(name, {"country": name, **dict.fromkeys(COLUMNS, 0)})
		row[column_of[action]] += recipients
	for row in rows.values():
		delivered = row["sent"] - row["bounced"]
		row["open_rate"] = percentage(row["opened"], delivered) if delivered > 0 else None
		row["click_rate"] = percentage(row["clicked"], delivered) if delivered > 0 else None
	return sorted(rows.values(), key=lambda row: (-row["opened"], -row["sent"], row["country"]))


def get_chart(data: list[dict]) -> dict | None:
	"""Return opens and clicks of the countries with most of them."""
	shown = [row for row in data if row["opened"]][:CHART_COUNTRIES]
	if not shown:
		return None
	return bars(
		[row["country"] for row in shown],
		{
			_("Opened"): [row["opened"] for row in shown],
			_("Clicked"): [row["clicked"] for row in shown],
		},
	)


def get_report_summary(data: list[dict]) -> list[dict]:
	"""Return how many countries and recipients there are."""
	if not data:
		return []
	return [
		number(_("Countries"), len([row for row in data if row["country"] != _("Unknown")])),
		*[number(label, sum(row[name] for row in data)) for name, label in _summed().items()],
	]


def _summed() -> dict[str, str]:
	return {"sent": _("Sent"), "opened": _("Opened"), "clicked": _("Clicked")}
