"""The overview on the form of Zoho Settings: connection, last and next sync, call budget."""

from datetime import datetime
from zoneinfo import ZoneInfo

import frappe
from frappe import _
from frappe.utils import get_fullname, get_system_timezone
from frappe.utils.scheduler import is_scheduler_inactive

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection.clients import make_rate_limiter
from erpnext_zoho_integration.connection.identity import pause
from erpnext_zoho_integration.connection.settings import get_settings
from erpnext_zoho_integration.erpnext_zoho_integration.desk.sync_progress import active_run
from erpnext_zoho_integration.erpnext_zoho_integration.roles_and_rate_limits import SYSTEM_MANAGER, require
from erpnext_zoho_integration.store.doctypes import SYNC_RUN
from erpnext_zoho_integration.store.fields import ACTIVE_KEY
from erpnext_zoho_integration.sync.runs import health
from erpnext_zoho_integration.sync.runs.queue import schedule_enabled

_SCHEDULED = "erpnext_zoho_integration.erpnext_zoho_integration.api.sync.sync_all_campaigns"


@frappe.whitelist(methods=["GET"])
def get_overview() -> dict:
	"""Return the state of the connection and of the sync.

	Returns:
		`data_centers` (value and label of each), `data_center` and `connected_by` (for people), `last_run` (`name`,
		`status`, `message`, `finished_at`), `active_run`, `next_sync` (None if nothing is scheduled),
		`paused` (why everything pauses, None if nothing does), `scheduler_inactive`, `problems` (kinds of `sync.runs.health`), `token_until` (expiry of the access token),
		`budget` (see `budget`).
	"""
	require(SYSTEM_MANAGER)
	settings = get_settings()
	center = zoho.DATA_CENTERS.get(settings.data_center)
	paused = pause(settings)
	return {
		"data_centers": data_centers(),
		"data_center": _(center.name) if center else None,
		"connected_by": get_fullname(settings.connected_by) if settings.connected_by else None,
		"last_run": _last_run(),
		"active_run": active_run(),
		"next_sync": _next_sync(),
		"paused": paused.text if paused else None,
		"scheduler_inactive": schedule_enabled() and _scheduler_inactive(),
		"problems": [problem.kind for problem in health.problems()],
		"token_until": settings.token_expiry,
		"budget": budget(settings) if settings.is_active else [],
	}


def budget(settings) -> list[dict]:
	"""Return how many calls of each API method are left in the site's own budget.

	Returns:
		Per method `label`, `left`, `calls` (the whole budget of five minutes) and `locked_until` (None unless Zoho has
		locked it).
	"""
	limiter = make_rate_limiter(settings)
	return [
		{
			"label": label,
			"left": max(0, limiter.calls - limiter.used(method)),
			"calls": limiter.calls,
			"locked_until": _at_site(limiter.locked_until(method)),
		}
		for method, label in _methods().items()
	]


def data_centers() -> list[dict]:
	"""Return the options of the field Data Centre: the code as value, country and domain as label."""
	return [
		{"value": center.code, "label": f"{_(center.name)} ({center.accounts_url.partition('accounts.')[2]})"}
		for center in zoho.DATA_CENTERS.values()
	]


def _methods() -> dict[str, str]:
	"""Return the translated label of each API method that a sync calls."""
	return {
		"recentcampaigns": _("Campaign list"),
		"campaignreports": _("Campaign reports"),
		"getcampaignrecipientsdata": _("Recipients"),
		"getcampaigndetails": _("A/B tests"),
	}


def _at_site(seconds: float | None) -> datetime | None:
	"""Convert seconds since the epoch to a naive datetime in the site's zone, as Frappe stores it."""
	if not seconds:
		return None
	return datetime.fromtimestamp(seconds, ZoneInfo(get_system_timezone())).replace(
		tzinfo=None, microsecond=0
	)


def _last_run() -> dict | None:
	runs = frappe.get_all(
		SYNC_RUN,
		{ACTIVE_KEY: ("is", "not set")},
		["name", "status", "message", "finished_at"],
		order_by="creation desc",
		limit=1,
	)
	return runs[0] if runs else None


def _next_sync():
	if not schedule_enabled():
		return None
	job = frappe.db.get_value("Scheduled Job Type", {"method": _SCHEDULED, "stopped": 0})
	return frappe.get_doc("Scheduled Job Type", job).get_next_execution() if job else None


def _scheduler_inactive() -> bool:
	return bool(is_scheduler_inactive(verbose=False))
