"""Recipient rows: what is stored is compared with what Zoho says, and only the difference is written."""

from collections.abc import Iterable
from dataclasses import dataclass

import frappe
from frappe.query_builder import DocType

from erpnext_zoho_integration.sync.mapping import RECIPIENT_FIELDS, Row, precedence

DOCTYPE = "Campaign Recipient"


@dataclass(slots=True)
class Stored:
	"""What the database has of a row."""

	name: str
	content_hash: str | None
	contact: str | None
	contact_removed: bool
	precedence: tuple


@dataclass(slots=True)
class Difference:
	"""A page sorted by what has to be done."""

	new: list[Row]
	changed: list[tuple[Row, Stored]]
	unchanged: list[tuple[Row, Stored]]
	duplicates: int


def stored_rows(keys: Iterable[str]) -> dict[str, Stored]:
	"""Return what the database has for these keys, in one query."""
	keys = list(keys)
	if not keys:
		return {}
	recipient = DocType(DOCTYPE)
	rows = (
		frappe.qb.from_(recipient)
		.select(
			recipient.row_key,
			recipient.name,
			recipient.content_hash,
			recipient.contact,
			recipient.contact_removed,
			recipient.zoho_contact_id,
			recipient.variant,
		)
		.where(recipient.row_key.isin(keys))
	).run()
	return {
		key: Stored(name, digest, contact or None, bool(removed), precedence(zoho_id, variant))
		for key, name, digest, contact, removed, zoho_id, variant in rows
	}


def difference(rows: Iterable[Row], stored: dict[str, Stored]) -> Difference:
	"""Sort a page into new, changed and unchanged rows.

	Of several records for one row (an address that Zoho has twice) the one with the lowest contact id stands, whatever
	page it comes on, so that two runs over the same data agree and the second one writes nothing.
	"""
	chosen: dict[str, Row] = {}
	duplicates = 0
	for row in rows:
		rival = chosen.get(row.key)
		if rival is None:
			chosen[row.key] = row
			continue
		duplicates += 1
		if row.precedence < rival.precedence:
			chosen[row.key] = row
	result = Difference([], [], [], duplicates)
	for key, row in chosen.items():
		known = stored.get(key)
		if known is None:
			result.new.append(row)
		elif known.content_hash == row.content_hash:
			result.unchanged.append((row, known))
		elif known.content_hash and known.precedence < row.precedence:
			result.duplicates += 1
		else:
			result.changed.append((row, known))
	return result


def columns(row: Row, contact: str | None) -> dict:
	"""Return all columns of a row that a sync writes."""
	return {
		**{field: row.values[field] for field in RECIPIENT_FIELDS},
		"contact": contact,
		"contact_removed": 0,
		"row_key": row.key,
		"content_hash": row.content_hash,
	}


def set_contacts(links: dict[str, str]) -> None:
	"""Link rows, given by name, to contacts; a link is not a change of the row, so `modified` stays."""
	by_contact: dict[str, list[str]] = {}
	for name, contact in links.items():
		by_contact.setdefault(contact, []).append(name)
	recipient = DocType(DOCTYPE)
	for contact, names in by_contact.items():
		(
			frappe.qb.update(recipient)
			.set(recipient.contact, contact)
			.set(recipient.contact_removed, 0)
			.where(recipient.name.isin(names))
		).run()
