"""Frappe's module of this name, which the package calls `frappe.model.module_utils`: one module under both names."""

import sys

from frappe.model import module_utils

sys.modules[__name__] = module_utils
