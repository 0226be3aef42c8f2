"""Starts, forecasts and cancels syncs, over HTTP, from the scheduler and from Python. Thin functions over `sync`."""

import frappe
from frappe import _

from erpnext_zoho_integration.connection.error_messages import explained_errors
from erpnext_zoho_integration.erpnext_zoho_integration.roles_and_rate_limits import (
	MAY_SYNC,
	over_http,
	reads_live,
	require,
	require_campaign,
)
from erpnext_zoho_integration.sync.planning.forecast import forecast_all
from erpnext_zoho_integration.sync.runs import queue, run_log, single_steps


@frappe.whitelist(methods=["POST"])
def sync_all_campaigns(now: bool = False) -> dict:
	"""Sync all sent campaigns. The scheduler calls this every hour.

	Args:
		now: run in this process and return the result; over HTTP the run is always queued.

	Returns:
		`success`, `synced_count`, `total_campaigns`, `errors`; and `queued` and `run` unless it ran here.
	"""
	if over_http():
		require(*MAY_SYNC)
		with explained_errors():
			queue.require_connection()
		return _queued("User", "All")
	if now:
		queue.require_connection()
		return run_log.result_of(queue.run_now("Python", mode="All"))
	if not queue.schedule_enabled():
		return {"success": True, "synced_count": 0, "total_campaigns": 0, "errors": [], "queued": False}
	return _queued("Schedule", "Due")


@frappe.whitelist(methods=["POST"])
def sync_campaign_by_name(campaign_name: str) -> dict:
	"""Sync one campaign: metadata, figures and recipients.

	Args:
		campaign_name: name of the Campaign in ERPNext; the user needs write permission on it.

	Returns:
		`success` and `message`, and the `run` that was queued.
	"""
	campaign = require_campaign(campaign_name, "write")
	with explained_errors():
		queue.require_connection()
	run, created = queue.start("User", campaign, "Full")
	message = _("The sync has been queued.") if created else _("A sync of this campaign is already running.")
	return {"success": True, "message": message, "queued": created, "run": run}


@frappe.whitelist(methods=["POST"])
@reads_live
def forecast() -> dict:
	"""Estimate the cost and the result of a sync of all campaigns; see `sync.planning.forecast.Forecast`."""
	require(*MAY_SYNC)
	with explained_errors():
		return forecast_all().as_dict()


@frappe.whitelist(methods=["POST"])
def cancel_run(run: str) -> None:
	"""Ask a run to stop after its current page.

	Args:
		run: name of the Zoho Sync Run.
	"""
	require(*MAY_SYNC)
	queue.cancel(run)


sync_single_campaign = single_steps.sync_single_campaign
sync_campaign_analytics = single_steps.sync_campaign_analytics
sync_campaign_recipients_data = single_steps.sync_campaign_recipients_data
sync_recipient = single_steps.sync_recipient
find_or_create_contact = single_steps.find_or_create_contact
update_contact_from_zoho = single_steps.update_contact_from_zoho


def _queued(trigger: str, mode: str) -> dict:
	run, created = queue.start(trigger, mode=mode)
	return {
		"success": True,
		"synced_count": 0,
		"total_campaigns": 0,
		"errors": [],
		"queued": created,
		"run": run,
	}
