"""Finds opt-outs that no document event told: of SQL, of imports, of errors. Set-wise, every hour."""

from collections.abc import Iterator

import frappe
from frappe.utils import create_batch

from erpnext_zoho_integration.consent import document_events, marks, suppression_list
from erpnext_zoho_integration.consent.events import Fact
from erpnext_zoho_integration.consent.recording import record
from erpnext_zoho_integration.store.addresses import addresses_in_field

_SLICE = 1_000


def record_missed() -> int:
	"""Record opt-outs of ticked boxes and Email Unsubscribes that are not known yet; return how many. Commits slices."""
	found = 0
	for facts in missed():
		found += len(record(facts).facts)
		frappe.db.commit()  # nosemgrep - a slice, so that no transaction is long
	return found


def missed() -> Iterator[list[Fact]]:
	"""Yield the facts of opt-outs that are not on the list, in slices."""
	for doctype in ("Contact", "Lead"):
		if frappe.db.table_exists(doctype):
			yield from _of_boxes(doctype)
	if frappe.db.table_exists("Email Group Member"):
		yield from _of_members()
	yield from _of_links()


def _of_boxes(doctype: str) -> Iterator[list[Fact]]:
	"""Yield the opt-outs of ticked boxes that no suppressed address explains.

	A Contact with two addresses is marked when one of them is suppressed; that says nothing about the other one.
	"""
	names = frappe.get_all(doctype, {marks.FIELD: 1}, pluck="name", order_by="name")
	for batch in create_batch(names, _SLICE):
		texts = _texts(doctype, batch)
		all_addresses = {address for found in texts.values() for address in found}
		blocked = suppression_list.blocked_among(all_addresses)
		yield [
			fact
			for name, addresses in texts.items()
			if blocked.isdisjoint(addresses)
			for fact in document_events.facts_of_person(doctype, name, addresses)
			if fact.address not in document_events.FIXTURES
		]


def _texts(doctype: str, names: list[str]) -> dict[str, list[str]]:
	"""Return the addresses of some documents, by name."""
	if doctype == "Lead":
		rows = frappe.get_all("Lead", {"name": ("in", names)}, ["name as parent", "email_id"])
	else:
		filters = {"parenttype": "Contact", "parent": ("in", names)}
		rows = frappe.get_all("Contact Email", filters, ["parent", "email_id"])
	found: dict[str, list[str]] = {}
	for row in rows:
		found.setdefault(row.parent, []).extend(addresses_in_field(row.email_id))
	return found


def _of_members() -> Iterator[list[Fact]]:
	texts = frappe.get_all("Email Group Member", {marks.FIELD: 1}, pluck="email", distinct=True)
	for batch in create_batch(texts, _SLICE):
		addresses = {address for text in batch for address in addresses_in_field(text)}
		addresses -= suppression_list.blocked_among(addresses)
		yield document_events.facts_of_members(sorted(addresses))


def _of_links() -> Iterator[list[Fact]]:
	fields = [
		"name",
		"email",
		"reference_doctype",
		"reference_name",
		"global_unsubscribe",
		"creation",
		"owner",
	]
	rows = frappe.get_all("Email Unsubscribe", fields=fields, order_by="name")
	for batch in create_batch(rows, _SLICE):
		yield [fact for row in batch for fact in document_events.facts_of_email_unsubscribe(row)]
