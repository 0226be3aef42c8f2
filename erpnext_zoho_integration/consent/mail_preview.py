"""Before sending: how many will get a Newsletter or Email Campaign, and who is held back, with the reason."""

from dataclasses import dataclass, field

import frappe
from frappe.model.document import Document

from erpnext_zoho_integration.consent import suppression_list
from erpnext_zoho_integration.consent.settings import consent_settings
from erpnext_zoho_integration.store.addresses import addresses_in_field


@dataclass(slots=True)
class Preview:
	"""Who will get a mail.

	Attributes:
		get: number of addresses that get it.
		held: those that do not, with the reason; also members whose box is ticked because they are suppressed.
	"""

	get: int = 0
	held: dict[str, suppression_list.Held] = field(default_factory=dict)


def preview(document: Document) -> Preview:
	"""Return who will get the mails of a Newsletter, an Email Campaign, or one to an Email Group; in a few queries.

	Args:
		document: of one of these DocTypes, in any version of ERPNext: fields are tested, not versions.
	"""
	wanted: dict[str, bool] = {}
	for text, has_left in _people(document):
		for address in addresses_in_field(text):
			wanted[address] = wanted.get(address, False) or not has_left
	settings = consent_settings()
	held = suppression_list.held(wanted.keys(), settings.count_bounces) if settings.hold_back else {}
	return Preview(sum(wants and address not in held for address, wants in wanted.items()), held)


def _people(document: Document) -> list[tuple[str, bool]]:
	"""Return the e-mail fields of those whom a mail is for, and whether they have left the group."""
	if document.doctype == "Email Group":
		return _members([document.name])
	if document.doctype == "Newsletter":
		return _members([row.email_group for row in document.get("email_group") or ()])
	kind, name = document.get("email_campaign_for"), document.get("recipient")
	if not kind or not name:
		return []
	if kind == "Email Group":
		return _members([name])
	return [(frappe.db.get_value(kind, name, "email_id") or "", False)]


def _members(groups: list[str]) -> list[tuple[str, bool]]:
	filters, fields = {"email_group": ("in", groups)}, ["email", "unsubscribed"]
	rows = frappe.get_all("Email Group Member", filters, fields, as_list=True) if groups else []
	return [(email, bool(has_left)) for email, has_left in rows]
