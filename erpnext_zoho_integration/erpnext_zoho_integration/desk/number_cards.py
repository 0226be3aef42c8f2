"""The numbers on the cards of the workspace: totals of the campaigns of the last 90 days, and the health of the sync."""

import frappe
from frappe import _
from frappe.utils import add_days, get_datetime, nowdate

from erpnext_zoho_integration.connection.identity import pause
from erpnext_zoho_integration.connection.settings import get_settings
from erpnext_zoho_integration.erpnext_zoho_integration.report.campaign_figures import get_rows, get_total
from erpnext_zoho_integration.store.doctypes import RECIPIENT, SYNC_RUN
from erpnext_zoho_integration.sync.mapping import site_clock
from erpnext_zoho_integration.sync.runs.health import last_success

DAYS = 90
PROBLEM_DAYS = 7


@frappe.whitelist(methods=["GET", "POST"])
def emails_sent(filters: dict | list | str | None = None) -> dict:
	"""Return how many e-mails were sent. Frappe passes `filters` to every card; none uses them."""
	return _card(_totals()["sent"])


@frappe.whitelist(methods=["GET", "POST"])
def open_rate(filters: dict | list | str | None = None) -> dict:
	"""Return the open rate: opened of delivered, in per cent."""
	return _card(_totals()["open_rate"], "Percent")


@frappe.whitelist(methods=["GET", "POST"])
def click_rate(filters: dict | list | str | None = None) -> dict:
	"""Return the click rate: clicked of delivered, in per cent."""
	return _card(_totals()["click_rate"], "Percent")


@frappe.whitelist(methods=["GET", "POST"])
def opt_outs(filters: dict | list | str | None = None) -> dict:
	"""Return how many people unsubscribed or complained; the card opens the report about them."""
	total = _totals()
	return _card(total["unsubscribes"] + total["complaints"], report="Bounces and Opt-outs")


@frappe.whitelist(methods=["GET", "POST"])
def hours_since_sync(filters: dict | list | str | None = None) -> dict:
	"""Return the hours since the last successful sync of all campaigns, or since connecting; 0 if never connected."""
	frappe.has_permission(RECIPIENT, "read", throw=True)
	since = last_success() or get_settings().connected_on
	hours = site_clock.seconds_since(get_datetime(since)) / 3600 if since else 0
	return {**_number(int(max(0, hours))), **_runs()}


@frappe.whitelist(methods=["GET", "POST"])
def sync_problems(filters: dict | list | str | None = None) -> dict:
	"""Return how many syncs of the last week failed or were incomplete; the card opens their list."""
	frappe.has_permission(RECIPIENT, "read", throw=True)
	found = {
		"status": ["in", ["Failed", "Partial"]],
		"creation": [">=", str(add_days(nowdate(), -PROBLEM_DAYS))],
	}
	return {**_number(frappe.db.count(SYNC_RUN, found)), **_runs(found)}


@frappe.whitelist(methods=["GET", "POST"])
def connection(filters: dict | list | str | None = None) -> str:
	"""Return the translated state of the connection; a card shows a text unchanged."""
	frappe.has_permission(RECIPIENT, "read", throw=True)
	settings = get_settings()
	if settings.is_active and pause(settings):
		return _("Paused")
	return _(settings.connection_status or "Not Connected")


def _number(value: float, fieldtype: str = "Float") -> dict:
	"""Return a card's number. Frappe separates the thousands of a Float, but not of an Int."""
	return {"value": value, "fieldtype": fieldtype, "precision": 1}


def _runs(filters: dict | None = None) -> dict:
	"""Return the route to the list of runs if the user may read it."""
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
	return get_total(get_rows(frappe._dict(from_date=_first_day(), to_date=nowdate())))


def _first_day() -> str:
	return str(add_days(nowdate(), -DAYS))
