"""Doors: every function and page for every role, injections, foreign addresses, limits, and what travels where.

docs/security.md lists what is proved here and elsewhere, line by line.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path

import pytest

import frappe
from frappe.utils import add_days, now_datetime

from tests.site.api.test_permissions import NO, SURFACE, whitelisted
from tests.site.connecting import (
	API,
	AUTHORIZE,
	CALLBACK,
	SETTINGS,
	begin,
	connect,
	query_of,
	secret,
	settings,
)
from tests.site.server import ROLES, Session, Web, settle
from tests.site.syncing import RECIPIENT, answer_with, campaign_named, person, rows_of, sync_all
from zoho_simulator import Simulator

APP = Path(frappe.get_app_path("erpnext_zoho_integration"))
MODULE = "erpnext_zoho_integration.erpnext_zoho_integration"
DESK = f"{MODULE}.desk"
CLICKED_PER_WEEK = (
	f"{MODULE}.dashboard_chart_source.people_who_clicked_per_week.people_who_clicked_per_week.get"
)
EVERYBODY = tuple(ROLES)
SALES = ("Sales User", "Sales Manager", "Sales Master Manager", "System Manager")
MANAGERS = SALES[1:]
NOBODY: tuple = ()  # for these arguments
ONLY = ("System Manager",)
HOSTILE = [
	"<script>alert(1)</script>",
	'"><img src=x onerror=alert(1)>',
	"{{ 7*7 }}",
	"' OR '1'='1",
	"'; DROP TABLE `tabCampaign Recipient`; --",
	"%s %(x)s %",
	"=cmd|' /C calc'!A0",
	"a\r\nSet-Cookie: sid=evil",
	"\x1b[31mred\x00",
	"../../etc/passwd",
	"\u202egnp.exe",
	"ifnull(1, {0})",
]


@pytest.fixture
def manager(session_of: Callable[[str], Session]) -> Session:
	return session_of("System Manager")


@pytest.fixture
def zoho(start_simulator: Callable[..., Simulator]) -> Simulator:
	"""A connected Zoho of two campaigns, synced."""
	zoho = start_simulator(seed=1, campaigns=2, recipients=500)
	connect(zoho)
	assert sync_all().status == "Success"
	settle()
	return zoho


def names(zoho: Simulator) -> list[str]:
	return [campaign_named(each["campaign_key"]) for each in zoho.expected()["campaigns"]]


def restrict(user: str, campaign: str) -> None:
	frappe.get_doc(
		{"doctype": "User Permission", "user": user, "allow": "Campaign", "for_value": campaign}
	).insert()
	settle()


# Every function


# Who gets an answer of what the forms and cards ask for; `SURFACE` of test_permissions has the API.
DESK_FUNCTIONS = {
	f"{DESK}.number_cards.emails_sent": SALES,
	f"{DESK}.number_cards.open_rate": SALES,
	f"{DESK}.number_cards.click_rate": SALES,
	f"{DESK}.number_cards.opt_outs": SALES,
	f"{DESK}.number_cards.hours_since_sync": SALES,
	f"{DESK}.number_cards.sync_problems": SALES,
	f"{DESK}.number_cards.connection": SALES,
	CLICKED_PER_WEEK: SALES,
	f"{DESK}.campaign.get_insights": SALES,
	f"{DESK}.sync_progress.get_active_run": MANAGERS,
	f"{DESK}.sync_progress.get_progress": MANAGERS,
	f"{DESK}.settings.get_overview": ONLY,
	f"{DESK}.consent.overview": ONLY,
	f"{DESK}.consent.preview": NOBODY,
	f"{API}.privacy.erase_person": ONLY,
	f"{API}.sync.forecast": MANAGERS,
}


def test_every_whitelisted_function_stands_in_a_table_of_who_may_call_it() -> None:
	in_tables = {f"{API}.{each.path}" for each in SURFACE} | set(DESK_FUNCTIONS)
	assert set(whitelisted()) == in_tables


@pytest.mark.parametrize("path", DESK_FUNCTIONS, ids=lambda path: path.removeprefix(f"{MODULE}."))
def test_functions_of_the_desk_answer_the_roles_of_the_table(
	session_of: Callable[[str], Session], zoho: Simulator, path: str
) -> None:
	run = frappe.get_last_doc("Zoho Sync Run").name
	arguments = {"campaign": names(zoho)[0], "run": run, "email": "nobody@example.com"}
	wanted = (
		whitelisted()[path].__wrapped__
		if hasattr(whitelisted()[path], "__wrapped__")
		else whitelisted()[path]
	)
	arguments |= {"doctype": "Contact", "name": "no list of recipients"}
	taken = {name: arguments[name] for name in wanted.__annotations__ if name in arguments}
	http_method = "POST" if path.startswith(f"{API}.") else "GET"
	answered = set()
	for role in EVERYBODY:
		answer = session_of(role).call(path, http_method, **taken)
		assert answer.status_code in (200, *NO), f"{role}: {answer.status_code} {answer.text[:300]}"
		if answer.status_code == 200 and answer.json().get("message") is not None:
			answered.add(role)
	allowed = set(DESK_FUNCTIONS[path])
	assert answered <= allowed and (answered == allowed or path.endswith("get_active_run"))


# Every page


def doctypes() -> list[str]:
	return sorted(path.parent.name for path in APP.glob("erpnext_zoho_integration/doctype/*/*.json"))


@pytest.mark.parametrize("name", doctypes())
def test_each_role_reads_and_writes_what_the_permissions_say(
	session_of: Callable[[str], Session], zoho: Simulator, name: str
) -> None:
	record = json.loads((APP / "erpnext_zoho_integration/doctype" / name / f"{name}.json").read_text())
	doctype, granted = record["name"], {row["role"]: row for row in record["permissions"]}
	single = f"/{doctype}" if record.get("issingle") else ""
	for role in EVERYBODY:
		rights = {} if record.get("istable") else granted.get(role, {})
		session = session_of(role)
		listed = session.get(f"/api/resource/{doctype}{single}")
		assert (listed.status_code == 200) == bool(rights.get("read")), f"{role} reads: {listed.status_code}"
		if not rights.get("create") and not single:
			made = session.post(f"/api/resource/{doctype}", json={"name": "evil"})
			assert made.status_code in NO, f"{role} creates: {made.status_code} {made.text[:300]}"
		if single and not rights.get("write"):
			changed = session.put(f"/api/resource/{doctype}{single}", json={"client_id": "evil"})
			assert changed.status_code in NO, f"{role} writes: {changed.status_code}"
	assert settings().client_id == "sim-client"


@pytest.mark.parametrize(
	"report",
	[
		"Campaign Performance",
		"Link Performance",
		"Engagement by Country",
		"Engaged Contacts",
		"Bounces and Opt-outs",
	],
)
def test_reports_open_for_the_roles_of_the_report_and_obey_user_permissions(
	session_of: Callable[[str], Session], make_user: Callable[..., str], zoho: Simulator, report: str
) -> None:
	def run(role: str):
		return session_of(role).call("frappe.desk.query_report.run", report_name=report, filters={})

	assert {role for role in EVERYBODY if run(role).status_code == 200} == set(SALES)
	mine, theirs = names(zoho)
	for role in ("Sales User", "System Manager"):
		assert theirs in run(role).text or report in ("Engagement by Country", "Engaged Contacts")
		before = run(role).json()["message"]["result"]
		restrict(make_user(*ROLES[role]), mine)
		after = run(role)
		assert theirs not in after.text and after.json()["message"]["result"] != before


def test_cards_and_charts_count_only_campaigns_that_the_user_may_read(
	session_of: Callable[[str], Session], make_user: Callable[..., str], zoho: Simulator
) -> None:
	mine, theirs = names(zoho)
	frappe.db.set_value(RECIPIENT, {"action_type": "Clicked"}, "action_date", add_days(now_datetime(), -3))
	frappe.db.set_value(
		"Campaign", {"name": ("in", (mine, theirs))}, "zoho_sent_time", add_days(now_datetime(), -3)
	)
	settle()
	restrict(make_user("Sales User"), mine)
	session = session_of("Sales User")
	sent = session.call(f"{DESK}.number_cards.emails_sent", "GET").json()["message"]["value"]
	figure = frappe.db.get_value("Campaign Analytics", {"parent": mine, "metric": "Emails Sent"}, "value")
	assert sent == int(figure)
	chart = session.call(CLICKED_PER_WEEK, "GET", chart_name="People Who Clicked per Week", refresh=1)
	assert chart.ok, chart.text[:500]
	counted = sum(value for data in chart.json()["message"]["datasets"] for value in data["values"])
	assert counted == len(rows_of(mine, "Clicked")) != frappe.db.count(RECIPIENT, {"action_type": "Clicked"})


# Injections


@pytest.fixture
def hostile_zoho(start_simulator: Callable[..., Simulator]) -> Simulator:
	"""A Zoho of one campaign whose people have hostile names."""
	zoho = start_simulator(seed=1, campaigns=1, recipients=10)
	connect(zoho)
	people = [
		person(
			f"p{n}@example.com",
			n,
			contactfn=text,
			contactln=text,
			companyname=text,
			city=text,
			country=text,
			jobtitle=text,
		)
		for n, text in enumerate(HOSTILE, 1)
	]
	answer_with(zoho, {"openedcontacts": people, "clickedcontacts": people})
	assert sync_all().status == "Success"
	settle()
	return zoho


def test_hostile_text_is_stored_as_text_and_comes_out_as_text(
	manager: Session, hostile_zoho: Simulator
) -> None:
	rows = frappe.get_all(RECIPIENT, ["*"])
	assert len(rows) == 2 * len(HOSTILE)
	stored = json.dumps([rows, frappe.get_all("Contact", ["*"])], default=str)
	for forbidden in ("<", ">", "\\u0000", "\\u001b", "\\r", "\\u202e"):
		assert forbidden not in stored, forbidden
	assert {row.company_name for row in rows} > {"ifnull(1, {0})", "' OR '1'='1", "{{ 7*7 }}", "%s %(x)s %"}
	for report in ("Engaged Contacts", "Engagement by Country"):
		answer = manager.call("frappe.desk.query_report.run", report_name=report, filters={})
		assert answer.ok and "<script" not in answer.text and "<img" not in answer.text
	contact = frappe.db.get_value(RECIPIENT, {"email": "p1@example.com"}, "contact")
	form = manager.get(
		"/api/method/frappe.desk.form.load.getdoc", params={"doctype": "Contact", "name": contact}
	)
	assert form.ok and "<script" not in form.text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_arguments_are_values_and_nothing_else(
	manager: Session, zoho: Simulator, run_jobs: Callable[[], list[str]], text: str
) -> None:
	rows = frappe.db.count(RECIPIENT)
	calls = [
		(f"{API}.campaigns.get_campaign_report", "GET", {"campaign_key": text}),
		(f"{API}.campaigns.get_campaign_recipients", "GET", {"campaign_key": text, "action": text}),
		(f"{API}.sync.sync_campaign_by_name", "POST", {"campaign_name": text}),
		(f"{API}.sync.cancel_run", "POST", {"run": text}),
		(f"{API}.oauth.fetch_tokens", "POST", {"code": text}),
		(f"{API}.privacy.erase_person", "POST", {"email": text}),
		(f"{DESK}.campaign.get_insights", "GET", {"campaign": text}),
		(f"{DESK}.sync_progress.get_progress", "GET", {"run": text}),
		(
			"frappe.desk.query_report.run",
			"POST",
			{"report_name": "Campaign Performance", "filters": {"campaign": text}},
		),
		(
			"frappe.desk.query_report.run",
			"POST",
			{"report_name": "Link Performance", "filters": {"campaign": text}},
		),
	]
	for path, http_method, arguments in calls:
		answer = manager.call(path, http_method, **arguments)
		assert answer.status_code in (200, 403, 404, 417), f"{path}: {answer.status_code} {answer.text[:500]}"
		assert "Set-Cookie" not in str(answer.headers) or "evil" not in answer.headers.get("Set-Cookie", "")
		assert "Traceback" not in answer.text or answer.status_code != 500
	assert run_jobs() == [] and frappe.db.count(RECIPIENT) == rows
	assert settings().is_active


@pytest.mark.parametrize("text", [*HOSTILE, "x" * 100_000], ids=lambda text: repr(text[:12]))
def test_what_comes_back_from_the_consent_page_reaches_no_header_and_no_log(
	manager: Session, zoho: Simulator, text: str
) -> None:
	connected_on = settings().connected_on
	for field in ("code", "state", "location", "error", "accounts-server"):
		state = query_of(begin(manager))["state"]
		query = {"code": "1000.aa.bb", "state": state, "location": "in", **{field: text[:4000]}}
		answer = manager.get(CALLBACK, params=query, allow_redirects=False)
		assert answer.status_code in (302, 303), answer.text[:300]
		assert query_of(answer.headers["Location"]) == {"zoho": "failed"}
		assert "evil" not in str(answer.headers) and "1000.aa.bb" not in answer.headers["Location"]
	assert settings().connected_on == connected_on and not frappe.db.count(
		"Error Log", {"error": ("like", "%1000.aa%")}
	)


def test_over_long_arguments_are_refused_or_found_nowhere(manager: Session, zoho: Simulator) -> None:
	text = "x" * 1_000_000
	for path, arguments in (
		(f"{API}.privacy.erase_person", {"email": f"{text}@example.com"}),
		(f"{API}.oauth.fetch_tokens", {"code": text}),
		(f"{API}.sync.sync_campaign_by_name", {"campaign_name": text}),
		(f"{API}.sync.cancel_run", {"run": text}),
	):
		answer = manager.call(path, **arguments)
		assert answer.status_code in (200, 403, 404, 417), f"{path}: {answer.status_code}"
		assert len(answer.text) < 3_000_000
	assert settings().is_active and frappe.db.count("Campaign") == 2


def test_the_app_makes_no_file_of_its_own() -> None:
	"""So there is none in which a cell could become a formula; exports are Frappe's (see docs/security.md)."""
	makers = {"csv", "openpyxl", "xlsxwriter", "frappe.utils.csvutils", "frappe.utils.xlsxutils"}
	for path in APP.rglob("*.py"):
		for node in ast.walk(ast.parse(path.read_text())):
			imported = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
			imported += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
			assert not makers.intersection(imported), f"{path.name} makes files"


