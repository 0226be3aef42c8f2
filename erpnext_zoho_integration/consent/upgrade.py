"""Turning the gate on: what it will concern, and marking the people who are not marked yet.

A new site holds marketing mail back from the start. On an upgraded one a notice says what turning it on would change.
"""

from collections.abc import Iterator

import frappe
from frappe.query_builder import DocType

from erpnext_zoho_integration.consent import marks
from erpnext_zoho_integration.consent import settings as consent_settings
from erpnext_zoho_integration.store import people_lookup
from erpnext_zoho_integration.store.doctypes import RECIPIENT, SETTINGS, SUPPRESSED_ADDRESS
from erpnext_zoho_integration.store.fields import ACTION_TYPE

_SLICE = 500
_JOB = "zoho-consent-marks"


def impact() -> dict[str, int]:
	"""Return what turning the gate on concerns.

	Returns:
		`addresses`: that would be held back; `cleared`: Contacts with such an address whose box is clear; `leads` and
		`members`: that would be marked.
	"""
	found = {"addresses": 0, "cleared": 0, "leads": 0, "members": 0}
	for addresses in _blocked_addresses():
		found["addresses"] += len(addresses)
		for key, doctype in (("cleared", "Contact"), ("leads", "Lead"), ("members", "Email Group Member")):
			found[key] += marks.count_unmarked(addresses, doctype)
	found["addresses"] += frappe.db.count(SUPPRESSED_ADDRESS, {"blocked": 0, "bounced": 1})
	return found


def turn_on() -> dict[str, int]:
	"""Hold marketing mail back from now on, and mark people in a job. Return what `impact` says."""
	found = impact()
	frappe.db.set_single_value(SETTINGS, "hold_back_marketing_mail", 1)
	consent_settings.forget()
	frappe.enqueue(
		f"{__name__}.mark_everybody",
		queue="long",
		timeout=1_500,
		job_id=_JOB,
		deduplicate=True,
		enqueue_after_commit=True,
	)
	return found


def mark_everybody() -> None:
	"""Mark all people whose addresses are blocked, but for Contacts whose box somebody has cleared. Commits slices."""
	for addresses in _blocked_addresses():
		marks.mark_all(addresses, leaving=_cleared_contacts(addresses))
		frappe.db.commit()  # nosemgrep - a slice, so that no transaction is long


def _cleared_contacts(addresses: set[str]) -> set[str]:
	"""Return Contacts that are linked to an opt-out and not marked: a sync marked them, and somebody cleared the box."""
	names = {name for found in people_lookup.documents_with("Contact", addresses).values() for name in found}
	if not names:
		return set()
	row, contact = DocType(RECIPIENT), DocType("Contact")
	query = (
		frappe.qb.from_(row)
		.inner_join(contact)
		.on(contact.name == row.contact)
		.select(contact.name)
		.distinct()
		.where(row.contact.isin(sorted(names)) & row[ACTION_TYPE].isin(("Unsubscribed", "Complaint")))
		.where(contact.unsubscribed == 0)
	)
	return set(query.run(pluck=True))


def _blocked_addresses() -> Iterator[set[str]]:
	table, last = DocType(SUPPRESSED_ADDRESS), ""
	while True:
		rows = (
			frappe.qb.from_(table)
			.select(table.name, table.email)
			.where((table.name > last) & (table.blocked == 1))
			.orderby(table.name)
			.limit(_SLICE)
			.run()
		)
		if not rows:
			return
		last = rows[-1][0]
		yield {email for _name, email in rows}
