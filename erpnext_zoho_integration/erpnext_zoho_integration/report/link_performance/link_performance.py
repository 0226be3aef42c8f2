"""Link Performance: how many people clicked each link of each campaign, and how often."""

import json
from urllib.parse import urlsplit

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
from erpnext_zoho_integration.sync.mapping.campaign_analytics import percentage

CHART_LINKS = 10


def execute(filters: dict | None = None) -> tuple:
	"""Return columns, rows, message, chart and summary; two queries for any number of campaigns.

	Args:
		filters: see `recipient_queries.read_filters`.
	"""
	campaigns = campaign_names(read_filters(filters))
	clickers = read_recipients(campaigns, ("Clicked",), ["campaign", "url_clicks"])
	data = get_data(campaigns, clickers)
	return get_columns(), data, None, get_chart(data), get_report_summary(data, len(clickers))


def get_columns() -> list[dict]:
	"""Return the columns: link, campaign, people and clicks."""
	return [
		column("link", _("Link"), "Data", 380),
		column("campaign", _("Campaign"), "Link", 220, options="Campaign"),
		column("campaign_name", _("Name in Zoho"), "Data", 180),
		column("people", _("People"), "Int", 90),
		column("share", _("Share of Clickers"), "Percent", 220),
		column("clicks", _("Clicks"), "Int", 90),
	]


def get_data(campaigns: dict[str, str], clickers: list[frappe._dict]) -> list[dict]:
	"""Return a row per campaign and link, the most clicked first.

	`clicks` is empty if Zoho does not say how often a link was clicked.
	"""
	rows: dict[tuple[str, str], dict] = {}
	total: dict[str, int] = {}
	for clicker in clickers:
		total[clicker.campaign] = total.get(clicker.campaign, 0) + 1
		for link in json.loads(clicker.url_clicks or "[]"):
			row = rows.setdefault(
				(clicker.campaign, link["url"]),
				{
					"campaign": clicker.campaign,
					"campaign_name": campaigns[clicker.campaign],
					"link": link["url"],
					"people": 0,
					"clicks": None,
				},
			)
			row["people"] += 1
			if link.get("count"):
				row["clicks"] = (row["clicks"] or 0) + link["count"]
	for row in rows.values():
		row["share"] = percentage(row["people"], total[row["campaign"]])
	return sorted(rows.values(), key=lambda row: (-row["people"], row["campaign"], row["link"]))


def get_chart(data: list[dict]) -> dict | None:
	"""Return how many people clicked the top links, over all campaigns."""
	people: dict[str, int] = {}
	for row in data:
		people[row["link"]] = people.get(row["link"], 0) + row["people"]
	if not people:
		return None
	best = sorted(people, key=lambda link: (-people[link], link))[:CHART_LINKS]
	return bars(short_labels(best), {_("People"): [people[link] for link in best]})


def short_labels(links: list[str]) -> list[str]:
	"""Return short labels for an axis: links without their scheme, and without the host if all share it."""
	if len({urlsplit(link).netloc for link in links}) != 1:
		return [link.partition("://")[2] or link for link in links]
	return [link.partition("://")[2].partition("/")[2] or link for link in links]


def get_report_summary(data: list[dict], clickers: int) -> list[dict]:
	"""Return how many links and clicks there are."""
	if not data:
		return []
	return [
		number(_("Links"), len({row["link"] for row in data})),
		number(_("Recipients Who Clicked"), clickers),
		number(_("Total Clicks"), sum(row["clicks"] or 0 for row in data)),
	]
