"""What users do in ERPNext: boxes they tick, links they click, people they enter.

Document events of Contact, Lead, Email Group Member and Email Unsubscribe (hooks.py). None of them makes a click or a save
fail: an error is logged, and `consent.missed_opt_outs` finds within the hour what was missed.
"""

from collections.abc import Callable
from functools import wraps

import frappe
from frappe.model.document import Document
from frappe.utils import get_datetime, now_datetime

from erpnext_zoho_integration.consent import marks, rules, tell_zoho
from erpnext_zoho_integration.consent.events import Fact
from erpnext_zoho_integration.consent.recording import record
from erpnext_zoho_integration.consent.settings import consent_settings
from erpnext_zoho_integration.store import people_lookup
from erpnext_zoho_integration.store.addresses import addresses_in_field

_MARKED = "zoho_marked"  # in the flags of a document: its box was set from the suppression list


def _never_fails(event: Callable[[Document], None]) -> Callable[..., None]:
	@wraps(event)
	def guarded(document: Document, method: str | None = None) -> None:
		frappe.db.savepoint("zoho_consent")
		try:
			event(document)
		except Exception:
			frappe.db.rollback(save_point="zoho_consent")
			frappe.log_error("Zoho: an opt-out will be recorded within the hour")

	return guarded


def addresses_of(document: Document) -> list[str]:
	"""Return the addresses of a Contact, Lead or Email Group Member, in their normal form."""
	return [address for text in _texts(document) for address in addresses_in_field(text)]


@_never_fails
def person_validated(document: Document) -> None:
	"""Set the box of a person who is entered, or gets an address, that is suppressed; event `before_validate`."""
	if document.doctype != "Contact" and not consent_settings().hold_back:
		return
	before = None if document.is_new() else document.get_doc_before_save()
	added = set(addresses_of(document)) - set(addresses_of(before) if before else ())
	if added and not document.get(marks.FIELD) and marks.suppressed_among(added):
		document.set(marks.FIELD, 1)
		document.flags[_MARKED] = True


@_never_fails
def person_saved(document: Document) -> None:
	"""Record the opt-out of a person whose box a user has just ticked; event `on_update`.

	Frappe's own page for unsubscribing ticks the box of an Email Group Member.
	"""
	people_lookup.forget_unusual(document.doctype, _texts(document))
	marked_here = document.flags.pop(_MARKED, False)
	if marked_here or document.flags.zoho_consent or not document.has_value_changed(marks.FIELD):
		return
	addresses = addresses_of(document)
	if not document.get(marks.FIELD):
		tell_zoho.cancel(addresses)
	elif document.doctype == "Email Group Member":
		record(facts_of_members(addresses))
	else:
		record(facts_of_person(document.doctype, document.name, addresses))


@_never_fails
def unsubscribed(document: Document) -> None:
	"""Record the opt-out of somebody who clicked the link in a marketing mail; Email Unsubscribe's event `after_insert`."""
	record(facts_of_email_unsubscribe(document))


def facts_of_person(doctype: str, name: str, addresses: list[str]) -> list[Fact]:
	"""Return the opt-outs that the ticked box of a Contact or Lead says, one for each of its addresses."""
	now = now_datetime()
	# The box can be ticked again after new consent: that is another fact.
	origin = f"{doctype}\n{name}\n{now}"
	return [
		Fact(
			address,
			rules.OPTED_OUT,
			now,
			rules.RECORDED,
			doctype,
			origin,
			document=(doctype, name),
			user=frappe.session.user,
		)
		for address in addresses
	]


def facts_of_members(addresses: list[str]) -> list[Fact]:
	"""Return the opt-outs of people who have left every Email Group that they were in.

	Somebody who left one of several groups still wants the others; ERPNext itself respects that.
	"""
	now = now_datetime()
	found = people_lookup.documents_with("Email Group Member", set(addresses))
	facts = []
	for address, names in found.items():
		members = frappe.get_all(
			"Email Group Member", {"name": ("in", sorted(names))}, ["name", "email_group", marks.FIELD]
		)
		if members and all(member.unsubscribed for member in members):
			groups = sorted(member.email_group for member in members)
			facts.append(
				Fact(
					address,
					rules.OPTED_OUT,
					now,
					rules.RECORDED,
					"Email Group",
					f"Email Group\n{now}",
					document=("Email Group Member", members[0].name),
					user=frappe.session.user,
					proof={"email_groups": groups},
				)
			)
	return facts


def facts_of_email_unsubscribe(document: Document) -> list[Fact]:
	"""Return the opt-out that an Email Unsubscribe says: of marketing mail or of all mail, not of one conversation."""
	marketing = document.reference_doctype in consent_settings().marketing
	if not marketing and not document.global_unsubscribe:
		return []
	moment = get_datetime(document.creation)
	return [
		Fact(
			address,
			rules.OPTED_OUT,
			moment,
			rules.EXACT,
			"Unsubscribe Link" if marketing else "Email Unsubscribe",
			f"Email Unsubscribe\n{document.name}",
			document=("Email Unsubscribe", document.name),
			user=document.owner,
			proof={"about": document.reference_doctype, "name": document.reference_name},
		)
		for address in addresses_in_field(document.email)
		if address not in FIXTURES
	]


# ERPNext's set-up enters these two, so that no mail goes to its example users.
FIXTURES = frozenset({"admin@example.com", "guest@example.com"})


def _texts(document: Document) -> list[str | None]:
	if document.doctype == "Contact":
		return [row.email_id for row in document.email_ids]
	return [document.get("email_id") if document.doctype == "Lead" else document.get("email")]
