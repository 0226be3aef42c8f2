"""The fields that the app adds to Campaign and Contact.

They are declared once, in `../custom/campaign.json` and `../custom/contact.json`, which Frappe applies by itself on
install and migrate. This module reads the same files for installation, patches and uninstallation.
"""

import json
from pathlib import Path

import frappe
from frappe.custom.doctype.custom_field.custom_field import create_custom_fields as _create

_FOLDER = Path(__file__).parents[1] / "custom"
# Keys that identify a stored Custom Field; what remains is what Frappe's own function takes.
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
	"""Delete every declared field. The columns and what they hold stay in the database, as Frappe does it."""
	for doctype, fields in get_custom_fields().items():
		frappe.db.delete(
			"Custom Field", {"dt": doctype, "fieldname": ("in", [f["fieldname"] for f in fields])}
		)
		frappe.clear_cache(doctype=doctype)
