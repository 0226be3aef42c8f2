"""The numbers on the workspace's cards: what the campaigns of the last 90 days did together, and how fresh that is."""

import frappe
from frappe import _
from frappe.utils import add_days, get_datetime, nowdate

from erpnext_zoho_integration.connection.settings import get_settings
from erpnext_zoho_integration.erpnext_zoho_integration.report.campaign_performance.campaign_performance import (
	COUNTS,
	add_rates,
	get_data,
)
from erpnext_zoho_integration.store.doctypes import RECIPIENT, SYNC_RUN
from erpnext_zoho_integration.sync.mapping import site_clock
from erpnext_zoho_integration.sync.runs.health import last_success

DAYS = 90
PROBLEM_DAYS = 7


@frappe.whitelist(methods=["GET", "POST"])
def emails_sent(filters: dict | list | str | None = None) -> dict:
	"""Return how many e-mails were sent. `filters`, which Frappe sends along, are not used."""
	return _card(_totals()["sent"])


@frappe.whitelist(methods=["GET", "POST"])
def open_rate(filters: dict | list | str | None = None) -> dict:
	"""Return how many per cent of the delivered e-mails were opened."""
	return _card(_totals()["open_rate"], "Percent")


@frappe.whitelist(methods=["GET", "POST"])
def click_rate(filters: dict | list | str | None = None) -> dict:
	"""Return how many per cent of the delivered e-mails were clicked."""
	return _card(_totals()["click_rate"], "Percent")


@frappe.whitelist(methods=["GET", "POST"])
def opt_outs(filters: dict | list | str | None = None) -> dict:
	"""Return how many people unsubscribed or complained; the card opens who they are."""
	total = _totals()
	return _card(total["unsubscribes"] + total["complaints"], report="Bounces and Opt-outs")


@frappe.whitelist(methods=["GET", "POST"])
def hours_since_sync(filters: dict | list | str | None = None) -> dict:
	"""Return for how many hours no sync of all campaigns has succeeded; 0 on a site that was never connected."""
	frappe.has_permission(RECIPIENT, "read", throw=True)
	since = last_success() or get_settings().connected_on
	hours = site_clock.seconds_since(get_datetime(since)) / 3600 if since else 0
	return {**_number(int(max(0, hours))), **_runs()}


@frappe.whitelist(methods=["GET", "POST"])
def sync_problems(filters: dict | list | str | None = None) -> dict:
	"""Return how many syncs of the last week failed or left something undone; the card opens them."""
	frappe.has_permission(RECIPIENT, "read", throw=True)
	found = {
		"status": ["in", ["Failed", "Partial"]],
		"creation": [">=", str(add_days(nowdate(), -PROBLEM_DAYS))],
	}
	return {**_number(frappe.db.count(SYNC_RUN, found)), **_runs(found)}


@frappe.whitelist(methods=["GET", "POST"])
def connection(filters: dict | list | str | None = None) -> str:
	"""Return whether the site is connected to Zoho, in words: a card shows text as it is."""
	frappe.has_permission(RECIPIENT, "read", throw=True)
	return _(get_settings().connection_status or "Not Connected")


def _number(value: float, fieldtype: str = "Float") -> dict:
	"""Return a card's number; of a Float, Frappe separates the thousands and shows no decimals that are not there."""
	return {"value": value, "fieldtype": fieldtype, "precision": 1}


def _runs(filters: dict | None = None) -> dict:
	"""Return the way to the list of runs, for those who may read it."""
	if not frappe.has_permission(SYNC_RUN, "read"):
		return {}
	return {"route": ["List", SYNC_RUN], "route_options": filters or {}}


def _card(value: float, fieldtype: str = "Float", report: str = "Campaign Performance") -> dict:
	return {
		**_number(value, fieldtype),
		"route": ["query-report", report],
		"route_options": {"from_date": _first_day(), "to_date": nowdate()},
	}


def _totals() -> dict:
	"""Return counts and rates over the campaigns that the user may read, in two queries."""
	frappe.has_permission(RECIPIENT, "read", throw=True)
	data = get_data(frappe._dict(from_date=_first_day(), to_date=nowdate()))
	total = {fieldname: sum(row[fieldname] for row in data) for fieldname in COUNTS}
	add_rates(total)
	return total


def _first_day() -> str:
	return str(add_days(nowdate(), -DAYS))
