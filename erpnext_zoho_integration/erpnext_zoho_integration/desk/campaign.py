"""The dashboard on the form of a Campaign: its figures, how they compare, links, countries, and the last data check."""

import json

import frappe
from frappe import _
from frappe.utils import cint

from erpnext_zoho_integration.connection.zoho_rate_limit import DEFAULT_CALLS, WINDOW_SECONDS
from erpnext_zoho_integration.erpnext_zoho_integration.desk.sync_progress import active_run
from erpnext_zoho_integration.erpnext_zoho_integration.report.campaign_figures import (
	ACTIONS,
	COUNTS,
	add_rates,
	card_labels,
	counts_of,
	get_rows,
	get_total,
)
from erpnext_zoho_integration.erpnext_zoho_integration.roles_and_rate_limits import require_campaign
from erpnext_zoho_integration.store.doctypes import CAMPAIGN_STATE, RECIPIENT, SETTINGS
from erpnext_zoho_integration.store.fields import ACTION_TYPE, ZOHO_CAMPAIGN_KEY
from erpnext_zoho_integration.sync.campaigns.top_links_and_daily_figures import engagement
from erpnext_zoho_integration.sync.fetch.zoho_session import LARGEST_PAGE
from erpnext_zoho_integration.sync.planning.forecast import LARGE_CALLS, minutes

TOP_COUNTRIES = 5
# Card → the rate shown on it.
_RATES = {
	"delivered": "delivery_rate",
	"opens": "open_rate",
	"clicks": "click_rate",
	"bounces": "bounce_rate",
	"unsubscribes": "unsubscribe_rate",
	"complaints": "complaint_rate",
}


def onload(campaign, method: str | None = None) -> None:
	"""Send a synced campaign's figures with its document, which saves the form a request. A document event.

	Frappe has checked that the user may read the Campaign.
	"""
	if not campaign.get(ZOHO_CAMPAIGN_KEY) or campaign.is_new():
		return
	shown = cards(campaign)
	campaign.set_onload(
		"zoho",
		{
			"cards": shown,
			"forecast": forecast({card["key"]: card["value"] for card in shown}),
			"reconciliation": reconciliation(campaign.zoho_campaign_key),
			"active_run": active_run(campaign.name),
		},
	)


@frappe.whitelist(methods=["GET"])
def get_insights(campaign: str) -> dict:
	"""Return what the form shows below the cards; it asks once it is drawn.

	Args:
		campaign: name of the Campaign; the user must be allowed to read it. Users who may not read Campaign
			Recipient get no `links` and no `over_time`.

	Returns:
		`averages` (per cent, by card, over the campaigns that the user may read), `over_time` (`labels`, `opened`,
		`clicked`: first opens and first clicks by day), `links` (`url`, `people`, `clicks`), `countries` (`country`,
		`opens`).
	"""
	require_campaign(campaign, "read")
	may_read = frappe.has_permission(RECIPIENT, "read")
	nothing = {"over_time": None, "links": []}
	return {
		**(stored_engagement(campaign) if may_read else nothing),
		"averages": averages(),
		"countries": countries(campaign),
	}


def cards(campaign) -> list[dict]:
	"""Return the cards at the top of the form, from the counters that Zoho gave last.

	Returns:
		Per card `key`, `label`, `value`, `rate` (per cent, or None) and `filters` for the list of Campaign
		Recipient, which lists the people whom the card counts.
	"""
	metrics = {row.metric: row.value for row in campaign.campaign_analytics}
	if COUNTS["sent"] not in metrics:
		return []
	figures: dict = counts_of(metrics)
	add_rates(figures)
	return [
		{
			"key": key,
			"label": label,
			"value": figures[key],
			"rate": figures[_RATES[key]] if key in _RATES else None,
			"filters": filters_of(campaign.name, key),
		}
		for key, label in card_labels().items()
	]


def filters_of(campaign: str, card: str) -> dict:
	"""Return filters of the list of Campaign Recipient for the people whom a card counts."""
	actions = ACTIONS[card]
	chosen = ["=", actions[0]] if len(actions) == 1 else ["in", list(actions)]
	filters = {"campaign": ["=", campaign], ACTION_TYPE: chosen}
	return {**filters, "bounced": ["=", 0]} if card == "delivered" else filters


def forecast(counts: dict[str, int]) -> dict | None:
	"""Estimate what it costs to read all lists of a campaign again, from Zoho's last counters.

	Args:
		counts: the values of the cards.

	Returns:
		`calls`, `rows` and `minutes` at the pace of the settings; None if the sync is too small to ask about.
	"""
	rows = sum(value for key, value in counts.items() if key != "delivered")
	settings = frappe.get_cached_doc(SETTINGS)
	calls = -(-rows // (cint(settings.page_size) or LARGEST_PAGE))
	if calls < LARGE_CALLS:
		return None
	windows = (calls - 1) // (cint(settings.calls_per_window) or DEFAULT_CALLS)
	return {"calls": calls, "rows": rows, "minutes": minutes(rows, windows * WINDOW_SECONDS)}


def reconciliation(campaign_key: str) -> dict | None:
	"""Return the last comparison of the stored recipients with Zoho's counters: `verdict` and `verdict_reason`."""
	return frappe.db.get_value(
		CAMPAIGN_STATE,
		{ZOHO_CAMPAIGN_KEY: campaign_key},
		["verdict", "verdict_reason"],
		as_dict=True,
	)


def averages() -> dict[str, float]:
	"""Return the rates over all campaigns that the user may read, by card; empty with fewer than two campaigns."""
	rows = [row for row in get_rows(frappe._dict()) if row.sent]
	if len(rows) < 2:
		return {}
	total = get_total(rows)
	return {card: total[rate] for card, rate in _RATES.items()}


def stored_engagement(campaign: str) -> dict:
	"""Return `over_time` and `links` as the last sync stored them; computed now if it stored none."""
	stored = frappe.db.get_value(CAMPAIGN_STATE, {"campaign": campaign}, "engagement")
	return json.loads(stored) if stored else engagement(campaign)


def countries(campaign: str, limit: int = TOP_COUNTRIES) -> list[dict]:
	"""Return the countries with most opens and the sum of the others; Zoho counts every opening, not people."""
	stored = json.loads(frappe.db.get_value("Campaign", campaign, "zoho_opens_by_country") or "{}")
	best = sorted(stored.items(), key=lambda item: (-item[1], item[0]))
	shown = [{"country": country, "opens": int(opens)} for country, opens in best[:limit]]
	rest = int(sum(opens for _country, opens in best[limit:]))
	return [*shown, {"country": _("Others"), "opens": rest}] if rest else shown
