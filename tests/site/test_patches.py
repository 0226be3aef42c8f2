"""What patches do to the data of a site that ran an earlier state of the app."""

from __future__ import annotations

import json
import time
from datetime import timedelta

import frappe
from frappe.utils import now_datetime

from erpnext_zoho_integration.patches.v0_1 import compare_epochs

RUN = "Zoho Sync Run"
STATE = "Zoho Campaign State"
TASK = "Zoho Sync Task"


def epoch_in(seconds: float) -> float:
	return time.time() + seconds


def is_about(value: float, expected: float) -> bool:
	return abs(value - expected) < 60


def stored(doctype: str, values: dict) -> str:
	return frappe.get_doc({"doctype": doctype, **values}).insert(ignore_permissions=True).name


def test_times_that_workers_compare_become_seconds_since_the_epoch(site) -> None:
	now = now_datetime()
	half_an_hour, began = now + timedelta(minutes=30), now - timedelta(minutes=20)
	waiting = stored(
		RUN, {"status": "Waiting", "active_key": "all", "resume_at": half_an_hour, "started_at": began}
	)
	running = stored(RUN, {"status": "Running", "active_key": "campaign:One", "started_at": began})
	ended = stored(RUN, {"status": "Success", "started_at": began})
	task = stored(TASK, {"run": running, "status": "Working"})
	pending = stored(TASK, {"run": running, "status": "Pending"})
	cursor = {"run": running, "read": {}, "at": began.isoformat()}
	due = stored(STATE, {"zoho_campaign_key": "due", "next_check": began, "position": json.dumps(cursor)})
	new = stored(STATE, {"zoho_campaign_key": "new"})

	compare_epochs.execute()
	compare_epochs.execute()  # a migration that broke off runs it again

	found = frappe.get_doc(RUN, waiting)
	assert is_about(found.resume_epoch, epoch_in(1800)) and is_about(found.started_epoch, epoch_in(-1200))
	assert is_about(found.heartbeat_epoch, epoch_in(0))
	found = frappe.get_doc(RUN, running)
	assert is_about(found.started_epoch, epoch_in(-1200)) and is_about(found.heartbeat_epoch, epoch_in(0))
	assert not found.resume_epoch
	assert not frappe.get_value(RUN, ended, "heartbeat_epoch")
	assert is_about(frappe.get_value(TASK, task, "heartbeat_epoch"), epoch_in(0))
	assert not frappe.get_value(TASK, pending, "heartbeat_epoch")
	found = frappe.get_doc(STATE, due)
	assert is_about(found.next_check_epoch, epoch_in(-1200))
	saved = json.loads(found.position)
	assert "at" not in saved and is_about(saved["saved_at"], epoch_in(-1200))
	assert not frappe.get_value(STATE, new, "next_check_epoch")
