"""A run: plan, then campaign by campaign. It is a chain of slices, done by one worker or by several.

A slice ends when its time is up; the next one is another job. A wait for Zoho that is longer than a worker should
spend is written down and holds no worker.
"""

import time
import uuid
from collections.abc import Callable
from typing import Any

from rq.timeouts import JobTimeoutException

import frappe
from frappe import _
from frappe.utils import cint, get_datetime, now_datetime

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection.errors import NotConnected
from erpnext_zoho_integration.connection.messages import explain
from erpnext_zoho_integration.connection.rate_limit import BudgetUsedUp
from erpnext_zoho_integration.connection.tokens import mark_refused, mark_working
from erpnext_zoho_integration.locks import Held, shared_lock
from erpnext_zoho_integration.store import sql_lookups
from erpnext_zoho_integration.store.doctypes import SETTINGS, SYNC_RUN
from erpnext_zoho_integration.sync.fetch.session import ZohoSession
from erpnext_zoho_integration.sync.mapping import site_clock
from erpnext_zoho_integration.sync.mapping.results import Note
from erpnext_zoho_integration.sync.planning import due_campaigns
from erpnext_zoho_integration.sync.planning import policy as sync_policy
from erpnext_zoho_integration.sync.recipients import parallel_fixups
from erpnext_zoho_integration.sync.recipients.writers import Writers
from erpnext_zoho_integration.sync.runs import notifications, run_log, tasks
from erpnext_zoho_integration.sync.runs.campaign_log import CampaignLog
from erpnext_zoho_integration.sync.runs.campaign_sync import CampaignGone, CampaignSync

# RQ kills a job of Frappe's `long` queue after 1500 s by default; ours end by themselves long before.
SLICE_SECONDS = 600
# A dead worker's lock has run out before its task is taken by another one.
_CAMPAIGN_LOCK_SECONDS = 60 * (tasks.SILENT_MINUTES - 1)
# To compare what several workers have written of a million rows takes seconds; if it takes longer, another worker does it
# too, which does no harm.
_FINISH_LOCK_SECONDS = 60
_PROGRESS_SECONDS = 2.0
# So many campaigns in a row that Zoho does not answer for, and it does not answer at all.
_PATIENCE_CAMPAIGNS = 3
_CONNECTION_LOST = (NotConnected, zoho.ReauthorizationRequired, zoho.AuthenticationError)
# What a slice returns whose run is no longer there; no status of a run.
GONE = "Gone"


class StopRun(Exception):
	"""The run cannot go on: every further call would meet the same error."""


class Cancelled(StopRun):
	"""Somebody cancelled the run."""


class RunGone(Exception):
	"""The run is no longer there: somebody has deleted it, or uninstalled the app."""


class SliceOver(Exception):
	"""The time of this job is up; the next one goes on."""


