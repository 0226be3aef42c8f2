"""Helpers that connect a site to the simulator and inspect the connection."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import requests

import frappe
from frappe.utils import now_datetime
from frappe.utils.password import get_decrypted_password

from erpnext_zoho_integration.connection import authorization
from tests.site.server import Session, settle
from zoho_simulator import Simulator

SETTINGS = "Zoho Settings"
API = "erpnext_zoho_integration.erpnext_zoho_integration.api"
AUTHORIZE, CALLBACK = f"/api/method/{API}.oauth.authorize", f"/api/method/{API}.oauth.callback"


def enter_client(**values: object) -> None:
	"""Fill in Zoho Settings as a person does before the first authorization."""
	settings = frappe.get_doc(SETTINGS)
	settings.update({"client_id": "sim-client", "client_secret": "sim-secret", "data_center": "in", **values})
	settings.save()
	settle()


def connect(simulator: Simulator, **values: object) -> None:
	"""Connect the site without a browser, as with the code of a Self Client."""
	enter_client(**values)
	authorization.exchange(simulator.grant_code(), "in")
	settle()


def settings() -> frappe.model.document.Document:
	"""Return Zoho Settings as stored now."""
	settle()
	return frappe.get_doc(SETTINGS)


def secret(fieldname: str) -> str | None:
	"""Return a secret of Zoho Settings, decrypted."""
	settle()
	return get_decrypted_password(SETTINGS, SETTINGS, fieldname, raise_exception=False)


def let_expire(minutes_left: float) -> None:
	"""Set when the access token runs out."""
	expiry = now_datetime() + timedelta(minutes=minutes_left)
	frappe.db.set_single_value(SETTINGS, "token_expiry", expiry, update_modified=False)
	settle()


def asked(simulator: Simulator, *endpoints: str, **params: str) -> list[dict]:
	"""Return the requests that the simulator got at these endpoints, with these parameters."""
	return [
		each
		for each in simulator.requests
		if (not endpoints or each["endpoint"] in endpoints)
		and all(each["params"].get(name) == value for name, value in params.items())
	]


def refreshes(simulator: Simulator) -> int:
	"""Return how often an access token was asked for with a refresh token."""
	return len(asked(simulator, "oauth/token", grant_type="refresh_token"))


def exchanges(simulator: Simulator) -> int:
	"""Return how often a code was offered for tokens."""
	return len(asked(simulator, "oauth/token", grant_type="authorization_code"))


def is_live(simulator: Simulator, refresh_token: str) -> bool:
	"""Tell whether the simulated Zoho still accepts a refresh token; this is not counted as a request."""
	return simulator.tokens.has_refresh_token(refresh_token)


def query_of(url: str) -> dict[str, str]:
	return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def begin(session: Session) -> str:
	"""Click Authorize with Zoho; return the address that the browser is sent to."""
	answer = session.get(AUTHORIZE, allow_redirects=False)
	assert answer.status_code in (302, 303), answer.text[:500]
	return answer.headers["Location"]


def consent(url: str) -> dict[str, str]:
	"""Accept at Zoho; return the query that the browser is sent back with."""
	answer = requests.get(url, allow_redirects=False, timeout=60)
	assert answer.status_code == 302, answer.text[:500]
	return query_of(answer.headers["Location"])


def decide(session: Session, zoho: Simulator, decision: str) -> requests.Response:
	"""Click `accept` or `reject` on the consent page, and follow the redirect."""
	page = session.get(AUTHORIZE).text
	ticket = page.partition('name="consent" value="')[2].partition('"')[0]
	return session.post(f"{zoho.url}/oauth/v2/auth/decision", data={"consent": ticket, "decision": decision})


def come_back(session: Session, query: dict[str, str]) -> requests.Response:
	"""Call the redirect URI without following its redirect."""
	return session.get(CALLBACK, params=query, allow_redirects=False)


def outcome(answer: requests.Response) -> str:
	"""Return how a callback ended: `connected` or `failed`."""
	assert answer.status_code in (302, 303), answer.text[:500]
	assert "zoho-settings" in answer.headers["Location"]
	return query_of(answer.headers["Location"])["zoho"]


def messages(answer: requests.Response) -> str:
	"""Return the messages of an answer that the Desk shows."""
	body = answer.json()
	return f"{body.get('_server_messages', '')} {body.get('exception', '')} {body.get('message', '')}"


def contains(texts: Iterable[object], needles: Iterable[str]) -> list[str]:
	"""Return the beginnings of the texts that contain one of the needles."""
	return [str(text)[:300] for text in texts if any(needle in str(text) for needle in needles)]


class Background:
	"""Send a POST from another thread while the block runs; `status_code` and `text` hold the answer afterwards.

	Nothing is committed first: the block commits what the server must see.
	"""

	def __init__(self, session: Session, method: str, **arguments: str) -> None:
		self.status_code, self.text = 0, ""
		self._thread = threading.Thread(target=self._post, args=(session, method, arguments))

	def _post(self, session: Session, method: str, arguments: dict[str, str]) -> None:
		answer = requests.post(
			f"{session.base_url}/api/method/{method}",
			data=arguments,
			cookies=session.cookies,
			headers={"X-Frappe-CSRF-Token": session.csrf_token, "Accept": "application/json"},
			timeout=120,
		)
		self.status_code, self.text = answer.status_code, answer.text

	def __enter__(self) -> Background:
		self._thread.start()
		return self

	def __exit__(self, *_exception: object) -> None:
		self._thread.join()


def wait_until(condition: Callable[[], object]) -> None:
	"""Wait until a condition holds, a minute at most."""
	deadline = time.monotonic() + 60
	while not condition():
		assert time.monotonic() < deadline, "it did not happen"
		time.sleep(0.01)
