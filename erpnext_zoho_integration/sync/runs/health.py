"""Whether the connection to Zoho and the sync are in order, judged by stored data. Reads only, sends no request."""

from dataclasses import dataclass
from datetime import datetime

import frappe
from frappe.model.document import Document
from frappe.utils import cint, get_datetime

from erpnext_zoho_integration.connection.identity import pause
from erpnext_zoho_integration.connection.settings import get_settings
from erpnext_zoho_integration.store.doctypes import SETTINGS, SYNC_RUN
from erpnext_zoho_integration.store.fields import ACTIVE_KEY
from erpnext_zoho_integration.sync.mapping import site_clock
from erpnext_zoho_integration.sync.runs.run_log import ACTIVE

CONNECTION, PAUSED, FAILING, STALE = "Connection", "Paused", "Failing", "Stale"
# A run with a newer heartbeat, or with a newer or future end of its wait, is at work.
_ALIVE_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Problem:
	"""A problem that a person has to solve.

	Attributes:
		kind: `Connection`, `Paused`, `Failing` or `Stale`.
		reason: the stored message of the run or connection; None if the kind says enough.
		doctype, name: the document where it is solved.
	"""

	kind: str
	reason: str | None
	doctype: str
	name: str


def problems() -> list[Problem]:
	"""Return the current problems; none while the site is disconnected on purpose.

	A lost connection is returned alone, because it may be the cause of all others.
	"""
	settings = get_settings()
	if settings.connection_status == "Needs Attention":
		return [Problem(CONNECTION, settings.connection_error, SETTINGS, SETTINGS)]
	if not settings.is_active:
		return []
	if paused := pause(settings):
		return [Problem(PAUSED, paused.text, SETTINGS, SETTINGS)]
	return [problem for problem in (_failing(), _stale(settings)) if problem]


def last_success() -> datetime | None:
	"""Return when the last sync of all campaigns ended with `Success` or `Partial`."""
	last = _ended_runs(("Success", "Partial"), 1)
	return last[0].finished_at if last else None


def _failing() -> Problem | None:
	"""Return a problem if the last sync of all campaigns failed, or the last two were not complete."""
	last = _ended_runs(("Success", "Partial", "Failed"), 2)
	if not last or last[0].status == "Success":
		return None
	if last[0].status == "Failed" or (len(last) == 2 and last[1].status != "Success"):
		return Problem(FAILING, last[0].message, SYNC_RUN, last[0].name)
	return None


def _stale(settings: Document) -> Problem | None:
	"""Return a problem if no sync of all campaigns has succeeded for longer than the setting allows, and none is at work."""
	hours = cint(settings.stale_after_hours)
	if not settings.enable_schedule or not hours:
		return None
	# Right after connecting or switching the schedule on, nothing can have been synced yet.
	moments = (last_success(), settings.connected_on, settings.modified)
	since = [get_datetime(each) for each in moments if each]
	if not since or site_clock.seconds_since(max(since)) < 3600 * hours or _at_work():
		return None
	return Problem(STALE, None, SETTINGS, SETTINGS)


def _ended_runs(status: tuple[str, ...], limit: int) -> list:
	return frappe.get_all(
		SYNC_RUN,
		{ACTIVE_KEY: ("is", "not set"), "campaign": ("is", "not set"), "status": ("in", status)},
		["name", "status", "message", "finished_at"],
		order_by="creation desc",
		limit=limit,
	)


def _at_work() -> bool:
	runs = frappe.get_all(
		SYNC_RUN,
		{"status": ("in", ACTIVE), "campaign": ("is", "not set")},
		["heartbeat_epoch", "resume_epoch"],
	)
	alive_since = site_clock.now_epoch() - _ALIVE_SECONDS
	return any(max(run.heartbeat_epoch, run.resume_epoch) > alive_since for run in runs)
