"""How far a run is: its numbers, added up now and then, and sent to the browser of the person who started it."""

import time
from collections.abc import Callable

import frappe

from erpnext_zoho_integration.store.doctypes import SYNC_RUN
from erpnext_zoho_integration.sync.runs import run_log

_SECONDS = 2.0


class Progress:
	"""Shows the progress of a run.

	Args:
		run: name of the Zoho Sync Run.
		listener: called with the run's numbers each time.
	"""

	def __init__(self, run: str, listener: Callable[[dict], None] | None = None) -> None:
		self._run = run
		self._listener = listener
		self._shown = 0.0

	def show(self) -> None:
		"""Add up the numbers of all workers and publish them, at most every two seconds. Commits."""
		if time.monotonic() - self._shown < _SECONDS:
			return
		self._shown = time.monotonic()
		numbers = run_log.add_up(self._run)
		if self._listener:
			self._listener(numbers)
		publish(self._run, numbers)
		frappe.db.commit()  # nosemgrep - progress is seen while the run is under way


def publish(run: str, values: dict) -> None:
	"""Send values of a run to the browser of its starter, with the next commit."""
	user = frappe.db.get_value(SYNC_RUN, run, "user")
	frappe.publish_realtime("zoho_sync_progress", {"run": run, **values}, user=user, after_commit=True)
