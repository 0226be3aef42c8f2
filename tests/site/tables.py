"""The tables of the site."""

from __future__ import annotations

import frappe


def tables() -> list[str]:
	"""Return the names of the site's own tables.

	On MariaDB Frappe 15 also names those in which the server counts for itself.
	"""
	return [name for name in frappe.db.get_tables(cached=False) if name.startswith(("tab", "__"))]
