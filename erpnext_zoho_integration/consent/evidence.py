"""The events of an address or a period, for people who have to prove what happened."""

from datetime import date

import frappe

from erpnext_zoho_integration.store.addresses import address_key, person_address
from erpnext_zoho_integration.store.doctypes import CONSENT_EVENT

FIELDS = (
	"name",
	"email",
	"event",
	"happened_at",
	"certainty",
	"creation",
	"source",
	"campaign",
	"reference_doctype",
	"reference_name",
	"user",
	"proof",
)


def events_of(email: str) -> list[dict]:
	"""Return all events of an address, the oldest first."""
	return _events({"address_key": address_key(person_address(email))})


def events_between(first: date | str | None, last: date | str | None, limit: int) -> list[dict]:
	"""Return the events that were recorded in a period, the oldest first.

	Args:
		first, last: days, both included; None for no bound.
		limit: at most so many.
	"""
	filters = []
	if first:
		filters.append(["creation", ">=", f"{first} 00:00:00"])
	if last:
		filters.append(["creation", "<=", f"{last} 23:59:59.999999"])
	return _events(filters, limit)


def _events(filters: dict | list, limit: int | None = None) -> list[dict]:
	return frappe.get_all(
		CONSENT_EVENT,
		filters=filters,
		fields=list(FIELDS),
		order_by="creation, name",
		limit_page_length=limit,
	)
