"""Convert values of version 0.0.1 that the new columns would refuse: text in number columns, ids that are not unique.

Otherwise the database would refuse the new schema, and the migration would fail.
"""

import frappe
from frappe.query_builder import DocType
from frappe.utils import create_batch

NUMBERS = {"Campaign Recipient": ("open_count", "click_count", "is_spam", "is_optout")}
UNIQUE = {"Campaign": "zoho_campaign_id", "Contact": "zoho_contact_id"}
MAX_INT = 2_147_483_647
_BATCH = 500


def execute() -> None:
	for doctype, columns in NUMBERS.items():
		for column in columns:
			if frappe.db.table_exists(doctype) and frappe.db.has_column(doctype, column):
				make_numbers(doctype, column)
	for doctype, column in UNIQUE.items():
		if frappe.db.has_column(doctype, column):
			make_unique(doctype, column)


def make_numbers(doctype: str, column: str) -> None:
	"""Replace values of a column that are not whole numbers; one statement for each different value."""
	table = DocType(doctype)
	field = table[column]
	for (value,) in frappe.qb.from_(table).select(field).distinct().run():
		number = as_number(value)
		if value is None:
			frappe.qb.update(table).set(field, number).where(field.isnull()).run()
		elif str(value) != str(number):
			frappe.qb.update(table).set(field, number).where(field == value).run()


def as_number(value: object) -> int:
	"""Return a stored value as a whole number from 0 to `MAX_INT`, 0 if it is no number; a plain function."""
	try:
		return min(max(int(float(str(value).strip().replace(",", "") or 0)), 0), MAX_INT)
	except (ValueError, OverflowError):
		return 0


def make_unique(doctype: str, column: str) -> None:
	"""Keep an id in the oldest document that has it and clear it in others; an empty text is cleared, too."""
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
		# Compared as by a unique index, which ignores case and trailing spaces.
		spelling = str(value).rstrip().casefold()
		later += [name] if spelling in seen else []
		seen.add(spelling)
	for batch in create_batch(later, _BATCH):
		frappe.qb.update(table).set(field, None).where(table.name.isin(batch)).run()
