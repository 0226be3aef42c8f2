"""Bounces and Opt-outs: addresses that should get no more e-mails."""

import frappe
from frappe import _

from erpnext_zoho_integration.erpnext_zoho_integration.report.columns import column
from erpnext_zoho_integration.erpnext_zoho_integration.report.recipient_queries import (
	bars,
	campaign_names,
	number,
	read_filters,
	read_recipients,
)
from erpnext_zoho_integration.store.fields import ACTION_DATE, ACTION_TYPE, SENT_TIME

ACTIONS = ("Hard Bounced", "Soft Bounced", "Unsubscribed", "Complaint")
_FIELDS = [
	"email",
	"contact",
	"full_name",
	"campaign",
	ACTION_TYPE,
	ACTION_DATE,
	SENT_TIME,
	"contact.unsubscribed as unsubscribed",
]


def execute(filters: dict | None = None) -> tuple:
	"""Return columns, rows, message, chart and summary; two queries for any number of campaigns.

	Args:
		filters: see `recipient_queries.read_filters`, and `action_type`.
	"""
	filters = read_filters(filters)
	if filters.action_type and filters.action_type not in ACTIONS:
		frappe.throw(_("{0} is not one of: {1}").format(filters.action_type, ", ".join(ACTIONS)))
	actions = (filters.action_type,) if filters.action_type else ACTIONS
	data = get_data(read_recipients(campaign_names(filters), actions, _FIELDS))
	return get_columns(), data, None, get_chart(data), get_report_summary(data)


def get_columns() -> list[dict]:
	"""Return the columns: the address, the action, how often it happened and when last."""
	return [
		column("email", _("Email"), "Data", 240),
		column("contact", _("Contact"), "Link", 180, options="Contact"),
		column("full_name", _("Full Name"), "Data", 160),
		column(ACTION_TYPE, _("Action Type"), "Data", 130),
		column("times", _("Campaigns"), "Int", 100),
		column("last_time", _("Most Recent"), "Datetime", 170),
		column("campaign", _("Last Campaign"), "Link", 220, options="Campaign"),
		column("unsubscribed", _("Contact Opted Out"), "Check", 140),
	]


def get_data(rows: list[frappe._dict]) -> list[dict]:
	"""Return a row per address and action type, the latest first."""
	found: dict[tuple[str, str], dict] = {}
	for row in rows:
		moment = row.action_date or row.sent_time
		entry = found.setdefault(
			(row.email, row.action_type),
			{
				"email": row.email,
				ACTION_TYPE: row.action_type,
				"times": 0,
				"last_time": None,
				"campaign": None,
			},
		)
		entry["times"] += 1
		entry["contact"] = entry.get("contact") or row.contact
		entry["full_name"] = entry.get("full_name") or row.full_name
		entry["unsubscribed"] = int(bool(entry.get("unsubscribed") or row.unsubscribed))
		if entry["campaign"] is None or (moment and (not entry["last_time"] or moment > entry["last_time"])):
			entry["campaign"], entry["last_time"] = row.campaign, moment
	by_address = sorted(found.values(), key=lambda row: (row["email"], row[ACTION_TYPE]))
	return sorted(by_address, key=lambda row: str(row["last_time"] or ""), reverse=True)


def get_chart(data: list[dict]) -> dict | None:
	"""Return how many addresses there are of each kind."""
	if not data:
		return None
	return bars(
		[_(action) for action in ACTIONS], {_("Addresses"): [_count(data, action) for action in ACTIONS]}
	)


def get_report_summary(data: list[dict]) -> list[dict]:
	"""Return how many addresses there are of each kind."""
	return [number(_(action), _count(data, action)) for action in ACTIONS] if data else []


def _count(data: list[dict], action: str) -> int:
	return sum(row[ACTION_TYPE] == action for row in data)
