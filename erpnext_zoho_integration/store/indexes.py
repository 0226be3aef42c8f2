"""Database indexes that Frappe does not create by itself."""

import frappe

_ADDRESS_INDEX = "zoho_address"


def index_addresses() -> None:
	"""Index the addresses of Contacts. Commits.

	Every page is matched by them, and Frappe indexes none but the primary address: without this index a page would take
	longer the more Contacts there are.
	"""
	if frappe.db.db_type == "mariadb":
		# On two columns: Frappe drops an index on one column that the DocType does not ask for.
		frappe.db.add_index("Contact Email", ["email_id", "parent"], _ADDRESS_INDEX)
	else:
		expression = "lower(trim(`email_id`))"  # the one that `sql_lookups.select_in_any_case` compares
		frappe.db.sql_ddl(
			f"CREATE INDEX IF NOT EXISTS `{_ADDRESS_INDEX}` ON `tabContact Email` ({expression})"
		)


def drop_address_index() -> None:
	"""Remove the index that `index_addresses` made. Commits."""
	drop_index("Contact Email", _ADDRESS_INDEX)


def drop_index(doctype: str, index: str) -> None:
	"""Remove an index of a DocType's table, if it is there. Commits."""
	if frappe.db.db_type != "mariadb":
		frappe.db.sql_ddl(f"DROP INDEX IF EXISTS `{index}`")
	elif frappe.db.has_index(f"tab{doctype}", index):
		frappe.db.sql_ddl(f"ALTER TABLE `tab{doctype}` DROP INDEX `{index}`")
