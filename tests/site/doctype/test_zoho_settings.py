"""Zoho Settings as a form: what it checks, what belongs to the connection, and where secrets are."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

import frappe
from frappe.utils import now_datetime

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection import tokens
from erpnext_zoho_integration.erpnext_zoho_integration.api import oauth
from erpnext_zoho_integration.patches.v0_1 import rename_told
from tests.site.connecting import (
	API,
	AUTHORIZE,
	SETTINGS,
	asked,
	connect,
	contains,
	enter_client,
	is_live,
	let_expire,
	secret,
	settings,
)
from tests.site.server import Session, TestSite, Web, settle
from tests.site.tables import tables
from zoho_simulator import Simulator

# So that it stands out: the simulator's usual one is a word that documentation may use.
CLIENT_SECRET = "s3cr3t-of-the-client-0f9e8d7c6b5a"


@pytest.fixture
def manager(web: Web, make_user: Callable[..., str]) -> Session:
	return web.session(make_user("System Manager"))


@pytest.fixture
def connected(simulator: Simulator) -> Simulator:
	connect(simulator)
	return simulator


def open_form(session: Session) -> dict:
	"""Return the document as the Desk's form gets it."""
	answer = session.get(
		"/api/method/frappe.desk.form.load.getdoc", params={"doctype": SETTINGS, "name": SETTINGS}
	)
	assert answer.ok, answer.text[:500]
	return answer.json()["docs"][0]


def save_form(session: Session, document: dict):
	return session.call("frappe.desk.form.save.savedocs", doc=document, action="Save")


# The form


def test_a_new_form_has_the_redirect_uri_ready_and_the_defaults(manager: Session, site: TestSite) -> None:
	document = open_form(manager)
	assert document["redirect_uri"] == f"{manager.base_url}/api/method/{API}.oauth.callback"
	assert (document["data_center"], document["api_domain"]) == ("in", "https://www.zohoapis.in")
	assert (document["is_active"], document["connection_status"]) == (0, "Not Connected")
	actions = ("sent", "opened", "clicked", "hard_bounced", "soft_bounced", "unsubscribed", "complaint")
	assert [document[f"sync_{action}"] for action in actions] == [1] * len(actions)
	assert document["create_contacts_for"] == "Everyone Who Acted"


def test_every_data_centre_can_be_chosen(site: TestSite) -> None:
	options = frappe.get_meta(SETTINGS).get_field("data_center").options.split("\n")
	assert options == list(zoho.DATA_CENTERS)


def test_pasted_spaces_are_removed(site: TestSite) -> None:
	enter_client(client_id=" sim-client\n", client_secret="\tsim-secret ")
	assert settings().client_id == "sim-client" and secret("client_secret") == "sim-secret"


def test_a_time_zone_that_does_not_exist_is_refused(site: TestSite) -> None:
	with pytest.raises(frappe.ValidationError, match="is not a time zone"):
		enter_client(account_time_zone="Middle/Earth")
	enter_client(account_time_zone="Europe/Berlin")
	assert settings().zone().key == "Europe/Berlin"


def test_only_system_managers_open_the_form(web: Web, make_user: Callable[..., str]) -> None:
	for roles in ((), ("Sales User",), ("Sales Manager",), ("Sales Master Manager",)):
		answer = web.session(make_user(*roles)).get(f"/api/resource/{SETTINGS}/{SETTINGS}")
		assert answer.status_code == 403, roles
	assert web.session().get(f"/api/resource/{SETTINGS}/{SETTINGS}").status_code in (401, 403)


def test_saving_an_open_form_keeps_what_the_connection_wrote_meanwhile(
	manager: Session, connected: Simulator
) -> None:
	form = open_form(manager)
	let_expire(1)
	tokens.refresh_token()
	frappe.db.set_single_value(SETTINGS, {"last_sync": now_datetime()}, update_modified=False)
	tokens.mark_refused("Look at this")
	written = settings()
	form["enable_schedule"] = 0
	assert save_form(manager, form).ok
	stored = settings()
	assert stored.enable_schedule == 0
	for fieldname in ("token_expiry", "last_sync", "connection_status", "connection_error"):
		assert stored.get(fieldname) == written.get(fieldname), fieldname
	assert connected.tokens.scopes_of(secret("access_token")) and is_live(connected, secret("refresh_token"))


