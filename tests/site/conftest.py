"""Fixtures for tests on a site: the embedded one, or a bench's (see tests/site/server.py).

`site` (always used): this process is connected as Administrator; the site is cleaned after each test.
`web`: a real web server for the site, and logged-in sessions. `make_user(*roles)`: users. `run_jobs()`: the queue.
`simulator`: a Zoho that this process, the web server and the worker talk to; `start_simulator(…)` for another one.

A test itself restores other changes (custom fields, settings of other apps, files).
SQLite allows one writer at a time: commit before another process has to write. `web` and `run_jobs` do.
"""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from tests.site.run_processes import Run
from tests.site.server import (
	ROLES,
	EmbeddedSite,
	Session,
	TestSite,
	Web,
	Worker,
	choose,
	free_port,
	settle,
)
from tests.site.spare_site import SpareSite

# Tables of this app: emptied after each test.
OUR_APP = "erpnext_zoho_integration"
# Tables of other apps: rows that a test added are deleted after it.
CLEANED = (
	"Campaign",
	"Campaign Email Schedule",
	"UTM Campaign",
	"Contact",
	"Contact Email",
	"Contact Phone",
	"Dynamic Link",
	"Lead",
	"Customer",
	"Communication",
	"Communication Link",
	"Comment",
	"Version",
	"Deleted Document",
	"Email Unsubscribe",
	"Personal Data Deletion Request",
	"User Permission",
	"Error Log",
	"Email Queue",
	"Email Template",
	"Email Queue Recipient",
	"Email Group",
	"Email Group Member",
	"Newsletter",
	"Newsletter Email Group",
	"Email Campaign",
	"Notification Log",
	"Scheduled Job Log",
	"ToDo",
	"File",
)
# Single DocTypes that a test may change; restored after it.
RESTORED_SINGLES = ("Zoho Settings", "CRM Settings", "System Settings")

# Child rows of a restored Single: not emptied.
KEPT = ("Zoho Sync Interval",)

SITE = choose()


def pytest_configure() -> None:
	# On SIGTERM the fixtures still restore what the tests have changed.
	signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_report_header(config: pytest.Config) -> str:
	return f"site: {SITE.name} in {SITE.sites_path}"


def pytest_unconfigure(config: pytest.Config) -> None:
	SITE.close()


_users_of_site = 0


@pytest.fixture(scope="session")
def site() -> Iterator[TestSite]:
	"""The site, with this process connected to it as Administrator.

	Each folder of tests that imports this fixture has its own: the first one sets the site up, the last one tears it
	down.
	"""
	global _users_of_site
	import frappe

	SITE.connect()
	if not _users_of_site:
		SITE.borrow_config(
			{"mute_emails": 1, "host_name": f"http://127.0.0.1:{SITE.port}", **SIMULATOR_CONFIG},
			defaults={"mail_server": "127.0.0.1", "auto_email_id": "site@example.com"},
		)
	_users_of_site += 1
	yield SITE
	_users_of_site -= 1
	if not _users_of_site:
		SITE.return_config()
		# Tests of other folders, which come in between, may have ended the connection.
		with suppress(RuntimeError):
			frappe.db.rollback()
			frappe.destroy()


@pytest.fixture(autouse=True)
def clean_slate(site: TestSite, worker: Worker, singles: dict) -> Iterator[None]:
	"""Undo the test's changes: its transaction, rows, jobs, settings and locks."""
	import frappe
	from frappe.utils import add_to_date, now

	frappe.set_user("Administrator")
	started, zone = now(), frappe.db.get_single_value("System Settings", "time_zone")
	yield
	frappe.db.rollback()
	frappe.set_user("Administrator")
	if zone != frappe.db.get_single_value("System Settings", "time_zone"):
		started = add_to_date(started, hours=-26)  # what was made in the other zone may bear an earlier time
	for doctype in frappe.get_all(
		"DocType", {"module": "ERPNext Zoho Integration", "issingle": 0}, pluck="name"
	):
		if doctype not in KEPT:
			frappe.db.delete(doctype)
	for doctype in CLEANED:
		if frappe.db.table_exists(doctype):
			frappe.db.delete(doctype, {"creation": (">=", started)})
	restore_singles(singles)
	frappe.db.commit()
	worker.discard_jobs()
	forget_cached(site)
	frappe.local.message_log = []
	settle()


@pytest.fixture
def process(site: TestSite) -> Iterator[Callable[..., Run]]:
	"""`process("run", "All")` starts a `Run`; all of them end with the test."""
	started: list[Run] = []

	def start(*arguments: object) -> Run:
		started.append(Run(site, *arguments))
		return started[-1]

	yield start
	for each in started:
		each.kill()


def forget_cached(site: TestSite) -> None:
	"""Drop cached documents and all locks and states of the app; keep what is slow to cache."""
	import frappe

	for prefix in ("document_cache::", "user_permissions", "defaults", "zoho", "rl:"):
		getattr(frappe, "client_cache", frappe.cache).delete_keys(prefix)
	for key in frappe.cache.scan_iter("*zoho*"):
		if site.name.encode() in key:  # locks bear no prefix
			frappe.cache.delete(key)


@pytest.fixture(scope="session")
def singles(site: TestSite) -> dict:
	return {doctype: single_rows(doctype) for doctype in RESTORED_SINGLES}


