"""The reports about recipients: exact rows, permissions, and a constant number of queries."""

from __future__ import annotations

import json

import pytest

import frappe

from erpnext_zoho_integration.erpnext_zoho_integration.report import recipient_queries
from erpnext_zoho_integration.erpnext_zoho_integration.report.bounces_and_opt_outs import bounces_and_opt_outs
from erpnext_zoho_integration.erpnext_zoho_integration.report.engaged_contacts import engaged_contacts
from erpnext_zoho_integration.erpnext_zoho_integration.report.engagement_by_country import (
	engagement_by_country,
)
from erpnext_zoho_integration.erpnext_zoho_integration.report.link_performance import link_performance
from tests.site.desk.test_desk import make_campaign, make_recipient

REPORTS = {
	"Link Performance": link_performance,
	"Engagement by Country": engagement_by_country,
	"Engaged Contacts": engaged_contacts,
	"Bounces and Opt-outs": bounces_and_opt_outs,
}


def clicks(**links: int | None) -> str:
	return json.dumps([{"url": f"https://x.test/{path}", "count": count} for path, count in links.items()])


@pytest.fixture
def two_campaigns() -> tuple[str, str]:
	spring, summer = make_campaign("Spring").name, make_campaign("Summer").name
	frappe.db.set_value("Campaign", summer, "zoho_sent_time", "2026-06-01 10:00:00")
	for email, country in (("a@x.test", "India"), ("b@x.test", "India"), ("c@x.test", None)):
		make_recipient(spring, email, "Sent", country=country)
	make_recipient(spring, "a@x.test", "Opened", country="India", action_date="2026-03-02 08:00:00")
	make_recipient(
		spring,
		"a@x.test",
		"Clicked",
		country="India",
		action_date="2026-03-02 09:00:00",
		click_count=3,
		url_clicks=clicks(shop=2, news=None),
	)
	make_recipient(spring, "b@x.test", "Clicked", country="India", url_clicks=clicks(shop=1))
	make_recipient(spring, "c@x.test", "Soft Bounced", sent_time="2026-03-01 10:00:00")
	make_recipient(summer, "c@x.test", "Soft Bounced", sent_time="2026-06-01 10:00:00")
	make_recipient(summer, "a@x.test", "Unsubscribed", action_date="2026-06-03 10:00:00")
	make_recipient(summer, "gone", "Opened", rtbf=1)
	return spring, summer


def rows(module, *fields: str, **filters: object) -> list[tuple]:
	return [tuple(row[field] for field in fields) for row in module.execute(filters)[1]]


def test_link_performance_counts_people_and_the_clicks_that_zoho_counts(two_campaigns):
	assert rows(link_performance, "link", "people", "share", "clicks") == [
		("https://x.test/shop", 2, 100.0, 3),
		("https://x.test/news", 1, 50.0, None),
	]
	_columns, _data, _message, chart, summary = link_performance.execute({})
	assert chart["data"]["datasets"][0]["values"] == [2, 1]
	assert [item["value"] for item in summary] == [2, 2, 3]


def test_engagement_by_country_takes_rates_of_what_was_delivered(two_campaigns):
	spring, _summer = two_campaigns
	assert rows(
		engagement_by_country,
		"country",
		"sent",
		"opened",
		"open_rate",
		"clicked",
		"click_rate",
		"bounced",
		campaign=spring,
	) == [("India", 2, 1, 50.0, 2, 100.0, 0), ("Unknown", 1, 0, None, 0, None, 1)]


def test_engaged_contacts_are_counted_once_each_without_erased_people(two_campaigns):
	found = rows(engaged_contacts, "email", "opened", "clicked", "clicks")
	assert found == [("a@x.test", 1, 1, 3), ("b@x.test", 0, 1, 1)]
	last = engaged_contacts.execute({})[1][0]["last_engagement"]
	assert str(last) == "2026-03-02 09:00:00"


def test_engaged_contacts_can_leave_out_those_who_only_opened(two_campaigns):
	spring, _summer = two_campaigns
	make_recipient(spring, "d@x.test", "Opened")
	assert len(rows(engaged_contacts, "email")) == 3
	assert len(rows(engaged_contacts, "email", only_clicked=1)) == 2


