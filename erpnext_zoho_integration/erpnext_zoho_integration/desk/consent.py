"""What forms show about consent: one line on a person, and who will get a mail before it is sent."""

import frappe
from frappe import _
from frappe.utils import escape_html, format_date

from erpnext_zoho_integration.consent import (
	back_at_zoho,
	backfill,
	bursts,
	mail_preview,
	suppression_list,
	tell_zoho,
	upgrade,
)
from erpnext_zoho_integration.consent.settings import consent_settings
from erpnext_zoho_integration.erpnext_zoho_integration.desk.people_timeline import people_of
from erpnext_zoho_integration.erpnext_zoho_integration.roles_and_rate_limits import SYSTEM_MANAGER, require
from erpnext_zoho_integration.store.addresses import addresses_in_field

_MAX_SHOWN = 200


def onload(document, method: str | None = None) -> None:
	"""Send the line about consent with a Contact, a Lead or a Customer; Frappe has checked that the user may read it."""
	if document.is_new():
		return
	addresses = {address for text in _texts(document) for address in addresses_in_field(text)}
	held = suppression_list.held(addresses)
	if held:
		document.set_onload("zoho_consent", [_entry(address, why) for address, why in sorted(held.items())])


@frappe.whitelist(methods=["GET", "POST"])
def preview(doctype: str, name: str) -> dict:
	"""Return who will get the mails of a Newsletter, Email Campaign or Email Group, and who is held back.

	Args:
		doctype: one of these.
		name: of a document that the user may read.

	Returns:
		`get` and `held_back`: numbers of addresses; `people`: address and reason of the first ones, for System Managers.
	"""
	if doctype not in ("Newsletter", "Email Campaign", "Email Group"):
		raise frappe.PermissionError
	frappe.has_permission(doctype, "read", doc=name, throw=True)
	found = mail_preview.preview(frappe.get_doc(doctype, name))
	answer = {"get": found.get, "held_back": len(found.held), "people": []}
	if SYSTEM_MANAGER in frappe.get_roles():
		shown = sorted(found.held.items())[:_MAX_SHOWN]
		answer["people"] = [{"email": address, "text": sentence(why)} for address, why in shown]
	return answer


@frappe.whitelist(methods=["GET", "POST"])
def overview() -> dict:
	"""Return what Zoho Settings show about consent.

	Returns:
		`hold_back`: whether marketing mail is held back; `complete`: whether all earlier opt-outs are known; `counts`:
		numbers of suppressed addresses by reason; `impact`: what turning it on would change, see `upgrade.impact`;
		`tell_zoho`: whether Zoho is told about opt-outs; `to_tell`: numbers of those it does not know yet; `bursts`:
		campaign, domain, and how many opted out and are back; `back`: how many are active at Zoho again, by state.
	"""
	require(SYSTEM_MANAGER)
	hold_back = consent_settings().hold_back
	return {
		"hold_back": hold_back,
		"complete": backfill.is_complete(),
		"counts": suppression_list.counts(),
		"impact": None if hold_back else upgrade.impact(),
		"tell_zoho": tell_zoho.is_on(),
		"to_tell": tell_zoho.counts(),
		"bursts": [
			{"campaign": b.campaign, "domain": b.domain, "count": len(b.addresses), "back": len(b.back)}
			for b in bursts.find()
		],
		"back": back_at_zoho.counts(),
	}


def sentence(why: suppression_list.Held) -> str:
	"""Return a plain sentence that says since when and why an address gets no marketing mail."""
	if why.reason == "Erased":
		return _("No marketing e-mail: this person was erased. Invoices are sent.")
	day = format_date(why.since)
	if why.reason == "Hard Bounced":
		return _("No marketing e-mail since {0}: an e-mail bounced for good. Invoices are sent.").format(day)
	if why.campaign and why.reason == "Complained":
		text = _("No marketing e-mail since {0}: complained about {1}. Invoices are sent.")
		return text.format(day, why.campaign)
	if why.campaign:
		text = _("No marketing e-mail since {0}: unsubscribed from {1}. Invoices are sent.")
		return text.format(day, why.campaign)
	return _("No marketing e-mail since {0}: opted out. Invoices are sent.").format(day)


def _entry(address: str, why: suppression_list.Held) -> dict:
	return {
		"email": address,
		"reason": why.reason,
		"text": escape_html(sentence(why)),
		"held_back": consent_settings().hold_back,
	}


def _texts(document) -> list[str | None]:
	if document.doctype == "Contact":
		return [row.email_id for row in document.email_ids]
	texts = [document.get("email_id")]
	if document.doctype == "Customer":
		names = [person.name for person in people_of("Customer", document.name)]
		filters = {"parenttype": "Contact", "parent": ("in", names)}
		texts += frappe.get_all("Contact Email", filters, pluck="email_id") if names else []
	return texts
