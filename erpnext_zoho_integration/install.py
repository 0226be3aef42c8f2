"""Adds to a site what the app needs when it is installed, and removes it when the app is uninstalled."""

import frappe
from frappe.model.document import Document
from frappe.utils.background_jobs import get_queues

from erpnext_zoho_integration.connection.identity import note_identity
from erpnext_zoho_integration.connection.tokens import disconnect
from erpnext_zoho_integration.consent import backfill
from erpnext_zoho_integration.erpnext_zoho_integration.api.custom_fields import (
	create_custom_fields,
	delete_custom_fields,
)
from erpnext_zoho_integration.store.doctypes import (
	ANALYTICS,
	CAMPAIGN_STATE,
	CONSENT_EVENT,
	DELETED_CAMPAIGN,
	ERASED_PERSON,
	HELD_MAIL,
	MARKETING_MAIL,
	NOTIFIED_USER,
	RECIPIENT,
	SETTINGS,
	SUPPRESSED_ADDRESS,
	SYNC_INTERVAL,
	SYNC_RUN,
	SYNC_RUN_CAMPAIGN,
	SYNC_RUN_ERROR,
	SYNC_TASK,
)
from erpnext_zoho_integration.store.document_names import delete_counters
from erpnext_zoho_integration.store.fields import IS_ACTIVE
from erpnext_zoho_integration.store.indexes import drop_address_index, index_addresses
from erpnext_zoho_integration.sync.planning.check_intervals import DEFAULT_INTERVALS

MODULE = "ERPNext Zoho Integration"
# Emptied in bulk, because Frappe deletes the documents of a removed module one by one.
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
	CONSENT_EVENT,
	SUPPRESSED_ADDRESS,
	HELD_MAIL,
)


def after_install() -> None:
	"""Add the custom fields, the index that matching needs and the defaults of Zoho Settings."""
	create_custom_fields()
	index_addresses()
	settings = frappe.get_single(SETTINGS)
	if not settings.intervals:
		_add_intervals(settings)
	settings.hold_back_marketing_mail = 1
	settings.flags.ignore_mandatory = True
	settings.save(ignore_permissions=True)
	backfill.queue()


def after_migrate() -> None:
	"""Bring the site up to date: new settings, what identifies it, the index that matching needs, the consent backfill."""
	add_missing_settings()
	note_identity()
	index_addresses()
	backfill.queue()


def add_missing_settings() -> None:
	"""Store the default of every setting that this site has never saved.

	Once anything of a Single is stored, Frappe no longer applies defaults when it reads it: a new Check would be off.
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


def _add_intervals(settings: Document) -> None:
	for until_age_days, every_hours in DEFAULT_INTERVALS:
		settings.append("intervals", {"until_age_days": until_age_days, "every_hours": every_hours})


def before_uninstall() -> None:
	"""Revoke the refresh token if Zoho answers, and remove the app's rows, custom fields and jobs.

	Campaigns and Contacts stay, with the columns of the custom fields: they belong to the site.
	"""
	if frappe.db.get_single_value(SETTINGS, IS_ACTIVE, cache=False):
		disconnect()
	_stop_runs()
	_remove_jobs()
	for doctype in TABLES:
		if frappe.db.table_exists(doctype):
			frappe.db.delete(doctype)
	delete_counters()
	drop_address_index()
	delete_custom_fields()
	_remove_from_desk()


def after_uninstall() -> None:
	"""Remove what Frappe leaves: values and secrets of Zoho Settings, scheduled jobs and the patch log."""
	for doctype in (SYNC_INTERVAL, NOTIFIED_USER, MARKETING_MAIL):
		if frappe.db.table_exists(doctype):
			frappe.db.delete(doctype)
	frappe.db.delete("Singles", {"doctype": SETTINGS})
	frappe.db.delete("__Auth", {"doctype": SETTINGS})
	frappe.db.delete("Scheduled Job Type", {"method": ("like", "erpnext_zoho_integration.%")})
	frappe.db.delete("Patch Log", {"patch": ("like", "erpnext_zoho_integration.%")})
	frappe.db.commit()  # nosemgrep - Frappe 15 does not commit after this hook
	frappe.clear_cache()


def _remove_from_desk() -> None:
	"""Remove the workspace's onboarding and sidebar, which Frappe does not remove with the module."""
	workspaces = frappe.get_all("Workspace", {"module": MODULE}, pluck="name")
	onboardings = frappe.get_all("Module Onboarding", {"module": MODULE}, pluck="name")
	steps = frappe.get_all("Onboarding Step Map", {"parent": ("in", onboardings)}, pluck="step")
	for doctype, field, values in (
		("Module Onboarding", "name", onboardings),
		("Onboarding Step", "name", steps),
		("Workspace Sidebar", "module", [MODULE]),  # this and the next field exist in Frappe 16 only
		("Desktop Icon", "link_to", workspaces),
	):
		if frappe.db.table_exists(doctype) and frappe.db.has_column(doctype, field):
			for name in frappe.get_all(doctype, {field: ("in", values)}, pluck="name"):
				frappe.delete_doc(doctype, name, ignore_permissions=True, force=True)


def _stop_runs() -> None:
	"""Delete the runs, so that workers stop at their next page."""
	for doctype in (SYNC_TASK, SYNC_RUN):
		if frappe.db.table_exists(doctype):
			frappe.db.delete(doctype)
	frappe.db.commit()  # nosemgrep - workers must see it now; the following steps cannot be undone either


def _remove_jobs() -> None:
	"""Delete this site's jobs of the app from the queues: workers could no longer import their functions."""
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
