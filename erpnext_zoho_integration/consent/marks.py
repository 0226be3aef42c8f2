"""The opt-out box of Contacts, Leads and Email Group Members: a mirror of the suppression list.

A mark is set when an opt-out becomes known and when a document gets a suppressed address, and never by a comparison: a box
that a person cleared stays clear until a newer opt-out. This module alone sets the boxes, set-wise, whatever else in the
document the form would refuse; where something of the site listens to the DocType, each document is saved.
"""

from collections.abc import Collection, Iterable

import frappe
from frappe.utils import create_batch, now_datetime

from erpnext_zoho_integration.consent import suppression_list
from erpnext_zoho_integration.consent.settings import consent_settings
from erpnext_zoho_integration.store import document_listeners, people_lookup
from erpnext_zoho_integration.store.addresses import addresses_in_field

FIELD = "unsubscribed"
_BATCH = 500
# Apps whose own listeners do nothing about this box.
_STOCK = ("frappe.", "erpnext.", "erpnext_zoho_integration.", "newsletter.")


def mark(addresses: Collection[str]) -> int:
	"""Mark all people with these addresses as opted out; return how many Contacts were not marked before.

	Args:
		addresses: in their normal form, of people who objected.
	"""
	marked = _mark("Contact", addresses)
	if consent_settings().hold_back:
		_mark("Lead", addresses)
		_mark("Email Group Member", addresses)
	return marked


def mark_all(addresses: Collection[str], leaving: Collection[str]) -> None:
	"""Mark all people with these addresses but some Contacts, given by name, whose boxes somebody has cleared."""
	_set("Contact", _documents("Contact", addresses) - set(leaving), 1)
	_mark("Lead", addresses)
	_mark("Email Group Member", addresses)


def count_unmarked(addresses: Collection[str], doctype: str = "Contact") -> int:
	"""Return how many documents with these addresses are not marked."""
	names = _documents(doctype, addresses)
	return sum(
		frappe.db.count(doctype, {"name": ("in", batch), FIELD: 0})
		for batch in create_batch(sorted(names), _BATCH)
	)


def unmark(addresses: Collection[str]) -> None:
	"""Clear the boxes of people who gave new consent, unless another address of theirs is still blocked."""
	for doctype in ("Contact", "Lead", "Email Group Member"):
		names = _documents(doctype, addresses)
		blocked = set()
		if doctype == "Contact":
			rows = frappe.get_all(
				"Contact Email",
				{"parenttype": "Contact", "parent": ("in", sorted(names))},
				["parent", "email_id"],
			)
			all_addresses = {address for row in rows for address in addresses_in_field(row.email_id)}
			still = suppression_list.blocked_among(all_addresses)
			blocked = {row.parent for row in rows if still.intersection(addresses_in_field(row.email_id))}
		_set(doctype, names - blocked, 0)


def suppressed_among(texts: Iterable[str | None]) -> set[str]:
	"""Return those of some texts that hold the address of somebody who objected."""
	by_text = {text: set(addresses_in_field(text)) for text in texts if text}
	blocked = suppression_list.blocked_among({address for found in by_text.values() for address in found})
	return {text for text, found in by_text.items() if found & blocked}


def mark_contacts(names: Collection[str]) -> int:
	"""Mark Contacts that no longer hold the address that opted out: one was merged into them, or it was changed here.

	Returns:
		How many were not marked before.
	"""
	return _set("Contact", names, 1)


def _mark(doctype: str, addresses: Collection[str]) -> int:
	return _set(doctype, _documents(doctype, addresses), 1)


def _documents(doctype: str, addresses: Collection[str]) -> set[str]:
	found = people_lookup.documents_with(doctype, addresses)
	return {name for names in found.values() for name in names}


def _set(doctype: str, names: Collection[str], value: int) -> int:
	"""Set the box of documents and return how many had another value."""
	one_by_one = bool(names) and _something_listens(doctype)
	changed = 0
	for batch in create_batch(sorted(names), _BATCH):
		differing = frappe.get_all(
			doctype, {"name": ("in", batch), FIELD: ("!=", value)}, pluck="name", order_by=None
		)
		changed += len(differing)
		if one_by_one:
			differing = [name for name in differing if not _save(doctype, name, value)]
		if differing:
			table = frappe.qb.DocType(doctype)
			(
				frappe.qb.update(table)
				.set(table[FIELD], value)
				.set(table.modified, now_datetime())
				.set(table.modified_by, frappe.session.user)
				.where(table.name.isin(differing))
			).run()
			for name in differing:
				frappe.clear_document_cache(doctype, name)
	return changed


def _save(doctype: str, name: str, value: int) -> bool:
	"""Save one document with the box set; return False if something refuses it, so that the box alone is written."""
	frappe.db.savepoint("zoho_mark")
	try:
		document = frappe.get_doc(doctype, name)
		document.set(FIELD, value)
		document.flags.update({"ignore_permissions": True, "zoho_consent": True})
		document.save()
		return True
	except Exception:
		frappe.db.rollback(save_point="zoho_mark")
		frappe.clear_last_message()
		return False


def _something_listens(doctype: str) -> bool:
	hooks = document_listeners.hooked(doctype)
	return any(not path.startswith(_STOCK) for path in hooks) or bool(document_listeners.records(doctype))
