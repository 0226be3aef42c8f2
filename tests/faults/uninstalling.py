"""On a site that is thrown away: a worker is in mid-run when another process uninstalls the app.

Run as `python -m tests.faults.uninstalling HOW STAGE`; the last line that it prints is what was seen.
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
	"""Uninstall the app as somebody at a terminal does."""
	done = subprocess.run(
		[sys.executable, "-m", "embedded.service_entry", "uninstall-app", APP],
		stdin=subprocess.DEVNULL,
		capture_output=True,
		text=True,
	)
	assert done.returncode == 0, done.stdout + done.stderr


def play(how: str, stage: str) -> dict:
	"""Do a run in which the app is uninstalled; return how the slice ended, and whether it came to that."""
	import frappe

	from erpnext_zoho_integration.sync.runs import queue
	from erpnext_zoho_integration.sync.runs import worker as run_worker
	from tests.faults import sabotage
	from tests.faults.drill import CLIENT_SECRET
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
	with sabotage.at_moment(stage, uninstall, patch) as done:
		status = run_worker.execute_slice(name)
	patch.undo()
	return {"acted": bool(done), "status": status}


def _locked() -> str:
	"""Return what the site has written down of a lock of Zoho's."""
	import time

	return json.dumps({"getcampaignrecipientsdata": time.time() + 1800})


def look() -> dict:
	"""Return what is left, and what was told of it."""
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
	"""Install the app and sync; return how many rows there are then."""
	import frappe

	from embedded.service_entry import install
	from erpnext_zoho_integration.erpnext_zoho_integration.api.sync import sync_all_campaigns
	from tests.faults.drill import CLIENT_SECRET
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

	seen = play(how, stage)
	frappe.db.commit()
	frappe.destroy()
	connect()
	seen |= look()
	frappe.destroy()
	with contextlib.redirect_stdout(sys.stderr):
		return seen | install_again()


if __name__ == "__main__":
	assert os.environ["FRAPPE_SITE"]
	print(json.dumps(main(*sys.argv[1:]), default=str))
