"""An alias: the package has Frappe\'s `frappe.modules.patch_handler` as `frappe.patches`."""

import sys

from frappe import patches

sys.modules[__name__] = patches
