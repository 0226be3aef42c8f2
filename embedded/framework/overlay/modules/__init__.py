"""Frappe's `frappe.modules`; the package has its functions in `frappe.model`."""

from frappe.model.module_utils import (
	export_doc,
	get_doc_path,
	get_doctype_module,
	get_module_app,
	get_module_name,
	load_doctype_module,
	reload_doc,
	scrub_dt_dn,
)

__all__ = [
	"export_doc",
	"get_doc_path",
	"get_doctype_module",
	"get_module_app",
	"get_module_name",
	"load_doctype_module",
	"reload_doc",
	"scrub_dt_dn",
]
