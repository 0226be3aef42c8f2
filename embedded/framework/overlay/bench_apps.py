"""Several apps on a bench: which are there, which are installed, their hooks and modules.

The package knows only one app, itself. These functions replace those of the same name in `frappe/__init__.py`.
"""

import inspect
import json
import os
import types
from typing import Any

import frappe
from frappe.utils.caching import request_cache


def get_all_apps(with_internal_apps: bool = True, sites_path: str | None = None) -> list[str]:
	"""List the bench's apps from sites/apps.txt, the framework first."""
	path = os.path.join(sites_path or frappe.local.sites_path, "apps.txt")
	apps = frappe.get_file_items(path, raise_not_found=True)
	return ["frappe", *(app for app in apps if app != "frappe")]


@request_cache
def get_installed_apps(*, _ensure_on_bench: bool = False) -> list[str]:
	"""List the apps installed on the site, in the order of their installation."""
	if frappe.flags.in_install_db:
		return []
	if not frappe.db:
		frappe.connect()
	installed = json.loads(frappe.db.get_global("installed_apps") or "[]")
	if _ensure_on_bench:
		on_bench = set(get_all_apps())
		installed = [app for app in installed if app in on_bench]
	return installed


def get_module_list(app_name: str = "frappe") -> list[str]:
	"""List an app's modules from its modules.txt."""
	return frappe.get_file_items(frappe.get_app_path(app_name, "modules.txt"))


def setup_module_map(include_all_apps: bool = True) -> None:
	"""Map modules to apps, for all apps of the bench."""
	app_modules = {app: [frappe.scrub(module) for module in get_module_list(app)] for app in get_all_apps()}
	frappe.local.app_modules = app_modules
	frappe.local.module_app = {module: app for app, modules in app_modules.items() for module in modules}


def get_hooks(
	hook: str | None = None, default: Any = "_KEEP_DEFAULT_LIST", app_name: str | None = None
) -> Any:
	"""Return the hooks of all installed apps, or of one, merged as lists.

	Args:
		hook: the name of one hook; without it, all hooks are returned.
		default: the value for a missing hook; an empty list if not given.
		app_name: only this app's hooks, whether it is installed or not.
	"""
	if app_name:
		hooks = load_hooks([app_name])
	else:
		hooks = frappe.client_cache.get_value("app_hooks")
		if hooks is None:
			hooks = load_hooks(get_installed_apps(_ensure_on_bench=True))
			frappe.client_cache.set_value("app_hooks", hooks)
	if not hook:
		return frappe._dict(hooks)
	return hooks.get(hook, [] if default == "_KEEP_DEFAULT_LIST" else default)


def load_hooks(apps: list[str]) -> dict[str, Any]:
	"""Merge the public values of each app's hooks module."""
	merged: dict[str, Any] = {}
	for app in apps:
		module = frappe.get_module(f"{app}.hooks")
		for key, value in inspect.getmembers(module):
			if not key.startswith("_") and not isinstance(
				value, types.ModuleType | types.FunctionType | type
			):
				frappe.append_hook(merged, key, value)
	return merged


def get_attr(method_string: str) -> Any:
	"""Return the object at a dotted path, and refuse apps that are not installed on the site."""
	app = method_string.split(".", 1)[0]
	flags = frappe.local.flags
	if not flags.in_uninstall and not flags.in_install and app not in frappe.get_installed_apps():
		frappe.throw(frappe._("App {0} is not installed").format(app), frappe.AppNotInstalledError)
	module, _, name = method_string.rpartition(".")
	return getattr(frappe.get_module(module), name)


def is_setup_complete() -> bool:
	"""Return whether the setup wizard is complete, by the setting that it stores at its end."""
	return bool(frappe.db.get_single_value("System Settings", "setup_complete"))
