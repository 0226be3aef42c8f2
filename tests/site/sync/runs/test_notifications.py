"""Who hears of trouble with Zoho, when, where, and how often: once, and again after it was in order."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

import frappe
from frappe.utils import add_to_date, now_datetime
from frappe.utils.user import get_users_with_role

from erpnext_zoho_integration.connection.tokens import mark_needs_attention
from erpnext_zoho_integration.erpnext_zoho_integration.desk import settings as desk_settings
from erpnext_zoho_integration.sync.runs import health, notifications
from tests.site.database_content import run_all
from tests.site.server import settle
from tests.site.syncing import connect

SETTINGS = "Zoho Settings"


@pytest.fixture
def connected(make_user: Callable) -> str:
	"""A site that somebody has connected two days ago; the user."""
	user = make_user("System Manager")
	two_days_ago = add_to_date(now_datetime(), days=-2)
	values = {
		"is_active": 1,
		"enable_schedule": 1,
		"connection_status": "Connected",
		"connection_error": None,
	}
	frappe.db.set_single_value(
		SETTINGS, {**values, "connected_by": user, "connected_on": two_days_ago}, update_modified=False
	)
	frappe.db.set_single_value(SETTINGS, "modified", two_days_ago, update_modified=False)
	return user


def name_people(*users: str, **values: object) -> None:
	settings = frappe.get_doc(SETTINGS)
	settings.update({"notify": [{"user": user} for user in users], **values})
	settings.flags.ignore_mandatory = True
	settings.save()
	frappe.db.set_single_value(
		SETTINGS, "modified", add_to_date(now_datetime(), days=-2), update_modified=False
	)


def ended_run(status: str, hours_ago: float = 0, **values: object) -> str:
	moment = add_to_date(now_datetime(), hours=-hours_ago)
	run = frappe.get_doc({"doctype": "Zoho Sync Run", "status": status, "finished_at": moment, **values})
	run.insert(ignore_permissions=True)
	frappe.db.set_value("Zoho Sync Run", run.name, "creation", moment, update_modified=False)
	return run.name


def told() -> list[tuple]:
	"""Return what was told since the last call: to whom, about what, with which link."""
	frappe.db.commit()
	notifications.check()
	logs = frappe.get_all(
		"Notification Log",
		{"type": "Alert"},
		["name", "for_user", "subject", "link", "email_content"],
		order_by="creation, for_user",
	)
	frappe.db.delete("Notification Log", {"name": ("in", [log.name for log in logs])})
	frappe.db.commit()
	return [(log.for_user, log.subject.rpartition(": ")[2], log.link) for log in logs]


def desk(*parts: str) -> str:
	return frappe.utils.get_url_to_form(*parts).partition("://")[2].partition("/")[2]


def test_a_lost_connection_is_told_once_and_again_after_it_was_back(connected: str) -> None:
	ended_run("Success")
	assert told() == []
	mark_needs_attention("Access was revoked.")
	assert told() == [(connected, "the connection is lost", f"/{desk(SETTINGS, SETTINGS)}")]
	assert told() == []
	frappe.db.set_single_value(SETTINGS, {"is_active": 1, "connection_status": "Connected"})
	assert told() == []
	mark_needs_attention("Access was revoked.")
	assert len(told()) == 1


def test_a_site_that_was_disconnected_on_purpose_is_in_order(connected: str) -> None:
	frappe.db.set_single_value(SETTINGS, {"is_active": 0, "connection_status": "Not Connected"})
	ended_run("Failed")
	assert told() == []


def test_the_users_named_hear_instead_but_only_enabled_ones(connected: str, make_user: Callable) -> None:
	one, other = make_user("Sales Manager"), make_user("Sales User")
	name_people(one, other)
	frappe.db.set_value("User", other, "enabled", 0)
	mark_needs_attention("Access was revoked.")
	heard = [user for user, *_rest in told()]
	frappe.db.set_value("User", other, "enabled", 1)
	settle()
	assert heard == [one]


def test_if_nobody_is_named_all_system_managers_hear_of_it(connected: str) -> None:
	frappe.db.set_single_value(SETTINGS, "connected_by", None)
	mark_needs_attention("Access was revoked.")
	assert connected in [user for user, _subject, _link in told()]
	assert told() == []


def test_on_a_site_without_system_managers_the_administrator_hears_of_it(connected: str) -> None:
	managers = get_users_with_role("System Manager")
	frappe.db.set_value("User", {"name": ("in", managers)}, "enabled", 0)
	try:
		mark_needs_attention("Access was revoked.")
		assert [user for user, _subject, _link in told()] == ["Administrator"]
	finally:
		frappe.db.set_value("User", {"name": ("in", managers)}, "enabled", 1)
		frappe.db.commit()


def test_a_failed_sync_is_told_with_its_run(connected: str) -> None:
	ended_run("Success", hours_ago=3)
	failed = ended_run("Failed", hours_ago=2, message="Zoho cannot be reached.")
	assert told() == [(connected, "the sync fails", f"/{desk('Zoho Sync Run', failed)}")]
	ended_run("Failed", hours_ago=1)
	assert told() == []
	ended_run("Success")
	assert told() == []
	ended_run("Failed")
	assert len(told()) == 1


def test_what_one_run_left_undone_is_told_when_the_next_one_leaves_it_too(connected: str) -> None:
	ended_run("Success", hours_ago=4)
	ended_run("Partial", hours_ago=3)
	assert told() == []
	ended_run("Partial", hours_ago=2)
	assert [subject for _user, subject, _link in told()] == ["the sync fails"]


def test_the_sync_of_one_campaign_is_the_affair_of_who_started_it(connected: str) -> None:
	campaign = frappe.get_doc({"doctype": "Campaign", "campaign_name": "One"}).insert().name
	ended_run("Success", hours_ago=1)
	ended_run("Failed", campaign=campaign)
	assert told() == []


def test_missing_syncs_are_told_unless_one_is_at_work(connected: str) -> None:
	ended_run("Success", hours_ago=25)
	running = ended_run("Running", heartbeat_epoch=time.time(), active_key="all", finished_at=None)
	assert told() == []
	long_silent = time.time() - 7200
	frappe.db.set_value("Zoho Sync Run", running, "heartbeat_epoch", long_silent)
	assert [subject for _user, subject, _link in told()] == ["nothing has been synced for long"]
	assert desk_settings.get_overview()["problems"] == ["Stale"]


@pytest.mark.parametrize(
	"values", [{"stale_after_hours": 0}, {"stale_after_hours": 30}, {"enable_schedule": 0}], ids=str
)
def test_missing_syncs_are_told_as_the_settings_say(connected: str, values: dict) -> None:
	ended_run("Success", hours_ago=25)
	name_people(connected, **values)
	assert told() == []


def test_whoever_has_just_connected_is_given_time(connected: str) -> None:
	assert [problem.kind for problem in health.problems()] == ["Stale"]
	frappe.db.set_single_value(SETTINGS, "connected_on", now_datetime())
	assert health.problems() == []


@pytest.mark.parametrize("by_email", [0, 1])
def test_an_e_mail_goes_out_if_the_settings_say_so(
	connected: str, monkeypatch: pytest.MonkeyPatch, by_email: int
) -> None:
	sent = []
	monkeypatch.setattr(frappe, "sendmail", lambda **mail: sent.append(mail))
	name_people(connected, notify_by_email=by_email)
	mark_needs_attention("<b>Access</b> was revoked.")
	assert len(told()) == 1
	assert [mail["recipients"] for mail in sent] == [[connected]] * by_email
	for mail in sent:
		assert "&lt;b&gt;Access" in mail["message"] and desk(SETTINGS, SETTINGS) in mail["message"]


def test_a_site_that_can_send_no_mail_tells_the_desk_all_the_same(
	connected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
	def refuse(**mail: object) -> None:
		raise frappe.OutgoingEmailError("no account")

	monkeypatch.setattr(frappe, "sendmail", refuse)
	name_people(connected, notify_by_email=1)
	mark_needs_attention("Access was revoked.")
	assert len(told()) == 1


def test_it_is_told_in_the_language_of_who_hears_it(connected: str, monkeypatch: pytest.MonkeyPatch) -> None:
	text = "Zoho Campaigns needs attention: the connection is lost"
	german = {text: "Handlungsbedarf: die Verbindung ist verloren"}
	monkeypatch.setattr(frappe.translate, "get_all_translations", lambda lang: german if lang == "de" else {})
	frappe.db.set_value("User", connected, "language", "de")
	mark_needs_attention("Access was revoked.")
	heard = [subject for _user, subject, _link in told()]
	frappe.db.set_value("User", connected, "language", None)
	settle()
	assert heard == ["die Verbindung ist verloren"]


def test_saving_the_form_forgets_nothing_that_was_told(connected: str) -> None:
	mark_needs_attention("Access was revoked.")
	assert len(told()) == 1
	name_people(connected, notified_problems="[]")
	assert told() == []


def test_a_run_that_loses_the_connection_tells_it_itself(
	start_simulator: Callable, make_user: Callable
) -> None:
	user = make_user("System Manager")
	zoho = connect(start_simulator(seed=1, campaigns=1, recipients=10))
	frappe.db.set_single_value(SETTINGS, "connected_by", user)
	zoho.plan({"fault": "body", "endpoint": "recentcampaigns", "body": {"code": "1007", "status": "error"}})
	settle()
	assert run_all().status == "Failed"
	assert frappe.get_all("Notification Log", {"for_user": user}, pluck="document_type") == [SETTINGS]


def test_what_was_left_budget_says(start_simulator: Callable) -> None:
	connect(start_simulator(seed=1, campaigns=2, recipients=10), calls_per_window=50)
	run_all()
	settings = frappe.get_doc(SETTINGS)
	budget = {row["label"]: row for row in desk_settings.budget(settings)}
	assert budget["Campaign reports"]["left"] == 48
	assert budget["Campaign reports"]["calls"] == 50
	frappe.db.set_single_value(SETTINGS, "method_locks", '{"campaignreports": 4102444800}')
	locked = {row["label"]: row["locked_until"] for row in desk_settings.budget(frappe.get_doc(SETTINGS))}
	assert locked["Campaign reports"].year in (2099, 2100, 2101)
	assert locked["Recipients"] is None
