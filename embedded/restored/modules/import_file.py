"""Frappe's module of this name, which the package calls `frappe.model.import_doc`: one module under both names."""

import sys

from frappe.model import import_doc

sys.modules[__name__] = import_doc
