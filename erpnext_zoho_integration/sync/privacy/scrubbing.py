"""What else in the database names a row or a person: followed, deleted or blacked out when the person goes.

Rows carry the address in their names, so whatever refers to one by name carries it too. Free text is another matter:
messages of runs, errors that were logged, versions and comments.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from urllib.parse import quote

import frappe
from frappe.model.dynamic_links import get_dynamic_links

from erpnext_zoho_integration.store.doctypes import (
	CAMPAIGN_STATE,
	RECIPIENT,
	SYNC_RUN,
	SYNC_RUN_ERROR,
	SYNC_TASK,
)

REDACTED = "[erased]"
_BATCH = 500
# Records that exist only because of the document they name: (DocType, field of the DocType, field of the name).
_COMPANIONS = (
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
# Free text: (DocType, fields, condition that keeps the search to what this app can have written).
_TEXTS: tuple[tuple[str, tuple[str, ...], dict], ...] = (
	(SYNC_RUN, ("message",), {}),
	(SYNC_RUN_ERROR, ("message",), {}),
	(SYNC_TASK, ("issues",), {}),  # errors and notes of a run under way
	(CAMPAIGN_STATE, ("engagement",), {}),  # its links, as they were clicked
	("Error Log", ("method", "error"), {}),
	(
		"Deleted Document",
		("data", "deleted_name"),
		{"deleted_doctype": ("in", (SYNC_RUN, "Campaign"))},
	),
	("Comment", ("content",), {"reference_doctype": ("in", ("Campaign", SYNC_RUN, "Contact"))}),
)


def repoint_links(doctype: str, names: Collection[str], new_names: Mapping[str, str]) -> None:
	"""Clean up behind documents that have been replaced.

	What exists only because of them is deleted, attached files too; other documents that point at them point at the
	new ones, or at nothing where there is none.

	Args:
		doctype: of the documents.
		names: their old names.
		new_names: new names by old ones.
	"""
	companions = [each for each in _COMPANIONS if _any(*each[:2], doctype)]
	others = [each for each in _pointing() if _any(*each[:2], doctype)]
	files = _any("File", "attached_to_doctype", doctype)
	for batch in _batches(names):
		for kind, type_field, name_field in companions:
			frappe.db.delete(kind, {type_field: doctype, name_field: ("in", batch)})
		for kind, type_field, name_field in others:
			_point_elsewhere(kind, {type_field: doctype, name_field: ("in", batch)}, name_field, new_names)
		if files:
			attached = {"attached_to_doctype": doctype, "attached_to_name": ("in", batch)}
			for file in frappe.get_all("File", attached, pluck="name"):
				frappe.delete_doc("File", file, ignore_permissions=True, force=True, delete_permanently=True)
		_forget_search(doctype, batch)
		routes = [f"{view}/{doctype}/{name}" for name in batch for view in ("Form", "print")]
		frappe.db.delete("Route History", {"route": ("in", routes)})


def forget_deleted(doctype: str, names: Collection[str]) -> None:
	"""Clean up behind documents that Frappe has deleted, without waiting for the job in which it does so itself.

	Args:
		doctype: of the documents.
		names: of the deleted ones.
	"""
	repoint_links(doctype, names, {})
	feed = {"comment_type": "Deleted", "reference_doctype": doctype}
	for comment, subject in frappe.get_all("Comment", feed, ["name", "subject"], as_list=True):
		if any((subject or "").endswith(f" {name}") for name in names):
			frappe.db.delete("Comment", {"name": comment})


def redact_texts(people: Collection[str], contacts: Collection[str] = ()) -> int:
	"""Black out addresses and ids in every text that this app can have written; return how many texts changed.

	Args:
		people: e-mail addresses, Zoho contact ids.
		contacts: names of their Contacts, whose versions may hold what came from Zoho.
	"""
	needles = sorted({needle for needle in people if needle and len(needle) > 4}, key=len, reverse=True)
	if not needles:
		return 0
	changed = sum(
		_redact_texts_in(doctype, fields, condition, needles) for doctype, fields, condition in _TEXTS
	)
	changed += _delete_deleted(needles)
	for batch in _batches(contacts):
		filters = {"ref_doctype": "Contact", "docname": ("in", batch)}
		for name, data in frappe.get_all("Version", filters, ["name", "data"], as_list=True):
			if (cleaned := without_zoho_fields(data, needles)) != data:
				frappe.db.set_value("Version", name, "data", cleaned, update_modified=False)
				changed += 1
	_forget_filters(needles)
	return changed


def redact(text: str, needles: Iterable[str]) -> str:
	"""Return a text without these addresses and ids, in whatever letter case or encoding; a plain function.

	An address that merely contains one of them (`nada@example.com`) stays. In a name of a recipient, which is made of
	Contact, address and a number, a hyphen stands at both ends.
	"""
	for needle in needles:
		spellings = {needle, quote(needle, safe=""), quote(needle), json.dumps(needle)[1:-1]}
		for spelling in spellings:
			exact = re.escape(spelling)
			pattern = rf"(?<![\w.+-]){exact}(?![\w-]|\.\w)|(?<![\w.+]){exact}(?=-\d+\b)"
			text = re.sub(pattern, REDACTED, text, flags=re.IGNORECASE)
	return text


def without_zoho_fields(data: str | None, needles: Iterable[str]) -> str | None:
	"""Return the data of a Contact's Version without changes of fields that Zoho filled; a plain function."""
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


