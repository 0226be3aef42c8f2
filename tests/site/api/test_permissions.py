"""Who may call what over HTTP, and that whoever may not is refused before anything happens."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from typing import NamedTuple

import pytest
import requests

import frappe

import erpnext_zoho_integration
from erpnext_zoho_integration.sync.runs.run_log import open_run
from tests.site.connecting import API, connect, settings
from tests.site.server import ROLES, Session, Web, settle
from zoho_simulator import Simulator

APP = "erpnext_zoho_integration"
# What may be expected of a role; a refusal of a guest is 401 or 403 by the version of Frappe.
OK, NO, SENT_ON = (200,), (401, 403), (301, 302, 303)
BAD_INPUT = (417,)


class Function(NamedTuple):
	"""A whitelisted function, how it is called, and what each role of `ROLES` gets."""

	path: str
	http_method: str
	arguments: dict[str, str]
	expected: tuple[tuple[int, ...], ...]


CONSENT = {"email": "a@b.example", "given_at": "2026-01-01", "method": "E-mail", "text": "yes", "file": "x"}
KEY, NAME = {"campaign_key": "{key}"}, {"campaign_name": "{campaign}"}
ONLY_SYSTEM_MANAGER = (NO, NO, NO, NO, NO, OK)
REFUSED_IN_WORDS = (NO, NO, NO, NO, NO, BAD_INPUT)
FROM_SALES_MANAGER = (NO, NO, NO, OK, OK, OK)
FROM_SALES_USER = (NO, NO, OK, OK, OK, OK)
# Who may read, in one table: the whole surface.
SURFACE = [
	Function("oauth.authorize", "GET", {}, (SENT_ON, NO, NO, NO, NO, SENT_ON)),
	Function("oauth.callback", "GET", {"code": "x"}, (NO, NO, NO, NO, NO, SENT_ON)),
	Function("oauth.fetch_tokens", "POST", {"code": "{code}"}, ONLY_SYSTEM_MANAGER),
	Function("oauth.refresh_access_token", "POST", {}, ONLY_SYSTEM_MANAGER),
	Function("oauth.take_failure", "POST", {}, ONLY_SYSTEM_MANAGER),
	Function("oauth.go_on", "POST", {}, ONLY_SYSTEM_MANAGER),
	Function("oauth.disconnect", "POST", {}, ONLY_SYSTEM_MANAGER),
	Function("campaigns.test_connection", "POST", {}, ONLY_SYSTEM_MANAGER),
	Function("campaigns.get_recent_campaigns", "GET", {}, FROM_SALES_MANAGER),
	Function("campaigns.get_campaign_report", "GET", KEY, FROM_SALES_USER),
	Function("campaigns.get_campaign_recipients", "GET", KEY, FROM_SALES_USER),
	Function("campaigns.sync_campaign_data", "GET", KEY, FROM_SALES_USER),
	Function("campaigns.get_campaign_report", "GET", {"campaign_key": "{unsynced}"}, ONLY_SYSTEM_MANAGER),
	Function("campaigns.get_campaign_recipients", "GET", {"campaign_key": "{unsynced}"}, ONLY_SYSTEM_MANAGER),
	Function("campaigns.sync_campaign_data", "GET", {"campaign_key": "{unsynced}"}, ONLY_SYSTEM_MANAGER),
	Function("sync.sync_all_campaigns", "POST", {}, FROM_SALES_MANAGER),
	Function("sync.sync_campaign_by_name", "POST", NAME, FROM_SALES_MANAGER),
	Function("consent.record_consent", "POST", CONSENT, REFUSED_IN_WORDS),
	Function("consent.record_address_works_again", "POST", {"email": "a@b.example"}, REFUSED_IN_WORDS),
	Function("consent.queue_again", "POST", {"held": "none"}, (NO, NO, NO, NO, NO, (404,))),
	Function("consent.hold_back_marketing_mail", "POST", {}, ONLY_SYSTEM_MANAGER),
	Function("consent.tell_zoho", "POST", {}, ONLY_SYSTEM_MANAGER),
	Function("consent.approve_telling", "POST", {}, ONLY_SYSTEM_MANAGER),
	Function("consent.check_at_zoho", "POST", {}, ONLY_SYSTEM_MANAGER),
	Function("consent.release_burst", "POST", {"campaign": "x", "domain": "b.example"}, REFUSED_IN_WORDS),
	Function("consent.release", "POST", {"email": "a@b.example"}, REFUSED_IN_WORDS),
	Function("consent.consent_evidence", "GET", {"email": "a@b.example"}, ONLY_SYSTEM_MANAGER),
	Function("sync.cancel_run", "POST", {"run": "{run}"}, FROM_SALES_MANAGER),
]
NEVER = [
	"campaigns.get_valid_token",
	"campaigns.make_api_call",
	"sync.sync_single_campaign",
	"sync.sync_campaign_analytics",
	"sync.sync_campaign_recipients_data",
	"sync.sync_recipient",
	"sync.find_or_create_contact",
	"sync.update_contact_from_zoho",
	"custom_fields.create_custom_fields",
	"custom_fields.delete_custom_fields",
]
INTERNALS = [
	"connection.tokens.valid_token",
	"connection.tokens.refresh_token",
	"connection.tokens.disconnect",
	"connection.authorization.exchange",
	"sync.runs.queue.start",
	"install.before_uninstall",
]
POSTS = [each for each in SURFACE if each.http_method == "POST"]


class Account(NamedTuple):
	"""A connected site with one campaign synced and one that is not."""

	simulator: Simulator
	values: dict[str, str]


@pytest.fixture
def account(simulator: Simulator) -> Account:
	connect(simulator)
	keys = [each["campaign_key"] for each in simulator.expected()["campaigns"]]
	name = new_campaign("Known", keys[0])
	# Not queued: a bench's worker would begin at once.
	run = open_run("User", "all", None, "All", 1)
	settle()
	return Account(simulator, {"key": keys[0], "unsynced": keys[1], "campaign": name, "run": run})


def new_campaign(name: str, key: str) -> str:
	campaign = frappe.get_doc({"doctype": "Campaign", "campaign_name": name, "zoho_campaign_key": key})
	return campaign.insert().name


def new_recipient(campaign: str, email: str) -> str:
	values = {"campaign": campaign, "email": email, "action_type": "Opened"}
	return frappe.get_doc({"doctype": "Campaign Recipient", **values}).insert().name


def call(session: Session, function: Function, account: Account, **headers: str) -> requests.Response:
	values = {**account.values, "code": account.simulator.grant_code()}
	arguments = {name: value.format(**values) for name, value in function.arguments.items()}
	return session.request(
		function.http_method,
		f"/api/method/{API}.{function.path}",
		**{"params" if function.http_method == "GET" else "data": arguments},
		headers=headers,
		allow_redirects=False,
	)


def id_of(function: Function) -> str:
	return "-".join([function.path, *(value.strip("{}") for value in function.arguments.values())])


# The table


@pytest.mark.parametrize("function", SURFACE, ids=id_of)
def test_each_role_gets_what_the_table_says(
	session_of: Callable[[str], Session],
	run_jobs: Callable[[], list[str]],
	account: Account,
	function: Function,
) -> None:
	sessions = {role: session_of(role) for role in ROLES}
	answers = {role: call(session, function, account) for role, session in sessions.items()}
	if function.path.startswith("sync."):
		assert run_jobs() == []
	for (role, answer), expected in zip(answers.items(), function.expected, strict=True):
		assert answer.status_code in expected, f"{role}: {answer.status_code} {answer.text[:500]}"


@pytest.mark.parametrize("function", SURFACE, ids=id_of)
def test_who_is_refused_has_no_effect(
	session_of: Callable[[str], Session], account: Account, function: Function
) -> None:
	before, requests_before = settings().as_dict(), len(account.simulator.requests)
	for role, expected in zip(ROLES, function.expected, strict=True):
		if expected is NO:
			call(session_of(role), function, account)
	assert settings().as_dict() == before
	assert len(account.simulator.requests) == requests_before
	assert frappe.db.get_value("Zoho Sync Run", account.values["run"], "status") == "Queued"
	assert frappe.db.count("Zoho Sync Run") == 1


@pytest.mark.parametrize(
	"path", [*(f"{API}.{name}" for name in NEVER), *(f"{APP}.{name}" for name in INTERNALS)]
)
def test_what_is_not_whitelisted_is_refused_for_everybody(
	web: Web, session_of: Callable[[str], Session], account: Account, path: str
) -> None:
	requests_before = len(account.simulator.requests)
	for session in (*(session_of(role) for role in ROLES), web.session("Administrator")):
		for http_method in ("GET", "POST"):
			answer = session.call(path, http_method)
			assert answer.status_code in NO, answer.text[:500]
	assert len(account.simulator.requests) == requests_before


@pytest.mark.parametrize("function", POSTS, ids=id_of)
def test_what_changes_state_takes_no_get(
	session_of: Callable[[str], Session], account: Account, function: Function
) -> None:
	before, requests_before = settings().as_dict(), len(account.simulator.requests)
	answer = call(session_of("System Manager"), function._replace(http_method="GET"), account)
	assert answer.status_code in (403, 405), answer.text[:500]
	assert settings().as_dict() == before and len(account.simulator.requests) == requests_before


@pytest.mark.parametrize("function", POSTS, ids=id_of)
@pytest.mark.parametrize("token", ["", "0123456789abcdef"], ids=["missing", "wrong"])
def test_what_changes_state_needs_the_csrf_token(
	session_of: Callable[[str], Session], account: Account, function: Function, token: str
) -> None:
	before, requests_before = settings().as_dict(), len(account.simulator.requests)
	answer = call(session_of("System Manager"), function, account, **{"X-Frappe-CSRF-Token": token})
	assert answer.status_code == 400 and "CSRFTokenError" in answer.text
	assert settings().as_dict() == before and len(account.simulator.requests) == requests_before


@pytest.mark.parametrize(
	"function", [each for each in SURFACE if each.path.startswith("oauth.")][:2], ids=id_of
)
def test_what_a_browser_is_sent_to_takes_no_post(
	session_of: Callable[[str], Session], account: Account, function: Function
) -> None:
	answer = call(session_of("System Manager"), function._replace(http_method="POST"), account)
	assert answer.status_code in (403, 405)


# Single campaigns


@pytest.fixture
def two_campaigns(account: Account) -> tuple[str, str]:
	"""Keys of a campaign that a user may see and of one that he may not, each with a recipient."""
	mine, theirs = account.values["key"], account.values["unsynced"]
	new_campaign("Theirs", theirs)
	new_recipient("Known", "mine@example.com")
	new_recipient("Theirs", "theirs@example.com")
	return mine, theirs


def restrict(user: str) -> None:
	"""Let a user see one campaign only."""
	permission = {"user": user, "allow": "Campaign", "for_value": "Known"}
	frappe.get_doc({"doctype": "User Permission", **permission}).insert()
	settle()


@pytest.mark.parametrize("function", ["get_campaign_report", "get_campaign_recipients", "sync_campaign_data"])
def test_a_user_permission_restricts_what_is_read_from_zoho(
	web: Web, make_user: Callable[..., str], account: Account, two_campaigns: tuple[str, str], function: str
) -> None:
	restrict(make_user("Sales User"))
	session = web.session(make_user("Sales User"))
	before = len(account.simulator.requests)
	mine, theirs = two_campaigns
	assert session.call(f"{API}.campaigns.{function}", "GET", campaign_key=theirs).status_code == 403
	assert len(account.simulator.requests) == before
	assert session.call(f"{API}.campaigns.{function}", "GET", campaign_key=mine).status_code == 200


def test_a_user_permission_restricts_what_may_be_synced(
	web: Web,
	make_user: Callable[..., str],
	run_jobs: Callable[[], list[str]],
	two_campaigns: tuple[str, str],
) -> None:
	restrict(make_user("Sales Manager"))
	session = web.session(make_user("Sales Manager"))
	assert session.call(f"{API}.sync.sync_campaign_by_name", campaign_name="Theirs").status_code == 403
	assert session.call(f"{API}.sync.sync_campaign_by_name", campaign_name="Known").status_code == 200
	assert run_jobs() == []
	assert frappe.get_all("Zoho Sync Run", {"campaign": ("is", "set")}, pluck="campaign") == ["Known"]


def test_a_user_permission_restricts_recipients_and_the_report(
	web: Web, make_user: Callable[..., str], two_campaigns: tuple[str, str]
) -> None:
	user = make_user("Sales User")
	session = web.session(user)
	assert recipients_seen(session) == {"mine@example.com", "theirs@example.com"}
	assert campaigns_in_report(session) == {"Known", "Theirs"}
	restrict(user)
	assert recipients_seen(session) == {"mine@example.com"}
	assert campaigns_in_report(session) == {"Known"}
	hidden = frappe.db.get_value("Campaign Recipient", {"email": "theirs@example.com"})
	assert session.get(f"/api/resource/Campaign Recipient/{hidden}").status_code == 403


def recipients_seen(session: Session) -> set[str]:
	answer = session.get("/api/resource/Campaign Recipient", params={"fields": '["email"]'})
	return {row["email"] for row in answer.json()["data"]}


def run_report(session: Session) -> requests.Response:
	return session.call("frappe.desk.query_report.run", report_name="Campaign Performance", filters={})


def campaigns_in_report(session: Session) -> set[str]:
	rows = run_report(session).json()["message"]["result"]
	return {row["campaign"] for row in rows if isinstance(row, dict)}


# Documents and the report


@pytest.mark.parametrize(
	("doctype", "readers"),
	[
		("Campaign Recipient", {"Sales User", "Sales Manager", "Sales Master Manager", "System Manager"}),
		("Zoho Sync Run", {"Sales Manager", "Sales Master Manager", "System Manager"}),
		("Zoho Settings", {"System Manager"}),
	],
)
def test_roles_decide_who_reads_documents(
	session_of: Callable[[str], Session], account: Account, doctype: str, readers: set[str]
) -> None:
	path = f"/api/resource/{doctype}" + ("/Zoho Settings" if doctype == "Zoho Settings" else "")
	assert {role for role in ROLES if session_of(role).get(path).status_code == 200} == readers


def test_nobody_writes_runs_by_hand(session_of: Callable[[str], Session], account: Account) -> None:
	path = "/api/resource/Zoho Sync Run"
	for role in ROLES:
		session = session_of(role)
		assert session.post(path, json={"status": "Success"}).status_code in NO, role
		assert session.put(f"{path}/{account.values['run']}", json={"status": "Success"}).status_code in NO, (
			role
		)
	assert frappe.db.get_value("Zoho Sync Run", account.values["run"], "status") == "Queued"


def test_sales_people_do_not_write_recipients(
	session_of: Callable[[str], Session], two_campaigns: tuple[str, str]
) -> None:
	name = frappe.db.get_value("Campaign Recipient", {"email": "mine@example.com"})
	for role in ("nobody", "Sales User", "Sales Manager", "Sales Master Manager"):
		answer = session_of(role).put(f"/api/resource/Campaign Recipient/{name}", json={"city": "Berlin"})
		assert answer.status_code == 403, role


def test_the_report_opens_for_sales_people_and_system_managers(
	session_of: Callable[[str], Session], account: Account
) -> None:
	opened = {role for role in ROLES if run_report(session_of(role)).status_code == 200}
	assert opened == set(ROLES) - {"Guest", "nobody"}


# Every whitelisted function, those of tomorrow included


def whitelisted() -> dict[str, Callable]:
	"""Return the whitelisted functions of the app by dotted path."""
	for module in pkgutil.walk_packages(erpnext_zoho_integration.__path__, f"{APP}."):
		if module.name.rpartition(".")[2] not in ("__main__", "commands"):  # of the command line only
			importlib.import_module(module.name)
	functions = [each for each in frappe.whitelisted if each.__module__.startswith(f"{APP}.")]
	return {f"{each.__module__}.{each.__qualname__}": each for each in functions}


def test_every_whitelisted_function_is_type_annotated() -> None:
	functions = whitelisted()
	assert {f"{API}.{each.path}" for each in SURFACE} <= set(functions)
	for path, function in functions.items():
		signature = inspect.signature(function)
		annotations = [each.annotation for each in signature.parameters.values()]
		annotations.append(signature.return_annotation)
		assert inspect.Signature.empty not in annotations, path
		assert not any(isinstance(each, str) for each in annotations), (
			f"{path}: Frappe checks no postponed ones"
		)


def test_nothing_else_is_whitelisted_for_guests() -> None:
	guests = {path for path, function in whitelisted().items() if function in frappe.guest_methods}
	assert guests == {f"{API}.oauth.authorize", f"{API}.oauth.callback"}


def test_every_whitelisted_function_refuses_guests_and_users_without_roles(
	session_of: Callable[[str], Session], account: Account
) -> None:
	open_to_guests = {f"{API}.oauth.authorize", f"{API}.oauth.callback"}
	for path, function in whitelisted().items():
		if path in open_to_guests:
			continue
		arguments = {
			name: account.values.get(name, "Known")
			for name, parameter in inspect.signature(function).parameters.items()
			if parameter.default is inspect.Parameter.empty
		}
		http_method = (
			"POST" if "POST" in frappe.allowed_http_methods_for_whitelisted_func[function] else "GET"
		)
		for role in ("Guest", "nobody"):
			answer = session_of(role).call(path, http_method, **arguments)
			refused = answer.status_code in NO or (role != "Guest" and answer.json() == {})
			assert refused, f"{role} {path}: {answer.status_code} {answer.text[:300]}"