def test_a_form_cannot_declare_the_site_connected(manager: Session, site: TestSite) -> None:
	enter_client()
	form = {**open_form(manager), "is_active": 1, "connection_status": "Connected"}
	assert save_form(manager, form).ok
	assert (settings().is_active, settings().connection_status) == (0, "Not Connected")


def test_another_client_id_ends_the_connection_and_the_form_shows_it(
	manager: Session, connected: Simulator
) -> None:
	refresh = secret("refresh_token")
	answer = save_form(manager, {**open_form(manager), "client_id": "another"})
	assert answer.ok
	shown = answer.json()["docs"][0]
	assert (shown["is_active"], shown["connection_status"]) == (0, "Not Connected")
	assert "The Client ID was changed" in shown["connection_error"]
	stored = settings()
	assert (stored.is_active, stored.connection_status) == (0, "Not Connected")
	assert secret("access_token") is None and secret("refresh_token") is None
	assert secret("client_secret") == "sim-secret"
	assert not is_live(connected, refresh), "a token that nobody knows any more must not stay good"


def test_another_client_id_refused_by_the_form_ends_nothing(manager: Session, connected: Simulator) -> None:
	form = {**open_form(manager), "client_id": "another", "account_time_zone": "Middle/Earth"}
	assert save_form(manager, form).status_code == 417
	assert settings().is_active and is_live(connected, secret("refresh_token"))
	assert not asked(connected, "oauth/revoke")


# Secrets


@pytest.fixture
def secrets(manager: Session, start_simulator: Callable[..., Simulator]) -> Iterator[set[str]]:
	"""Everything that was ever secret while a site was connected, used, disturbed and disconnected."""
	simulator = start_simulator(seed=1, campaigns=2, recipients=60, client_secret=CLIENT_SECRET)
	met = {CLIENT_SECRET}

	def note() -> None:
		met.update(filter(None, (secret("access_token"), secret("refresh_token"))))

	enter_client(client_secret=CLIENT_SECRET)
	assert manager.get(AUTHORIZE, allow_redirects=True).ok
	note()
	yield_to_trouble(manager, simulator, note)
	assert len(met) >= 6
	return met


def yield_to_trouble(manager: Session, simulator: Simulator, note: Callable[[], None]) -> None:
	"""Let go wrong what can go wrong while tokens are at hand."""
	assert manager.call(f"{API}.oauth.refresh_access_token").ok
	note()
	simulator.plan(
		{"fault": "status", "endpoint": "oauth/revoke", "status": 503, "headers": {"Retry-After": "0"}}
	)
	assert manager.call(f"{API}.oauth.fetch_tokens", code=simulator.grant_code()).ok
	note()
	for act in (
		oauth.refresh_access_token,
		lambda: oauth.fetch_tokens(simulator.grant_code()),
		oauth.disconnect,
	):
		note()
		fail_at_commit(act)
		note()
	simulator.plan()
	assert manager.call(f"{API}.oauth.fetch_tokens", code=simulator.grant_code()).ok
	note()


def fail_at_commit(act: Callable[[], object]) -> None:
	"""Let the second commit fail, after Zoho's answer, and log it as Frappe logs what a request or job throws."""

	def fail() -> None:
		raise RuntimeError("another app's listener failed")

	frappe.db.after_commit.add(lambda: frappe.db.before_commit.add(fail))
	try:
		act()
	except RuntimeError:
		frappe.db.before_commit.reset()
		frappe.db.rollback()
		frappe.log_error("Zoho Test: failed at commit")
	else:
		raise AssertionError("the commit did not fail")
	settle()


def test_no_secret_is_in_clear_in_any_table(secrets: set[str]) -> None:
	assert frappe.db.count("Error Log", {"method": "Zoho Test: failed at commit"}) >= 2
	for table in tables():
		rows = frappe.db.sql(f"select * from `{table}`")
		assert contains(rows, secrets) == [], table


def test_no_secret_is_in_a_log_file(secrets: set[str], site: TestSite) -> None:
	folders = [site.sites_path / site.name / "logs", site.sites_path.parent / "logs", Path("logs")]
	files = {path.resolve() for folder in folders if folder.is_dir() for path in folder.glob("*.log*")}
	assert files
	for path in files:
		assert contains([path.read_text(errors="replace")], secrets) == [], path


