"""Parts of the framework that the app relies on across processes: HTTP, jobs, scheduler, cache, reports."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlparse

import frappe
from frappe.utils import get_url, now_datetime
from frappe.utils.background_jobs import is_job_enqueued
from frappe.utils.password import get_decrypted_password, set_encrypted_password

from tests.site.server import TestSite, Web

RunJobs = Callable[[], list[str]]


def todo(description: str) -> frappe.model.document.Document:
	document = frappe.get_doc({"doctype": "ToDo", "description": description}).insert()
	frappe.db.commit()
	return document


# HTTP


def test_log_in_and_out(web: Web) -> None:
	session = web.session("Administrator", fresh=True)
	assert session.get("/api/method/frappe.auth.get_logged_user").json()["message"] == "Administrator"
	session.post("/api/method/logout")
	assert session.get("/api/method/frappe.auth.get_logged_user").status_code in (401, 403)


def test_a_wrong_password_is_refused(web: Web) -> None:
	answer = web.session().post("/api/method/login", data={"usr": "Administrator", "pwd": "no"})
	assert answer.status_code == 401


def test_a_guest_may_call_only_what_guests_may(web: Web) -> None:
	guest = web.session()
	assert guest.get("/api/method/ping").json() == {"message": "pong"}
	assert guest.get("/api/method/frappe.client.get_count", params={"doctype": "User"}).status_code == 403
	assert guest.get("/api/resource/ToDo").status_code == 403


def test_a_guest_at_the_desk_is_sent_to_log_in(web: Web) -> None:
	answer = web.session().get("/app/todo", headers={"Accept": "text/html"})
	assert urlparse(answer.url).path.startswith("/login")
	assert "redirect-to" in parse_qs(urlparse(answer.url).query)


def test_a_post_without_the_csrf_token_changes_nothing(web: Web) -> None:
	session = web.session("Administrator")
	assert session.csrf_token
	name = todo("before").name
	body = {"doctype": "ToDo", "name": name, "fieldname": "description", "value": "after"}
	forged = session.post(
		"/api/method/frappe.client.set_value", data=body, headers={"X-Frappe-CSRF-Token": "no"}
	)
	assert forged.status_code == 400 and frappe.db.get_value("ToDo", name, "description") == "before"
	assert session.post("/api/method/frappe.client.set_value", data=body).ok
	assert frappe.db.get_value("ToDo", name, "description") == "after"


def test_a_get_is_refused_where_only_post_may_come(web: Web) -> None:
	answer = web.session("Administrator").call(
		"frappe.client.set_value",
		"GET",
		doctype="ToDo",
		name="x",
		fieldname="description",
		value="y",
	)
	assert answer.status_code in (403, 405)


def test_rest_creates_reads_lists_changes_and_deletes(web: Web) -> None:
	session = web.session("Administrator")
	name = session.post("/api/resource/ToDo", json={"description": "ü 50%"}).json()["data"]["name"]
	assert session.get(f"/api/resource/ToDo/{name}").json()["data"]["description"] == "ü 50%"
	listed = session.get("/api/resource/ToDo", params={"filters": f'[["name", "=", "{name}"]]'}).json()[
		"data"
	]
	assert [row["name"] for row in listed] == [name]
	assert (
		session.put(f"/api/resource/ToDo/{name}", json={"priority": "High"}).json()["data"]["priority"]
		== "High"
	)
	assert session.delete(f"/api/resource/ToDo/{name}").ok
	assert session.get(f"/api/resource/ToDo/{name}").status_code == 404


def test_an_error_reaches_the_caller_as_a_message(web: Web) -> None:
	answer = web.session("Administrator").post(
		"/api/resource/ToDo", json={"description": "x", "status": "No such"}
	)
	assert answer.status_code == 417 and "No such" in answer.json()["_server_messages"]


def test_a_users_roles_hold_over_http(web: Web, make_user: Callable[..., str]) -> None:
	frappe.get_doc({"doctype": "Campaign", "campaign_name": "Spring"}).insert()
	reader, stranger = web.session(make_user("Sales User")), web.session(make_user())
	assert reader.get("/api/resource/Campaign/Spring").ok
	assert reader.put("/api/resource/Campaign/Spring", json={"description": "x"}).status_code == 403
	assert stranger.get("/api/resource/Campaign/Spring").status_code == 403


def test_addresses_point_at_the_web_server(site: TestSite, web: Web) -> None:
	assert get_url("/x") == f"{web.base_url}/x"


# Jobs


def test_a_job_runs_in_a_worker_as_the_user_who_queued_it(
	make_user: Callable[..., str], run_jobs: RunJobs
) -> None:
	name = todo("before").name
	frappe.set_user(make_user("System Manager"))
	user = frappe.session.user
	frappe.enqueue(
		"frappe.client.set_value",
		queue="long",
		doctype="ToDo",
		name=name,
		fieldname="description",
		value="after",
	)
	assert frappe.db.get_value("ToDo", name, "description") == "before"
	assert run_jobs() == []
	assert frappe.db.get_value("ToDo", name, ["description", "modified_by"]) == ("after", user)


def test_a_job_waits_for_the_commit_and_a_rollback_drops_it(site: TestSite, run_jobs: RunJobs) -> None:
	name = todo("before").name

	def queue(value: str) -> None:
		frappe.enqueue(
			"frappe.client.set_value",
			enqueue_after_commit=True,
			job_id="zoho-test-after-commit",
			doctype="ToDo",
			name=name,
			fieldname="description",
			value=value,
		)

	queue("dropped")
	frappe.db.rollback()
	assert not is_job_enqueued("zoho-test-after-commit")
	queue("kept")
	assert not is_job_enqueued("zoho-test-after-commit")
	frappe.db.commit()
	assert run_jobs() == []
	assert frappe.db.get_value("ToDo", name, "description") == "kept"


def test_a_job_with_an_id_is_queued_once(site: TestSite) -> None:
	def queue() -> object:
		return frappe.enqueue("frappe.ping", job_id="zoho-test-once", deduplicate=True, at_front=False)

	first = queue()
	assert first and is_job_enqueued("zoho-test-once")
	assert queue() is None or not is_job_enqueued("zoho-test-once")  # a bench's worker may have been quick


def test_a_failing_job_is_reported_and_undone(site: TestSite, run_jobs: RunJobs) -> None:
	name = todo("before").name
	frappe.enqueue("frappe.client.set_value", doctype="ToDo", name=name, fieldname="status", value="No such")
	(failure,) = run_jobs()
	assert "ValidationError" in failure
	assert frappe.db.get_value("ToDo", name, "status") == "Open"
	assert frappe.db.exists("Error Log", {"method": ("like", "%frappe.client.set_value%")})


def test_a_job_can_call_a_documents_method(site: TestSite, run_jobs: RunJobs) -> None:
	name = todo("before").name
	frappe.enqueue_doc("ToDo", name, "db_set", fieldname="description", value="after")
	assert run_jobs() == []
	assert frappe.db.get_value("ToDo", name, "description") == "after"


# Scheduler


def test_our_hourly_job_is_scheduled_and_runs(site: TestSite, run_jobs: RunJobs) -> None:
	method = "erpnext_zoho_integration.erpnext_zoho_integration.api.sync.sync_all_campaigns"
	job = frappe.get_doc("Scheduled Job Type", {"method": method})
	assert job.frequency == "Hourly" and not job.stopped
	job.db_set("last_execution", "2020-01-01 00:00:00")
	frappe.db.commit()
	assert job.enqueue(force=True)
	assert run_jobs() == []
	assert frappe.db.get_value("Scheduled Job Type", job.name, "last_execution") > now_datetime().replace(
		hour=0, minute=0
	)


# Cache, secrets and configuration shared by processes


def test_the_cache_is_shared_and_a_clearing_keeps_what_hooks_name(web: Web) -> None:
	frappe.cache.set_value("zoho-test-kept", {"a": 1})
	frappe.cache.set_value("other-test-gone", {"a": 1})
	frappe.cache.set_value("zoho-test-brief", 1, expires_in_sec=1)
	assert web.session("Administrator").call("frappe.sessions.clear").ok
	frappe.local.cache = {}
	assert frappe.cache.get_value("zoho-test-kept") == {"a": 1}
	frappe.clear_cache()
	assert frappe.cache.get_value("zoho-test-kept") == {"a": 1}
	assert frappe.cache.get_value("other-test-gone") is None
	time.sleep(1.1)
	frappe.local.cache = {}
	assert frappe.cache.get_value("zoho-test-brief", expires=True) is None


def test_a_lock_keeps_others_out(site: TestSite) -> None:
	with frappe.cache.lock("zoho-test-lock", timeout=10):
		assert not frappe.cache.lock("zoho-test-lock").acquire(blocking=False)
	other = frappe.cache.lock("zoho-test-lock", timeout=10)
	assert other.acquire(blocking=False)
	other.release()


def test_another_process_reads_our_secrets_and_we_its(web: Web) -> None:
	session = web.session("Administrator")
	user = frappe.db.get_value("User", "Administrator")
	set_encrypted_password("User", user, "from here", "api_secret")
	frappe.db.commit()
	assert get_decrypted_password("User", user, "api_secret") == "from here"
	made = session.call("frappe.core.doctype.user.user.generate_keys", user=user).json()["message"][
		"api_secret"
	]
	assert get_decrypted_password("User", user, "api_secret") == made


def test_a_change_of_settings_is_seen_by_other_processes(web: Web) -> None:
	session = web.session("Administrator")

	def ask() -> str:
		fields = {"doctype": "CRM Settings", "field": "campaign_naming_by"}
		return session.get("/api/method/frappe.client.get_single_value", params=fields).json()["message"]

	ask()
	settings = frappe.get_doc("CRM Settings")
	settings.campaign_naming_by = "Naming Series"
	settings.save()
	assert ask() == "Naming Series"


def test_realtime_events_can_be_published(site: TestSite) -> None:
	frappe.publish_realtime("zoho_test", {"a": 1}, user="Administrator")
	frappe.publish_realtime("zoho_test", {"a": 1}, doctype="Campaign", docname="x", after_commit=True)
	frappe.publish_progress(50, title="Zoho", doctype="Campaign", docname="x")
	frappe.db.commit()


# Reports, personal data


def test_a_script_report_runs_for_who_may_see_it(web: Web, make_user: Callable[..., str]) -> None:
	method, name = "frappe.desk.query_report.run", "Campaign Performance"
	answer = web.session(make_user("Sales Manager")).call(method, report_name=name, filters={})
	assert answer.ok and {"columns", "result"} <= set(answer.json()["message"])
	assert web.session(make_user()).call(method, report_name=name, filters={}).status_code == 403


def test_personal_data_deletion_redacts_what_hooks_name(site: TestSite, run_jobs: RunJobs) -> None:
	email = "zoho-test-ada@example.com"
	frappe.delete_doc("User", email, force=True, ignore_missing=True)
	frappe.flags.in_import = True  # no limit on new users
	frappe.get_doc(
		{
			"doctype": "User",
			"email": email,
			"first_name": "Ada",
			"last_name": "Lovelace",
			"send_welcome_email": 0,
		}
	).insert()
	frappe.flags.in_import = False
	assert run_jobs() == []  # which make the user's Contact
	assert frappe.db.exists("Contact", {"email_id": email, "last_name": "Lovelace"})
	request = frappe.get_doc({"doctype": "Personal Data Deletion Request", "email": email}).insert()
	try:
		request.db_set("status", "Pending Approval")
		frappe.db.commit()
		request.trigger_data_deletion()
		run_jobs()  # disabling the user queues a job of its own, which may come too late
		assert frappe.db.get_value("Personal Data Deletion Request", request.name, "status") == "Deleted"
		assert not frappe.db.exists("Contact", {"email_id": email})
		assert not frappe.db.exists("Contact", {"last_name": "Lovelace"})
		assert not frappe.db.exists("User", email)
	finally:
		for user in (email, request.name):
			frappe.delete_doc("User", user, force=True, ignore_missing=True)
		frappe.db.commit()