# Foreign addresses


def test_no_form_can_send_the_site_to_another_server(manager: Session, zoho: Simulator) -> None:
	form = manager.get(
		"/api/method/frappe.desk.form.load.getdoc", params={"doctype": SETTINGS, "name": SETTINGS}
	)
	evil = "https://evil.example"
	for change in (
		{"api_domain": evil, "redirect_uri": evil},
		{"zoho_accounts_base_url": evil, "zoho_campaigns_base_url": evil},
	):
		document = {**form.json()["docs"][0], **change}
		manager.call("frappe.desk.form.save.savedocs", doc=document, action="Save")
		stored = settings()
		assert evil not in (stored.api_domain, stored.redirect_uri)
		form = manager.get(
			"/api/method/frappe.desk.form.load.getdoc", params={"doctype": SETTINGS, "name": SETTINGS}
		)
	refused = manager.call(
		"frappe.desk.form.save.savedocs",
		doc={**form.json()["docs"][0], "data_center": "evil.example"},
		action="Save",
	)
	assert refused.status_code == 417 and settings().data_center == "in"
	assert begin(manager).startswith(f"{zoho.url}/oauth/v2/auth?")
	before = len(zoho.requests)
	assert manager.call(f"{API}.campaigns.test_connection").ok and len(zoho.requests) == before + 1


