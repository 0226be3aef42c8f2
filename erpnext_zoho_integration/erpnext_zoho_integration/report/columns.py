"""Makes the columns of reports."""

import frappe


def column(fieldname: str, label: str, fieldtype: str, width: int, **more: str) -> dict:
	"""Return a column of a report; text is aligned to the left even if its first row is empty.

	A link becomes plain text if the user may not read its DocType, because Frappe would refuse the whole report: ERPNext
	lets a System Manager without a sales role read no Campaign.
	"""
	if fieldtype == "Link" and not frappe.has_permission(more["options"], "read"):
		fieldtype = "Data"
		del more["options"]
	if fieldtype in ("Data", "Link"):
		more = {"align": "left", **more}
	if fieldtype == "Percent":
		more = {"precision": "1", **more}
	return {"fieldname": fieldname, "label": label, "fieldtype": fieldtype, "width": width, **more}
