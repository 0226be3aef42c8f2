"""Install and remove apps, which the package refuses for any app but itself.

These functions replace those of the same name in `frappe/installer.py`, and do the steps in Frappe 16's order.
"""

import json

import click

import frappe


def install_app(name: str, verbose: bool = False, set_as_patched: bool = True, force: bool = False) -> None:
	"""Install an app on the site: its requirements, modules, DocTypes, fixtures and customisations."""
	from frappe.installer import add_module_defs, parse_app_name, set_all_patches_as_completed
	from frappe.model.sync import sync_for

	if name not in frappe.get_all_apps():
		raise Exception(f"App {name} not in apps.txt")
	hooks = frappe.get_hooks(app_name=name)
	for required in hooks.required_apps or []:
		install_app(parse_app_name(required), verbose=verbose)

	frappe.flags.in_install = name
	frappe.clear_cache()
	if not force and name in frappe.get_installed_apps():
		click.secho(f"App {name} already installed", fg="yellow")
		frappe.flags.in_install = False
		return
	print(f"\nInstalling {name}...")
	for method in hooks.before_install or []:
		if frappe.get_attr(method)() is False:
			frappe.flags.in_install = False
			return
	for method in frappe.get_hooks("before_app_install"):
		frappe.get_attr(method)(name)
	if name != "frappe":  # frappe's DocTypes create their modules, since Module Def has no table yet
		add_module_defs(name, ignore_if_duplicate=force)
	sync_for(name, force=force, reset_permissions=True)
	add_to_installed_apps(name)
	frappe.get_doc("Portal Settings", "Portal Settings").sync_menu()
	if set_as_patched:
		set_all_patches_as_completed(name)
	for method in hooks.after_install or []:
		frappe.get_attr(method)()
	for method in frappe.get_hooks("after_app_install"):
		frappe.get_attr(method)(name)
	_sync_jobs_fixtures_customisations_dashboards(name)
	for method in hooks.after_sync or []:
		frappe.get_attr(method)()
	frappe.clear_cache()
	frappe.client_cache.erase_persistent_caches()
	frappe.flags.in_install = False


def _sync_jobs_fixtures_customisations_dashboards(name: str) -> None:
	from frappe.core.doctype.scheduled_job_type.scheduled_job_type import sync_jobs
	from frappe.model.module_utils import sync_customizations
	from frappe.utils.dashboard import sync_dashboards
	from frappe.utils.fixtures import sync_fixtures

	sync_jobs()
	sync_fixtures(name)
	sync_customizations(name)
	sync_dashboards(name)


def add_to_installed_apps(app_name: str, rebuild_website: bool = True) -> None:
	"""Record the app as installed."""
	from frappe.installer import post_install

	installed = list(frappe.get_installed_apps())
	if app_name in installed:
		return
	_store_installed_apps([*installed, app_name])
	if frappe.flags.in_install:
		post_install(rebuild_website)


def remove_from_installed_apps(app_name: str) -> None:
	"""Record the app as no longer installed."""
	_store_installed_apps([app for app in frappe.get_installed_apps() if app != app_name])


def _store_installed_apps(apps: list[str]) -> None:
	frappe.db.set_global("installed_apps", json.dumps(apps))
	frappe.db.commit()
	frappe.clear_cache()
	frappe.local.doc_events_hooks = None


def remove_app(
	app_name: str, dry_run: bool = False, yes: bool = False, no_backup: bool = False, force: bool = False
) -> None:
	"""Remove an app from the site, with its modules, their DocTypes and the data of these DocTypes."""
	from frappe.installer import _delete_doctypes, _delete_modules

	if not force and app_name not in frappe.get_installed_apps():
		click.secho(f"App {app_name} not installed on Site {frappe.local.site}", fg="yellow")
		return
	for app in frappe.get_installed_apps():
		required = frappe.get_hooks("required_apps", app_name=app)
		if app != app_name and any(app_name in requirement.split("/") for requirement in required):
			click.secho(f"App {app_name} is a dependency of {app}. Uninstall {app} first.", fg="yellow")
			return
	if not (dry_run or yes):
		click.confirm("All DocTypes and modules of this app will be deleted. Continue?", abort=True)
	hooks = frappe.get_hooks(app_name=app_name)
	frappe.flags.in_uninstall = True
	for method in hooks.before_uninstall or []:
		frappe.get_attr(method)()
	for method in frappe.get_hooks("before_app_uninstall"):
		frappe.get_attr(method)(app_name)
	modules = frappe.get_all("Module Def", filters={"app_name": app_name}, pluck="name")
	doctypes = _delete_modules(modules, dry_run=dry_run)
	_delete_doctypes(doctypes, dry_run=dry_run)
	if not dry_run:
		remove_from_installed_apps(app_name)
		frappe.db.commit()
	for method in hooks.after_uninstall or []:
		frappe.get_attr(method)()
	for method in frappe.get_hooks("after_app_uninstall"):
		frappe.get_attr(method)(app_name)
	click.secho(f"Uninstalled App {app_name} from Site {frappe.local.site}", fg="green")
	frappe.flags.in_uninstall = False
