"""What installing the app adds to a site and what uninstalling it removes."""

import frappe

from erpnext_zoho_integration.connection.tokens import disconnect
from erpnext_zoho_integration.erpnext_zoho_integration.api.custom_fields import (
	create_custom_fields,
	delete_custom_fields,
)
from erpnext_zoho_integration.store.doctypes import (
	ANALYTICS,
	CAMPAIGN_STATE,
	DELETED_CAMPAIGN,
	ERASED_PERSON,
	NOTIFIED_USER,
	RECIPIENT,
	SETTINGS,
	SYNC_INTERVAL,
	SYNC_RUN,
	SYNC_RUN_CAMPAIGN,
	SYNC_RUN_ERROR,
	SYNC_TASK,
)
from erpnext_zoho_integration.store.indexes import drop_address_index, index_addresses
from erpnext_zoho_integration.store.names import forget_series
from erpnext_zoho_integration.sync.planning.schedule import DEFAULT_INTERVALS

MODULE = "ERPNext Zoho Integration"
# Large or standing alone: emptied before Frappe removes the modules row by row.
TABLES = (
	RECIPIENT,
	ANALYTICS,
	CAMPAIGN_STATE,
	SYNC_TASK,
	SYNC_RUN,
	SYNC_RUN_CAMPAIGN,
	SYNC_RUN_ERROR,
	DELETED_CAMPAIGN,
	ERASED_PERSON,
)


def after_install() -> None:
	"""Add the custom fields, the index that matching needs and the defaults of Zoho Settings."""
	create_custom_fields()
	index_addresses()
	settings = frappe.get_single(SETTINGS)
	if not settings.intervals:
		_add_intervals(settings)
	settings.flags.ignore_mandatory = True
	settings.save(ignore_permissions=True)


def after_migrate() -> None:
	"""Give settings that are newer than the site their defaults, and see to the index that matching needs."""
	add_missing_settings()
	index_addresses()


def add_missing_settings() -> None:
	"""Store the default of every setting that this site has never saved.

	Of a Single, Frappe reads defaults only as long as nothing of it is stored: a new Check would count as off.
	"""
	stored = frappe.db.get_singles_dict(SETTINGS)
	if not stored:
		return
	for field in frappe.get_meta(SETTINGS).fields:
		if field.default and field.fieldname not in stored:
			frappe.db.set_single_value(SETTINGS, field.fieldname, field.default, update_modified=False)
	settings = frappe.get_doc(SETTINGS)
	if not settings.intervals:
		_add_intervals(settings)
		for row in settings.intervals:
			row.db_insert()


def _add_intervals(settings) -> None:
	for until_age_days, every_hours in DEFAULT_INTERVALS:
		settings.append("intervals", {"until_age_days": until_age_days, "every_hours": every_hours})


def before_uninstall() -> None:
	"""Revoke the token at Zoho if Zoho answers, and remove our rows, fields and jobs.

	Campaigns, Contacts and the columns that the fields leave stay: they are the site's.
	"""
	if frappe.db.get_single_value(SETTINGS, "is_active", cache=False):
		disconnect()
	_end_runs()
	_remove_jobs()
	for doctype in TABLES:
		if frappe.db.table_exists(doctype):
			frappe.db.delete(doctype)
	forget_series()
	drop_address_index()
	delete_custom_fields()
	_remove_from_desk()


def after_uninstall() -> None:
	"""Remove what Frappe leaves: the values and secrets of a Single, its notes of our jobs and patches."""
	for doctype in (SYNC_INTERVAL, NOTIFIED_USER):
		if frappe.db.table_exists(doctype):
			frappe.db.delete(doctype)
	frappe.db.delete("Singles", {"doctype": SETTINGS})
	frappe.db.delete("__Auth", {"doctype": SETTINGS})
	frappe.db.delete("Scheduled Job Type", {"method": ("like", "erpnext_zoho_integration.%")})
	frappe.db.delete("Patch Log", {"patch": ("like", "erpnext_zoho_integration.%")})
	frappe.db.commit()  # nosemgrep - Frappe 15 has committed for the last time
	frappe.clear_cache()


def _remove_from_desk() -> None:
	"""Remove what Frappe makes of our workspace and its first steps, and does not find by the module."""
	workspaces = frappe.get_all("Workspace", {"module": MODULE}, pluck="name")
	onboardings = frappe.get_all("Module Onboarding", {"module": MODULE}, pluck="name")
	steps = frappe.get_all("Onboarding Step Map", {"parent": ("in", onboardings)}, pluck="step")
	for doctype, field, values in (
		("Module Onboarding", "name", onboardings),
		("Onboarding Step", "name", steps),
		("Workspace Sidebar", "module", [MODULE]),  # Frappe 16 only, as the next one's field
		("Desktop Icon", "link_to", workspaces),
	):
		if frappe.db.table_exists(doctype) and frappe.db.has_column(doctype, field):
			for name in frappe.get_all(doctype, {field: ("in", values)}, pluck="name"):
				frappe.delete_doc(doctype, name, ignore_permissions=True, force=True)


def _end_runs() -> None:
	"""Take the runs away from workers that are at it; they end at their next page."""
	for doctype in (SYNC_TASK, SYNC_RUN):
		if frappe.db.table_exists(doctype):
			frappe.db.delete(doctype)
	frappe.db.commit()  # nosemgrep - the workers must see it now; what follows cannot be undone either


def _remove_jobs() -> None:
	"""Take our jobs off the queues; a worker could no longer import what they call."""
	from frappe.utils.background_jobs import get_queues

	try:
		for queue in get_queues():
			for job in queue.jobs:
				kwargs = job.kwargs or {}
				if kwargs.get("site") == frappe.local.site and str(kwargs.get("method", "")).startswith(
					"erpnext_zoho_integration."
				):
					job.delete()
	except Exception:
		frappe.log_error("Zoho: jobs not removed from the queue")