def test_bounces_and_opt_outs_name_the_last_campaign_and_whether_the_contact_is_opted_out(two_campaigns):
	_spring, summer = two_campaigns
	frappe.get_doc(
		{
			"doctype": "Contact",
			"first_name": "Ann",
			"unsubscribed": 1,
			"email_ids": [{"email_id": "a@x.test", "is_primary": 1}],
		}
	).insert()
	assert rows(bounces_and_opt_outs, "email", "action_type", "times", "campaign", "unsubscribed") == [
		("a@x.test", "Unsubscribed", 1, summer, 1),
		("c@x.test", "Soft Bounced", 2, summer, 0),
	]
	assert rows(bounces_and_opt_outs, "email", action_type="Unsubscribed") == [("a@x.test",)]
	with pytest.raises(frappe.ValidationError):
		bounces_and_opt_outs.execute({"action_type": "Sent"})


def test_the_period_is_that_of_sending_with_both_days_included(two_campaigns):
	assert rows(bounces_and_opt_outs, "times", from_date="2026-03-01", to_date="2026-03-01") == [(1,)]
	assert rows(bounces_and_opt_outs, "times", from_date="2026-03-02", to_date="2026-05-31") == []


@pytest.mark.parametrize("report", REPORTS)
def test_an_empty_report_is_empty_and_a_period_that_ends_before_it_begins_is_refused(report):
	module = REPORTS[report]
	columns, data, _message, chart, summary = module.execute({})
	assert columns and (data, chart, summary) == ([], None, [])
	with pytest.raises(frappe.ValidationError):
		module.execute({"from_date": "2026-02-01", "to_date": "2026-01-01"})


@pytest.mark.parametrize("report", REPORTS)
def test_more_campaigns_cost_no_more_queries(report, two_campaigns, count_queries):
	module = REPORTS[report]
	module.execute({})
	few = count_queries(lambda: module.execute({}))
	for number in range(5):
		campaign = make_campaign(f"More {number}").name
		make_recipient(campaign, "z@x.test", "Clicked", url_clicks=clicks(shop=1))
		make_recipient(campaign, "z@x.test", "Hard Bounced")
	assert count_queries(lambda: module.execute({})) == few


@pytest.fixture
def count_queries(monkeypatch):
	"""`count_queries(function)` returns how many statements a call sends."""

	def count(function) -> int:
		sent = []
		plain = frappe.db.sql
		with monkeypatch.context() as patched:
			patched.setattr(
				frappe.local.db, "sql", lambda *args, **kwargs: sent.append(args) or plain(*args, **kwargs)
			)
			function()
		return len(sent)

	return count


@pytest.mark.parametrize("report", REPORTS)
def test_reports_open_for_sales_and_show_only_permitted_campaigns(report, two_campaigns, web, make_user):
	spring, summer = two_campaigns
	make_recipient(summer, "z@x.test", "Clicked", country="Kenya", url_clicks=clicks(shop=1))
	make_recipient(summer, "z@x.test", "Hard Bounced", country="Kenya")
	user = make_user("Sales User")
	frappe.get_doc(
		{"doctype": "User Permission", "user": user, "allow": "Campaign", "for_value": spring}
	).insert()
	frappe.db.commit()

	def run(session):
		return session.get(
			"/api/method/frappe.desk.query_report.run",
			params={"report_name": report, "filters": json.dumps({"from_date": "2026-01-01"})},
		)

	answer = run(web.session(user))
	assert answer.status_code == 200
	shown = json.dumps([row for row in answer.json()["message"]["result"] if isinstance(row, dict)])
	assert "z@x.test" not in shown and "Kenya" not in shown and summer not in shown
	assert shown != "[]"
	assert run(web.session(make_user())).status_code == 403


@pytest.mark.parametrize(("largest", "shortened"), [(4, 0), (400, 0), (9_999, 0), (12_000, 1)])
def test_an_axis_of_counts_is_shortened_only_where_it_is_wide(largest, shortened):
	chart = recipient_queries.bars(["a", "b"], {"Opened": [largest, 1], "Clicked": [1, 0]})
	assert chart["axisOptions"]["shortenYAxisNumbers"] == shortened
