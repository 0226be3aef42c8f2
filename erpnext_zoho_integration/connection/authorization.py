"""Authorizing the site at Zoho: the one-time state, the exchange of the code, and where the browser goes next.

State and checks follow RFC 9700: bound to the browser session that began, good once and for ten minutes, compared in
constant time; the code goes only to an accounts server of the table of data centres.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping

import redis

import frappe
from frappe import _
from frappe.utils import get_url_to_form

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection.messages import explain
from erpnext_zoho_integration.connection.settings import accounts_url, data_center, get_settings, oauth_client
from erpnext_zoho_integration.connection.tokens import store_tokens
from erpnext_zoho_integration.store.doctypes import SETTINGS

STATE_SECONDS = 600


class StateRefused(frappe.ValidationError):
	"""The callback does not belong to an authorization that this browser session began just now."""


def begin() -> str:
	"""Remember a new state for this browser session and return the address of Zoho's consent page.

	Raises:
		frappe.ValidationError: the client ID or secret is missing.
	"""
	settings = get_settings()
	client = oauth_client(settings)
	state = secrets.token_urlsafe(32)
	frappe.cache.set_value(_state_key(), state, expires_in_sec=STATE_SECONDS)
	return client.authorization_url(accounts_url(settings.data_center), state)


def complete(query: Mapping[str, str | None]) -> None:
	"""Check what Zoho sent the browser back with and exchange the code at once; it lives about a minute.

	Args:
		query: the parameters of the callback.

	Raises:
		StateRefused: the state is missing, wrong, old, used, or another session's.
		zoho.ZohoError: Zoho refused consent or the code.
	"""
	_take_state(query.get("state"))
	# Checked against the table even where site_config.json names another server to talk to.
	callback = zoho.parse_callback(query)
	exchange(callback.code, callback.data_center.code)


def exchange(code: str, center: str) -> zoho.Tokens:
	"""Exchange a code for tokens, store them and return them.

	Args:
		code: from the callback, or generated for a Self Client at Zoho.
		center: code of the data centre where the account lives.

	Raises:
		frappe.ValidationError: there is no such data centre; the code is still good.
		zoho.ZohoError: Zoho refused the code.
	"""
	center = data_center(center).code
	tokens = oauth_client().exchange_code(accounts_url(center), code)
	store_tokens(tokens, center, frappe.session.user)
	return tokens


def settings_url(outcome: str) -> str:
	"""Return the address of Zoho Settings in the Desk, which shows the outcome.

	Args:
		outcome: `connected` or `failed`; the reason of a failure is kept for the session, not put into the URL.
	"""
	return f"{get_url_to_form(SETTINGS, SETTINGS)}?zoho={outcome}"


def remember_failure(error: Exception) -> None:
	"""Keep the explanation of a failed authorization for the next look at Zoho Settings by this user."""
	message = explain(error) if isinstance(error, zoho.ZohoError) else str(error)
	frappe.cache.set_value(_failure_key(), message, expires_in_sec=STATE_SECONDS)


def take_failure() -> str | None:
	"""Return the explanation of this user's last failed authorization, once."""
	message = frappe.cache.get_value(_failure_key(), expires=True)
	frappe.cache.delete_value(_failure_key())
	return message


def _take_state(state: str | None) -> None:
	"""Compare the state and use it up, whether it was right or wrong."""
	key = _state_key()
	expected = frappe.cache.get_value(key, expires=True)
	# Of two callbacks at the same moment one deletes the key; the other one comes too late.
	try:
		taken = frappe.cache.delete(frappe.cache.make_key(key))
	except redis.exceptions.ConnectionError:
		taken = 0
	if not expected or not taken or not hmac.compare_digest(expected.encode(), (state or "").encode()):
		raise StateRefused(
			_(
				"This authorization was not begun here, has expired or was used before. Click Authorize with Zoho again."
			)
		)


def _state_key() -> str:
	session = hashlib.sha256(f"{frappe.session.sid}|{frappe.session.user}".encode()).hexdigest()
	return f"zoho-oauth-state-{session}"


def _failure_key() -> str:
	return f"zoho-oauth-failure-{frappe.session.user}"
