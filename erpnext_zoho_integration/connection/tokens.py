"""Tokens: stored encrypted, refreshed early, by one worker at a time, and never seen outside.

The refresh token does not expire until it is revoked. An access token lives an hour, and Zoho gives at most ten in
ten minutes (https://www.zoho.com/accounts/protocol/oauth/web-apps/access-token-expiry.html), so all workers share one.
"""

from datetime import timedelta

import frappe
from frappe import _
from frappe.utils import add_to_date, get_datetime, now_datetime
from frappe.utils.password import remove_encrypted_password, set_encrypted_password

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection.clients import SETTINGS, accounts_url, get_settings, oauth_client
from erpnext_zoho_integration.connection.locks import shared_lock

MIN_LIFE = timedelta(minutes=5)
_THROTTLED = "zoho-token-throttled"
_THROTTLE_SECONDS = 600


class NotConnected(frappe.ValidationError):
	"""The site has no usable connection to Zoho."""


def valid_token() -> str:
	"""Return an access token that is good for five more minutes.

	Commits if it has to refresh: call it between two units of work, never inside one.

	Raises:
		NotConnected: the integration is not active, or there is no refresh token.
		zoho.ZohoError: Zoho did not give a new token.
	"""
	settings = get_settings()
	_require_active(settings)
	token = settings.get_password("access_token", raise_exception=False)
	if token and _lives_long_enough(settings):
		return token
	return refresh_token()


def refresh_token(dead_token: str | None = None) -> str:
	"""Return a new access token; of several callers at the same moment one asks Zoho and all get its answer.

	Commits before and after, so that every worker reads what is stored now.

	Args:
		dead_token: the token that Zoho has just refused. Another stored token is then taken for a newer one.

	Raises:
		NotConnected: there is no refresh token.
		zoho.ReauthorizationRequired: Zoho refuses the refresh token; the connection is marked accordingly.
		zoho.TokenThrottled: Zoho's limit of tokens is reached.
	"""
	before = get_settings().get_password("access_token", raise_exception=False)
	with shared_lock("token", seconds=120, wait=90):
		frappe.db.commit()  # nosemgrep: a new snapshot, to see what another worker has stored meanwhile
		settings = get_settings()
		token = settings.get_password("access_token", raise_exception=False)
		if token and token not in (before, dead_token) and _lives_long_enough(settings):
			return token
		return _ask_for_token(settings)


def store_tokens(tokens: zoho.Tokens, data_center: str, user: str) -> None:
	"""Store the tokens of a new authorization and mark the site as connected. Commits.

	Args:
		tokens: what the accounts server gave; without a refresh token a stored one is kept.
		data_center: code of the data centre where the account lives.
		user: who authorized.

	Raises:
		zoho.ReauthorizationRequired: Zoho gave no refresh token and none is stored.
	"""
	settings = get_settings()
	if not tokens.refresh_token and not settings.get_password("refresh_token", raise_exception=False):
		raise zoho.ReauthorizationRequired(
			_(
				"Zoho sent no refresh token. Remove this client under Connected Apps in your Zoho account and authorize again."
			)
		)
	previous = settings.get_password("refresh_token", raise_exception=False)
	settings.update(
		{
			"access_token": tokens.access_token,
			"token_expiry": _expiry(tokens),
			"data_center": data_center,
			"api_domain": tokens.api_domain or zoho.DATA_CENTERS[data_center].api_domain,
			"code": None,
			"is_active": 1,
			"connection_status": "Connected",
			"connection_error": None,
			"connected_by": user,
			"connected_on": now_datetime(),
		}
	)
	if tokens.refresh_token:
		settings.refresh_token = tokens.refresh_token
	settings.flags.ignore_permissions = True
	settings.flags.from_connection = True
	settings.save()
	frappe.cache.delete_value(_THROTTLED)
	frappe.db.commit()  # nosemgrep: Zoho has issued the tokens; a callback is a GET, which Frappe rolls back
	if tokens.refresh_token and previous and previous != tokens.refresh_token:
		_revoke_quietly(previous)


def disconnect() -> bool:
	"""Revoke the refresh token at Zoho and wipe every token here. Commits.

	Returns:
		Whether Zoho confirmed; the tokens here are gone either way.
	"""
	token = get_settings().get_password("refresh_token", raise_exception=False)
	revoked = _revoke_quietly(token) if token else True
	wipe_tokens("Not Connected", None)
	frappe.db.commit()  # nosemgrep: the token is revoked at Zoho, which cannot be rolled back
	return revoked