def _delete_deleted(needles: list[str]) -> int:
	"""Delete what Frappe keeps of deleted recipients and contacts of these people: their data and the word of it."""
	deleted = 0
	for kind, field, of_doctype, more in (
		("Deleted Document", "data", "deleted_doctype", {}),
		("Comment", "subject", "reference_doctype", {"comment_type": "Deleted"}),
	):
		ours = {of_doctype: ("in", (RECIPIENT, "Contact")), **more}
		found = _containing(kind, field, ours, needles)
		names = [name for name, text in found if redact(text, needles) != text]
		if names:
			frappe.db.delete(kind, {"name": ("in", names)})
			deleted += len(names)
	return deleted


def _containing(doctype: str, field: str, condition: dict, needles: list[str]) -> list[tuple[str, str]]:
	"""Return name and text of the rows whose text contains one of these; what SQL finds is compared again by `redact`."""
	found: dict[str, str] = {}
	for needle in needles:
		for spelling in {needle, quote(needle, safe=""), json.dumps(needle)[1:-1]}:
			# Databases differ in how they escape what LIKE takes for a wildcard; it may find too much.
			pattern = spelling.replace("\\", "_")
			filters = {**condition, field: ("like", f"%{pattern}%")}
			found.update(frappe.get_all(doctype, filters, ["name", field], as_list=True))
	return list(found.items())


def _pointing() -> list[tuple[str, str, str]]:
	"""Return every other Dynamic Link of the site: (DocType, field of the DocType, field of the name)."""
	known = {(kind, name_field) for kind, _type_field, name_field in _COMPANIONS}
	links = {(link.parent, link.options, link.fieldname) for link in get_dynamic_links()}
	return sorted(
		link for link in links if (link[0], link[2]) not in known and not frappe.get_meta(link[0]).issingle
	)


def _point_elsewhere(doctype: str, filters: dict, field: str, new_names: Mapping[str, str]) -> None:
	for row, old in frappe.get_all(doctype, filters, ["name", field], as_list=True):
		frappe.db.set_value(doctype, row, field, new_names.get(old), update_modified=False)


def _any(doctype: str, field: str, value: str) -> bool:
	"""Tell whether a DocType has any row of this kind: on most sites none has, and nothing more is asked."""
	return bool(
		frappe.db.table_exists(doctype)
		and frappe.db.has_column(doctype, field)
		and frappe.get_all(doctype, {field: value}, limit=1)
	)


def _forget_search(doctype: str, names: list[str]) -> None:
	table = frappe.qb.Table("__global_search")
	frappe.qb.from_(table).delete().where((table.doctype == doctype) & table.name.isin(names)).run()


def _forget_filters(needles: list[str]) -> None:
	"""Forget the list views of recipients and contacts that users left with a filter on these people."""
	table = frappe.qb.Table("__UserSettings")
	query = frappe.qb.from_(table).select(table.user, table.doctype, table.data)
	for user, doctype, data in query.where(table.doctype.isin([RECIPIENT, "Contact"])).run():
		if data and redact(data, needles) != data:
			where = (table.user == user) & (table.doctype == doctype)
			frappe.qb.from_(table).delete().where(where).run()
			frappe.cache.hdel("_user_settings", f"{doctype}::{user}")


def _batches(names: Collection[str]) -> Iterable[list[str]]:
	names = list(names)
	return (names[start : start + _BATCH] for start in range(0, len(names), _BATCH))
