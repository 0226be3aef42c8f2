"""What stands below a campaign's figures: how it compares, when people acted, which links, which countries.

The form asks for it after it has been drawn, since it reads rows of recipients.
"""

import json
from collections import Counter

import frappe
from frappe import _
from frappe.query_builder import CustomFunction, DocType
from frappe.query_builder.functions import Count
from frappe.utils import getdate

from erpnext_zoho_integration.erpnext_zoho_integration.api.access import require_campaign
from erpnext_zoho_integration.erpnext_zoho_integration.desk.campaign import RECIPIENT
from erpnext_zoho_integration.erpnext_zoho_integration.report.campaign_performance.campaign_performance import (
	COUNTS,
	RATES,
	add_rates,
	get_data,
)

TOP = 5
MAX_DAYS = 30
# Rate → the card that it is compared on.
_CARDS = {
	"delivery_rate": "delivered",
	"open_rate": "opens",
	"click_rate": "clicks",
	"bounce_rate": "bounces",
	"unsubscribe_rate": "unsubscribes",
	"complaint_rate": "complaints",
}


@frappe.whitelist(methods=["GET"])
def get_insights(campaign: str) -> dict:
	"""Return what the form of a Campaign shows below its figures.

	Args:
		campaign: name of the Campaign; the user must be allowed to read it. Who may not read Campaign Recipient
			gets no `links` and no `over_time`.

	Returns:
		`averages` (per cent, by card, over the campaigns that the user may read), `over_time` (`labels`, `opened`,
		`clicked`: first opens and first clicks by day), `links` (`url`, `people`, `clicks`), `countries` (`country`,
		`opens`).
	"""
	require_campaign(campaign, "read")
	may_read = frappe.has_permission(RECIPIENT, "read")
	return {
		"averages": averages(),
		"over_time": over_time(campaign) if may_read else None,
		"links": top_links(campaign) if may_read else [],
		"countries": countries(campaign),
	}


def averages() -> dict[str, float]:
	"""Return the rates over all campaigns that the user may read, by card; empty with fewer than two campaigns."""
	data = [row for row in get_data(frappe._dict()) if row.sent]
	if len(data) < 2:
		return {}
	total = {fieldname: sum(row[fieldname] for row in data) for fieldname in COUNTS}
	add_rates(total)
	return {_CARDS[rate]: total[rate] for rate in RATES}


def over_time(campaign: str) -> dict | None:
	"""Return how many people opened and clicked for the first time on each day; None where Zoho gives no times."""
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


def top_links(campaign: str, limit: int = TOP) -> list[dict]:
	"""Return the links that most people clicked, and how often where Zoho says so."""
	people: Counter = Counter()
	clicks: Counter = Counter()
	rows = frappe.get_all(
		RECIPIENT,
		{"campaign": campaign, "action_type": "Clicked"},
		pluck="url_clicks",
		limit_page_length=0,
	)
	for row in rows:
		for link in json.loads(row or "[]"):
			people[link["url"]] += 1
			clicks[link["url"]] += link.get("count") or 0
	best = sorted(people, key=lambda url: (-people[url], url))[:limit]
	return [{"url": url, "people": people[url], "clicks": clicks[url] or None} for url in best]


def countries(campaign: str, limit: int = TOP) -> list[dict]:
	"""Return the countries with most opens, as Zoho counts them: opens, not people."""
	stored = json.loads(frappe.db.get_value("Campaign", campaign, "zoho_opens_by_country") or "{}")
	best = sorted(stored.items(), key=lambda item: (-item[1], item[0]))
	shown = [{"country": country, "opens": int(opens)} for country, opens in best[:limit]]
	rest = int(sum(opens for _country, opens in best[limit:]))
	return [*shown, {"country": _("Others"), "opens": rest}] if rest else shown
