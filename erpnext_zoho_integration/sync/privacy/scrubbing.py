"""Removes an erased or anonymised person from everything else in the database that names them.

A row's name contains the e-mail address, so every reference to the row contains it, too: `repoint_links` moves references
to the new names and deletes records that only belong to the row. Free text (messages of runs, the error log, versions,
comments) is redacted by `redact_texts`.

Each of these tables has a writer of its own. This module writes them as well, because only here is it known whom to remove;
it changes nothing else in them.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from urllib.parse import quote

import frappe
from frappe.model.dynamic_links import get_dynamic_links
from frappe.utils import create_batch

from erpnext_zoho_integration.store.doctypes import (
	CAMPAIGN_STATE,
	RECIPIENT,
	SYNC_RUN,
	SYNC_RUN_ERROR,
	SYNC_TASK,
)

REDACTED = "[erased]"
_BATCH = 500
# Records that belong to one document and are deleted with it: (DocType, field of the DocType, field of the name).
_DEPENDENT_RECORDS = (
	("Version", "ref_doctype", "docname"),
	("Comment", "reference_doctype", "reference_name"),
	("View Log", "reference_doctype", "reference_name"),
	("Activity Log", "reference_doctype", "reference_name"),
	("Energy Point Log", "reference_doctype", "reference_name"),
	("Document Follow", "ref_doctype", "ref_docname"),
	("Notification Log", "document_type", "document_name"),
	("Tag Link", "document_type", "document_name"),
	("DocShare", "share_doctype", "share_name"),
	("Document Share Key", "reference_doctype", "reference_docname"),
	("ToDo", "reference_type", "reference_name"),
	("Deleted Document", "deleted_doctype", "deleted_name"),
)
# Free text: (DocType, fields, condition that limits the search to texts that this app can have written).
_TEXTS: tuple[tuple[str, tuple[str, ...], dict], ...] = (
	(SYNC_RUN, ("message",), {}),
	(SYNC_RUN_ERROR, ("message",), {}),
	(SYNC_TASK, ("issues",), {}),  # errors and notes of a running sync
	(CAMPAIGN_STATE, ("engagement",), {}),  # contains the links as they were clicked
	("Error Log", ("method", "error"), {}),
	(
		"Deleted Document",
		("data", "deleted_name"),
		{"deleted_doctype": ("in", (SYNC_RUN, "Campaign"))},
	),
	("Comment", ("content",), {"reference_doctype": ("in", ("Campaign", SYNC_RUN, "Contact"))}),
)


def repoint_links(doctype: str, names: Collection[str], new_names: Mapping[str, str]) -> None:
	"""Update everything that refers to documents that were replaced.

	Records that belong to one of them are deleted, attached files too. Dynamic Links of other documents get the new name,
	or are emptied if there is none.

	Args:
		doctype: of the documents.
		names: their old names.
		new_names: new names by old ones; a deleted document has none.
	"""
	dependent = [each for each in _DEPENDENT_RECORDS if _has_rows(*each[:2], doctype)]
	links = [each for each in _dynamic_links() if _has_rows(*each[:2], doctype)]
	has_files = _has_rows("File", "attached_to_doctype", doctype)
	for batch in create_batch(list(names), _BATCH):
		for table, type_field, name_field in dependent:
			frappe.db.delete(table, {type_field: doctype, name_field: ("in", batch)})
		for table, type_field, name_field in links:
			_repoint(table, {type_field: doctype, name_field: ("in", batch)}, name_field, new_names)
		if has_files:
			attached = {"attached_to_doctype": doctype, "attached_to_name": ("in", batch)}
			for file in frappe.get_all("File", attached, pluck="name"):
				frappe.delete_doc("File", file, ignore_permissions=True, force=True, delete_permanently=True)
		_delete_search_entries(doctype, batch)
		routes = [f"{view}/{doctype}/{name}" for name in batch for view in ("Form", "print")]
		frappe.db.delete("Route History", {"route": ("in", routes)})


def clean_up_after_deletion(doctype: str, names: Collection[str]) -> None:
	"""Delete now what Frappe deletes later, in a background job, for deleted documents; and its comments on the deletion.

	Args:
		doctype: of the documents.
		names: of the deleted documents.
	"""
	repoint_links(doctype, names, {})
	filters = {"comment_type": "Deleted", "reference_doctype": doctype}
	for comment, subject in frappe.get_all("Comment", filters, ["name", "subject"], as_list=True):
		if any((subject or "").endswith(f" {name}") for name in names):
			frappe.db.delete("Comment", {"name": comment})


def redact_texts(people: Collection[str], contacts: Collection[str] = ()) -> int:
	"""Redact addresses and ids in every text that this app can have written.

	Args:
		people: e-mail addresses and Zoho contact ids.
		contacts: names of their Contacts, whose versions may contain values from Zoho.

	Returns:
		The number of texts that were changed or deleted.
	"""
	needles = sorted({needle for needle in people if needle and len(needle) > 4}, key=len, reverse=True)
	if not needles:
		return 0
	changed = sum(
		_redact_texts_in(doctype, fields, condition, needles) for doctype, fields, condition in _TEXTS
	)
	changed += _delete_copies_of_deleted(needles)
	for batch in create_batch(list(contacts), _BATCH):
		filters = {"ref_doctype": "Contact", "docname": ("in", batch)}
		for name, data in frappe.get_all("Version", filters, ["name", "data"], as_list=True):
			if (cleaned := without_zoho_fields(data, needles)) != data:
				frappe.db.set_value("Version", name, "data", cleaned, update_modified=False)
				changed += 1
	_delete_list_settings(needles)
	return changed


def redact(text: str, needles: Iterable[str]) -> str:
	"""Return a text without these addresses and ids, in any letter case and URL or JSON encoding; a plain function.

	A longer address that contains one of them (`nada@example.com`) stays. The name of a recipient is Contact, address and
	number joined by hyphens, so an address is also found between hyphens if a number follows.
	"""
	for needle in needles:
		spellings = {needle, quote(needle, safe=""), quote(needle), json.dumps(needle)[1:-1]}
		for spelling in spellings:
			exact = re.escape(spelling)
			pattern = rf"(?<![\w.+-]){exact}(?![\w-]|\.\w)|(?<![\w.+]){exact}(?=-\d+\b)"
			text = re.sub(pattern, REDACTED, text, flags=re.IGNORECASE)
	return text


def without_zoho_fields(data: str | None, needles: Iterable[str]) -> str | None:
	"""Return the data of a Contact's Version without changes of `zoho_` fields; a plain function.

	Args:
		data: JSON.
		needles: redacted if the data is no valid JSON.
	"""
	if not data:
		return data
	try:
		version = json.loads(data)
	except ValueError:
		return redact(data, needles)
	changed = [change for change in version.get("changed") or [] if not change[0].startswith("zoho_")]
	if len(changed) == len(version.get("changed") or []):
		return data
	return frappe.as_json({**version, "changed": changed}, indent=1)


def _redact_texts_in(doctype: str, fields: tuple[str, ...], condition: dict, needles: list[str]) -> int:
	changed = 0
	for field in fields:
		for name, text in _containing(doctype, field, condition, needles):
			cleaned = redact(text, needles)
			if cleaned != text:
				frappe.db.set_value(doctype, name, field, cleaned, update_modified=False)
				changed += 1
	return changed


def _delete_copies_of_deleted(needles: list[str]) -> int:
	"""Delete Frappe's copies of deleted recipients and Contacts of these people, and its comments on the deletion."""
	deleted = 0
	for table, field, type_field, more in (
		("Deleted Document", "data", "deleted_doctype", {}),
		("Comment", "subject", "reference_doctype", {"comment_type": "Deleted"}),
	):
		condition = {type_field: ("in", (RECIPIENT, "Contact")), **more}
		found = _containing(table, field, condition, needles)
		names = [name for name, text in found if redact(text, needles) != text]
		if names:
			frappe.db.delete(table, {"name": ("in", names)})
			deleted += len(names)
	return deleted


