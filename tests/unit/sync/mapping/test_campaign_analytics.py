"""Zoho's report as rows of Campaign Analytics."""

from __future__ import annotations

import pytest

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.sync.mapping.campaign_analytics import (
	analytics_rows,
	opens_by_country,
	percentage,
)

# The numbers of the original description's example.
EXAMPLE = {
	"emails_sent_count": "5000",
	"delivered_count": "4950",
	"delivered_percent": "99.0",
	"opens_count": "1200",
	"open_percent": "24.2",
	"unique_clicks_count": "450",
	"unique_clicked_percent": "9.1",
	"bounces_count": "50",
	"bounce_percent": "1.0",
}


def report(places: object = None, reach: dict | None = None, **figures: str) -> zoho.Report:
	answer = {"campaign-reports": [figures] if figures else []}
	if places is not None:
		answer["campaign-by-loaction"] = places
	if reach:
		answer["campaign-reach"] = [reach]
	return zoho.Report.from_zoho(answer)


def table(*reports: zoho.Report) -> list[tuple]:
	return [(row["metric"], row["value"], row["percentage"]) for row in analytics_rows(reports)]


def test_the_rows_of_the_example() -> None:
	assert table(report(**EXAMPLE)) == [
		("Emails Sent", "5000", None),
		("Delivered", "4950", 99.0),
		("Opens", "1200", 24.2),
		("Open Rate %", None, 24.2),
		("Unique Clicks", "450", 9.1),
		("Click Rate %", None, 9.1),
		("Bounces", "50", 1.0),
		("Bounce Rate %", None, 1.0),
	]


def test_every_metric_of_zoho_has_a_row() -> None:
	everything = dict.fromkeys(zoho.METRICS, "7")
	rows = table(report(**everything))
	assert len({metric for metric, _value, _percentage in rows}) == len(rows)
	for name in zoho.METRICS:
		numbered = {**dict.fromkeys(zoho.METRICS, "7"), name: "8"}
		assert table(report(**numbered)) != rows, f"{name} is not shown"


def test_zero_is_a_figure_and_nothing_is_none() -> None:
	assert table(report(emails_sent_count="0", opens_count="null", open_percent="")) == [
		("Emails Sent", "0", None)
	]


def test_a_report_without_figures_gives_no_rows() -> None:
	assert table(report()) == []
	assert table() == []


def test_an_unreadable_figure_costs_only_itself() -> None:
	assert ("Delivered", "9", None) in table(report(delivered_count="9", delivered_percent="many"))


def test_reach_is_told_by_network() -> None:
	rows = table(
		report(emails_sent_count="1", reach={"total": "9", "emails": "7", "facebook": "2", "gplus": "0"})
	)
	assert rows[1:] == [
		("Reach", "9", None),
		("Reach by Email", "7", None),
		("Reach on Facebook", "2", None),
		("Reach on Google+", "0", None),
	]


def test_the_reports_of_an_a_b_campaign_are_added_and_rates_computed_anew() -> None:
	winner = report(
		emails_sent_count="100", delivered_count="90", delivered_percent="90.0", opens_count="45",
		open_percent="50.0", unique_clicks_count="9", unique_clicked_percent="10.0", clicksperopenrate="20.0",
		bounces_count="10", bounce_percent="10.0",
	)  # fmt: skip
	test_mail = report(
		emails_sent_count="10", delivered_count="10", delivered_percent="100.0", opens_count="1",
		open_percent="10.0", unique_clicks_count="1", unique_clicked_percent="10.0", clicksperopenrate="100.0",
		bounces_count="0", bounce_percent="0.0",
	)  # fmt: skip
	assert table(winner, test_mail, report()) == [
		("Emails Sent", "110", None),
		("Delivered", "100", 90.9),
		("Opens", "46", 46.0),
		("Open Rate %", None, 46.0),
		("Unique Clicks", "10", 10.0),
		("Click Rate %", None, 10.0),
		("Clicks per Open %", None, 21.7),
		("Bounces", "10", 9.1),
		("Bounce Rate %", None, 9.1),
	]


def test_one_report_with_figures_keeps_zohos_own_percentages() -> None:
	assert ("Opens", "1", 33.4) in table(
		report(), report(opens_count="1", open_percent="33.4", delivered_count="3")
	)


@pytest.mark.parametrize(
	("places", "opens"),
	[
		({"India": 12, "Germany": "3"}, {"India": 12, "Germany": 3}),
		("{in=2, de=5}", {"de": 5, "in": 2}),
		("", {}),
		(None, {}),
		([{"India": 4}], {"India": 4}),
	],
)
def test_opens_by_country_in_every_shape_most_first(places: object, opens: dict) -> None:
	found = opens_by_country([report(places=places, opens_count="1")])
	assert found == opens
	assert list(found.values()) == sorted(opens.values(), reverse=True)


def test_opens_by_country_add_up() -> None:
	reports = [report(places={"India": 1, "Peru": 5}), report(places={"India": 9})]
	assert list(opens_by_country(reports).items()) == [("India", 10), ("Peru", 5)]


@pytest.mark.parametrize(
	("part", "whole", "expected"),
	[(1, 3, 33.3), (0, 5, 0.0), (5, 0, None), (None, 5, None), (5, None, None), (2, 2, 100.0)],
)
def test_percentages(part: float | None, whole: float | None, expected: float | None) -> None:
	assert percentage(part, whole) == expected
