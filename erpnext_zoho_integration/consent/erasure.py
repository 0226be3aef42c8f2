"""Takes erased people out of consent: address and proof leave the events, and only a keyed digest says whom not to mail."""

import secrets
from collections.abc import Collection

import frappe

from erpnext_zoho_integration.consent import suppression_list
from erpnext_zoho_integration.consent.rules import ERASED
from erpnext_zoho_integration.store import erased_people, sql_lookups
from erpnext_zoho_integration.store.addresses import address_key, addresses_in_field, person_address
from erpnext_zoho_integration.store.doctypes import CONSENT_EVENT, HELD_MAIL, SUPPRESSED_ADDRESS


def erase(texts: Collection[str | None]) -> int:
	"""Erase the addresses of people from events, list and held mail; return the number of changed events.

	If an address was suppressed, the register of erased people keeps a digest of it, keyed with the site's encryption key,
	so that the gate still holds mail back. The caller commits.

	Args:
		texts: e-mail addresses in any form; others are passed over.
	"""
	addresses = {address for text in texts if text for address in [person_address(text)] if address}
	if not addresses:
		return 0
	blocked = suppression_list.blocked_among(addresses)
	if blocked:
		erased_people.register_suppressed(blocked)
	keys = [address_key(address) for address in addresses]
	names = [name for (name,) in sql_lookups.select_in(CONSENT_EVENT, ("name",), "address_key", keys)]
	for name in names:
		# A digest without a key could be guessed from a list of addresses.
		frappe.db.set_value(
			CONSENT_EVENT,
			name,
			{
				"email": None,
				"event": ERASED,
				"proof": None,
				"user": None,
				"reference_doctype": None,
				"reference_name": None,
				"address_key": secrets.token_hex(16),
				"fact_key": secrets.token_hex(32),
			},
			update_modified=False,
		)
	frappe.db.delete(SUPPRESSED_ADDRESS, {"name": ("in", keys)})
	_leave_held_mail(addresses)
	return len(names)


def _leave_held_mail(addresses: set[str]) -> None:
	for address in addresses:
		for name, held in frappe.get_all(
			HELD_MAIL,
			{"addresses": ("like", f"%{address.partition('@')[0]}%")},
			["name", "addresses"],
			as_list=True,
		):
			texts = [
				text for text in frappe.parse_json(held) if addresses.isdisjoint(addresses_in_field(text))
			]
			if len(texts) < len(frappe.parse_json(held)):
				frappe.db.set_value(HELD_MAIL, name, "addresses", frappe.as_json(texts, indent=None))