def test_no_secret_is_in_redis(
	manager: Session, run_jobs: Callable[[], list[str]], secrets: set[str]
) -> None:
	assert manager.call(f"{API}.sync.sync_all_campaigns").ok
	assert run_jobs() == []
	texts = redis_texts()
	assert contains(texts, secrets) == []
	assert contains(texts, ["execute_job"]), "the job has been looked at"


def redis_texts() -> list[str]:
	"""Return all that both Redis databases hold; jobs are unpacked."""
	from frappe.utils.background_jobs import get_redis_conn

	texts = []
	for store in (frappe.cache, get_redis_conn()):
		for key in store.scan_iter("*"):
			texts += [unpacked(value) for value in (key, *stored_under(store, key))]
	return texts


def stored_under(store: redis.Redis, key: bytes) -> Iterator[bytes]:
	"""Yield what a key holds, past the methods that Frappe has put over those of the client."""
	kind = store.type(key).decode()
	if kind == "string":
		yield redis.Redis.get(store, key) or b""
	elif kind == "hash":
		for pair in redis.Redis.hgetall(store, key).items():
			yield from pair
	elif kind == "list":
		yield from redis.Redis.lrange(store, key, 0, -1)
	elif kind == "set":
		yield from redis.Redis.smembers(store, key)
	elif kind == "zset":
		yield from redis.Redis.zrange(store, key, 0, -1)


def unpacked(value: object) -> str:
	if isinstance(value, bytes) and value[:1] == b"\x78":
		with contextlib.suppress(zlib.error):
			value = zlib.decompress(value)
	return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def test_no_secret_is_in_an_answer(manager: Session, simulator: Simulator) -> None:
	enter_client()
	answers = [
		manager.call(f"{API}.oauth.fetch_tokens", code=simulator.grant_code()),
		manager.call(f"{API}.oauth.refresh_access_token"),
		manager.get(f"/api/resource/{SETTINGS}/{SETTINGS}"),
		manager.call("frappe.client.get", doctype=SETTINGS),
		manager.call(f"{API}.campaigns.get_recent_campaigns"),
		manager.call(f"{API}.campaigns.test_connection"),
	]
	assert all(answer.ok for answer in answers)
	texts = [f"{answer.text} {answer.headers}" for answer in answers]
	clear = {secret("access_token"), secret("refresh_token"), "sim-secret"}
	assert contains(texts, {part for each in clear for part in each.split(".")[1:] or [each]}) == []
	tokens = answers[0].json()["message"]
	assert (
		tokens["access_token"] == tokens["refresh_token"] == answers[1].json()["message"] == "1000…********"
	)


def test_secrets_are_stored_encrypted(connected: Simulator) -> None:
	stored = frappe.db.sql("select fieldname, encrypted from `__Auth` where doctype=%s", SETTINGS)
	assert dict(stored) == {"client_secret": 1, "access_token": 1, "refresh_token": 1}
	shown = dict(
		frappe.db.sql(
			"select field, value from `tabSingles` where doctype=%s and field in ('client_secret', 'access_token', 'refresh_token')",
			SETTINGS,
		)
	)
	assert shown and all(set(value) == {"*"} for value in shown.values())


def test_no_request_to_zoho_carries_a_secret_in_its_url(connected: Simulator) -> None:
	oauth.refresh_access_token()
	oauth.disconnect()
	assert len(connected.requests) >= 3
	assert [each for each in connected.requests if each["secrets_in_url"]] == []


def test_the_problems_that_people_know_of_survive_the_new_name_of_their_field(site: TestSite) -> None:
	stored = {"doctype": SETTINGS, "field": "notified_problems"}
	frappe.db.delete("Singles", stored)
	frappe.db.sql(
		"insert into `tabSingles` (doctype, field, value) values (%s, %s, %s)",
		(SETTINGS, "told", '["Stale"]'),
	)
	for _time in ("first", "second"):
		rename_told.execute()
		assert settings().notified_problems == '["Stale"]'
	frappe.db.delete("Singles", stored)
	frappe.db.commit()
