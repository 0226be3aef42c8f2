"""The figures at the head of a Campaign's form."""

import frappe
from frappe import _
from frappe.utils import flt

from erpnext_zoho_integration.erpnext_zoho_integration.api.access import require_campaign
from erpnext_zoho_integration.erpnext_zoho_integration.desk.runs import active_run
from erpnext_zoho_integration.erpnext_zoho_integration.report.campaign_performance.campaign_performance import (
	COUNTS,
	add_rates,
)

RECIPIENT = "Campaign Recipient"
# Card → the action types of the recipients it counts; Zoho keeps no list of those who were delivered to.
ACTIONS = {
	"sent": ("Sent",),
	"delivered": None,
	"opens": ("Opened",),
	"clicks": ("Clicked",),
	"bounces": ("Hard Bounced", "Soft Bounced"),
	"unsubscribes": ("Unsubscribed",),
	"complaints": ("Complaint",),
}
# A list of addresses to leave out goes into the address bar of the browser.
MAX_EXCLUDED = 200


def onload(campaign, method: str | None = None) -> None:
	"""Send a synced campaign's figures along with its document: the form then needs no request for them.

	Frappe has checked that the user may read the Campaign.
	"""
	if not campaign.get("zoho_campaign_key") or campaign.is_new():
		return
	campaign.set_onload(
		"zoho",
		{
			"cards": cards(campaign),
			"reconciliation": reconciliation(campaign.zoho_campaign_key),
			"active_run": active_run(campaign.name),
		},
	)


def cards(campaign) -> list[dict]:
	"""Return the header cards of a Campaign, from the counters that Zoho last gave.

	Returns:
		Per card `key`, `label`, `value`, `rate` (per cent, or None) and `filters` for the list of Campaign
		Recipient; None where the recipients have to be asked for with `delivered_filters`.
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
			"filters": filters_of(campaign.name, ACTIONS[key]),
		}
		for key, label in card_labels().items()
	]


def reconciliation(campaign_key: str) -> dict | None:
	"""Return the last comparison of the stored recipients with Zoho's counters: `verdict` and `verdict_reason`."""
	return frappe.db.get_value(
		"Zoho Campaign State",
		{"zoho_campaign_key": campaign_key},
		["verdict", "verdict_reason"],
		as_dict=True,
	)


def filters_of(campaign: str, actions: tuple[str, ...] | None) -> dict | None:
	"""Return filters of the list of Campaign Recipient for these action types of a campaign."""
	if not actions:
		return None
	chosen = ["=", actions[0]] if len(actions) == 1 else ["in", list(actions)]
	return {"campaign": ["=", campaign], "action_type": chosen}


@frappe.whitelist(methods=["GET"])
def delivered_filters(campaign: str) -> dict:
	"""Return filters for the recipients whose e-mail arrived: those sent to, less those that bounced.

	Args:
		campaign: name of the Campaign; the user must be allowed to read it and its recipients.

	Returns:
		`filters` for the list of Campaign Recipient, and `complete`: false if too many bounced to leave them out.
	"""
	require_campaign(campaign, "read")
	bounced = frappe.get_list(
		RECIPIENT,
		filters=filters_of(campaign, ACTIONS["bounces"]),
		pluck="email",
		order_by="email asc",
		limit_page_length=MAX_EXCLUDED + 1,
	)
	filters = filters_of(campaign, ACTIONS["sent"])
	complete = len(bounced) <= MAX_EXCLUDED
	if bounced and complete:
		filters["email"] = ["not in", sorted(set(bounced))]
	return {"filters": filters, "complete": complete}


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