def single_rows(doctype: str) -> list[tuple]:
	"""Return the stored values of a Single DocType, and its passwords, encrypted."""
	import frappe

	values = frappe.db.sql("select field, value from `tabSingles` where doctype=%s order by field", doctype)
	secrets = frappe.db.sql(
		"select fieldname, password, encrypted from `__Auth` where doctype=%s order by fieldname", doctype
	)
	return [tuple(map(tuple, values)), tuple(map(tuple, secrets)), naming_of_campaigns()]


def naming_of_campaigns() -> str:
	"""Return the default value that CRM Settings also write."""
	import frappe

	return frappe.db.get_value("DefaultValue", {"defkey": "campaign_naming_by"}, "defvalue") or ""


def restore_singles(singles: dict) -> None:
	import frappe

	for doctype, before in singles.items():
		if single_rows(doctype) == before:
			continue
		values, secrets, naming = before
		frappe.db.delete("Singles", {"doctype": doctype})
		for field, value in values:
			frappe.db.sql(
				"insert into `tabSingles` (doctype, field, value) values (%s, %s, %s)",
				(doctype, field, value),
			)
		frappe.db.delete("__Auth", {"doctype": doctype})
		for fieldname, password, encrypted in secrets:
			frappe.db.sql(
				"insert into `__Auth` (doctype, name, fieldname, password, encrypted) values (%s, %s, %s, %s, %s)",
				(doctype, doctype, fieldname, password, encrypted),
			)
		if naming != naming_of_campaigns():
			frappe.db.set_default("campaign_naming_by", naming)
		if doctype == "Zoho Settings":  # most tests change it; a cold cache would make them much slower
			frappe.clear_document_cache(doctype, doctype)
		else:
			frappe.clear_cache()


@pytest.fixture(scope="session")
def passwords(site: TestSite) -> dict[str, str]:
	return site.passwords


@pytest.fixture(scope="session")
def web(site: TestSite, passwords: dict[str, str]) -> Web:
	"""A web server in another process: `web.base_url`, `web.session(user)`."""
	return Web(site, site.start_web(), passwords)


@pytest.fixture(scope="session")
def make_user(site: TestSite, passwords: dict[str, str]) -> Iterator[Callable[..., str]]:
	"""`make_user("Sales User", …)` returns the name of an enabled user with just these roles."""
	import frappe

	def make(*roles: str) -> str:
		name = f"zoho-test-{hashlib.sha256('|'.join(sorted(roles)).encode()).hexdigest()[:10]}@example.com"
		if name not in passwords:
			frappe.flags.in_import = True  # no limit on new users, no mails
			frappe.delete_doc("User", name, ignore_missing=True, force=True)
			user = frappe.get_doc(
				{
					"doctype": "User",
					"email": name,
					"first_name": "Test",
					"send_welcome_email": 0,
					"enabled": 1,
				}
			)
			user.new_password = passwords.setdefault(name, frappe.generate_hash(length=24))
			user.append_roles(*roles)
			user.flags.ignore_password_policy = True
			user.insert(ignore_permissions=True)
			frappe.flags.in_import = False
			settle()
		return name

	yield make
	frappe.db.rollback()
	for name in passwords:
		frappe.delete_doc("User", name, ignore_missing=True, force=True)
		frappe.db.delete("Contact", {"user": name})
	frappe.db.commit()


@pytest.fixture
def session_of(web: Web, make_user: Callable[..., str]) -> Callable[[str], Session]:
	"""`session_of("Sales User")`: a session of a user with the roles of `ROLES`, or without login."""

	def session(role: str) -> Session:
		roles = ROLES[role]
		return web.session() if roles is None else web.session(make_user(*roles))

	return session


@pytest.fixture
def bench(site: TestSite) -> Iterator:
	"""Another site, for changes that cannot be undone: `environment()`, `configure(…)`, `run(…)` in its `sites` folder."""
	if isinstance(site, EmbeddedSite):
		from embedded.bench import TemporaryBench

		spare = TemporaryBench()
	elif name := os.environ.get("FRAPPE_SPARE_SITE"):
		spare = SpareSite(site, name)
	else:
		pytest.skip("uninstalls the app: FRAPPE_SPARE_SITE names no other site for that")
	with spare:
		yield spare


@pytest.fixture(scope="session")
def worker(site: TestSite) -> Worker:
	return Worker(site)


@pytest.fixture
def run_jobs(worker: Worker) -> Callable[[], list[str]]:
	"""`run_jobs()` runs what is queued to the end and returns the tracebacks of failures."""
	return worker.run_jobs


# One port for all simulators of a session: a web server may cache the site's configuration for a minute.
SIMULATOR_PORT = free_port()
SIMULATOR_CONFIG = {
	"zoho_accounts_base_url": f"http://127.0.0.1:{SIMULATOR_PORT}",
	"zoho_campaigns_base_url": f"http://127.0.0.1:{SIMULATOR_PORT}",
}


@pytest.fixture
def start_simulator(site: TestSite) -> Iterator[Callable]:
	"""`start_simulator(campaigns=3, …)` serves a Zoho at the address that the site is configured with."""
	from zoho_simulator import Simulator

	running = []

	def start(**options: object) -> Simulator:
		for simulator in running:
			simulator.stop()
		running.append(Simulator(**options).start(SIMULATOR_PORT))
		return running[-1]

	yield start
	for simulator in running:
		simulator.stop()


@pytest.fixture
def simulator(start_simulator: Callable):
	"""A small Zoho: five campaigns, some thousand rows."""
	return start_simulator(seed=1, campaigns=5, recipients=1000)
