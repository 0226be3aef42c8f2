"""Runs in the background: queued once, done by a worker, taken over from a dead one, silent until connected."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

import frappe
from frappe.utils import add_to_date, now_datetime
from frappe.utils.background_jobs import get_queue

from erpnext_zoho_integration.erpnext_zoho_integration.api.sync import cancel_run, sync_all_campaigns
from tests.site.connecting import API, enter_client
from tests.site.server import settle
from tests.site.syncing import (
	assert_database_is,
	campaign_named,
	connect,
	errors_of,
	runs,
	statements,
	sync_all,
)

RUN = "Zoho Sync Run"


@pytest.fixture
def zoho(start_simulator: Callable):
	"""A connected Zoho of two campaigns."""
	return connect(start_simulator(seed=1, campaigns=2, recipients=40))


def queued_jobs() -> list:
	"""Return our jobs in the queue `long`."""
	jobs = get_queue("long").get_jobs()
	ours = [job for job in jobs if job.kwargs.get("site") == frappe.local.site]
	return [job for job in ours if str(job.kwargs.get("method")).startswith("erpnext_zoho_integration.")]


def test_one_run_however_often_it_is_asked_for_done_by_a_worker(
	zoho, web, make_user: Callable, run_jobs: Callable
) -> None:
	manager = web.session(make_user("Sales Manager"))
	first = manager.call(f"{API}.sync.sync_all_campaigns").json()["message"]
	assert first["success"] and first["queued"] and first["run"]
	again = manager.call(f"{API}.sync.sync_all_campaigns").json()["message"]
	assert (again["run"], again["queued"]) == (first["run"], False)
	assert sync_all_campaigns()["run"] == first["run"]  # nor does the scheduler begin another one
	with pytest.raises(frappe.ValidationError, match=first["run"]):
		sync_all_campaigns(now=True)
	settle()
	assert [run.status for run in runs()] == ["Queued"]
	assert len(queued_jobs()) == 1

	assert run_jobs() == []
	(run,) = runs()
	assert (run.status, run.trigger, run.user) == ("Success", "User", make_user("Sales Manager"))
	assert not errors_of(run)
	assert_database_is(zoho)
	assert not queued_jobs()


def test_the_hourly_job_is_queued_in_long_with_a_time_out_and_without_secrets(
	zoho, run_jobs: Callable
) -> None:
	job_type = {"method": f"{API}.sync.sync_all_campaigns"}
	assert frappe.db.get_value("Scheduled Job Type", job_type, ["frequency", "stopped"]) == ("Hourly", 0)
	answer = sync_all_campaigns()
	settle()
	(job,) = queued_jobs()
	assert job.timeout > 600
	token = frappe.get_doc("Zoho Settings").get_password("access_token")
	assert token not in str(job.kwargs) and "sim-secret" not in str(job.kwargs)
	assert answer["run"] == frappe.db.get_value(RUN, {"status": "Queued"})
	assert run_jobs() == []
	(run,) = runs()
	assert (run.trigger, run.status) == ("Schedule", "Success")
	assert_database_is(zoho)


@pytest.mark.parametrize("state", ["nothing entered", "client entered", "disconnected", "schedule off"])
def test_the_hourly_hook_is_silent_and_cheap_until_there_is_something_to_do(
	start_simulator: Callable, state: str
) -> None:
	if state == "client entered":
		enter_client()
	elif state != "nothing entered":
		zoho = connect(
			start_simulator(campaigns=1, recipients=10), enable_schedule=int(state == "disconnected")
		)
		if state == "disconnected":
			zoho.plan({"fault": "revoke", "endpoint": "campaignreports"})
			sync_all()
			frappe.db.delete(RUN)
	errors = frappe.db.count("Error Log")
	sync_all_campaigns()  # the first time, DocTypes and settings come into their caches
	settle()
	with statements() as sent:
		answer = sync_all_campaigns()
	assert answer == {"success": True, "synced_count": 0, "total_campaigns": 0, "errors": [], "queued": False}
	assert len(sent) <= 6 and all(query.lstrip().lower().startswith("select") for query in sent)
	assert not frappe.db.count(RUN) and frappe.db.count("Error Log") == errors
	assert not queued_jobs()


def test_a_run_whose_worker_died_is_taken_over(zoho) -> None:
	died = frappe.get_doc({"doctype": RUN, "trigger": "Schedule", "active_key": "all", "workers": 1})
	long_ago = time.time() - 7200
	died.update(
		{
			"status": "Running",
			"started_at": add_to_date(now_datetime(), hours=-2),
			"heartbeat_epoch": long_ago,
		}
	)
	died.insert()
	run = sync_all()
	assert run.status == "Success"
	assert_database_is(zoho)
	died.reload()
	assert died.status == "Failed" and died.finished_at and "lost" in died.message
	assert not died.active_key


def test_a_run_under_way_is_not_taken_over(zoho) -> None:
	alive = frappe.get_doc({"doctype": RUN, "trigger": "Schedule", "active_key": "all", "workers": 1})
	alive.update({"status": "Running", "started_at": now_datetime(), "heartbeat_epoch": time.time()})
	alive.insert()
	with pytest.raises(frappe.ValidationError, match=alive.name):
		sync_all()
	assert sync_all_campaigns()["run"] == alive.name
	assert frappe.db.count(RUN) == 1


def test_a_queued_run_can_be_cancelled(zoho, run_jobs: Callable) -> None:
	run = sync_all_campaigns()["run"]
	cancel_run(run)
	settle()
	assert run_jobs() == []
	(cancelled,) = runs()
	assert cancelled.status == "Cancelled" and cancelled.api_calls == 0
	assert not frappe.db.exists("Campaign", {"zoho_campaign_key": ("is", "set")})
	assert sync_all().status == "Success"


def test_one_campaign_from_its_form(zoho, web, make_user: Callable, run_jobs: Callable) -> None:
	sync_all()
	grown, other = (each["campaign_key"] for each in zoho.expected()["campaigns"][:2])
	zoho.evolve(campaign=grown, opens=2)
	zoho.evolve(campaign=other, opens=2)
	session = web.session(make_user("Sales Manager"))
	answer = session.call(f"{API}.sync.sync_campaign_by_name", campaign_name=campaign_named(grown)).json()[
		"message"
	]
	assert answer["success"] and answer["message"]
	assert run_jobs() == []
	run = runs()[-1]
	assert (run.status, run.campaign, run.total_campaigns) == ("Success", campaign_named(grown), 1)
	assert run.rows_inserted == 2  # the other one's two are not here yet
	assert sync_all().rows_inserted == 2
	assert_database_is(zoho)


@pytest.mark.parametrize(
	("role", "may_read"), [("System Manager", True), ("Sales Manager", True), ("Sales User", False)]
)
def test_nobody_writes_a_run_by_hand(site, make_user: Callable, role: str, may_read: bool) -> None:
	run = frappe.get_doc({"doctype": RUN, "trigger": "User", "workers": 1}).insert()
	frappe.set_user(make_user(role))
	assert bool(frappe.has_permission(RUN, "read", run)) == may_read
	run.message = "by hand"
	for write in (run.save, frappe.copy_doc(run).insert):
		with pytest.raises(frappe.PermissionError):
			write()


def test_old_runs_are_cleared_and_active_ones_stay(zoho) -> None:
	zoho.plan(
		{"fault": "code", "endpoint": "campaignreports", "code": "2206", "message": "Campaign deleted."}
	)
	old, recent = sync_all().name, sync_all().name
	waiting = (
		frappe.get_doc({"doctype": RUN, "status": "Queued", "active_key": "all", "workers": 1}).insert().name
	)
	frappe.db.set_value(
		RUN, {"name": ("in", [old, waiting])}, "creation", add_to_date(now_datetime(), days=-91)
	)
	log_settings = frappe.get_doc("Log Settings")
	log_settings.add_default_logtypes()
	assert [row.days for row in log_settings.logs_to_clear if row.ref_doctype == RUN] == [90]
	log_settings.logs_to_clear = [row for row in log_settings.logs_to_clear if row.ref_doctype == RUN]
	log_settings.clear_logs()
	assert set(frappe.get_all(RUN, pluck="name")) == {recent, waiting}
	for child in ("Zoho Sync Run Error", "Zoho Sync Run Campaign"):
		assert set(frappe.get_all(child, pluck="parent")) <= {recent, waiting}