class Slice:
	"""The part of a run that one job does.

	Args:
		run: name of the Zoho Sync Run.
		seconds: after how long it ends at the next page.
		patience: how long it waits for Zoho itself, see `connection.rate_limit`.
		writers: by default those that the site needs.
		progress: called now and then with the run's numbers.
	"""

	def __init__(
		self,
		run: str,
		*,
		seconds: float = SLICE_SECONDS,
		patience: float | None = None,
		writers: Writers | None = None,
		progress: Callable[[dict], None] | None = None,
	) -> None:
		self.run = run
		self.progress = progress
		self.worker = uuid.uuid4().hex
		self.deadline = time.monotonic() + seconds
		self.policy = sync_policy.read_policy()
		self.writers = writers or Writers.for_site()
		self.writers.parallel = cint(frappe.db.get_value(SYNC_RUN, run, "workers")) > 1
		self.session = ZohoSession(patience)
		self.unanswered = 0
		self._calls_counted = 0
		self._shown = 0.0

	def execute(self) -> str:
		"""Work until the run ends or this slice does; return the run's status then, or `GONE`.

		What nobody foresaw is listed and raised again, so that a failed job looks failed.
		"""
		gone = False
		try:
			return self._execute()
		except Exception:
			frappe.db.rollback()
			# Whatever went wrong, there is nobody left to tell it to.
			gone = not run_log.exists(self.run)
			if not gone:
				raise
			return GONE
		finally:
			self.session.close(remember=not gone)
			frappe.db.commit()  # nosemgrep - the page size

	def _execute(self) -> str:
		try:
			self._work()
		except SliceOver:
			return "Running"
		except JobTimeoutException:  # a page took longer than a whole job may: another job does it again
			_take_new_connection()
			return "Running"
		except BudgetUsedUp as pause:
			return self._wait(pause)
		except Cancelled:
			return self._finish(_("Cancelled."), cancelled=True)
		except StopRun as stop:
			return self._finish(str(stop))
		except Exception as error:
			self._require_run()
			frappe.log_error("Zoho Sync: run failed")
			run_log.add_error(self.run, _("Unexpected error: {0}. See the Error Log.").format(error), "Write")
			self._finish(_("The run broke off because of an unexpected error."))
			raise
		if tasks.unfinished(self.run):
			return "Running"  # other workers are still at it
		mark_working()
		return self._finish(None)

	def _work(self) -> None:
		planned = self._plan()
		self.full = planned["full"]
		self.times = due_campaigns.times_from_samples(planned["samples"], self.policy)
		while task := tasks.take(self.run, self.worker):
			self._check_cancelled()
			self._campaign(task)
			self._show_progress()

	def _plan(self) -> dict:
		"""Return the plan of the run; the first worker makes it."""
		if planned := run_log.read_plan(self.run):
			return planned
		with shared_lock(f"plan-{self.run}", seconds=600, wait=300):
			frappe.db.commit()  # nosemgrep - see what another worker has planned meanwhile
			if planned := run_log.read_plan(self.run):
				return planned
			run = frappe.db.get_value(SYNC_RUN, self.run, ["campaign", "mode"], as_dict=True)
			try:
				made = self._make_plan(run)
			except (zoho.ZohoError, NotConnected) as error:
				self._stop_or_wait(error, "List")
			planned = {
				"full": run.mode == "Full" or bool(run.campaign),
				"samples": made.samples,
				"not_due": made.not_due,
				"calls": self.session.calls,
			}
			self._calls_counted = self.session.calls
			if not frappe.db.get_value(SYNC_RUN, self.run, "name", for_update=True):
				raise RunGone  # while Zoho was asked; tasks of no run would stay for ever
			tasks.add(self.run, made.due)
			run_log.save_plan(self.run, planned, made.total)
			for bad in made.bad:
				run_log.add_error(
					self.run, _("Zoho lists something that is no campaign: {0}").format(bad.reason), "List"
				)
			for reason in self.writers.reasons:
				run_log.add_error(self.run, reason, "Write", severity="Note")
			frappe.db.commit()  # nosemgrep - the plan, before anybody works on it
			return planned

	def _make_plan(self, run: frappe._dict) -> due_campaigns.Plan:
		client = self.session.client
		if not run.campaign:
			return due_campaigns.plan_all(client, self.policy, run.mode)
		key = frappe.db.get_value("Campaign", run.campaign, "zoho_campaign_key")
		return due_campaigns.plan_one(client, key)

	def _campaign(self, task: tasks.Task) -> None:
		"""Do one task; an error that concerns its campaign is listed and the next one follows."""
		self.task = task
		self.current = CampaignLog(self.run, task)
		with shared_lock(f"campaign-{task.record.key}", seconds=_CAMPAIGN_LOCK_SECONDS, wait=0) as lock:
			try:
				self._locked_campaign(task, lock)
			except JobTimeoutException:
				_take_new_connection()
				self._give_back()
				raise
			except (SliceOver, BudgetUsedUp, Cancelled):
				self._give_back()
				raise
			except zoho.RateLimited as error:
				self._give_back()
				self._stop_or_wait(error, "Recipients")
			except zoho.ZohoError as error:
				self._failed(explain(error), _stage(error, "Recipients"), error.code)
				self._after_failure(error)
				return
			except CampaignGone:
				frappe.db.rollback()
				self.current.campaign = None
				message = _("The Campaign was deleted while it was synced.")
				self.current.note(Note(message, "Campaign"))
			except NotConnected as error:
				self._failed(str(error), "Connect")
				raise StopRun(str(error)) from error
			except RunGone:
				raise
			except Exception as error:
				self._require_run()
				self._failed(str(error) or type(error).__name__, "Write", log=frappe.get_traceback())
				return
		self.unanswered = 0
		self._close_task()

	def _locked_campaign(self, task: tasks.Task, lock: Held) -> None:
		if not lock:
			message = _("Another sync of this campaign is under way; it was left to that one.")
			self.current.note(Note(message, "Campaign"))
			return

		def between_pages() -> None:
			lock.extend()
			self._count_calls()
			self._show_progress()
			if time.monotonic() > self.deadline:
				raise SliceOver

		CampaignSync(
			self.session,
			self.policy,
			self.times,
			self.writers,
			self.current,
			full=self.full,
			between_pages=between_pages,
			check=self._check_cancelled,
		).sync(task.record)

	def _give_back(self) -> None:
		"""Leave the task to whoever goes on, with what it has cost and told so far."""
		frappe.db.rollback()
		self._count_calls()
		self.current.give_back()
		frappe.db.commit()  # nosemgrep - another slice goes on with it

	def _failed(self, message: str, stage: str, code: str | None = None, log: str | None = None) -> None:
		frappe.db.rollback()
		if log:
			frappe.log_error("Zoho Sync: campaign failed", f"{self.task.record.key}\n{log}")
		self.current.failed = True
		self.current.note(Note(message, stage, is_error=True), code=code)
		self._close_task()

	def _after_failure(self, error: zoho.ZohoError) -> None:
		"""Stop the run after an error that the next campaign would meet as well."""
		if error.action == "stop" or isinstance(error, zoho.TokenThrottled):
			self._stop_or_wait(error, None)
		# With a code of its own Zoho has answered, and only this campaign is not to be had now.
		silent = isinstance(error, zoho.Unavailable) and not error.code
		self.unanswered = self.unanswered + 1 if silent else 0
		if self.unanswered >= _PATIENCE_CAMPAIGNS:
			self._stop_or_wait(error, None)

	def _stop_or_wait(self, error: Exception, stage: str | None) -> None:
		"""Raise `Paused` for an error that passes at a known time, else `StopRun`.

		Args:
			stage: where to list the error; None if it has been listed.
		"""
		self._require_run()
		if isinstance(error, zoho.RateLimited):
			until = self.session.remember_lock(error)
			raise BudgetUsedUp(error.endpoint or "", until - time.time(), locked=True) from error
		message = explain(error) if isinstance(error, zoho.ZohoError) else str(error)
		if isinstance(error, zoho.AuthenticationError):
			mark_refused(message)
		if stage:
			run_log.add_error(self.run, message, _stage(error, stage), getattr(error, "code", None))
		raise StopRun(message) from error

	def _close_task(self) -> None:
		self._count_calls()
		self.current.close()
		frappe.db.commit()  # nosemgrep - the end of a campaign

	def _count_calls(self) -> None:
		self.current.count("api_calls", self.session.calls - self._calls_counted)
		self._calls_counted = self.session.calls

	def _check_cancelled(self, *wanted: tuple[str, str, str]) -> object:
		"""Raise if the run is to stop; else return what is looked up on the way, see `sql_lookups.values_of`.

		Args:
			wanted: one more value at most.
		"""
		requested, *found = sql_lookups.values_of((SYNC_RUN, self.run, "cancel_requested"), *wanted)
		if requested is None:
			raise RunGone
		if requested:
			raise Cancelled
		return found[0] if found else None

	def _require_run(self) -> None:
		"""Roll back, and raise `RunGone` where an error comes of somebody's having taken the run away."""
		frappe.db.rollback()
		if not run_log.exists(self.run):
			raise RunGone

	def _show_progress(self) -> None:
		"""Add up the numbers of all workers now and then, for whoever looks at the run."""
		if time.monotonic() - self._shown < _PROGRESS_SECONDS:
			return
		self._shown = time.monotonic()
		numbers = run_log.add_up(self.run)
		if self.progress:
			self.progress(numbers)
		user = frappe.db.get_value(SYNC_RUN, self.run, "user")
		frappe.publish_realtime(
			"zoho_sync_progress", {"run": self.run, **numbers}, user=user, after_commit=True
		)
		frappe.db.commit()  # nosemgrep - progress is seen while the run is under way

	def _wait(self, pause: BudgetUsedUp) -> str:
		"""Write down until when the run waits; `queue.resume_waiting` goes on."""
		resume_at = site_clock.not_before(pause.seconds)
		reason = (
			_("Zoho has locked {0} because of too many calls; the sync goes on at {1}.")
			if pause.locked
			else _("The calls of {0} for these five minutes are used up; the sync goes on at {1}.")
		).format(pause.endpoint, frappe.utils.format_datetime(resume_at))
		run_log.add_up(self.run)
		run_log.mark_waiting(self.run, resume_at, reason)
		frappe.db.commit()  # nosemgrep - the wait, which this worker does not spend
		return "Waiting"

	def _finish(self, stopped: str | None, cancelled: bool = False) -> str:
		"""End the run; of several workers one does, and the others are told that it is still running."""
		if not self.writers.parallel:
			return self._end(stopped, cancelled)
		with shared_lock(f"finish-{self.run}", seconds=_FINISH_LOCK_SECONDS, wait=0) as lock:
			frappe.db.commit()  # nosemgrep - see whether another worker has ended it meanwhile
			return self._end(stopped, cancelled) if lock else "Running"

	def _end(self, stopped: str | None, cancelled: bool) -> str:
		run = frappe.db.get_value(SYNC_RUN, self.run, ["started_at", "status"], as_dict=True)
		if not run:
			raise RunGone
		if self.writers.parallel and run.started_at and run.status in run_log.ACTIVE:
			for person, error in parallel_fixups.fix_what_workers_missed(
				run.started_at, self.writers.contacts
			):
				run_log.add_error(self.run, f"{person.email}: {error}", "Contacts")
		status = run_log.finish(self.run, stopped, cancelled)
		frappe.db.set_single_value(SETTINGS, {"last_sync": frappe.utils.now()}, update_modified=False)
		user = frappe.db.get_value(SYNC_RUN, self.run, "user")
		frappe.publish_realtime(
			"zoho_sync_progress", {"run": self.run, "status": status}, user=user, after_commit=True
		)
		frappe.db.commit()  # nosemgrep - the end of the run
		notifications.check()
		return status or frappe.db.get_value(SYNC_RUN, self.run, "status") or GONE


