"""The figures at the head of a Campaign's form."""

import frappe
from frappe import _
from frappe.utils import cint, flt

from erpnext_zoho_integration.connection.rate_limit import DEFAULT_CALLS, WINDOW_SECONDS
from erpnext_zoho_integration.erpnext_zoho_integration.desk.runs import active_run
from erpnext_zoho_integration.erpnext_zoho_integration.report.campaign_performance.campaign_performance import (
	COUNTS,
	add_rates,
)
from erpnext_zoho_integration.store.doctypes import CAMPAIGN_STATE, SETTINGS
from erpnext_zoho_integration.sync.fetch.session import LARGEST_PAGE
from erpnext_zoho_integration.sync.planning.forecast import LARGE_CALLS, minutes

# Card → the action types of the recipients it counts. Zoho keeps no list of those whom the e-mail reached: they are
# those it was sent to and did not bounce off.
ACTIONS = {
	"sent": ("Sent",),
	"delivered": ("Sent",),
	"opens": ("Opened",),
	"clicks": ("Clicked",),
	"bounces": ("Hard Bounced", "Soft Bounced"),
	"unsubscribes": ("Unsubscribed",),
	"complaints": ("Complaint",),
}


def onload(campaign, method: str | None = None) -> None:
	"""Send a synced campaign's figures along with its document: the form then needs no request for them.

	Frappe has checked that the user may read the Campaign.
	"""
	if not campaign.get("zoho_campaign_key") or campaign.is_new():
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


def cards(campaign) -> list[dict]:
	"""Return the header cards of a Campaign, from the counters that Zoho last gave.

	Returns:
		Per card `key`, `label`, `value`, `rate` (per cent, or None) and `filters` for the list of Campaign
		Recipient, which then shows whom the card counts.
	"""
	metrics = {row.metric: row.value for row in campaign.campaign_analytics}
	if COUNTS["sent"] not in metrics:
		return []
	row = {key: int(flt(metrics.get(metric))) for key, metric in COUNTS.items()}
	counts = dict(row)
	add_rates(row)
	rates = {
		"delivered": row["delivery_rate"],
		"opens": row["open_rate"],
		"clicks": row["click_rate"],
		"bounces": row["bounce_rate"],
		"unsubscribes": row["unsubscribe_rate"],
		"complaints": row["complaint_rate"],
	}
	return [
		{
			"key": key,
			"label": label,
			"value": counts[key],
			"rate": rates.get(key),
			"filters": filters_of(campaign.name, key),
		}
		for key, label in card_labels().items()
	]


def forecast(counts: dict[str, int]) -> dict | None:
	"""Return what it costs to read all lists of a campaign again, by Zoho's last counters.

	Args:
		counts: the values of the cards.

	Returns:
		`calls`, `rows` and `minutes` at the pace of the settings, each about; None where that is not worth a question.
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
		{"zoho_campaign_key": campaign_key},
		["verdict", "verdict_reason"],
		as_dict=True,
	)


def filters_of(campaign: str, card: str) -> dict:
	"""Return filters of the list of Campaign Recipient for those whom a card counts."""
	actions = ACTIONS[card]
	chosen = ["=", actions[0]] if len(actions) == 1 else ["in", list(actions)]
	filters = {"campaign": ["=", campaign], "action_type": chosen}
	return {**filters, "bounced": ["=", 0]} if card == "delivered" else filters


def card_labels() -> dict[str, str]:
	"""Return the translated label of each card."""
	return {
		"sent": _("Sent"),
		"delivered": _("Delivered"),
		"opens": _("Opened"),
		"clicks": _("Clicked"),
		"bounces": _("Bounced"),
		"unsubscribes": _("Unsubscribed"),
		"complaints": _("Complaints"),
	}
