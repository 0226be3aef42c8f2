"""What the tests of consent share."""

from __future__ import annotations

import json

import frappe

from erpnext_zoho_integration.consent import suppression_list
from erpnext_zoho_integration.consent.settings import forget
from erpnext_zoho_integration.store.addresses import person_address

EVENT, LIST, HELD = "Zoho Consent Event", "Zoho Suppressed Address", "Zoho Held Mail"


def hold_back(on: bool = True, **more: object) -> None:
	"""Turn the gate on or off."""
	values = {"hold_back_marketing_mail": int(on), "hold_back_after_hard_bounces": 1, **more}
	frappe.db.set_single_value("Zoho Settings", values, None, update_modified=False)
	forget()


def blocked(email: str) -> bool:
	return bool(suppression_list.blocked_among({person_address(email)}))


def ticked(doctype: str, name: str) -> bool:
	return bool(frappe.db.get_value(doctype, name, "unsubscribed"))


def events(email: str) -> list[tuple[str, str]]:
	"""Return event and source of what is known of an address, the oldest first."""
	found = frappe.get_all(
		EVENT, {"email": person_address(email)}, ["event", "source"], order_by="creation, name"
	)
	return [(each.event, each.source) for each in found]


def new_lead(email: str, **values: object) -> frappe.model.document.Document:
	return frappe.get_doc({"doctype": "Lead", "first_name": "Leo", "email_id": email, **values}).insert()


def new_member(email: str, group: str = "News", **values: object) -> frappe.model.document.Document:
	if not frappe.db.exists("Email Group", group):
		frappe.get_doc({"doctype": "Email Group", "title": group}).insert()
	return frappe.get_doc(
		{"doctype": "Email Group Member", "email_group": group, "email": email, **values}
	).insert()


def queued(reference: str | None = None) -> list[frappe._dict]:
	"""Return the mails in the queue: reference, status, and to whom each goes."""
	filters = {"reference_doctype": reference} if reference else {}
	found = frappe.get_all(
		"Email Queue", filters, ["name", "status", "error", "reference_name"], order_by="creation"
	)
	for mail in found:
		mail.to = sorted(frappe.get_all("Email Queue Recipient", {"parent": mail.name}, pluck="recipient"))
	return found


def mailed(reference: str | None = None) -> list[str]:
	"""Return everybody who gets a mail."""
	return sorted(address for mail in queued(reference) for address in mail.to)


def held() -> list[str]:
	"""Return the addresses that mails have lost."""
	return sorted(address for text in frappe.get_all(HELD, pluck="addresses") for address in json.loads(text))


def marketing() -> str:
	"""Return a DocType of marketing mail that this site has: Newsletter is an app of its own since Frappe 16."""
	return "Newsletter" if frappe.db.table_exists("Newsletter") else "Email Campaign"
