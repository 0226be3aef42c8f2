"""Engaged Contacts: the people who open and click most, over all campaigns."""

import frappe
from frappe import _

from erpnext_zoho_integration.erpnext_zoho_integration.report.columns import column
from erpnext_zoho_integration.erpnext_zoho_integration.report.recipient_queries import (
	campaign_names,
	number,
	read_filters,
	read_recipients,
)
from erpnext_zoho_integration.store.fields import ACTION_DATE, ACTION_TYPE, SENT_TIME

_FIELDS = [
	"email",
	"contact",
	"full_name",
	"company_name",
	"campaign",
	ACTION_TYPE,
	ACTION_DATE,
	SENT_TIME,
	"click_count",
	"rtbf",
]


def execute(filters: dict | None = None) -> tuple:
	"""Return columns, rows, message, chart and summary; two queries for any number of campaigns.

	Args:
		filters: see `recipient_queries.read_filters`, and `only_clicked`.
	"""
	filters = read_filters(filters)
	rows = read_recipients(campaign_names(filters), ("Opened", "Clicked"), _FIELDS)
	data = get_data(rows, bool(filters.only_clicked))
	return get_columns(), data, None, None, get_report_summary(data)


def get_columns() -> list[dict]:
	"""Return the columns: the person, then their opens and clicks."""
	return [
		column("email", _("Email"), "Data", 230),
		column("contact", _("Contact"), "Link", 180, options="Contact"),
		column("full_name", _("Full Name"), "Data", 160),
		column("company_name", _("Company Name"), "Data", 160),
		column("opened", _("Campaigns Opened"), "Int", 140),
		column("clicked", _("Campaigns Clicked"), "Int", 140),
		column("clicks", _("Clicks"), "Int", 90),
		column("last_engagement", _("Last Engagement"), "Datetime", 170),
	]


def get_data(rows: list[frappe._dict], only_clicked: bool = False) -> list[dict]:
	"""Return a row per address, the most active first: by campaigns clicked, then opened. Anonymised rows are left out."""
	people: dict[str, dict] = {}
	for row in rows:
		if row.rtbf:
			continue
		person = people.setdefault(
			row.email,
			{"email": row.email, "opened": 0, "clicked": 0, "clicks": 0, "last_engagement": None},
		)
		for fieldname in ("contact", "full_name", "company_name"):
			person[fieldname] = person.get(fieldname) or row[fieldname]
		if row.action_type == "Clicked":
			person["clicked"] += 1
			person["clicks"] += row.click_count or 1
		else:
			person["opened"] += 1
		moments = [each for each in (person["last_engagement"], row.action_date or row.sent_time) if each]
		person["last_engagement"] = max(moments, default=None)
	found = [person for person in people.values() if person["clicked"] or not only_clicked]
	return sorted(found, key=lambda p: (-p["clicked"], -p["opened"], -p["clicks"], p["email"]))


def get_report_summary(data: list[dict]) -> list[dict]:
	"""Return how many people opened or clicked, how many are Contacts, and how many clicked."""
	if not data:
		return []
	return [
		number(_("People"), len(data)),
		number(_("Already Contacts"), sum(bool(row["contact"]) for row in data)),
		number(_("People Who Clicked"), sum(bool(row["clicked"]) for row in data)),
	]
