"""Frappe's module of this name, which the package calls `frappe.patches`: one module under both names."""

import sys

from frappe import patches

sys.modules[__name__] = patches
