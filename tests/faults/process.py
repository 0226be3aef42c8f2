"""A run in a process of its own, which dies at a chosen stage; forked from one that has everything imported."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from multiprocessing.connection import Connection

from tests.site.server import ROOT, TestSite, settle

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
	["tests.faults.process", "tests.faults.sabotage", "erpnext_zoho_integration.sync.runs.queue"]
)


def killed_run(site: TestSite, run: str, stage: str) -> str:
	"""Do a run in another process, which is killed at the statement of a stage; return `killed`, or what it said."""
	settle()
	before = os.environ.get("PYTHONPATH")
	os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, sys.path)])
	here, there = _CONTEXT.Pipe()
	process = _CONTEXT.Process(
		target=_work, args=(str(site.sites_path), site.name, run, stage, there), daemon=True
	)
	process.start()
	there.close()
	# The server that forks has it now; other tests start programs that must not see it.
	os.environ.pop("PYTHONPATH")
	if before is not None:
		os.environ["PYTHONPATH"] = before
	try:
		said = here.recv()
	except (EOFError, ConnectionResetError):
		said = "killed"
	process.join(timeout=60)
	settle()
	return said


def _work(sites_path: str, site: str, run: str, stage: str, there: Connection) -> None:
	import frappe

	from erpnext_zoho_integration.sync.runs import worker as run_worker
	from tests.faults import sabotage

	os.chdir(sites_path)
	frappe.init(site)
	frappe.connect()
	frappe.utils.has_gravatar = lambda email: ""  # nothing of these processes leaves the machine
	try:
		with sabotage.at_statement(stage, lambda: os.kill(os.getpid(), signal.SIGKILL)):
			said = run_worker.execute(run)
	except Exception:
		said = f"failed: {frappe.get_traceback()}"
	there.send(said)
