"""Where MariaDB, SQLite and Postgres differ, and nowhere else."""

from collections.abc import Iterable

from pypika.terms import Criterion

import frappe
from frappe.query_builder import Field
from frappe.query_builder.functions import Lower


def any_case_in(field: Field, values: Iterable[str]) -> Criterion:
	"""Return a condition that finds at least the rows whose text equals one of `values` in any letter case.

	What it finds is compared again in Python: MariaDB's collation finds more than that (see `identity`).

	Args:
		field: the column.
		values: in lower case, not empty.
	"""
	if frappe.db.db_type == "mariadb":
		return field.isin(list(values))  # ignores case by itself and uses the index
	return Lower(field).isin(list(values))
