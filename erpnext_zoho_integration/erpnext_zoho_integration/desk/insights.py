"""What stands below a campaign's figures: how it compares, when people acted, which links, which countries.

The form asks for it after it has been drawn.
"""

import json

import frappe
from frappe import _

from erpnext_zoho_integration.erpnext_zoho_integration.api.access import require_campaign
from erpnext_zoho_integration.erpnext_zoho_integration.report.campaign_performance.campaign_performance import (
	COUNTS,
	RATES,
	add_rates,
	get_data,
)
from erpnext_zoho_integration.store.doctypes import CAMPAIGN_STATE, RECIPIENT
from erpnext_zoho_integration.sync.campaigns.engagement import engagement

TOP = 5
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
	nothing = {"over_time": None, "links": []}
	return {
		**(stored_engagement(campaign) if may_read else nothing),
		"averages": averages(),
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


def stored_engagement(campaign: str) -> dict:
	"""Return what the last sync worked out, see `sync.engagement`; worked out now where there was none yet."""
	stored = frappe.db.get_value(CAMPAIGN_STATE, {"campaign": campaign}, "engagement")
	return json.loads(stored) if stored else engagement(campaign)


def countries(campaign: str, limit: int = TOP) -> list[dict]:
	"""Return the countries with most opens, as Zoho counts them: opens, not people."""
	stored = json.loads(frappe.db.get_value("Campaign", campaign, "zoho_opens_by_country") or "{}")
	best = sorted(stored.items(), key=lambda item: (-item[1], item[0]))
	shown = [{"country": country, "opens": int(opens)} for country, opens in best[:limit]]
	rest = int(sum(opens for _country, opens in best[limit:]))
	return [*shown, {"country": _("Others"), "opens": rest}] if rest else shown
