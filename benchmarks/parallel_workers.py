"""A run that several processes share, like RQ workers. `python -m benchmarks.parallel_workers` is one of them."""

import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import frappe

from benchmarks import testbed
from benchmarks.measurements import RECIPIENT, fresh
from erpnext_zoho_integration.sync.runs import queue
from erpnext_zoho_integration.sync.runs import worker as run_worker

# Zoho's rate limit on a smaller scale: calls of a method that it allows in a window, calls that the app makes (the same
# share as by default, 400 of 500), and the window in seconds.
ALLOWED, CALLS, WINDOW = 50, 40, 6.0
LISTS = "getcampaignrecipientsdata"


def rows_per_second(
	rows: int, workers: int, campaigns: int | None = None, people: int | None = None
) -> float:
	"""Return the speed of a first sync by this many processes, in rows a second."""
	with fresh(rows, campaigns=campaigns, people=people):
		seconds = _sync(workers)
		return frappe.db.count(RECIPIENT) / seconds


def pace(workers: int = 4, windows: str = "rolling") -> dict:
	"""Measure a run against the shortest time that its limit of calls allows.

	The data are many short lists; the simulated Zoho answers after 50 ms and enforces its limit.

	Args:
		workers: processes.
		windows: how Zoho counts calls, in `rolling` or `fixed` windows.

	Returns:
		Calls, seconds, the shortest possible seconds (floor), their ratio, and calls that Zoho refused.
	"""
	limits = {"rate_limit": ALLOWED, "rate_window": WINDOW, "rate_windows": windows, "latency_ms": 50}
	with fresh(6000, campaigns=60, people=500, **limits) as zoho:
		frappe.conf.zoho_rate_window_seconds = WINDOW
		frappe.db.set_single_value("Zoho Settings", "calls_per_window", CALLS)
		frappe.db.commit()
		try:
			seconds = _sync(workers)
		finally:
			del frappe.conf["zoho_rate_window_seconds"]
		calls = sum(each["endpoint"] == LISTS for each in zoho.ask("requests"))
		floor = (math.ceil(calls / CALLS) - 1) * WINDOW
		refused = sum(zoho.ask("stats")["refused"].values())
	return {
		f"pace_{windows}_calls": calls,
		f"pace_{windows}_seconds": seconds,
		f"pace_{windows}_floor_seconds": floor,
		f"pace_{windows}_elapsed_to_floor_ratio": seconds / floor,
		f"pace_{windows}_refused": refused,
	}


def _sync(workers: int) -> float:
	"""Sync all campaigns with this many processes and return the seconds."""
	run, _created = queue.open_run("Python", None, "All", workers)
	frappe.db.commit()
	passed_on = ("zoho_accounts_base_url", "zoho_campaigns_base_url", "zoho_rate_window_seconds")
	config = json.dumps({key: frappe.conf[key] for key in passed_on if frappe.conf.get(key)})
	command = [
		sys.executable,
		"-m",
		"benchmarks.parallel_workers",
		os.getcwd(),
		frappe.local.site,
		run,
		config,
	]
	own = str(Path(__file__).parents[1])
	environment = {
		**os.environ,
		"PYTHONPATH": os.pathsep.join([own, *filter(None, [os.environ.get("PYTHONPATH")])]),
	}
	others = [
		subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
		for _number in range(workers - 1)
	]
	for other in others:
		if not other.stdout.readline():  # printed when it is ready
			raise RuntimeError("a worker did not start")
	begin = time.perf_counter()
	for other in others:
		other.stdin.close()  # its signal to start
	status = run_worker.execute(run)
	seconds = time.perf_counter() - begin
	ends = [other.wait() for other in others]
	if any(ends):
		raise RuntimeError("a worker has failed")
	if status not in ("Success", "Partial"):
		raise RuntimeError(f"the run ended {status}")
	return seconds


def _join(sites_path: str, site: str, run: str, config: str) -> None:
	testbed.connect(sites_path, site)
	frappe.conf.update(json.loads(config))
	print("ready", flush=True)
	sys.stdin.read()
	frappe.db.rollback()
	run_worker.execute(run)


if __name__ == "__main__":
	_join(*sys.argv[1:5])
