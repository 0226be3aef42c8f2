"""Runs in processes of their own, which a test may kill; forked from one that has everything imported."""

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
	"""A process connected to the site, which waits for `go` before it works.

	Args:
		site: the site.
		command: `run` starts and does a run of the mode that follows; `take-part` does a run that exists.
		argument: of the command.
		kill_at_commit: dies right before (2n - 1) or right after (2n) its n-th commit.
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
		# The server that forks has it now; other tests start programs that must not see it.
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
		"""Wait for the process; return what became of its run, or `killed`."""
		try:
			said = self.here.recv()
		except (EOFError, ConnectionResetError):
			said = "killed"
		self.process.join(timeout=120)
		settle()
		return said

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
	frappe.utils.has_gravatar = lambda email: ""  # nothing of these processes leaves the machine
	if kill_at_commit:
		_die_at(frappe.local.db, kill_at_commit)
	there.send("ready")
	there.recv()  # all begin at once
	try:
		work = {
			"run": lambda: queue.run_now("Command Line", mode=argument),
			"take-part": lambda: run_worker.execute(argument),
		}
		said = work[command]()
	except frappe.ValidationError as refused:
		said = f"refused: {refused}"
	except Exception:
		said = f"failed: {frappe.get_traceback()}"
	frappe.destroy()
	there.send(said)


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
