"""Whether the connection to Zoho and the sync are in order, told from what is stored. Reads only, and asks nobody."""

from dataclasses import dataclass
from datetime import datetime

import frappe
from frappe.model.document import Document
from frappe.utils import cint, get_datetime

from erpnext_zoho_integration.connection.settings import get_settings
from erpnext_zoho_integration.store.doctypes import SETTINGS, SYNC_RUN
from erpnext_zoho_integration.sync.mapping import site_clock
from erpnext_zoho_integration.sync.runs.run_log import ACTIVE

CONNECTION, FAILING, STALE = "Connection", "Failing", "Stale"
# A run that has given a sign of life since then is at work, and what it does is not yet old.
_ALIVE_MINUTES = 60


@dataclass(frozen=True, slots=True)
class Problem:
	"""Something that somebody has to put right.

	Attributes:
		kind: `Connection`, `Failing` or `Stale`.
		reason: what happened and what to do, as it was said before; None where the kind says it.
		doctype, name: where it is put right.
	"""

	kind: str
	reason: str | None
	doctype: str
	name: str


def problems() -> list[Problem]:
	"""Return what is wrong now; nothing while the site is not connected on purpose.

	A lost connection comes alone: whatever else there is may follow from it.
	"""
	settings = get_settings()
	if settings.connection_status == "Needs Attention":
		return [Problem(CONNECTION, settings.connection_error, SETTINGS, SETTINGS)]
	if not settings.is_active:
		return []
	return [problem for problem in (_failing(), _stale(settings)) if problem]


def last_success() -> datetime | None:
	"""Return when the last sync of everything ended that brought what it could."""
	last = _ended_runs(("Success", "Partial"), 1)
	return last[0].finished_at if last else None


def _failing() -> Problem | None:
	"""The last sync of everything has failed, or the last two left something undone."""
	last = _ended_runs(("Success", "Partial", "Failed"), 2)
	if not last or last[0].status == "Success":
		return None
	if last[0].status == "Failed" or (len(last) == 2 and last[1].status != "Success"):
		return Problem(FAILING, last[0].message, SYNC_RUN, last[0].name)
	return None


def _stale(settings: Document) -> Problem | None:
	"""No sync of everything has succeeded for longer than the setting allows, and none is at work."""
	hours = cint(settings.stale_after_hours)
	if not settings.enable_schedule or not hours:
		return None
	# Whoever has just connected, or switched the schedule on, need not hear that nothing has come yet.
	moments = (last_success(), settings.connected_on, settings.modified)
	since = [get_datetime(each) for each in moments if each]
	if not since or site_clock.seconds_since(max(since)) < 3600 * hours or _at_work():
		return None
	return Problem(STALE, None, SETTINGS, SETTINGS)


def _ended_runs(status: tuple[str, ...], limit: int) -> list:
	return frappe.get_all(
		SYNC_RUN,
		{"active_key": ("is", "not set"), "campaign": ("is", "not set"), "status": ("in", status)},
		["name", "status", "message", "finished_at"],
		order_by="creation desc",
		limit=limit,
	)


def _at_work() -> bool:
	runs = frappe.get_all(
		SYNC_RUN, {"status": ("in", ACTIVE), "campaign": ("is", "not set")}, ["heartbeat", "resume_at"]
	)
	return any(_recent(run.heartbeat) or _recent(run.resume_at) for run in runs)


def _recent(moment: datetime | None) -> bool:
	return moment is not None and moment > site_clock.older_than(_ALIVE_MINUTES)
