"""Connects the site to Zoho: authorize, callback, tokens. Thin functions over `connection`."""

from urllib.parse import urlencode

import frappe
from frappe import _

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection import authorization, identity
from erpnext_zoho_integration.connection import tokens as stored_tokens
from erpnext_zoho_integration.connection.error_messages import explained_errors
from erpnext_zoho_integration.connection.settings import get_settings
from erpnext_zoho_integration.erpnext_zoho_integration.roles_and_rate_limits import (
	SYSTEM_MANAGER,
	asks_for_token,
	mask,
	reads_live,
	require,
)
from erpnext_zoho_integration.sync.contacts.clear_contact import forget_contact_ids

_PATH = "/api/method/erpnext_zoho_integration.erpnext_zoho_integration.api.oauth.authorize"


@frappe.whitelist(methods=["GET"], allow_guest=True)
@reads_live
def authorize() -> None:
	"""Redirect to Zoho's consent page. A guest is sent to log in first and comes back here."""
	if frappe.session.user == "Guest":
		return _redirect(f"/login?{urlencode({'redirect-to': _PATH})}")
	require(SYSTEM_MANAGER)
	_redirect(authorization.begin())


@frappe.whitelist(methods=["GET"], allow_guest=True)
@reads_live
def callback(
	code: str | None = None, state: str | None = None, location: str | None = None, error: str | None = None
) -> None:
	"""Exchange the code that Zoho sent and redirect to Zoho Settings.

	Args:
		code: authorization code; a guest's is dropped.
		state: the state that `authorize` sent.
		location: data centre of the account.
		error: why Zoho sent no code.

	`accounts-server`, which is no valid Python name, is read from the request.
	"""
	if frappe.session.user == "Guest":
		return _ask_to_log_in()
	require(SYSTEM_MANAGER)
	query = {"code": code, "state": state, "location": location, "error": error}
	query["accounts-server"] = frappe.form_dict.get("accounts-server")
	try:
		authorization.complete(query)
	except (zoho.ZohoError, frappe.ValidationError) as refused:
		frappe.clear_messages()
		authorization.remember_failure(refused)
		return _redirect(authorization.settings_url("failed"))
	_redirect(authorization.settings_url("connected"))


@frappe.whitelist(methods=["POST"])
@asks_for_token
def fetch_tokens(code: str | None = None) -> dict:
	"""Exchange an authorization code for tokens and store them, encrypted.

	Args:
		code: such as the code of a Self Client; by default the one entered in Zoho Settings.

	Returns:
		`access_token`, `refresh_token`, `expires_in` (seconds), `api_domain`; over HTTP the tokens are masked.
	"""
	require(SYSTEM_MANAGER)
	settings = get_settings()
	code = zoho.Secret((code or settings.code or "").strip())
	if not code:
		frappe.throw(_("Enter the authorization code, or click Authorize with Zoho, which needs no code."))
	with explained_errors():
		tokens = authorization.exchange(code, settings.data_center)
	return {
		"access_token": mask(tokens.access_token),
		"refresh_token": mask(tokens.refresh_token),
		"expires_in": tokens.expires_in,
		"api_domain": tokens.api_domain,
	}


@frappe.whitelist(methods=["POST"])
@asks_for_token
def refresh_access_token() -> str:
	"""Get a new access token from Zoho and return it; masked over HTTP.

	Raises:
		frappe.ValidationError: there is no refresh token, or Zoho refuses it.
	"""
	require(SYSTEM_MANAGER)
	with explained_errors():
		return mask(stored_tokens.refresh_token())


@frappe.whitelist(methods=["POST"])
def disconnect() -> dict:
	"""Revoke the tokens at Zoho and delete them here; `revoked` tells whether Zoho confirmed."""
	require(SYSTEM_MANAGER)
	return {"revoked": stored_tokens.disconnect()}


@frappe.whitelist(methods=["POST"])
def go_on() -> None:
	"""Answer the question why everything pauses: the site has moved, the key is lost, the organisation is another one."""
	require(SYSTEM_MANAGER)
	if identity.go_on(get_settings()) == identity.OTHER_ORGANISATION:
		forget_contact_ids()


@frappe.whitelist(methods=["POST"])
def take_failure() -> str | None:
	"""Return why this user's last authorization failed, once."""
	require(SYSTEM_MANAGER)
	return authorization.take_failure()


def _redirect(location: str) -> None:
	frappe.local.response["type"] = "redirect"
	frappe.local.response["location"] = location


def _ask_to_log_in() -> None:
	"""Answer a callback without a session: drop the code and explain what to do."""
	frappe.respond_as_web_page(
		_("Log in and authorize again"),
		_(
			"Zoho sent you back, but you are not logged in here. Usually the redirect URI registered at Zoho has a different host than the one you use. Log in, open Zoho Settings, copy the Redirect URI to your client in the Zoho API console, and click Authorize with Zoho."
		),
		http_status_code=403,
		indicator_color="orange",
		primary_action="/login",
		primary_label=_("Log In"),
	)
