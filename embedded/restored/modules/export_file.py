"""Frappe's module of this name, which the package calls `frappe.model.export`: one module under both names."""

import sys

from frappe.model import export

sys.modules[__name__] = export
