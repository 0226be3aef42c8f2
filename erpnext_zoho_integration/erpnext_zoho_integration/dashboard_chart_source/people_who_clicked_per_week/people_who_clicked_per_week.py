"""People Who Clicked per Week: a chart of the workspace, from the stored recipients of the last 13 weeks."""

from collections import Counter
from datetime import date, timedelta

import frappe
from frappe import _
from frappe.query_builder import CustomFunction, DocType
from frappe.query_builder.functions import Count
from frappe.utils import format_date, get_first_day_of_week, getdate, nowdate

from erpnext_zoho_integration.erpnext_zoho_integration.report.recipient_queries import campaign_names
from erpnext_zoho_integration.store.doctypes import RECIPIENT

# With this many bars the labels of a narrow chart do not overlap: see CHART_SIZES of Campaign Performance.
WEEKS = 13


@frappe.whitelist(methods=["GET", "POST"])
def get(
	chart_name: str | None = None,
	filters: dict | list | str | None = None,
	refresh: bool | int | str | None = None,
	time_interval: str | None = None,
	timespan: str | None = None,
	from_date: str | None = None,
	to_date: str | None = None,
	heatmap_year: str | int | None = None,
) -> dict:
	"""Return how many people clicked in each of the last thirteen weeks, in the campaigns that the user may read.

	A person who clicked in two campaigns counts twice. Frappe passes the arguments; none is used.

	Returns:
		`labels` (the first day of each week, in the site's zone) and `datasets`, as Frappe's charts take them; an empty
		dict if nobody clicked, for which Frappe shows "No Data".
	"""
	frappe.has_permission(RECIPIENT, "read", throw=True)
	last = get_first_day_of_week(getdate(nowdate()))
	weeks = [last - timedelta(weeks=back) for back in reversed(range(WEEKS))]
	people: Counter = Counter()
	for day, clicked in count_by_day(list(campaign_names(frappe._dict())), weeks[0]):
		people[get_first_day_of_week(getdate(day))] += clicked
	if not people:
		return {}
	return {
		"labels": [format_date(week, "d MMM") for week in weeks],
		"datasets": [{"name": _("People"), "values": [people[week] for week in weeks]}],
	}


def count_by_day(campaigns: list[str], since: date) -> list[tuple]:
	"""Return (day, people who clicked) since a day, in one query."""
	if not campaigns:
		return []
	recipient = DocType(RECIPIENT)
	day = CustomFunction("DATE", ["moment"])(recipient.action_date)
	return (
		frappe.qb.from_(recipient)
		.select(day, Count(recipient.name))
		.where(
			recipient.campaign.isin(campaigns)
			& (recipient.action_type == "Clicked")
			& (recipient.action_date >= since)
		)
		.groupby(day)
	).run()
