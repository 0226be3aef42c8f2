"""Make what version 0.0.1 stored fit the columns to come: numbers where text stood, unique ids.

Without this the database itself would refuse the new schema, and the migration with it.
"""

import frappe
from frappe.query_builder import DocType

NUMBERS = {"Campaign Recipient": ("open_count", "click_count", "is_spam", "is_optout")}
UNIQUE = {"Campaign": "zoho_campaign_id", "Contact": "zoho_contact_id"}
MAX_INT = 2_147_483_647


def execute() -> None:
	for doctype, columns in NUMBERS.items():
		for column in columns:
			if frappe.db.table_exists(doctype) and frappe.db.has_column(doctype, column):
				make_numbers(doctype, column)
	for doctype, column in UNIQUE.items():
		if frappe.db.has_column(doctype, column):
			make_unique(doctype, column)


def make_numbers(doctype: str, column: str) -> None:
	"""Write whole numbers where a column holds anything else; one statement for each different text."""
	table = DocType(doctype)
	field = table[column]
	for (value,) in frappe.qb.from_(table).select(field).distinct().run():
		number = as_number(value)
		if value is None:
			frappe.qb.update(table).set(field, number).where(field.isnull()).run()
		elif str(value) != str(number):
			frappe.qb.update(table).set(field, number).where(field == value).run()


def as_number(value: object) -> int:
	"""Return the whole number that a stored value means, 0 if it means none; a plain function."""
	try:
		return min(max(int(float(str(value).strip().replace(",", "") or 0)), 0), MAX_INT)
	except (ValueError, OverflowError):
		return 0


def make_unique(doctype: str, column: str) -> None:
	"""Leave an id to the oldest document that has it; an empty text is no id."""
	table = DocType(doctype)
	field = table[column]
	frappe.qb.update(table).set(field, None).where(field == "").run()
	rows = (
		frappe.qb.from_(table)
		.select(table.name, field)
		.where(field.isnotnull())
		.orderby(table.creation)
		.run()
	)
	seen, later = set(), []
	for name, value in rows:
		# As a unique index sees it, which ignores case and blanks at the end.
		spelling = str(value).rstrip().casefold()
		later += [name] if spelling in seen else []
		seen.add(spelling)
	for start in range(0, len(later), 500):
		batch = later[start : start + 500]
		frappe.qb.update(table).set(field, None).where(table.name.isin(batch)).run()
