"""Finds the documents that hold an e-mail address: Contacts, Leads, members of Email Groups.

Fields may hold an address with a name, several addresses, or the Unicode form of a domain. Most do not: those are found by
index, the others from a short list of such fields.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable

import frappe

from erpnext_zoho_integration.store import sql_lookups
from erpnext_zoho_integration.store.addresses import LIST_CHARACTERS, addresses_in_field, spellings

# DocType → (table with the address, its column, the column that names the document, further fixed SQL)
_HOLDERS = {
	"Contact": (
		"Contact Email",
		"email_id",
		"parent",
		" AND parenttype = 'Contact' AND EXISTS (SELECT 1 FROM `tabContact` c WHERE c.name = `tabContact Email`.parent)",
	),
	"Lead": ("Lead", "email_id", "name", ""),
	"Email Group Member": ("Email Group Member", "email", "name", ""),
}
_CACHE_SECONDS = 600
_UNUSUAL = re.compile(r"[^!-~]|[,;<]")

Found = dict[str, dict[str, int]]  # address → name of the document → 1 if it is its primary address


def documents_with(doctype: str, addresses: Collection[str]) -> dict[str, set[str]]:
	"""Return the names of the documents that hold some addresses, by address; addresses of none are left out.

	Args:
		doctype: `Contact`, `Lead` or `Email Group Member`; a DocType that the site does not have holds nothing.
		addresses: in their normal form.
	"""
	if not addresses or not frappe.db.table_exists(_HOLDERS[doctype][0]):
		return {}
	_table, column, owner, _condition = _HOLDERS[doctype]
	found: dict[str, set[str]] = defaultdict(set)
	for text, name in _rows(doctype, (column, owner), addresses):
		for address in addresses_in_field(text):
			if address in addresses:
				found[address].add(name)
	return found


def contacts_by_address(addresses: Collection[str]) -> Found:
	"""Return the Contacts that hold some addresses, and whether each is the Contact's primary one."""
	if not addresses:
		return {}
	found: Found = defaultdict(dict)
	for text, name, primary in _rows("Contact", ("email_id", "parent", "is_primary"), addresses):
		for address in addresses_in_field(text):
			if address in addresses:
				found[address][name] = max(found[address].get(name, 0), primary or 0)
	return found


def read_unusual_anew() -> None:
	"""Have the next look-ups read the unusual fields anew; called when a run begins and when a person is erased."""
	for doctype in _HOLDERS:
		frappe.cache.delete_value(_cache_key(doctype))


def forget_unusual(doctype: str, texts: Iterable[str | None]) -> None:
	"""Have the next look-up read the unusual fields anew, if one of these texts is unusual."""
	if any(text and _UNUSUAL.search(text) for text in texts):
		frappe.cache.delete_value(_cache_key(doctype))


def _rows(doctype: str, columns: tuple[str, ...], addresses: Collection[str]) -> list[tuple]:
	table, column, _owner, condition = _HOLDERS[doctype]
	texts = {text for address in addresses for text in spellings(address)}
	unusual = [
		text
		for text in _unusual_texts(doctype)
		if any(address in addresses for address in addresses_in_field(text))
	]
	return [
		*sql_lookups.select_in_any_case(table, columns, column, texts, condition),
		*sql_lookups.select_in(table, columns, column, unusual, condition),
	]


def _unusual_texts(doctype: str) -> list[str]:
	"""Return the texts that an exact look-up misses, at most ten minutes old where somebody changed the table with SQL."""
	texts = frappe.cache.get_value(_cache_key(doctype), expires=True)
	if texts is None:
		table, column, _owner, _condition = _HOLDERS[doctype]
		texts = sql_lookups.unusual_texts(table, column, LIST_CHARACTERS)
		frappe.cache.set_value(_cache_key(doctype), texts, expires_in_sec=_CACHE_SECONDS)
	return texts


def _cache_key(doctype: str) -> str:
	return f"zoho-unusual-addresses-{doctype}"
