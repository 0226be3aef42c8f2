"""Uninstall the app on a temporary site while a worker is in the middle of a run.

Run as `python -m tests.faults.uninstall_run HOW STAGE`; the last line that it prints is the result, as JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys

import pytest

APP = "erpnext_zoho_integration"


def uninstall() -> None:
	"""Uninstall the app from another process, as on the command line."""
	done = subprocess.run(
		[sys.executable, "-m", "embedded.service_entry", "uninstall-app", APP],
		stdin=subprocess.DEVNULL,
		capture_output=True,
		text=True,
	)
	assert done.returncode == 0, done.stdout + done.stderr


def uninstall_in_run(how: str, stage: str) -> dict:
	"""Start a run, uninstall the app, and return how the slice ended.

	Args:
		how: `between two slices`, `while it waits`, or empty: at the stage.
		stage: see `injectors.between_transactions`.

	Returns:
		`status` of the slice, and `acted`: whether the app was uninstalled.
	"""
	import frappe

	from erpnext_zoho_integration.sync.runs import queue
	from erpnext_zoho_integration.sync.runs import worker as run_worker
	from tests.faults import injectors
	from tests.faults.harness import CLIENT_SECRET
	from tests.site.connecting import enter_client
	from tests.site.test_install import connect, token

	connect()
	enter_client(client_secret=CLIENT_SECRET, page_size=10)
	token()
	name, _created = queue.open_run("Python", None, "All")
	queue.enqueue_slices(name)
	frappe.db.commit()
	if how:
		pause = {"seconds": 0} if how == "between two slices" else {}
		if not pause:
			frappe.db.set_single_value("Zoho Settings", "method_locks", _locked())
			frappe.db.commit()
		before = run_worker.execute_slice(name, **pause)
		assert before == ("Running" if pause else "Waiting"), before
		uninstall()
		frappe.destroy()
		connect()
		return {"acted": True, "status": run_worker.execute_slice(name)}
	patch = pytest.MonkeyPatch()
	with injectors.between_transactions(stage, uninstall, patch) as done:
		status = run_worker.execute_slice(name)
	patch.undo()
	return {"acted": bool(done), "status": status}


def _locked() -> str:
	"""Return the value of `method_locks` in Zoho Settings while Zoho blocks a method."""
	import time

	return json.dumps({"getcampaignrecipientsdata": time.time() + 1800})


def leftovers_and_logs() -> dict:
	"""Return what is left of the app on the site, and what the site has logged."""
	import frappe

	from tests.site.test_install import counts, leftovers

	texts = [
		str(row)
		for doctype in (
			"Error Log",
			"Scheduled Job Log",
			"Deleted Document",
			"Comment",
			"Version",
			"Notification Log",
		)
		for row in frappe.db.sql(f"select * from `tab{doctype}`")
	]
	return {
		"errors": frappe.get_all("Error Log", pluck="method"),
		"texts": "\n".join(texts),
		"apps": frappe.get_installed_apps(),
		"leftovers": leftovers(),
		"jobs": counts()["jobs"],
	}


def install_again() -> dict:
	"""Install the app, sync, and return how many rows there are."""
	import frappe

	from embedded.service_entry import install
	from erpnext_zoho_integration.erpnext_zoho_integration.api.sync import sync_all_campaigns
	from tests.faults.harness import CLIENT_SECRET
	from tests.site.connecting import enter_client
	from tests.site.test_install import connect, token

	install(APP)
	connect()
	enter_client(client_secret=CLIENT_SECRET)
	token()
	answer = sync_all_campaigns(now=True)
	assert answer["success"], answer
	return {"rows": frappe.db.count("Campaign Recipient", {"rtbf": 0})}


def main(how: str, stage: str) -> dict:
	import frappe

	from tests.site.test_install import connect

	result = uninstall_in_run(how, stage)
	frappe.db.commit()
	frappe.destroy()
	connect()
	result |= leftovers_and_logs()
	frappe.destroy()
	with contextlib.redirect_stdout(sys.stderr):
		return result | install_again()


if __name__ == "__main__":
	assert os.environ["FRAPPE_SITE"]
	print(json.dumps(main(*sys.argv[1:]), default=str))
