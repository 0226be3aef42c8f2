"""Clears the fields of Contacts that only a sync fills; used when a person is erased."""

from collections.abc import Iterable

import frappe

# The opt-out (`unsubscribed`) is not cleared: it is the person's own decision.
ZOHO_FIELDS = ("zoho_contact_id", "zoho_status", "zoho_last_synced")


def clear_zoho_fields(names: Iterable[str]) -> None:
	"""Clear what Zoho filled in Contacts, given by name; everything else in them stays. The caller commits."""
	for name in names:
		frappe.db.set_value("Contact", name, dict.fromkeys(ZOHO_FIELDS))
