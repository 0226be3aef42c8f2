"""Compares Zoho's rows with the stored ones, so that only the difference is written. Reads only."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from erpnext_zoho_integration.store import sql_lookups
from erpnext_zoho_integration.store.doctypes import RECIPIENT
from erpnext_zoho_integration.store.fields import CONTACT_REMOVED, CONTENT_HASH, ROW_KEY, ZOHO_CONTACT_ID
from erpnext_zoho_integration.sync.mapping.recipient_rows import RECIPIENT_FIELDS, Row, precedence


@dataclass(slots=True)
class Stored:
	"""A stored row, as far as it is compared."""

	name: str
	content_hash: str | None
	contact: str | None
	contact_removed: bool
	precedence: tuple


@dataclass(slots=True)
class Difference:
	"""Rows sorted by what has to be done.

	Attributes:
		duplicates: how many records lost their row to another record, by action type.
	"""

	new: list[Row] = field(default_factory=list)
	changed: list[tuple[Row, Stored]] = field(default_factory=list)
	unchanged: list[tuple[Row, Stored]] = field(default_factory=list)
	duplicates: Counter[str] = field(default_factory=Counter)


def stored_rows(keys: Iterable[str]) -> dict[str, Stored]:
	"""Return what the database has for these keys, in one query."""
	columns = (ROW_KEY, "name", CONTENT_HASH, "contact", CONTACT_REMOVED, ZOHO_CONTACT_ID, "variant")
	rows = sql_lookups.select_in(RECIPIENT, columns, ROW_KEY, keys)
	return {
		key: Stored(name, digest, contact or None, bool(removed), precedence(zoho_id, variant))
		for key, name, digest, contact, removed, zoho_id, variant in rows
	}


def difference(rows: Iterable[Row], stored: dict[str, Stored]) -> Difference:
	"""Sort rows into new, changed and unchanged ones.

	If several records claim one row (Zoho has the address twice), the record with the lowest contact id wins, on whatever
	page it comes: two runs over the same data agree, and the second one writes nothing.
	"""
	result = Difference()
	chosen: dict[str, Row] = {}
	for row in rows:
		rival = chosen.get(row.key)
		if rival is None:
			chosen[row.key] = row
			continue
		result.duplicates[row.action_type] += 1
		if row.precedence < rival.precedence:
			chosen[row.key] = row
	for key, row in chosen.items():
		known = stored.get(key)
		if known is None:
			result.new.append(row)
		elif known.content_hash == row.content_hash:
			result.unchanged.append((row, known))
		elif known.content_hash and known.precedence < row.precedence:
			result.duplicates[row.action_type] += 1
		else:
			result.changed.append((row, known))
	return result


def columns(row: Row, contact: str | None) -> dict:
	"""Return all columns of a row that a sync writes."""
	return {
		**{field: row.values[field] for field in RECIPIENT_FIELDS},
		"contact": contact,
		CONTACT_REMOVED: 0,
		ROW_KEY: row.key,
		CONTENT_HASH: row.content_hash,
	}