def _take_new_connection() -> None:
	"""Roll back by ending the connection to the database.

	The time of a job is up in the middle of whatever it is at. If that is a statement, its answer is still to come, and
	would be taken for the answer to the next one.
	"""
	frappe.db.close()
	frappe.db.connect()
	frappe.db.rollback()  # for whoever waits for that; there is nothing to roll back


def execute_slice(run: str, **options: Any) -> str:
	"""Do one slice of a run and return the run's status after it; `GONE` if somebody has taken it away."""
	if not run_log.exists(run):
		return GONE
	if not run_log.mark_running(run):
		frappe.db.commit()  # nosemgrep - ends a snapshot in which it may still be under way
		return frappe.db.get_value(SYNC_RUN, run, "status")
	frappe.db.commit()  # nosemgrep - others must see that the run is under way
	return Slice(run, **options).execute()


def execute(run: str, **options: Any) -> str:
	"""Do a run to its end in this process, waits included, and return how it ended."""
	while (status := execute_slice(run, **options)) in run_log.ACTIVE:
		if status == "Running":
			time.sleep(0.2)  # other workers are still at it, or the next slice begins
		elif status == "Waiting":
			resume_at = frappe.db.get_value(SYNC_RUN, run, "resume_at")
			seconds = (get_datetime(resume_at) - now_datetime()).total_seconds() if resume_at else 0
			frappe.db.commit()  # nosemgrep - no snapshot is held while waiting
			time.sleep(min(max(seconds, 0.0), 30.0))
	return status


def _stage(error: Exception, stage: str) -> str:
	"""Return where to list an error: who has lost the connection is led to the settings, wherever it was noticed."""
	return "Connect" if isinstance(error, _CONNECTION_LOST) else stage
