"""What people did with campaigns: the figures on the forms of a Contact, a Lead and a Customer, and their timelines.

A Lead and a Customer are their Contacts: those that name them among their links.
"""

from datetime import datetime
from urllib.parse import urlsplit

import frappe
from frappe import _
from frappe.utils import escape_html, get_url_to_form

from erpnext_zoho_integration.erpnext_zoho_integration.desk.campaign import ACTIONS, card_labels
from erpnext_zoho_integration.store.doctypes import RECIPIENT

TIMELINE_ROWS = 20
# Of a company; more are of little use on a form, and their names go into the address of a list.
MAX_CONTACTS = 50
# More than any person does; protects the form from a shared address such as info@.
MAX_ROWS = 1000
_SHOWN = ("sent", "opens", "clicks", "bounces", "unsubscribes", "complaints")
_TIMELINE_FIELDS = (
	"name",
	"contact",
	"campaign",
	"action_type",
	"action_date",
	"sent_time",
	"clicked_links",
	"creation",
)


def onload(document, method: str | None = None) -> None:
	"""Send figures along with a Contact, a Lead or a Customer, if any campaign reached the people behind it.

	Frappe has checked that the user may read the document; which Contacts and campaigns count is up to their permissions.
	"""
	if document.is_new() or not frappe.has_permission(RECIPIENT, "read"):
		return
	if found := engagement(people_of(document.doctype, document.name)):
		document.set_onload("zoho", found)


def people_of(doctype: str, name: str) -> list[frappe._dict]:
	"""Return the Contacts that a document is about, as far as the user may read them: `name` and `unsubscribed`.

	Args:
		doctype: `Contact`, or one that Contacts are linked to, such as `Lead` and `Customer`.
		name: of the document.
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
	"""Return how often these Contacts did what, in campaigns that the user may read.

	Returns:
		`cards` (`key`, `label`, `value`, `filters`), `last_engagement` (in the site's zone, or None), `filters` of all
		their rows, `contacts` and `opted_out` (how many there are, and how many of them opted out); None if there is
		nothing.
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
				"filters": {**theirs, "action_type": ["in", list(ACTIONS[key])]},
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
		fields=["action_type", "action_date"],
		order_by="action_date desc",
		limit_page_length=MAX_ROWS,
	)


def timeline(doctype: str, docname: str) -> list[dict]:
	"""Return the latest engagements for the timeline of a form; called by Frappe, which checked the document.

	Args:
		doctype: `Contact`, `Lead` or `Customer`.
		docname: its name.

	Returns:
		At most 20 entries of what the user may read, each with `creation`, `icon` and `content` (escaped HTML).
	"""
	if not frappe.has_permission(RECIPIENT, "read"):
		return []
	names = [person.name for person in people_of(doctype, docname)]
	if not names:
		return []
	acted = {"contact": ("in", names), "action_type": ("!=", "Sent")}
	# Those without a date would come last, wherever they belong.
	dated = _rows({**acted, "action_date": ("is", "set")}, "action_date desc")
	undated = _rows({**acted, "action_date": ("is", "not set")}, "sent_time desc")
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
	"""Return when the person acted, or else when the mail left: Zoho does not always say."""
	return row.action_date or row.sent_time or row.creation


def _content(row, named: bool) -> str:
	"""Return one entry; `named` says whose it is, where a form has several people."""
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
		"Clicked": _("Clicked in the campaign {0}"),
		"Hard Bounced": _("The campaign {0} bounced for good"),
		"Soft Bounced": _("The campaign {0} bounced for now"),
		"Unsubscribed": _("Unsubscribed from the campaign {0}"),
		"Complaint": _("Complained about the campaign {0}"),
	}
