"""Shared by the reports about recipients: filters, campaigns, rows, numbers and charts."""

import frappe

from erpnext_zoho_integration.erpnext_zoho_integration.report.campaign_figures import (
	get_campaigns,
	validate_filters,
)
from erpnext_zoho_integration.store.doctypes import RECIPIENT
from erpnext_zoho_integration.store.fields import ACTION_TYPE

WIDE = 10_000


def read_filters(filters: dict | None) -> frappe._dict:
	"""Return the filters of a report, checked.

	Args:
		filters: `from_date`, `to_date` (days on which campaigns were sent, in the site's zone, both included),
			`campaign`, and those of the report.
	"""
	filters = frappe._dict(filters or {})
	validate_filters(filters)
	return filters


def campaign_names(filters: frappe._dict) -> dict[str, str]:
	"""Return the campaigns that the user may read and that match the filters: Zoho's name by name of the document."""
	chosen = frappe._dict({key: filters.get(key) for key in ("from_date", "to_date", "campaign")})
	return {row.campaign: row.campaign_name for row in get_campaigns(chosen)}


def read_recipients(
	campaigns: dict[str, str], actions: tuple[str, ...], fields: list[str]
) -> list[frappe._dict]:
	"""Return the recipients of these campaigns that the user may read, in one query.

	Args:
		campaigns: from `campaign_names`.
		actions: action types.
		fields: to read.
	"""
	if not campaigns:
		return []
	return frappe.get_list(
		RECIPIENT,
		filters={"campaign": ("in", list(campaigns)), ACTION_TYPE: ("in", list(actions))},
		fields=fields,
		order_by="`tabCampaign Recipient`.name asc",
		limit_page_length=0,
	)


def number(label: str, value: float, datatype: str = "Float", **more: str) -> dict:
	"""Return a number of a report's summary. Frappe separates the thousands of a Float, but not of an Int."""
	return {"label": label, "value": value, "datatype": datatype, **more}


def bars(labels: list[str], datasets: dict[str, list[int]]) -> dict:
	"""Return a chart of counts, given by name.

	Shorten the axis only for large values: otherwise Frappe labels it 400.00 beside 1 K.
	"""
	largest = max(max(values) for values in datasets.values())
	return {
		"data": {
			"labels": labels,
			"datasets": [{"name": name, "values": values} for name, values in datasets.items()],
		},
		"type": "bar",
		"axisOptions": {"shortenYAxisNumbers": int(largest >= WIDE)},
	}
