"""Work on a run in another process that is killed at a chosen stage.

The process is forked from a server that has imported everything.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from multiprocessing.connection import Connection

from tests.site.server import ROOT, TestSite, settle

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
	["tests.faults.killed_run", "tests.faults.injectors", "erpnext_zoho_integration.sync.runs.queue"]
)


def killed_run(site: TestSite, run: str, stage: str) -> str:
	"""Work on a run in another process and kill it (SIGKILL) at a statement of a stage.

	Args:
		site: the site.
		run: name of the run.
		stage: a key of `injectors.STATEMENTS`.

	Returns:
		`killed`, or how the run ended if the statement was never sent.
	"""
	settle()
	before = os.environ.get("PYTHONPATH")
	os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, sys.path)])
	here, there = _CONTEXT.Pipe()
	process = _CONTEXT.Process(
		target=_work, args=(str(site.sites_path), site.name, run, stage, there), daemon=True
	)
	process.start()
	there.close()
	# The fork server has it now. Programs that other tests start must not see it.
	os.environ.pop("PYTHONPATH")
	if before is not None:
		os.environ["PYTHONPATH"] = before
	try:
		outcome = here.recv()
	except (EOFError, ConnectionResetError):
		outcome = "killed"
	process.join(timeout=60)
	settle()
	return outcome


def _work(sites_path: str, site: str, run: str, stage: str, there: Connection) -> None:
	import frappe

	from erpnext_zoho_integration.sync.runs import worker as run_worker
	from tests.faults import injectors

	os.chdir(sites_path)
	frappe.init(site)
	frappe.connect()
	frappe.utils.has_gravatar = lambda email: ""  # no call to the internet
	try:
		with injectors.at_statement(stage, lambda: os.kill(os.getpid(), signal.SIGKILL)):
			outcome = run_worker.execute(run)
	except Exception:
		outcome = f"failed: {frappe.get_traceback()}"
	there.send(outcome)
