"""The interruptions that end a slice or a run before its work is done, and which errors cause them."""

import time

import frappe

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection.error_messages import explain
from erpnext_zoho_integration.connection.errors import NotConnected
from erpnext_zoho_integration.connection.tokens import mark_refused
from erpnext_zoho_integration.connection.zoho_rate_limit import BudgetUsedUp
from erpnext_zoho_integration.store import sql_lookups
from erpnext_zoho_integration.store.doctypes import SYNC_RUN
from erpnext_zoho_integration.store.fields import CANCEL_REQUESTED
from erpnext_zoho_integration.sync.fetch.zoho_session import ZohoSession
from erpnext_zoho_integration.sync.runs import run_log

_CONNECTION_LOST = (NotConnected, zoho.ReauthorizationRequired, zoho.AuthenticationError)


class SliceOver(Exception):
	"""The time of this job is up; the next one goes on."""


class StopRun(Exception):
	"""The run cannot go on: every further call would meet the same error."""


class Cancelled(StopRun):
	"""Somebody cancelled the run."""


class RunGone(Exception):
	"""The run no longer exists: somebody has deleted it, or uninstalled the app."""


def interruption(
	run: str, session: ZohoSession, error: Exception, stage: str | None = None
) -> BudgetUsedUp | StopRun:
	"""Return what an error does to a run: it waits if the error passes at a known time, else it stops.

	Args:
		run: name of the Zoho Sync Run.
		session: connection of the run.
		error: of Zoho or of the connection.
		stage: where to list the error; None if it has been listed.

	Raises:
		RunGone: the run was deleted meanwhile.
	"""
	require_run(run)
	if isinstance(error, zoho.RateLimited):
		until = session.remember_lock(error)
		return BudgetUsedUp(error.endpoint or "", until - time.time(), locked=True)
	message = explain(error) if isinstance(error, zoho.ZohoError) else str(error)
	if isinstance(error, zoho.AuthenticationError):
		mark_refused(message)
	if stage:
		run_log.add_error(run, message, stage_of(error, stage), getattr(error, "code", None))
	return StopRun(message)


def raise_if_cancelled(run: str, *wanted: tuple[str, str, str]) -> object:
	"""Raise if a run is to stop; else return the value that is looked up in the same statement.

	Args:
		run: name of the Zoho Sync Run.
		wanted: at most one further value, see `sql_lookups.values_of`.

	Raises:
		Cancelled: somebody cancelled the run.
		RunGone: somebody deleted it.
	"""
	requested, *found = sql_lookups.values_of((SYNC_RUN, run, CANCEL_REQUESTED), *wanted)
	if requested is None:
		raise RunGone
	if requested:
		raise Cancelled
	return found[0] if found else None


def require_run(run: str) -> None:
	"""Roll back, and raise `RunGone` if an error is only a consequence of the run having been deleted."""
	frappe.db.rollback()
	if not run_log.exists(run):
		raise RunGone


def stage_of(error: Exception, stage: str) -> str:
	"""Return under which stage to list an error: `Connect` leads people to the settings."""
	return "Connect" if isinstance(error, _CONNECTION_LOST) else stage
