"""Work on runs in other processes, which a test may kill; they are forked from a server that has imported everything."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from multiprocessing.connection import Connection

from tests.site.server import ROOT, TestSite, settle

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.site.run_processes", "erpnext_zoho_integration.sync.runs.queue"])


class Run:
	"""A process connected to the site; it waits for `go` before it works.

	Args:
		site: the site.
		command: `run` starts and executes a run; `take-part` works on an existing run.
		argument: mode of the new run, or name of the existing one.
		kill_at_commit: 2n - 1 kills the process right before its n-th commit, 2n right after it; 0 never.
	"""

	def __init__(self, site: TestSite, command: str, argument: str, kill_at_commit: int = 0) -> None:
		settle()
		before = os.environ.get("PYTHONPATH")
		os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, sys.path)])
		self.here, there = _CONTEXT.Pipe()
		self.process = _CONTEXT.Process(
			target=_work,
			args=(str(site.sites_path), site.name, command, argument, kill_at_commit, there),
			daemon=True,
		)
		self.process.start()
		there.close()
		# The fork server has it now. Programs that other tests start must not see it.
		os.environ.pop("PYTHONPATH")
		if before is not None:
			os.environ["PYTHONPATH"] = before

	def ready(self) -> Run:
		assert self.here.recv() == "ready"
		return self

	def go(self) -> Run:
		self.here.send("go")
		return self

	def end(self) -> str:
		"""Wait for the process; return the outcome of its run, or `killed`."""
		try:
			outcome = self.here.recv()
		except (EOFError, ConnectionResetError):
			outcome = "killed"
		self.process.join(timeout=120)
		settle()
		return outcome

	def kill(self) -> None:
		self.process.kill()
		self.process.join()


def _work(
	sites_path: str, site: str, command: str, argument: str, kill_at_commit: int, there: Connection
) -> None:
	import frappe

	from erpnext_zoho_integration.sync.runs import queue
	from erpnext_zoho_integration.sync.runs import worker as run_worker

	os.chdir(sites_path)
	frappe.init(site)
	frappe.connect()
	frappe.utils.has_gravatar = lambda email: ""  # no call to the internet
	if kill_at_commit:
		_die_at(frappe.local.db, kill_at_commit)
	there.send("ready")
	there.recv()  # all processes start together
	try:
		work = {
			"run": lambda: queue.run_now("Command Line", mode=argument),
			"take-part": lambda: run_worker.execute(argument),
		}
		outcome = work[command]()
	except frappe.ValidationError as refused:
		outcome = f"refused: {refused}"
	except Exception:
		outcome = f"failed: {frappe.get_traceback()}"
	frappe.destroy()
	there.send(outcome)


def _die_at(database, half: int) -> None:
	commit, left = database.commit, half

	def dying() -> None:
		nonlocal left
		left -= 2
		if left == -1:
			os.kill(os.getpid(), signal.SIGKILL)
		commit()
		if left == 0:
			os.kill(os.getpid(), signal.SIGKILL)

	database.commit = dying
