"""Computes the activity of a campaign by day and by link from its rows, once, after a sync has read the lists.

A campaign may have a million rows, and its form shows this each time it is opened: the result is stored with the
campaign's state.
"""

import json
from collections import Counter
from collections.abc import Iterator

import frappe
from frappe.query_builder import CustomFunction, DocType
from frappe.query_builder.functions import Count
from frappe.utils import getdate

from erpnext_zoho_integration.store.doctypes import RECIPIENT

TOP_LINKS = 5
MAX_DAYS = 30
_BATCH = 5000


def engagement(campaign: str) -> dict:
	"""Return the activity of a campaign: `over_time` (see `over_time`) and `links` (see `top_links`).

	Args:
		campaign: name of the Campaign.
	"""
	return {"over_time": over_time(campaign), "links": top_links(campaign)}


def over_time(campaign: str) -> dict | None:
	"""Return how many people first opened and first clicked on each of the first 30 days with activity.

	Args:
		campaign: name of the Campaign.

	Returns:
		`labels` (days in the site's zone), `opened` and `clicked`; None if no row has a time.
	"""
	recipient = DocType(RECIPIENT)
	day = CustomFunction("DATE", ["moment"])(recipient.action_date)
	rows = (
		frappe.qb.from_(recipient)
		.select(day, recipient.action_type, Count(recipient.name))
		.where(
			(recipient.campaign == campaign)
			& recipient.action_type.isin(["Opened", "Clicked"])
			& recipient.action_date.isnotnull()
		)
		.groupby(day, recipient.action_type)
		.orderby(day)
	).run()
	if not rows:
		return None
	by_day: dict[str, dict[str, int]] = {}
	for moment, action, people in rows:
		by_day.setdefault(str(getdate(moment)), {})[action] = people
	days = list(by_day)[:MAX_DAYS]
	return {
		"labels": days,
		"opened": [by_day[each].get("Opened", 0) for each in days],
		"clicked": [by_day[each].get("Clicked", 0) for each in days],
	}


def top_links(campaign: str, limit: int = TOP_LINKS) -> list[dict]:
	"""Return the links that most people clicked.

	Args:
		campaign: name of the Campaign.
		limit: maximum number of links.

	Returns:
		`url`, `people` and `clicks` of each; `clicks` is None if Zoho does not count them.
	"""
	people: Counter = Counter()
	clicks: Counter = Counter()
	for text in _clicked_links(campaign):
		for link in json.loads(text or "[]"):
			people[link["url"]] += 1
			clicks[link["url"]] += link.get("count") or 0
	best = sorted(people, key=lambda url: (-people[url], url))[:limit]
	return [{"url": url, "people": people[url], "clicks": clicks[url] or None} for url in best]


def _clicked_links(campaign: str) -> Iterator[str | None]:
	"""Yield `url_clicks` of each *Clicked* row, reading some thousand rows at a time."""
	recipient, last = DocType(RECIPIENT), ""
	while True:
		rows = (
			frappe.qb.from_(recipient)
			.select(recipient.name, recipient.url_clicks)
			.where(
				(recipient.campaign == campaign)
				& (recipient.action_type == "Clicked")
				& (recipient.name > last)
			)
			.orderby(recipient.name)
			.limit(_BATCH)
		).run()
		yield from (text for _name, text in rows)
		if len(rows) < _BATCH:
			return
		last = rows[-1][0]
