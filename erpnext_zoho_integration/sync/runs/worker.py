"""One slice of a run: plan, take a task, sync its campaign, take the next one, end the run.

A run is a chain of slices, done by one worker or by several at once. A slice ends when its time is up; the next one is
another job. A long wait for Zoho is stored in the run and holds no worker.
"""

import time
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from rq.timeouts import JobTimeoutException

import frappe
from frappe import _

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection.error_messages import explain
from erpnext_zoho_integration.connection.errors import NotConnected
from erpnext_zoho_integration.connection.tokens import mark_working
from erpnext_zoho_integration.connection.zoho_rate_limit import BudgetUsedUp
from erpnext_zoho_integration.shared_locks import Held, shared_lock
from erpnext_zoho_integration.store import people_lookup
from erpnext_zoho_integration.store.doctypes import SYNC_RUN
from erpnext_zoho_integration.sync.fetch.zoho_session import ZohoSession, open_session
from erpnext_zoho_integration.sync.mapping import site_clock
from erpnext_zoho_integration.sync.mapping.page_results import Note
from erpnext_zoho_integration.sync.mapping.recipient_rows import Times
from erpnext_zoho_integration.sync.planning import due_campaigns, sync_settings
from erpnext_zoho_integration.sync.recipients.row_writers import Writers
from erpnext_zoho_integration.sync.runs import campaign_tasks, run_end, run_log, run_plan
from erpnext_zoho_integration.sync.runs.campaign_log import CampaignLog
from erpnext_zoho_integration.sync.runs.campaign_sync import CampaignSync
from erpnext_zoho_integration.sync.runs.checkpoint import CampaignGone
from erpnext_zoho_integration.sync.runs.interruptions import (
	Cancelled,
	RunGone,
	SliceOver,
	StopRun,
	interruption,
	raise_if_cancelled,
	require_run,
	stage_of,
)
from erpnext_zoho_integration.sync.runs.progress import Progress
from erpnext_zoho_integration.sync.runs.run_log import GONE

# RQ kills a job of Frappe's `long` queue after 1500 s by default; ours end by themselves long before.
SLICE_SECONDS = 600
# A dead worker's lock has run out before its task is taken by another one.
_CAMPAIGN_LOCK_SECONDS = campaign_tasks.SILENT_SECONDS - 60
# After so many campaigns in a row for which Zoho does not answer, the run stops.
_MAX_UNANSWERED = 3


def execute_slice(
	run: str,
	*,
	seconds: float = SLICE_SECONDS,
	patience: float | None = None,
	writers: Writers | None = None,
	progress: Callable[[dict], None] | None = None,
) -> str:
	"""Do one slice of a run and return the run's status after it; `GONE` if somebody has deleted the run.

	Args:
		run: name of the Zoho Sync Run.
		seconds: after how long the slice ends, at the next page.
		patience: how long it waits for Zoho itself, in seconds, see `connection.zoho_rate_limit`.
		writers: by default those that the site needs.
		progress: called now and then with the run's numbers.
	"""
	if not run_log.exists(run):
		return GONE
	if not run_log.mark_running(run):
		frappe.db.commit()  # nosemgrep - ends a snapshot in which it may still be under way
		return frappe.db.get_value(SYNC_RUN, run, "status")
	frappe.db.commit()  # nosemgrep - others must see that the run is under way
	people_lookup.read_unusual_anew()
	policy = sync_settings.read_policy()
	writers = writers or Writers.for_site()
	writers.parallel = run_log.number_of_workers(run) > 1
	return Slice(
		run, open_session(patience), policy, writers, Progress(run, progress), seconds=seconds
	).execute()


def execute(run: str, **options: Any) -> str:
	"""Do a run to its end in this process, waits included, and return how it ended.

	Args:
		run: name of the Zoho Sync Run.
		options: of `execute_slice`.
	"""
	while (status := execute_slice(run, **options)) in run_log.ACTIVE:
		if status == "Running":
			time.sleep(0.2)  # other workers are not finished, or the next slice begins
		elif status == "Waiting":
			seconds = run_log.resume_epoch(run) - site_clock.now_epoch()
			frappe.db.commit()  # nosemgrep - no snapshot is held while waiting
			time.sleep(min(max(seconds, 0.0), 30.0))
	return status


