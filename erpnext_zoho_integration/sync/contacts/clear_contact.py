"""Clears the fields of Contacts that only a sync fills; used when a person is erased."""

from collections.abc import Iterable

import frappe

from erpnext_zoho_integration.store.fields import ZOHO_CONTACT_ID, ZOHO_LAST_SYNCED, ZOHO_STATUS

# The opt-out (`unsubscribed`) is not cleared: it is the person's own decision.
ZOHO_FIELDS = (ZOHO_CONTACT_ID, ZOHO_STATUS, ZOHO_LAST_SYNCED)


def clear_zoho_fields(names: Iterable[str]) -> None:
	"""Clear what Zoho filled in Contacts, given by name; everything else in them stays. The caller commits."""
	for name in names:
		frappe.db.set_value("Contact", name, dict.fromkeys(ZOHO_FIELDS))
