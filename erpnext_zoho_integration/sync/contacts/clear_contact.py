"""Clears the fields of Contacts that only a sync fills: when a person is erased, or the organisation is another one."""

from collections.abc import Iterable

import frappe

from erpnext_zoho_integration.store.fields import ZOHO_CONTACT_ID, ZOHO_LAST_SYNCED, ZOHO_STATUS

# The opt-out (`unsubscribed`) is not cleared: it is the person's own decision.
ZOHO_FIELDS = (ZOHO_CONTACT_ID, ZOHO_STATUS, ZOHO_LAST_SYNCED)


def clear_zoho_fields(names: Iterable[str]) -> None:
	"""Clear what Zoho filled in Contacts, given by name; everything else in them stays. The caller commits."""
	for name in names:
		frappe.db.set_value("Contact", name, dict.fromkeys(ZOHO_FIELDS))


def forget_contact_ids() -> None:
	"""Clear the ids of all Contacts: in another organisation, the same id is another person. The caller commits."""
	frappe.db.set_value(
		"Contact", {ZOHO_CONTACT_ID: ("is", "set")}, ZOHO_CONTACT_ID, None, update_modified=False
	)
