"""Reads Zoho Settings: data centre, servers, OAuth client."""

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cint

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection.errors import NotConnected
from erpnext_zoho_integration.store.doctypes import SETTINGS
from erpnext_zoho_integration.store.fields import CHECK_AT_ZOHO, TELL_ZOHO

CALLBACK = "erpnext_zoho_integration.erpnext_zoho_integration.api.oauth.callback"


# The settings that switch on a feature which writes to Zoho.
WRITING_FEATURES = (TELL_ZOHO,)


def get_settings() -> Document:
	"""Return Zoho Settings from the database, not from a cache: workers share tokens through them."""
	return frappe.get_doc(SETTINGS)


def stored_secret(settings: Document, fieldname: str) -> zoho.Secret | None:
	"""Return a Password field of Zoho Settings; keep it in a variable whose name ends in token or secret."""
	value = _decrypted(settings, fieldname)
	return zoho.Secret(value) if value else None


def unreadable_secret(settings: Document) -> bool:
	"""Return whether a secret is stored that this site's encryption key cannot read."""
	return any(
		_is_stored(settings, fieldname) and _decrypted(settings, fieldname) is None
		for fieldname in ("client_secret", "refresh_token")
	)


def key_has_changed() -> str:
	"""Return what to do about a secret that cannot be read."""
	return _(
		"The stored secrets cannot be read, because the encryption key of this site has changed. Restore the key in site_config.json, or enter the Client Secret, save, and click Authorize with Zoho."
	)


def _decrypted(settings: Document, fieldname: str) -> str | None:
	"""Return a stored secret; None if there is none, or if this site's encryption key cannot read it."""
	try:
		return settings.get_password(fieldname, raise_exception=False) or None
	except Exception:  # by version of Frappe, another class each
		frappe.clear_last_message()
		return None


def _is_stored(settings: Document, fieldname: str) -> bool:
	table = frappe.qb.Table("__Auth")
	query = frappe.qb.from_(table).select(table.password).where(table.doctype == settings.doctype)
	return bool(query.where((table.fieldname == fieldname) & (table.encrypted == 1)).run())


def data_center(code: str | None = None) -> zoho.DataCenter:
	"""Return the data centre with this code, by default the one in Zoho Settings.

	Raises:
		frappe.ValidationError: the code is not in the table.
	"""
	code = code or get_settings().data_center
	if code not in zoho.DATA_CENTERS:
		frappe.throw(_("Choose the data centre of your Zoho account in Zoho Settings."))
	return zoho.DATA_CENTERS[code]


def accounts_url(code: str | None = None) -> str:
	"""Return the URL of the accounts server: `zoho_accounts_base_url` in site_config.json, or the data centre's.

	Only a server administrator can write site_config.json, so no form can send the client secret elsewhere.
	"""
	return frappe.conf.get("zoho_accounts_base_url") or data_center(code).accounts_url


def campaigns_url(code: str | None = None) -> str:
	"""Return the URL of the Campaigns server: `zoho_campaigns_base_url` in site_config.json, or the data centre's."""
	return frappe.conf.get("zoho_campaigns_base_url") or data_center(code).campaigns_url


def wanted_scopes(settings: Document | None = None) -> tuple[str, ...]:
	"""Return the scopes that the features in use need; those for writing only if one of them writes."""
	settings = settings or get_settings()
	writing = any(cint(settings.get(feature)) for feature in WRITING_FEATURES)
	return zoho.scopes_for(lists=bool(cint(settings.get(CHECK_AT_ZOHO))), writing=writing)


def redirect_uri() -> str:
	"""Return the address to which Zoho sends the browser back; the client at Zoho must list exactly this one."""
	return frappe.utils.get_url(f"/api/method/{CALLBACK}")


def oauth_client(settings: Document | None = None) -> zoho.OAuthClient:
	"""Return the OAuth client of Zoho Settings.

	Raises:
		frappe.ValidationError: the client ID or secret has not been entered.
	"""
	settings = settings or get_settings()
	secret = stored_secret(settings, "client_secret")
	if not secret and unreadable_secret(settings):
		frappe.throw(key_has_changed(), NotConnected)
	if not settings.client_id or not secret:
		frappe.throw(
			_("Enter the Client ID and the Client Secret of your Zoho API client in Zoho Settings and save.")
		)
	return zoho.OAuthClient(settings.client_id, secret, redirect_uri(), zoho.Transport())
