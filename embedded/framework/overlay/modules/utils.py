"""An alias: the package has Frappe\'s `frappe.modules.utils` as `frappe.model.module_utils`."""

import sys

from frappe.model import module_utils

sys.modules[__name__] = module_utils