def test_links_in_the_forms_lead_to_web_addresses_only(start_simulator: Callable[..., Simulator]) -> None:
	zoho = start_simulator(seed=1, campaigns=1, recipients=10)
	connect(zoho)
	links = [
		{"url": url, "count": 1}
		for url in ("javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "https://good.example/")
	]
	answer_with(zoho, {"clickedcontacts": [person("ada@example.com", 1, urlclicks=links)]})
	sync_all()
	[row] = frappe.get_all(RECIPIENT, ["clicked_links", "url_clicks"])
	assert row.clicked_links == "https://good.example/" and "javascript" not in row.url_clicks


# Limits


def test_nobody_can_use_up_the_calls_that_the_site_shares(manager: Session, zoho: Simulator) -> None:
	def ask() -> int:
		return manager.call(
			f"{API}.campaigns.sync_campaign_data",
			"GET",
			campaign_key=zoho.expected()["campaigns"][0]["campaign_key"],
		).status_code

	statuses = [ask() for _number in range(11)]
	assert statuses == [200] * 10 + [429]
	before = len(zoho.requests)
	assert ask() == 429 and len(zoho.requests) == before


def test_nobody_can_use_up_zohos_tokens(manager: Session, zoho: Simulator) -> None:
	statuses = [manager.call(f"{API}.oauth.refresh_access_token").status_code for _number in range(9)]
	assert statuses == [200] * 8 + [429]
	assert settings().is_active and secret("access_token")


def test_a_guest_cannot_hammer_the_way_to_zoho(web: Web, zoho: Simulator) -> None:
	session = web.session()
	statuses = [session.get(AUTHORIZE, allow_redirects=False).status_code for _number in range(61)]
	assert set(statuses[:60]) <= {302, 303} and statuses[60] == 429


# What travels


def test_progress_that_is_told_to_browsers_names_nobody(
	start_simulator: Callable[..., Simulator], monkeypatch: pytest.MonkeyPatch
) -> None:
	told: list[tuple] = []
	monkeypatch.setattr(frappe, "publish_realtime", lambda *args, **kwargs: told.append((args, kwargs)))
	zoho = start_simulator(seed=1, campaigns=1, recipients=10)
	connect(zoho)
	answer_with(zoho, {"openedcontacts": [person("ada@example.com", 1)]})
	sync_all()
	text = str(told)
	assert "zoho_sync_progress" in text
	for canary in ("ada@", "Lovelace", secret("access_token"), secret("refresh_token"), "sim-secret"):
		assert canary not in text


def test_a_job_is_told_the_run_and_nothing_else(zoho: Simulator, manager: Session, worker) -> None:
	assert manager.call(f"{API}.sync.sync_all_campaigns").ok
	settle()
	jobs = [job for queue in worker._queues() for job in queue.get_jobs() if worker._is_ours(job.id)]
	told = [job.kwargs["kwargs"] for job in jobs if "zoho" in str(job.kwargs.get("method"))]
	assert told and all(set(each) <= {"run", "number", "slice"} for each in told), told


def test_exports_of_the_settings_carry_no_secret(manager: Session, zoho: Simulator) -> None:
	answers = [
		manager.call("frappe.client.get_value", doctype=SETTINGS, fieldname="client_secret"),
		manager.call("frappe.client.get_value", doctype=SETTINGS, fieldname="access_token"),
		manager.call("frappe.client.get_single_value", doctype=SETTINGS, field="refresh_token"),
		manager.call(
			"frappe.client.get_password", doctype=SETTINGS, name=SETTINGS, fieldname="client_secret"
		),
		manager.get("/printview", params={"doctype": SETTINGS, "name": SETTINGS}),
	]
	secrets = {"sim-secret", secret("access_token").split(".")[-1], secret("refresh_token").split(".")[-1]}
	for answer in answers[:3]:
		assert not [each for each in secrets if each in answer.text], answer.url
	# Frappe itself gives a System Manager the password of a document that they may read: documented.
	assert answers[3].status_code in (200, 403)
	assert not [each for each in secrets if each in answers[4].text]
