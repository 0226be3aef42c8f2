"""The connection knows which site, key and organisation it was made for, and pauses everything when that changes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from cryptography.fernet import Fernet

import frappe

from erpnext_zoho_integration import install
from erpnext_zoho_integration.connection import authorization, identity, tokens
from erpnext_zoho_integration.connection.clients import make_rate_limiter
from erpnext_zoho_integration.connection.errors import ConnectionPaused, NotConnected
from erpnext_zoho_integration.connection.writing import writing_client
from erpnext_zoho_integration.erpnext_zoho_integration.api import campaigns, oauth
from erpnext_zoho_integration.erpnext_zoho_integration.api.privacy import erase_person
from erpnext_zoho_integration.erpnext_zoho_integration.desk import settings as desk_settings
from erpnext_zoho_integration.sync.runs import health, notifications, queue
from tests.site.connecting import API, SETTINGS, connect, enter_client, is_live, secret, settings
from tests.site.consent.helpers import blocked, held, hold_back, mailed, marketing, ticked
from tests.site.server import Web, settle
from tests.site.syncing import RECIPIENT, answer_with, person, sync_all
from zoho_simulator import Simulator

ANN, BOB = "ann@example.com", "bob@example.com"


@pytest.fixture
def connected(simulator: Simulator) -> Simulator:
	connect(simulator)
	return simulator


@pytest.fixture
def change_key() -> Iterator[Callable[[], None]]:
	"""Give this process another encryption key, as a site_config.json that was typed anew has."""
	before = frappe.local.conf.encryption_key

	def change() -> None:
		frappe.local.conf.encryption_key = Fernet.generate_key().decode()

	yield change
	frappe.local.conf.encryption_key = before


def copy_site() -> None:
	"""Make this site the copy of another one."""
	original = json.dumps({"site": "shop.example", "host": "shop.example"})
	frappe.db.set_single_value(SETTINGS, "connected_site", original, update_modified=False)
	settle()


# Another encryption key


def test_another_key_is_one_sentence_and_authorizing_again_heals(
	connected: Simulator, change_key: Callable[[], None]
) -> None:
	change_key()
	before = len(connected.requests)
	for act in (campaigns.test_connection, oauth.refresh_access_token, queue.require_connection):
		with pytest.raises(NotConnected, match="encryption key of this site has changed"):
			act()
	with pytest.raises(NotConnected, match="encryption key of this site has changed"):
		authorization.begin()
	run = frappe.get_doc("Zoho Sync Run", queue.run_now("Schedule"))
	assert run.status == "Failed"
	assert "encryption key of this site has changed" in run.message
	assert len(connected.requests) == before
	enter_client()
	authorization.exchange(connected.grant_code(), "in")
	assert sync_all().status == "Success"


def test_with_another_key_disconnect_a_new_client_and_uninstalling_go_through(
	connected: Simulator, change_key: Callable[[], None]
) -> None:
	change_key()
	enter_client(client_id="another-client", client_secret="another-secret")
	assert settings().connection_status == "Not Connected"
	assert tokens.disconnect() is True  # nothing is stored any more


def test_disconnecting_with_another_key_says_that_zoho_did_not_confirm(
	connected: Simulator, change_key: Callable[[], None]
) -> None:
	change_key()
	assert oauth.disconnect() == {"revoked": False}
	assert settings().connection_status == "Not Connected"


def test_uninstalling_with_another_key_goes_on(
	connected: Simulator, change_key: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
	change_key()
	reached = []
	monkeypatch.setattr(install, "_stop_runs", lambda: reached.append(True) or frappe.throw("enough"))
	with pytest.raises(frappe.ValidationError, match="enough"):
		install.before_uninstall()
	assert reached


def test_erased_people_do_not_come_back_with_another_key(
	start_simulator: Callable[..., Simulator], change_key: Callable[[], None]
) -> None:
	zoho = start_simulator(seed=1, campaigns=1, recipients=10)
	connect(zoho)
	answer_with(zoho, {"openedcontacts": [person(ANN, 1), person(BOB, 2)]})
	sync_all()
	erase_person(ANN)
	settle()
	change_key()
	enter_client()
	authorization.exchange(zoho.grant_code(), "in")
	run = sync_all(full=True)
	assert run.status == "Failed" and "erased people" in run.message
	assert not frappe.db.exists(RECIPIENT, {"email": ANN})
	assert "erased people" in desk_settings.get_overview()["paused"]
	oauth.go_on()
	assert desk_settings.get_overview()["paused"] is None
	assert sync_all(full=True).status == "Success"


def test_with_another_key_marketing_mail_is_held_whole(
	connected: Simulator, change_key: Callable[[], None]
) -> None:
	hold_back()
	erase_person(ANN)
	settle()
	change_key()
	mail = frappe.get_doc(
		{
			"doctype": "Email Queue",
			"reference_doctype": marketing(),
			"reference_name": "x",
			"message": "x",
			"sender": "a@example.com",
			"recipients": [{"recipient": BOB, "status": "Not Sent"}],
		}
	)
	mail.insert(ignore_permissions=True)
	assert mailed() == [] and held() == [BOB]


# A copy of the site


def test_a_copy_pauses_and_never_revokes_the_tokens_of_the_original(connected: Simulator) -> None:
	original_token = secret("refresh_token")
	copy_site()
	before = len(connected.requests)
	assert not queue.schedule_enabled()
	run = frappe.get_doc("Zoho Sync Run", queue.run_now("Schedule"))
	assert run.status == "Failed" and "shop.example" in run.message
	for act in (campaigns.test_connection, oauth.refresh_access_token):
		with pytest.raises(ConnectionPaused, match=r"shop\.example"):
			act()
	with pytest.raises(ConnectionPaused):
		writing_client(needed=()).do_not_mail(ANN)
	assert [problem.kind for problem in health.problems()] == [health.PAUSED]
	assert len(connected.requests) == before
	assert oauth.disconnect() == {"revoked": True}
	assert is_live(connected, original_token)
	assert secret("refresh_token") is None


def test_authorizing_a_copy_or_giving_it_another_client_leaves_the_token_of_the_original(
	connected: Simulator,
) -> None:
	original_token = secret("refresh_token")
	copy_site()
	authorization.exchange(connected.grant_code(), "in")
	assert sync_all().status == "Success"
	own_token = secret("refresh_token")
	assert is_live(connected, original_token) and own_token != original_token
	copy_site()
	enter_client(client_id="another-client")
	assert is_live(connected, own_token)
	assert secret("refresh_token") is None


def test_a_site_that_has_moved_goes_on_after_a_yes(connected: Simulator) -> None:
	copy_site()
	assert "shop.example" in desk_settings.get_overview()["paused"]
	oauth.go_on()
	assert desk_settings.get_overview()["paused"] is None
	assert sync_all().status == "Success"


def test_another_host_of_the_same_database_is_a_copy_too(
	connected: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
	monkeypatch.setitem(frappe.local.conf, "host_name", "https://staging.example:8443")
	assert identity.pause(settings()).kind == identity.COPY


def test_a_connection_of_an_earlier_version_belongs_to_the_site_where_it_is_migrated(
	connected: Simulator,
) -> None:
	frappe.db.set_single_value(SETTINGS, "connected_site", None, update_modified=False)
	identity.note_identity()
	assert settings().connected_site == identity.this_site()
	copy_site()
	identity.note_identity()
	assert identity.is_copy(settings())


# Another organisation


@pytest.fixture
def two_organisations(start_simulator: Callable[..., Simulator]) -> Simulator:
	"""Organisation A was synced, where id 7 is Ann; now the site is authorized for B, where id 7 is Bob, who opted out."""
	first = start_simulator(seed=1, campaigns=1, recipients=10)
	connect(first)
	answer_with(first, {"openedcontacts": [person(ANN, 7)]})
	sync_all()
	second = start_simulator(seed=2, campaigns=1, recipients=10)
	connect(second)
	answer_with(second, {"optoutcontacts": [person(BOB, 7)]})
	return second


def test_another_organisation_is_asked_about_before_anything_is_written(two_organisations: Simulator) -> None:
	ann = frappe.db.get_value("Contact", {"email_id": ANN})
	run = sync_all()
	assert run.status == "Failed" and "another organisation" in run.message
	assert not frappe.db.exists(RECIPIENT, {"email": BOB})
	assert not ticked("Contact", ann)
	assert "another organisation" in desk_settings.get_overview()["paused"]


def test_after_a_yes_the_same_id_is_another_person(two_organisations: Simulator) -> None:
	ann = frappe.db.get_value("Contact", {"email_id": ANN})
	sync_all()
	oauth.go_on()
	assert sync_all().status == "Success"
	assert not ticked("Contact", ann) and not blocked(ANN)
	bob = frappe.db.get_value("Contact", {"email_id": BOB})
	assert bob != ann and ticked("Contact", bob) and blocked(BOB)


def test_an_account_with_known_campaigns_is_the_same_organisation(connected: Simulator) -> None:
	sync_all()
	connect(connected)
	assert settings().organisation == identity.TO_COMPARE
	assert sync_all().status == "Success"
	assert not settings().organisation


# Who hears of it


def test_if_who_connected_is_disabled_system_managers_hear_of_a_problem(
	make_user: Callable[..., str], connected: Simulator
) -> None:
	gone, manager = make_user("System Manager"), make_user("System Manager", "Sales User")
	make_user("Sales Manager")
	frappe.db.set_value("User", gone, "enabled", 0)
	frappe.db.set_single_value(SETTINGS, "connected_by", gone, update_modified=False)
	try:
		tokens.mark_needs_attention("Access was revoked.")
		notifications.check()
	finally:
		frappe.db.set_value("User", gone, "enabled", 1)
		frappe.db.commit()
	people = frappe.get_all("Notification Log", {"document_type": SETTINGS}, pluck="for_user")
	assert manager in people and gone not in people
	roles = {user: frappe.get_roles(user) for user in people}
	assert all("System Manager" in of_user for of_user in roles.values()), roles


# One budget


def test_live_calls_keep_the_budget_of_the_site_and_say_when_to_try_again(
	connected: Simulator, web: Web, make_user: Callable[..., str]
) -> None:
	frappe.db.set_single_value(SETTINGS, "calls_per_window", 3, update_modified=False)
	settle()
	session = web.session(make_user("Sales Manager"))
	answers = [
		session.get(f"/api/method/{API}.campaigns.get_recent_campaigns", params={"limit": 1})
		for _ in range(6)
	]
	assert [answer.status_code for answer in answers][:3] == [200, 200, 200]
	refused = [answer for answer in answers if answer.status_code != 200]
	assert refused and all("Try again at" in answer.text for answer in refused)
	assert len([each for each in connected.requests if each["endpoint"] == "recentcampaigns"]) <= 3
	assert make_rate_limiter().used("recentcampaigns") <= 3


def test_a_python_step_keeps_the_budget_too(connected: Simulator) -> None:
	before = make_rate_limiter().used("recentcampaigns")
	campaigns.get_recent_campaigns(limit=1)
	assert make_rate_limiter().used("recentcampaigns") == before + 1
