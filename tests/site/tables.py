"""The names of the site's tables."""

from __future__ import annotations

import frappe


def tables() -> list[str]:
	"""Return the names of the site's own tables.

	On MariaDB, Frappe 15 also returns the server's statistics tables; they are left out.
	"""
	return [name for name in frappe.db.get_tables(cached=False) if name.startswith(("tab", "__"))]