def wipe_tokens(status: str, reason: str | None) -> None:
	"""Delete the tokens here and set the state of the connection."""
	for fieldname in ("access_token", "refresh_token"):
		remove_encrypted_password(SETTINGS, SETTINGS, fieldname)
	frappe.db.set_single_value(
		SETTINGS,
		{
			"access_token": None,
			"refresh_token": None,
			"token_expiry": None,
			"code": None,
			"is_active": 0,
			"connection_status": status,
			"connection_error": reason,
		},
	)


def mark_needs_attention(reason: str) -> None:
	"""Stop the schedule until somebody authorizes again, and say why. Commits."""
	frappe.db.set_single_value(
		SETTINGS, {"is_active": 0, "connection_status": "Needs Attention", "connection_error": reason}
	)
	frappe.db.commit()  # nosemgrep: what follows is an error, which rolls back


def mark_refused(reason: str) -> None:
	"""Note that Zoho refuses calls although it still gives tokens. The schedule goes on: it may pass. Commits."""
	frappe.db.set_single_value(
		SETTINGS,
		{"connection_status": "Needs Attention", "connection_error": reason},
		update_modified=False,
	)
	frappe.db.commit()  # nosemgrep: what follows is an error, which rolls back


def mark_working() -> None:
	"""Note that Zoho answers again, if it had been noted otherwise."""
	if get_settings().connection_status == "Needs Attention":
		frappe.db.set_single_value(
			SETTINGS, {"connection_status": "Connected", "connection_error": None}, update_modified=False
		)


class TokenSource:
	"""The access token of one run, kept in memory so that a call costs no query."""

	def __init__(self) -> None:
		self._token: str | None = None
		self._until = None

	def current(self) -> str:
		"""Return the token, looking at the stored one again when this one gets old. May commit."""
		if not self._token or now_datetime() >= self._until:
			self._token = valid_token()
			self._until = _usable_until(get_settings())
		return self._token

	def held(self) -> str:
		"""Return the token as it is, for a thread that may not touch `frappe`; `current` comes before."""
		return self._token or ""

	def renew(self, dead_token: str) -> str:
		"""Return another token after Zoho has refused this one. Commits."""
		self._token = refresh_token(dead_token)
		self._until = _usable_until(get_settings())
		return self._token


def _ask_for_token(settings) -> str:
	from erpnext_zoho_integration.connection.messages import explain

	refresh = settings.get_password("refresh_token", raise_exception=False)
	if not refresh:
		raise NotConnected(_("No refresh token available. Open Zoho Settings and click Authorize with Zoho."))
	if frappe.cache.get_value(_THROTTLED, expires=True):
		raise zoho.TokenThrottled(_("waiting for Zoho's token limit to pass"))
	try:
		tokens = oauth_client(settings).refresh(accounts_url(settings.data_center), refresh)
	except zoho.ReauthorizationRequired as error:
		mark_needs_attention(explain(error))
		raise
	except zoho.TokenThrottled:
		# Asking again keeps Zoho's door closed, for every worker.
		frappe.cache.set_value(_THROTTLED, 1, expires_in_sec=_THROTTLE_SECONDS)
		raise
	set_encrypted_password(SETTINGS, SETTINGS, tokens.access_token, "access_token")
	if tokens.refresh_token:
		set_encrypted_password(SETTINGS, SETTINGS, tokens.refresh_token, "refresh_token")
	# Not save(): a form that somebody has open must not become stale every hour.
	frappe.db.set_single_value(SETTINGS, {"token_expiry": str(_expiry(tokens))}, update_modified=False)
	frappe.db.commit()  # nosemgrep: Zoho has issued the token; losing it would waste one of ten
	return tokens.access_token


def _revoke_quietly(token: str) -> bool:
	"""Revoke a refresh token; a Zoho that does not answer must not stop the caller."""
	try:
		oauth_client().revoke(accounts_url(), token)
	except (zoho.ZohoError, frappe.ValidationError):
		frappe.log_error("Zoho: refresh token not revoked")
		return False
	return True


def _require_active(settings) -> None:
	if not settings.is_active:
		hint = settings.connection_error or _("Open Zoho Settings and click Authorize with Zoho.")
		raise NotConnected(f"{_('Zoho integration is not active')}. {hint}")


def _expiry(tokens: zoho.Tokens):
	return add_to_date(now_datetime(), seconds=tokens.expires_in)


def _usable_until(settings):
	return get_datetime(settings.token_expiry) - MIN_LIFE if settings.token_expiry else now_datetime()


def _lives_long_enough(settings) -> bool:
	return bool(settings.token_expiry) and now_datetime() < _usable_until(settings)
