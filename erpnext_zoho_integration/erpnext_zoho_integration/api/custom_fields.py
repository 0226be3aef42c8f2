"""Reads, creates and deletes the fields that the app adds to Campaign and Contact.

`../custom/campaign.json` and `../custom/contact.json` declare them. Frappe applies these files on install and migrate;
this module reads them for installation, patches and uninstallation.
"""

import json
from pathlib import Path

import frappe
from frappe.custom.doctype.custom_field.custom_field import create_custom_fields as _create

_FOLDER = Path(__file__).parents[1] / "custom"
# Keys that identify a stored Custom Field; Frappe's own function takes the others.
_RECORD_KEYS = {"doctype", "dt", "name", "owner", "modified_by", "creation", "modified", "idx"}


def get_custom_fields() -> dict[str, list[dict]]:
	"""Return the declared fields by DocType, in the order of the form."""
	fields = {}
	for path in sorted(_FOLDER.glob("*.json")):
		declared = json.loads(path.read_text())
		fields[declared["doctype"]] = [
			{key: value for key, value in field.items() if key not in _RECORD_KEYS}
			for field in declared["custom_fields"]
		]
	return fields


def create_custom_fields() -> None:
	"""Create or update every declared field; calling it again changes nothing."""
	_create(get_custom_fields(), ignore_validate=True)


def delete_custom_fields() -> None:
	"""Delete every declared field; as Frappe does it, the columns and their values stay in the database."""
	for doctype, fields in get_custom_fields().items():
		frappe.db.delete(
			"Custom Field", {"dt": doctype, "fieldname": ("in", [f["fieldname"] for f in fields])}
		)
		frappe.clear_cache(doctype=doctype)
