"""Campaign figures and timeline entries on the forms of a Contact, a Lead and a Customer.

A Lead and a Customer show the activity of the Contacts that are linked to them.
"""

from datetime import datetime
from urllib.parse import urlsplit

import frappe
from frappe import _
from frappe.utils import escape_html, get_url_to_form

from erpnext_zoho_integration.erpnext_zoho_integration.report.campaign_figures import ACTIONS, card_labels
from erpnext_zoho_integration.store.doctypes import RECIPIENT
from erpnext_zoho_integration.store.fields import ACTION_DATE, ACTION_TYPE, SENT_TIME

TIMELINE_ROWS = 20
# At most so many Contacts of one company: the link to the list has all their names in its address.
MAX_CONTACTS = 50
# More rows than a person has; keeps the form fast for a shared address such as info@.
MAX_ROWS = 1000
_SHOWN = ("sent", "opens", "clicks", "bounces", "unsubscribes", "complaints")
_TIMELINE_FIELDS = (
	"name",
	"contact",
	"campaign",
	ACTION_TYPE,
	ACTION_DATE,
	SENT_TIME,
	"clicked_links",
	"creation",
)


def onload(document, method: str | None = None) -> None:
	"""Send campaign figures with a Contact, a Lead or a Customer if its people have any. A document event.

	Frappe has checked that the user may read the document. Only Contacts and campaigns that the user may read count.
	"""
	if document.is_new() or not frappe.has_permission(RECIPIENT, "read"):
		return
	if found := engagement(people_of(document.doctype, document.name)):
		document.set_onload("zoho", found)


def people_of(doctype: str, name: str) -> list[frappe._dict]:
	"""Return `name` and `unsubscribed` of the Contacts behind a document that the user may read.

	Args:
		doctype: `Contact`, or a DocType that Contacts are linked to, such as `Lead` and `Customer`.
		name: name of the document.
	"""
	if doctype == "Contact":
		filters = {"name": name}
	else:
		filters = [["Dynamic Link", "link_doctype", "=", doctype], ["Dynamic Link", "link_name", "=", name]]
	return frappe.get_list(
		"Contact",
		filters=filters,
		fields=["name", "unsubscribed"],
		order_by="`tabContact`.modified desc",
		limit_page_length=MAX_CONTACTS,
	)


def engagement(people: list[frappe._dict]) -> dict | None:
	"""Return how often these Contacts received, opened, clicked and so on, in campaigns that the user may read.

	Returns:
		`cards` (`key`, `label`, `value`, `filters`), `last_engagement` (in the site's zone, or None), `filters` of all
		their rows, `contacts` (number of Contacts) and `opted_out` (number of those who opted out); None without rows.
	"""
	names = [person.name for person in people]
	rows = _engagements(names)
	if not rows:
		return None
	engaged = [
		row.action_date for row in rows if row.action_type in ("Opened", "Clicked") and row.action_date
	]
	labels = card_labels()
	theirs = {"contact": ["=", names[0]] if len(names) == 1 else ["in", names]}
	return {
		"cards": [
			{
				"key": key,
				"label": labels[key],
				"value": sum(row.action_type in ACTIONS[key] for row in rows),
				"filters": {**theirs, ACTION_TYPE: ["in", list(ACTIONS[key])]},
			}
			for key in _SHOWN
		],
		"last_engagement": max(engaged, default=None),
		"filters": theirs,
		"contacts": len(names),
		"opted_out": sum(bool(person.unsubscribed) for person in people),
	}


def _engagements(contacts: list[str]) -> list[frappe._dict]:
	if not contacts:
		return []
	return frappe.get_list(
		RECIPIENT,
		filters={"contact": ("in", contacts)},
		fields=[ACTION_TYPE, ACTION_DATE],
		order_by="action_date desc",
		limit_page_length=MAX_ROWS,
	)


def timeline(doctype: str, docname: str) -> list[dict]:
	"""Return the latest activity for the timeline of a form. Frappe calls it after checking the document.

	Args:
		doctype: `Contact`, `Lead` or `Customer`.
		docname: name of the document.

	Returns:
		At most 20 entries that the user may read, each with `creation`, `icon` and `content` (escaped HTML).
	"""
	if not frappe.has_permission(RECIPIENT, "read"):
		return []
	names = [person.name for person in people_of(doctype, docname)]
	if not names:
		return []
	acted = {"contact": ("in", names), ACTION_TYPE: ("!=", "Sent")}
	# Read rows without a date separately: the order by date would put all of them last.
	dated = _rows({**acted, ACTION_DATE: ("is", "set")}, "action_date desc")
	undated = _rows({**acted, ACTION_DATE: ("is", "not set")}, "sent_time desc")
	latest = sorted([*dated, *undated], key=_moment, reverse=True)[:TIMELINE_ROWS]
	named = doctype != "Contact"
	return [{"icon": "mail", "creation": _moment(row), "content": _content(row, named)} for row in latest]


def _rows(filters: dict, order_by: str) -> list:
	return frappe.get_list(
		RECIPIENT,
		filters=filters,
		fields=list(_TIMELINE_FIELDS),
		order_by=order_by,
		limit_page_length=TIMELINE_ROWS,
	)


def _moment(row) -> datetime:
	"""Return when the person acted, or when the mail was sent if Zoho gives no time for the action."""
	return row.action_date or row.sent_time or row.creation


def _content(row, named: bool) -> str:
	"""Return the HTML of one entry; with `named` it begins with the person, for forms with several people."""
	text = _sentences()[row.action_type].format(_link(RECIPIENT, row.name, row.campaign))
	if named:
		text = f"{_link('Contact', row.contact, row.contact)}: {text}"
	links = [escape_html(link) for link in (row.clicked_links or "").splitlines() if link]
	return f'{text} <span class="text-muted">{", ".join(links)}</span>' if links else text


def _link(doctype: str, name: str, label: str) -> str:
	url = escape_html(urlsplit(get_url_to_form(doctype, name)).path)
	return f'<a href="{url}">{escape_html(label)}</a>'


def _sentences() -> dict[str, str]:
	return {
		"Opened": _("Opened the campaign {0}"),
		"Clicked": _("Clicked a link in the campaign {0}"),
		"Hard Bounced": _("The campaign {0} could not be delivered (hard bounce)"),
		"Soft Bounced": _("The campaign {0} could not be delivered for now (soft bounce)"),
		"Unsubscribed": _("Unsubscribed in the campaign {0}"),
		"Complaint": _("Complained about the campaign {0}"),
	}
