"""What a Contact did with campaigns: the figures on its form and the latest engagements in its timeline."""

from datetime import datetime
from urllib.parse import urlsplit

import frappe
from frappe import _
from frappe.utils import escape_html, get_url_to_form

from erpnext_zoho_integration.erpnext_zoho_integration.desk.campaign import ACTIONS, RECIPIENT, card_labels

TIMELINE_ROWS = 20
# More than any person does; protects the form from a shared address such as info@.
MAX_ROWS = 1000
_SHOWN = ("sent", "opens", "clicks", "bounces", "unsubscribes", "complaints")
_TIMELINE_FIELDS = (
	"name",
	"campaign",
	"action_type",
	"action_date",
	"sent_time",
	"clicked_links",
	"creation",
)


def onload(contact, method: str | None = None) -> None:
	"""Send the figures of a Contact along with its document, if it received any campaign.

	Frappe has checked that the user may read the Contact; which campaigns count is up to their permissions.
	"""
	if contact.is_new() or not frappe.has_permission(RECIPIENT, "read"):
		return
	if found := engagement(contact.name):
		contact.set_onload("zoho", found)


def engagement(contact: str) -> dict | None:
	"""Return how often a Contact did what, in campaigns that the user may read.

	Returns:
		`cards` (`key`, `label`, `value`, `filters`) and `last_engagement` (in the site's zone, or None); None if
		there is nothing.
	"""
	rows = frappe.get_list(
		RECIPIENT,
		filters={"contact": contact},
		fields=["action_type", "action_date"],
		order_by="action_date desc",
		limit_page_length=MAX_ROWS,
	)
	if not rows:
		return None
	engaged = [
		row.action_date for row in rows if row.action_type in ("Opened", "Clicked") and row.action_date
	]
	labels = card_labels()
	return {
		"cards": [
			{
				"key": key,
				"label": labels[key],
				"value": sum(row.action_type in ACTIONS[key] for row in rows),
				"filters": {"contact": ["=", contact], "action_type": ["in", list(ACTIONS[key])]},
			}
			for key in _SHOWN
		],
		"last_engagement": max(engaged, default=None),
	}


def timeline(doctype: str, docname: str) -> list[dict]:
	"""Return a Contact's latest engagements for the timeline of its form; called by Frappe, which checked the Contact.

	Args:
		doctype: `Contact`.
		docname: its name.

	Returns:
		At most 20 entries of what the user may read, each with `creation`, `icon` and `content` (escaped HTML).
	"""
	if not frappe.has_permission(RECIPIENT, "read"):
		return []
	acted = {"contact": docname, "action_type": ("!=", "Sent")}
	# Those without a date would come last, wherever they belong.
	dated = _rows({**acted, "action_date": ("is", "set")}, "action_date desc")
	undated = _rows({**acted, "action_date": ("is", "not set")}, "sent_time desc")
	latest = sorted([*dated, *undated], key=_moment, reverse=True)[:TIMELINE_ROWS]
	return [{"icon": "mail", "creation": _moment(row), "content": _content(row)} for row in latest]


def _rows(filters: dict, order_by: str) -> list:
	return frappe.get_list(
		RECIPIENT,
		filters=filters,
		fields=list(_TIMELINE_FIELDS),
		order_by=order_by,
		limit_page_length=TIMELINE_ROWS,
	)


def _moment(row) -> datetime:
	"""Return when the person acted, or else when the mail left: Zoho does not always say."""
	return row.action_date or row.sent_time or row.creation


def _content(row) -> str:
	url = escape_html(urlsplit(get_url_to_form(RECIPIENT, row.name)).path)
	campaign = f'<a href="{url}">{escape_html(row.campaign)}</a>'
	text = _sentences()[row.action_type].format(campaign)
	links = [escape_html(link) for link in (row.clicked_links or "").splitlines() if link]
	return f'{text} <span class="text-muted">{", ".join(links)}</span>' if links else text


def _sentences() -> dict[str, str]:
	return {
		"Opened": _("Opened the campaign {0}"),
		"Clicked": _("Clicked in the campaign {0}"),
		"Hard Bounced": _("The campaign {0} bounced for good"),
		"Soft Bounced": _("The campaign {0} bounced for now"),
		"Unsubscribed": _("Unsubscribed from the campaign {0}"),
		"Complaint": _("Complained about the campaign {0}"),
	}
