"""An alias: the package has Frappe\'s `frappe.modules.import_file` as `frappe.model.import_doc`."""

import sys

from frappe.model import import_doc

sys.modules[__name__] = import_doc
