"""The shape of a report's columns."""

import frappe


def column(fieldname: str, label: str, fieldtype: str, width: int, **more: str) -> dict:
	"""Return a column of a report; text stands at the left even where its first row is empty.

	A link to what the user may not read is plain text: Frappe refuses the whole report otherwise, and ERPNext lets a
	System Manager without a sales role read no Campaign.
	"""
	if fieldtype == "Link" and not frappe.has_permission(more["options"], "read"):
		fieldtype = "Data"
		del more["options"]
	if fieldtype in ("Data", "Link"):
		more = {"align": "left", **more}
	if fieldtype == "Percent":
		more = {"precision": "1", **more}
	return {"fieldname": fieldname, "label": label, "fieldtype": fieldtype, "width": width, **more}
