"""Authorizes the site at Zoho: the one-time state, the exchange of the code, and the way back to Zoho Settings.

State and checks follow RFC 9700: the state is bound to the browser session that started, valid once and for ten minutes,
and compared in constant time. The code is sent only to an accounts server in the table of data centres.
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
from erpnext_zoho_integration.connection.error_messages import explain
from erpnext_zoho_integration.connection.settings import (
	accounts_url,
	data_center,
	get_settings,
	oauth_client,
	wanted_scopes,
)
from erpnext_zoho_integration.connection.tokens import store_tokens
from erpnext_zoho_integration.store.doctypes import SETTINGS

STATE_SECONDS = 600


class StateRefused(frappe.ValidationError):
	"""The callback does not belong to an authorization that this browser session has just started."""


def begin() -> str:
	"""Store a new state for this browser session and return the address of Zoho's consent page.

	Raises:
		frappe.ValidationError: the client ID or secret is missing.
	"""
	settings = get_settings()
	client = oauth_client(settings)
	state = secrets.token_urlsafe(32)
	frappe.cache.set_value(_state_key(), state, expires_in_sec=STATE_SECONDS)
	return client.authorization_url(accounts_url(settings.data_center), state, wanted_scopes(settings))


def complete(query: Mapping[str, str | None]) -> None:
	"""Check the parameters of the callback and exchange the code at once; it expires after about a minute.

	Args:
		query: the parameters of the callback.

	Raises:
		StateRefused: the state is missing, wrong, expired, used, or another session's.
		zoho.ZohoError: Zoho refused consent or the code.
	"""
	_take_state(query.get("state"))
	# Check against the table even if site_config.json names another server.
	callback = zoho.parse_callback(query)
	exchange(callback.code, callback.data_center.code)


def exchange(code: str, center: str) -> zoho.Tokens:
	"""Exchange a code for tokens, store them and return them.

	Args:
		code: from the callback, or generated for a Self Client at Zoho.
		center: code of the data centre where the account lives.

	Raises:
		frappe.ValidationError: there is no such data centre; the code is still valid.
		zoho.ZohoError: Zoho refused the code.
	"""
	center = data_center(center).code
	tokens = oauth_client().exchange_code(accounts_url(center), code)
	store_tokens(tokens, center, frappe.session.user)
	return tokens


def settings_url(outcome: str) -> str:
	"""Return the address of Zoho Settings in the Desk; the form shows the outcome.

	Args:
		outcome: `connected` or `failed`; `take_failure` has the reason, which is not in the URL.
	"""
	return f"{get_url_to_form(SETTINGS, SETTINGS)}?zoho={outcome}"


def remember_failure(error: Exception) -> None:
	"""Store why the authorization failed, until this user opens Zoho Settings."""
	message = explain(error) if isinstance(error, zoho.ZohoError) else str(error)
	frappe.cache.set_value(_failure_key(), message, expires_in_sec=STATE_SECONDS)


def take_failure() -> str | None:
	"""Return why this user's last authorization failed, and forget it."""
	message = frappe.cache.get_value(_failure_key(), expires=True)
	frappe.cache.delete_value(_failure_key())
	return message


def _take_state(state: str | None) -> None:
	"""Check the state and invalidate it, whether it was right or wrong."""
	key = _state_key()
	expected = frappe.cache.get_value(key, expires=True)
	# If two callbacks arrive at the same time, only one deletes the key; the other is refused.
	try:
		taken = frappe.cache.delete(frappe.cache.make_key(key))
	except redis.exceptions.ConnectionError:
		taken = 0
	if not expected or not taken or not hmac.compare_digest(expected.encode(), (state or "").encode()):
		raise StateRefused(
			_(
				"This authorization was not started here, has expired or was used before. Click Authorize with Zoho again."
			)
		)


def _state_key() -> str:
	session = hashlib.sha256(f"{frappe.session.sid}|{frappe.session.user}".encode()).hexdigest()
	return f"zoho-oauth-state-{session}"


def _failure_key() -> str:
	return f"zoho-oauth-failure-{frappe.session.user}"
