"""Campaign Performance: exact rows, rates, chart, summary, filters, permissions, and few queries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

import frappe
from frappe.desk.query_report import run

from erpnext_zoho_integration.erpnext_zoho_integration.report.campaign_performance.campaign_performance import (
	execute,
)
from tests.site.syncing import connect, statements, sync_all

REPORT = "Campaign Performance"
FIGURES = {
	"Emails Sent": "1000",
	"Delivered": "990",
	"Opens": "300",
	"Open Rate %": None,
	"Unique Clicks": "45",
	"Bounces": "10",
	"Unsubscribes": "3",
	"Complaints": "1",
}


def add_campaign(name: str, sent: str | None = "2026-07-02 12:24:09", status: str = "Sent", **figures: str):
	"""Insert a Campaign as a sync would; figures by metric, with underscores for blanks."""
	campaign = frappe.get_doc({"doctype": "Campaign", "campaign_name": name})
	campaign.update(
		{
			"zoho_campaign_key": f"3z{frappe.generate_hash(length=20)}",
			"zoho_sent_time": sent,
			"zoho_campaign_status": status,
		}
	)
	for metric, value in figures.items():
		campaign.append("campaign_analytics", {"metric": metric.replace("_", " "), "value": value})
	return campaign.insert()


def report(**filters: object) -> tuple:
	columns, data, _message, chart, summary = execute(filters)
	return columns, data, chart, summary


def test_a_period_is_compared_with_the_one_before_it(site) -> None:
	add_campaign("May", "2026-05-31 23:59:59", Emails_Sent="9999", Delivered="9999")
	add_campaign(
		"Early June", "2026-06-01 00:00:00", Emails_Sent="100", Delivered="100", Opens="20", Bounces="0"
	)
	add_campaign("July", "2026-07-01 00:00:00", Emails_Sent="110", Delivered="100", Opens="30", Bounces="10")
	period = {"from_date": "2026-07-01", "to_date": "2026-07-30", "compare": 1}
	_columns, data, message, _chart, summary = execute(period)
	assert [row["campaign"] for row in data] == ["July"]
	colors = {each["label"]: each["indicator"] for each in summary}
	assert (colors["Open Rate"], colors["Bounce Rate"], colors["Sent"]) == ("Green", "Red", None)
	assert colors["Complaints"] is None
	assert "2026" in message and "+10.0 points" in message and "+10.0 %" in message
	assert "9,999" not in message

	assert execute({**period, "compare": 0})[2] is None
	assert execute({"from_date": "2026-07-01", "compare": 1})[2] is None
	nothing_before = execute({"from_date": "2026-05-31", "to_date": "2026-06-30", "compare": 1})
	assert "There is nothing to compare with: no campaign was sent then." in nothing_before[2]
	assert {each["indicator"] for each in nothing_before[4]} == {None}


def named(**filters: object) -> list[str]:
	return [row["campaign"] for row in report(**filters)[1]]


def test_a_row_with_exact_figures_and_rates(site) -> None:
	campaign = frappe.get_doc({"doctype": "Campaign", "campaign_name": "July"})
	campaign.update({"zoho_campaign_key": "3zjuly", "zoho_sent_time": "2026-07-02 12:24:09"})
	campaign.zoho_campaign_status = "Sent"
	for metric, value in FIGURES.items():
		campaign.append("campaign_analytics", {"metric": metric, "value": value, "percentage": 77})
	campaign.insert()
	columns, (row,), _chart, _summary = report()
	expected = {
		"campaign": "July",
		"campaign_name": "July",
		"sent_time": datetime(2026, 7, 2, 12, 24, 9),
		"status": "Sent",
		"sent": 1000,
		"delivered": 990,
		"delivery_rate": 99.0,
		"opens": 300,
		"open_rate": 30.3,
		"clicks": 45,
		"click_rate": 4.5,
		"bounces": 10,
		"bounce_rate": 1.0,
		"unsubscribes": 3,
		"unsubscribe_rate": 0.3,
		"complaints": 1,
		"complaint_rate": 0.1,
	}
	assert dict(row) == expected
	assert [column["fieldname"] for column in columns] == list(expected)
	kinds = {column["fieldname"]: column["fieldtype"] for column in columns}
	assert kinds["open_rate"] == "Percent" and kinds["opens"] == "Int" and kinds["sent_time"] == "Datetime"


def test_nothing_sent_is_nothing_divided(site) -> None:
	add_campaign("Without figures")
	add_campaign("With zeros", Emails_Sent="0", Delivered="0", Opens="0")
	for row in report()[1]:
		figures = {key: value for key, value in row.items() if isinstance(value, int | float)}
		assert len(figures) == 13 and set(figures.values()) == {0}


def test_the_newest_comes_first_and_hand_made_campaigns_do_not(site) -> None:
	frappe.get_doc({"doctype": "Campaign", "campaign_name": "By hand"}).insert()
	add_campaign("Older", "2026-01-01 08:00:00")
	add_campaign("Newest", "2026-09-01 08:00:00")
	add_campaign("Between", "2026-05-01 08:00:00")
	assert named() == ["Newest", "Between", "Older"]


def test_filters(site) -> None:
	add_campaign("First", "2026-03-01 00:00:00")
	add_campaign("Last", "2026-03-31 23:59:59")
	add_campaign("After", "2026-04-01 00:00:00", status="Stopped")
	add_campaign("Unknown", None)
	assert named(from_date="2026-03-01", to_date="2026-03-31") == ["Last", "First"]
	assert named(from_date="2026-03-02") == ["After", "Last"]
	assert named(to_date="2026-03-01") == ["First"]
	assert named(campaign="Last") == ["Last"]
	assert named(status="Stopped") == ["After"]
	assert named(status="Sent", campaign="After") == []
	assert set(named()) == {"First", "Last", "After", "Unknown"}
	assert report(status="Nobody")[1:] == ([], None, [])


def test_a_period_that_ends_before_it_begins_is_refused(site) -> None:
	with pytest.raises(frappe.ValidationError, match="From Date"):
		report(from_date="2026-04-02", to_date="2026-04-01")
	assert report(from_date="2026-04-01", to_date="2026-04-01")[1] == []


def test_the_summary_adds_up_and_takes_rates_of_the_sums(site) -> None:
	add_campaign("Large", Emails_Sent="1000", Delivered="900", Opens="450", Unique_Clicks="90", Bounces="100")
	add_campaign("Small", Emails_Sent="100", Delivered="100", Opens="1", Unsubscribes="5", Complaints="2")
	_columns, _data, _chart, summary = report()
	assert {each["label"]: each["value"] for each in summary} == {
		"Campaigns": 2,
		"Sent": 1100,
		"Delivery Rate": 90.9,
		"Open Rate": 45.1,  # not the average of 50 and 1
		"Click Rate": 9.0,
		"Bounce Rate": 9.1,
		"Unsubscribes": 5,
		"Complaints": 2,
	}


def test_the_chart_shows_the_newest_in_the_order_of_time(site) -> None:
	for month in range(1, 10):
		add_campaign(
			f"Month {month}", f"2026-0{month}-01 08:00:00", Emails_Sent="10", Delivered="10", Opens=str(month)
		)
	add_campaign("Unsent", "2026-10-01 08:00:00")
	_columns, data, chart, _summary = report()
	assert len(data) == 10
	months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep")
	assert chart["data"]["labels"] == [f"1 {month}" for month in months]
	rates = {each["name"]: each["values"] for each in chart["data"]["datasets"]}
	assert rates["Open Rate"] == [10.0 * month for month in range(1, 10)]
	assert rates["Click Rate"] == [0.0] * 9


def test_the_chart_has_as_many_bars_as_keep_its_labels_apart(site) -> None:
	bars = []
	for number in range(14):
		add_campaign(
			f"Number {number}", f"2026-07-{number + 1:02} 08:00:00", Emails_Sent="10", Delivered="10"
		)
		labels = report()[2]["data"]["labels"]
		assert labels[-1] == f"{number + 1} Jul"
		bars.append(len(labels))
	assert bars == [1, 2, 3, 4, 5, 5, 7, 7, 9, 9, 9, 9, 13, 13]


def test_many_campaigns_are_no_more_queries_than_few(site) -> None:
	figures = {"Emails_Sent": "10", "Delivered": "10", "Opens": "5"}
	counted = []
	report()  # whose DocTypes come into their caches
	for number in range(30):
		add_campaign(f"Number {number}", **figures)
		if number in (2, 29):
			with statements() as sent:
				_columns, data, _chart, _summary = report()
			assert len(data) == number + 1
			counted.append(len(sent))
	assert counted[0] == counted[1] <= 4


def test_the_report_equals_zoho(start_simulator: Callable) -> None:
	zoho = connect(start_simulator(seed=1, campaigns=3, recipients=120))
	sync_all()
	rows = {row["campaign_name"]: row for row in report()[1]}
	truths = zoho.expected()["campaigns"]
	assert len(rows) == len({each["campaign_name"] for each in truths}) == 3
	for each in truths:
		row, reports = rows[each["campaign_name"]], each["reports"].values()
		for column, counter in (
			("sent", "emails_sent_count"),
			("delivered", "delivered_count"),
			("opens", "opens_count"),
			("clicks", "unique_clicks_count"),
			("bounces", "bounces_count"),
			("unsubscribes", "unsub_count"),
			("complaints", "complaints_count"),
		):
			assert row[column] == sum(int(counts[counter]) for counts in reports), (
				each["campaign_name"],
				column,
			)
		if each["type"] == "normal":
			(counts,) = reports
			assert row["open_rate"] == float(counts["open_percent"])
			assert row["click_rate"] == float(counts["unique_clicked_percent"])


# Who may see it


@pytest.mark.parametrize("role", ["System Manager", "Sales Manager", "Sales Master Manager", "Sales User"])
def test_it_opens_for_these_roles(site, make_user: Callable, role: str) -> None:
	add_campaign("July", Emails_Sent="10")
	frappe.set_user(make_user(role))
	answer = run(REPORT, filters={})
	assert [row["campaign"] for row in answer["result"]] == ["July"]
	assert answer["report_summary"] and answer["chart"]


def test_it_stays_closed_for_others(site, make_user: Callable) -> None:
	add_campaign("July")
	for user in (make_user(), "Guest"):
		frappe.set_user(user)
		with pytest.raises(frappe.PermissionError):
			run(REPORT, filters={})


@pytest.mark.parametrize("role", ["Sales User", "Sales Manager", "System Manager"])
def test_user_permissions_on_campaigns_are_obeyed(site, make_user: Callable, role: str) -> None:
	for name in ("Theirs", "Not theirs"):
		add_campaign(name, Emails_Sent="10", Delivered="10", Opens="5")
	user = make_user(role)
	frappe.get_doc(
		{"doctype": "User Permission", "user": user, "allow": "Campaign", "for_value": "Theirs"}
	).insert()
	frappe.set_user(user)
	_columns, data, chart, summary = report()
	assert [row["campaign"] for row in data] == ["Theirs"]
	assert summary[0]["value"] == 1 and len(chart["data"]["labels"]) == 1
	assert named(campaign="Not theirs") == []


def test_it_is_a_report_of_ours_on_recipients(site) -> None:
	document = frappe.get_doc("Report", REPORT)
	assert (document.report_type, document.ref_doctype, document.is_standard) == (
		"Script Report",
		"Campaign Recipient",
		"Yes",
	)
	assert {row.role for row in document.roles} == {
		"System Manager",
		"Sales Manager",
		"Sales Master Manager",
		"Sales User",
	}
