"""An alias: the package has Frappe\'s `frappe.modules.export_file` as `frappe.model.export`."""

import sys

from frappe.model import export

sys.modules[__name__] = export