class Slice:
	"""The part of a run that one job does.

	Args:
		run: name of the Zoho Sync Run.
		session: connection of the run, which this closes.
		policy: what the settings say.
		writers: how rows and contacts are written.
		progress: shows how far the run is.
		seconds: after how long it ends, at the next page.
	"""

	def __init__(
		self,
		run: str,
		session: ZohoSession,
		policy: sync_settings.Policy,
		writers: Writers,
		progress: Progress,
		*,
		seconds: float = SLICE_SECONDS,
	) -> None:
		self.run = run
		self.session = session
		self.policy = policy
		self.writers = writers
		self.progress = progress
		self.worker = uuid.uuid4().hex
		self.deadline = time.monotonic() + seconds
		self.unanswered = 0  # campaigns in a row for which Zoho did not answer
		self.calls_counted = 0  # of the session, with the plan or with a task

	def execute(self) -> str:
		"""Work until the run ends or this slice does; return the run's status then, or `GONE`.

		An unexpected error is listed and raised again, so that a failed job looks failed.
		"""
		gone = False
		try:
			return self._execute()
		except Exception:
			frappe.db.rollback()
			gone = not run_log.exists(self.run)
			if not gone:
				raise
			return GONE
		finally:
			self.session.close(remember=not gone)
			frappe.db.commit()  # nosemgrep - the page size

	def _execute(self) -> str:
		"""Do the work, and end the slice or the run: each way to leave is listed here."""
		try:
			self._work()
		except SliceOver:
			return "Running"
		except JobTimeoutException:  # one page took longer than a job may; another job does it again
			_take_new_connection()
			return "Running"
		except BudgetUsedUp as pause:
			return self._wait(pause)
		except Cancelled:
			return self._end(_("Cancelled."), cancelled=True)
		except StopRun as stop:
			return self._end(str(stop))
		except Exception as error:
			require_run(self.run)
			frappe.log_error("Zoho Sync: run failed")
			run_log.add_error(self.run, _("Unexpected error: {0}. See the Error Log.").format(error), "Write")
			self._end(_("The run stopped because of an unexpected error."))
			raise
		if campaign_tasks.unfinished(self.run):
			return "Running"  # other workers have not finished
		mark_working()
		return self._end()

	def _work(self) -> None:
		plan = self._plan()
		times = due_campaigns.times_from_samples(plan.samples, self.policy)
		while task := campaign_tasks.take(self.run, self.worker):
			raise_if_cancelled(self.run)
			self._do_task(task, plan.full, times)
			self.progress.show()

	def _plan(self) -> run_plan.RunPlan:
		try:
			plan = run_plan.read_or_make(self.run, self.session, self.policy, self.writers.reasons)
		except (zoho.ZohoError, NotConnected) as error:
			raise interruption(self.run, self.session, error, "List") from error
		self.calls_counted = self.session.calls  # the plan has them
		return plan

	def _do_task(self, task: campaign_tasks.Task, full: bool, times: Times) -> None:
		"""Sync the campaign of a task. An error ends the slice, ends the run, or is listed and the next task follows."""
		log = CampaignLog(self.run, task)
		with shared_lock(f"campaign-{task.record.key}", seconds=_CAMPAIGN_LOCK_SECONDS, wait=0) as lock:
			try:
				self._sync(log, full, times, lock)
			# The task goes on later: in the next slice, after a wait, or never if the run was cancelled.
			except JobTimeoutException:
				_take_new_connection()
				self._give_back(log)
				raise
			except (SliceOver, BudgetUsedUp, Cancelled):
				self._give_back(log)
				raise
			except zoho.RateLimited as error:
				self._give_back(log)
				raise interruption(self.run, self.session, error, "Recipients") from error
			# Only this campaign is skipped, unless the next one would meet the same error.
			except CampaignGone:
				frappe.db.rollback()
				log.campaign = None
				log.note(Note(_("The Campaign was deleted while it was synced."), "Campaign"))
			except zoho.ZohoError as error:
				self._fail(log, explain(error), stage_of(error, "Recipients"), error.code)
				if self._stops_run(error):
					raise interruption(self.run, self.session, error) from error
				return
			except NotConnected as error:
				self._fail(log, str(error), "Connect")
				raise StopRun(str(error)) from error
			except RunGone:
				raise
			except Exception as error:
				require_run(self.run)
				self._fail(log, str(error) or type(error).__name__, "Write", traceback=frappe.get_traceback())
				return
		self.unanswered = 0
		self._close(log)

	def _sync(self, log: CampaignLog, full: bool, times: Times, lock: Held) -> None:
		if not lock:
			message = _("Another sync of this campaign is under way; this one has skipped it.")
			log.note(Note(message, "Campaign"))
			return

		def between_batches() -> None:
			lock.extend()
			self._count_calls(log)
			self.progress.show()
			if time.monotonic() > self.deadline:
				raise SliceOver

		CampaignSync(
			self.session,
			self.policy,
			times,
			self.writers,
			log,
			full=full,
			between_batches=between_batches,
			check=partial(raise_if_cancelled, self.run),
		).sync(log.task.record)

	def _give_back(self, log: CampaignLog) -> None:
		"""Leave the task to another slice, with what it has cost and reported so far."""
		frappe.db.rollback()
		self._count_calls(log)
		log.give_back()
		frappe.db.commit()  # nosemgrep - another slice goes on with it

	def _fail(
		self,
		log: CampaignLog,
		message: str,
		stage: str,
		code: str | None = None,
		traceback: str | None = None,
	) -> None:
		frappe.db.rollback()
		if traceback:
			frappe.log_error("Zoho Sync: campaign failed", f"{log.task.record.key}\n{traceback}")
		log.failed = True
		log.note(Note(message, stage, is_error=True), code=code)
		self._close(log)

	def _close(self, log: CampaignLog) -> None:
		self._count_calls(log)
		log.close()
		frappe.db.commit()  # nosemgrep - the end of a campaign

	def _count_calls(self, log: CampaignLog) -> None:
		log.count("api_calls", self.session.calls - self.calls_counted)
		self.calls_counted = self.session.calls

	def _stops_run(self, error: zoho.ZohoError) -> bool:
		"""Return whether the next campaign would meet this error of a campaign as well."""
		if error.action == "stop" or isinstance(error, zoho.TokenThrottled):
			return True
		# An error with a code is an answer: Zoho is there, and only this campaign is not available.
		silent = isinstance(error, zoho.Unavailable) and not error.code
		self.unanswered = self.unanswered + 1 if silent else 0
		return self.unanswered >= _MAX_UNANSWERED

	def _wait(self, pause: BudgetUsedUp) -> str:
		"""Store until when the run waits; `queue.resume_waiting` resumes it."""
		resume_epoch = site_clock.now_epoch() + pause.seconds
		reason = (
			_("Zoho has locked {0} because of too many calls. The sync resumes at {1}.")
			if pause.locked
			else _("All calls of {0} for these five minutes are used. The sync resumes at {1}.")
		).format(pause.endpoint, frappe.utils.format_datetime(site_clock.at_site(resume_epoch)))
		run_log.add_up(self.run)
		run_log.mark_waiting(self.run, resume_epoch, reason)
		frappe.db.commit()  # nosemgrep - the wait is stored before this worker leaves
		return "Waiting"

	def _end(self, stopped: str | None = None, cancelled: bool = False) -> str:
		return run_end.end_run(self.run, self.writers, stopped, cancelled)


def _take_new_connection() -> None:
	"""Roll back by opening a new connection to the database.

	A job's time may be up in the middle of a statement. Its answer would then be taken for the answer to the next one.
	"""
	frappe.db.close()
	frappe.db.connect()
	frappe.db.rollback()  # runs the callbacks of a rollback; nothing else is left to roll back
