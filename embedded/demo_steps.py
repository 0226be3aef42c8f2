"""The steps of the demo, done by an HTTP client of the site: connect, sync, report, reconcile.

The client uses what any client of the site could use: its REST API and pages, the consent page of the simulated
Zoho, and the simulator's list of the rows that a complete sync stores.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import parse_qs, quote, urljoin, urlparse

import requests

from embedded.terminal_output import Progress, table

API = "erpnext_zoho_integration.erpnext_zoho_integration.api"
CSRF_TOKEN = re.compile(r"frappe\.csrf_token\s*=\s*\"(\w+)\"")
ENDED = ("Success", "Partial", "Failed", "Cancelled")
TIMEOUT = 300  # seconds for one request
PAGE = 20_000  # rows fetched at a time when the stored rows are compared
PERCENT = {"open_rate": "opens", "click_rate": "clicks"}


class DemoError(Exception):
	"""A step failed; the message says how."""


class Client:
	"""An HTTP session of one user with the site."""

	def __init__(self, base_url: str) -> None:
		self.base_url = base_url
		self._session = requests.Session()
		self._headers: dict[str, str] = {}

	def log_in(self, user: str, password: str) -> None:
		"""Log in, and read the CSRF token from the first page of the Desk."""
		self.request("POST", "/api/method/login", data={"usr": user, "pwd": password})
		page = self.request("GET", "/app", headers={"Accept": "text/html"}).text
		token = CSRF_TOKEN.search(page)
		if not token:
			raise DemoError("The Desk's page has no CSRF token.")
		self._headers = {"X-Frappe-CSRF-Token": token[1]}

	def request(self, method: str, path: str, **options: object) -> requests.Response:
		"""Send a request and return the response.

		Raises:
			DemoError: the site refused the request.
		"""
		headers = {"Accept": "application/json", **self._headers, **(options.pop("headers", None) or {})}
		url = urljoin(self.base_url, path)
		answer = self._session.request(method, url, headers=headers, timeout=TIMEOUT, **options)
		if not answer.ok:
			raise DemoError(
				f"{method} {urlparse(url).path} was refused ({answer.status_code}): {reason(answer)}"
			)
		return answer

	def call(self, method: str, **arguments: object) -> object:
		"""Call a whitelisted function by POST."""
		return self.request("POST", f"/api/method/{method}", json=arguments).json().get("message")

	def read(self, doctype: str, name: str) -> dict:
		"""Read one document."""
		return self.request("GET", f"/api/resource/{quote(doctype)}/{quote(name)}").json()["data"]

	def write(self, doctype: str, name: str, values: dict) -> None:
		"""Change one document."""
		self.request("PUT", f"/api/resource/{quote(doctype)}/{quote(name)}", json=values)

	def rows(self, doctype: str, fields: list[str], filters: dict) -> Iterator[dict]:
		"""Yield the rows of a list, read page by page."""
		start = 0
		while True:
			params = {
				"fields": json.dumps(fields),
				"filters": json.dumps(filters),
				"order_by": "name asc",
				"limit_start": start,
				"limit_page_length": PAGE,
			}
			page = self.request("GET", f"/api/resource/{quote(doctype)}", params=params).json()["data"]
			yield from page
			if len(page) < PAGE:
				return
			start += PAGE


class ConsentForm(HTMLParser):
	"""The target and the hidden fields of the first form on a page."""

	def __init__(self, page: str) -> None:
		super().__init__()
		self.action = ""
		self.fields: dict[str, str] = {}
		self.feed(page)

	def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
		values = dict(attributes)
		if tag == "form" and not self.action:
			self.action = values.get("action") or ""
		elif tag == "input" and values.get("type") == "hidden":
			self.fields[values.get("name") or ""] = values.get("value") or ""


def connect(client: Client, client_id: str, client_secret: str) -> dict:
	"""Save the client in Zoho Settings, authorize it, accept at Zoho, come back. Return Zoho Settings."""
	client.write("Zoho Settings", "Zoho Settings", {"client_id": client_id, "client_secret": client_secret})
	consent = client.request("GET", f"/api/method/{API}.oauth.authorize", headers={"Accept": "text/html"})
	print_redirects(consent)
	form = ConsentForm(consent.text)
	back = client.request(
		"POST",
		urljoin(consent.url, form.action),
		data={**form.fields, "decision": "accept"},
		headers={"Accept": "text/html"},
	)
	print_redirects(back)
	if parse_qs(urlparse(back.url).query).get("zoho") == ["failed"]:
		raise DemoError(f"The site could not connect: {client.call(f'{API}.oauth.take_failure')}")
	settings = client.read("Zoho Settings", "Zoho Settings")
	if not settings.get("is_active"):
		raise DemoError("The site is not connected.")
	return settings


def print_redirects(answer: requests.Response) -> None:
	"""Print the URLs that a browser visits, without their queries, which contain codes."""
	for step in (*answer.history, answer):
		url = urlparse(step.url)
		print(f"  {step.status_code} {url.scheme}://{url.netloc}{url.path}")


def sync(client: Client) -> dict:
	"""Start a sync of all campaigns, show its progress until it ends, and return the Zoho Sync Run."""
	started = client.call(f"{API}.sync.sync_all_campaigns")
	if not isinstance(started, dict) or not started.get("run"):
		raise DemoError(f"No run was started: {started}")
	progress = Progress()
	while True:
		run = client.read("Zoho Sync Run", started["run"])
		stored = sum(run.get(f"rows_{what}") or 0 for what in ("inserted", "updated", "unchanged"))
		total, done = run.get("total_campaigns") or 0, run.get("synced_campaigns") or 0
		ended = run["status"] in ENDED
		progress.show(
			done / total if total else float(ended),
			f"{run['status']}: {done} of {total} campaigns, {stored:,} rows, {run.get('api_calls') or 0:,} calls",
		)
		if ended:
			progress.end()
			break
		time.sleep(0.25)
	for error in run.get("errors") or []:
		if error.get("severity", "Error") == "Error":
			print(
				f"  {error.get('campaign') or ''} {error.get('message') or error.get('error') or ''}".rstrip()
			)
	if run["status"] != "Success":
		raise DemoError(f"The run ended as {run['status']}: {run.get('message') or 'see its errors'}")
	return run


def report(client: Client) -> str:
	"""Run the report Campaign Performance and return it as a text table."""
	answer = client.call("frappe.desk.query_report.run", report_name="Campaign Performance", filters={})
	rows = [row for row in answer["result"] if isinstance(row, dict)]
	columns = [
		column
		for column in answer["columns"]
		if column["fieldname"] != "campaign"
		and (not column["fieldname"].endswith("_rate") or column["fieldname"] in PERCENT)
	]
	cells = [[cell(row.get(column["fieldname"]), column["fieldtype"]) for column in columns] for row in rows]
	right = [column["fieldtype"] in ("Int", "Percent") for column in columns]
	return table([column["label"] for column in columns], cells, right)


def cell(value: object, fieldtype: str) -> str:
	"""Return a value of the report as text."""
	if value is None or value == "":
		return ""
	if fieldtype == "Int":
		return f"{int(value):,}"
	if fieldtype == "Percent":
		return f"{float(value):.1f} %"
	if fieldtype == "Datetime":
		return str(value)[:16]
	return str(value)


def reconcile(client: Client, simulator_url: str) -> bool:
	"""Compare the stored rows with the simulator's, by address. Print counts; return whether all agree."""
	account = fetch(simulator_url, {})
	names = {
		row["zoho_campaign_key"]: row["name"]
		for row in client.rows(
			"Campaign", ["name", "zoho_campaign_key"], {"zoho_campaign_key": ["is", "set"]}
		)
	}
	right = wrong = duplicates = 0
	for campaign in account["campaigns"]:
		key = campaign["campaign_key"]
		stored = stored_people(client, names.get(key))
		for action in campaign["actions"]:
			rows = fetch(simulator_url, {"rows": "1", "campaign": key, "action": action})
			expected = {row["email"] for row in rows}
			found = stored.get(action, Counter())
			right += len(expected & found.keys())
			wrong += len(found.keys() - expected)
			duplicates += sum(found.values()) - len(found)
	print(f"Reconciled: {right:,} of {account['rows']:,} rows, {duplicates:,} duplicates")
	if wrong:
		print(f"{wrong:,} stored rows do not exist at Zoho.")
	return right == account["rows"] and not wrong and not duplicates


def stored_people(client: Client, campaign: str | None) -> dict[str, Counter]:
	"""Count a campaign's stored rows by action and address, without the rows of erased people."""
	people: dict[str, Counter] = {}
	if campaign:
		for row in client.rows(
			"Campaign Recipient", ["email", "action_type"], {"campaign": campaign, "rtbf": 0}
		):
			people.setdefault(row["action_type"], Counter())[row["email"]] += 1
	return people


def fetch(simulator_url: str, params: dict[str, str]) -> object:
	"""Ask the simulator for the rows that a complete sync stores."""
	answer = requests.get(f"{simulator_url}/_simulator/expected", params=params, timeout=TIMEOUT)
	answer.raise_for_status()
	return answer.json()


def reason(answer: requests.Response) -> str:
	"""Return the site's reason for refusing a request: its message, else the end of its error."""
	try:
		body = answer.json()
		messages = [
			json.loads(message).get("message", "") for message in json.loads(body["_server_messages"])
		]
		return re.sub(r"<[^>]+>", "", " ".join(messages))
	except (ValueError, KeyError, TypeError, AttributeError):
		return answer.text.strip()[-300:]