def _containing(doctype: str, field: str, condition: dict, needles: list[str]) -> list[tuple[str, str]]:
	"""Return name and text of at least the rows whose text contains one of the needles; `redact` compares exactly."""
	found: dict[str, str] = {}
	for needle in needles:
		for spelling in {needle, quote(needle, safe=""), json.dumps(needle)[1:-1]}:
			# Databases escape wildcards of LIKE differently, so a backslash matches any character here.
			pattern = spelling.replace("\\", "_")
			filters = {**condition, field: ("like", f"%{pattern}%")}
			found.update(frappe.get_all(doctype, filters, ["name", field], as_list=True))
	return list(found.items())


def _dynamic_links() -> list[tuple[str, str, str]]:
	"""Return every other Dynamic Link of the site: (DocType, field of the DocType, field of the name)."""
	dependent = {(table, name_field) for table, _type_field, name_field in _DEPENDENT_RECORDS}
	links = {(link.parent, link.options, link.fieldname) for link in get_dynamic_links()}
	return sorted(
		link
		for link in links
		if (link[0], link[2]) not in dependent and not frappe.get_meta(link[0]).issingle
	)


def _repoint(doctype: str, filters: dict, field: str, new_names: Mapping[str, str]) -> None:
	for row, old in frappe.get_all(doctype, filters, ["name", field], as_list=True):
		frappe.db.set_value(doctype, row, field, new_names.get(old), update_modified=False)


def _has_rows(doctype: str, field: str, value: str) -> bool:
	"""Return whether any row of a DocType has this value. On most sites none has, which saves a query per batch."""
	return bool(
		frappe.db.table_exists(doctype)
		and frappe.db.has_column(doctype, field)
		and frappe.get_all(doctype, {field: value}, limit=1)
	)


def _delete_search_entries(doctype: str, names: list[str]) -> None:
	table = frappe.qb.Table("__global_search")
	frappe.qb.from_(table).delete().where((table.doctype == doctype) & table.name.isin(names)).run()


def _delete_list_settings(needles: list[str]) -> None:
	"""Delete users' saved list settings of recipients and Contacts that filter by one of these people."""
	table = frappe.qb.Table("__UserSettings")
	query = frappe.qb.from_(table).select(table.user, table.doctype, table.data)
	for user, doctype, data in query.where(table.doctype.isin([RECIPIENT, "Contact"])).run():
		if data and redact(data, needles) != data:
			where = (table.user == user) & (table.doctype == doctype)
			frappe.qb.from_(table).delete().where(where).run()
			frappe.cache.hdel("_user_settings", f"{doctype}::{user}")
