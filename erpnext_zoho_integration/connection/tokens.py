"""Stores tokens encrypted and refreshes them early, one worker at a time.

The refresh token does not expire until it is revoked. An access token is valid for an hour, and Zoho issues at most ten in
ten minutes (https://www.zoho.com/accounts/protocol/oauth/web-apps/access-token-expiry.html), so all workers share one.

Every variable that holds a token is called `…token` or `…secret`: Frappe writes local variables into the Error Log and
masks them by their names.
"""

from contextlib import AbstractContextManager
from datetime import timedelta

import frappe
from frappe import _
from frappe.utils import add_to_date, get_datetime, now_datetime
from frappe.utils.password import remove_encrypted_password, set_encrypted_password

from erpnext_zoho_integration import onboarding, zoho
from erpnext_zoho_integration.connection.error_messages import explain
from erpnext_zoho_integration.connection.errors import NotConnected
from erpnext_zoho_integration.connection.identity import after_authorizing, is_copy, require_own
from erpnext_zoho_integration.connection.settings import (
	accounts_url,
	get_settings,
	key_has_changed,
	oauth_client,
	stored_secret,
	unreadable_secret,
	wanted_scopes,
)
from erpnext_zoho_integration.shared_locks import Held, shared_lock
from erpnext_zoho_integration.store.doctypes import SETTINGS
from erpnext_zoho_integration.store.fields import (
	CONNECTED_SITE,
	CONNECTION_ERROR,
	CONNECTION_STATUS,
	GRANTED_SCOPES,
	IS_ACTIVE,
	NO_TOKENS_BEFORE,
	ORGANISATION,
)

MIN_LIFE = timedelta(minutes=5)
# Seconds; after an hour it is safe to ask again, however long Zoho says.
_LONGEST_WAIT = 3600
# Values of Zoho Settings after disconnecting.
DISCONNECTED = {
	"access_token": None,
	"refresh_token": None,
	"token_expiry": None,
	NO_TOKENS_BEFORE: None,
	GRANTED_SCOPES: None,
	CONNECTED_SITE: None,
	ORGANISATION: None,
	IS_ACTIVE: 0,
}


def valid_token() -> str:
	"""Return an access token that is valid for at least five more minutes.

	Commits if it has to refresh, so call it only between two units of work.

	Raises:
		NotConnected: the integration is not active, or there is no refresh token that can be read.
		ConnectionPaused: the connection was made on another site, with another key or for another organisation.
		zoho.ZohoError: Zoho did not give a new token.
	"""
	settings = get_settings()
	_require_active(settings)
	require_own(settings)
	token = stored_secret(settings, "access_token")
	if token and _lives_long_enough(settings):
		return token
	return _shared_refresh(refused_token=None)


def refresh_token(old_token: str | None = None) -> str:
	"""Return a new access token. If several workers ask with the same old one, one asks Zoho and all get its token.

	Commits before and after, so that every worker reads the stored token.

	Args:
		old_token: the token that Zoho refused; by default the stored one. If another one is stored by the time the
			lock is held, that one is returned.

	Raises:
		NotConnected: there is no refresh token.
		zoho.ReauthorizationRequired: Zoho refuses the refresh token; the connection is marked as Needs Attention.
		zoho.TokenThrottled: Zoho's limit of tokens is reached.
	"""
	return _shared_refresh(refused_token=old_token or stored_secret(get_settings(), "access_token"))


def store_tokens(tokens: zoho.Tokens, data_center: str, user: str) -> None:
	"""Store the tokens of a new authorization and mark the site as connected. Commits.

	Args:
		tokens: from the accounts server; if they have no refresh token, the stored one is kept.
		data_center: code of the data centre of the account.
		user: name of the User who authorized.

	Raises:
		zoho.ReauthorizationRequired: Zoho gave no refresh token and none is stored.
	"""
	with _token_lock():
		frappe.db.commit()  # nosemgrep - a new snapshot; the form may have been saved since this request began
		settings = get_settings()
		# The token of a copied site is the original's: it is neither kept nor revoked.
		previous_token = None if is_copy(settings) else stored_secret(settings, "refresh_token")
		previous_center = settings.data_center
		if not tokens.refresh_token and not previous_token:
			raise zoho.ReauthorizationRequired(
				_(
					"Zoho sent no refresh token. Remove this client under Connected Apps in your Zoho account and authorize again."
				)
			)
		settings.update({**_connected(tokens, data_center, user), **after_authorizing()})
		settings.flags.ignore_permissions = True
		settings.flags.from_connection = True
		settings.save()
		onboarding.tick_off(onboarding.CONNECT)
		frappe.db.commit()  # nosemgrep - Zoho has issued the tokens; a callback is a GET, which Frappe rolls back
	if tokens.refresh_token and previous_token and previous_token != tokens.refresh_token:
		revoke_quietly(previous_token, previous_center)


def disconnect() -> bool:
	"""Revoke the refresh token at Zoho and wipe every token here; on a copy of a site, only wipe them. Commits.

	Returns:
		Whether Zoho confirmed; the tokens here are gone either way.
	"""
	with _token_lock():
		frappe.db.commit()  # nosemgrep - a new snapshot, to revoke the token that is stored now
		settings = get_settings()
		inherited = is_copy(settings)
		token = None if inherited else stored_secret(settings, "refresh_token")
		if token:
			revoked = revoke_quietly(token, settings.data_center)
		else:
			revoked = inherited or not unreadable_secret(settings)
		wipe_tokens("Not Connected", None)
		frappe.db.commit()  # nosemgrep - the token is revoked at Zoho, which cannot be rolled back
	return revoked


def revoke_quietly(token: str, data_center: str) -> bool:
	"""Revoke a refresh token and return whether Zoho confirmed.

	A failure is written to the Error Log and does not stop the caller.
	"""
	# Zoho needs only the token, so this works even if the client is no longer known.
	client = zoho.OAuthClient("", "", "", zoho.Transport())
	try:
		client.revoke(accounts_url(data_center), token)
	except (zoho.ZohoError, frappe.ValidationError) as error:
		if isinstance(error, frappe.ValidationError):
			frappe.clear_last_message()
		frappe.log_error("Zoho: refresh token not revoked")
		return False
	return True


def wipe_tokens(status: str, reason: str | None) -> None:
	"""Delete the tokens here and set the state of the connection."""
	for fieldname in ("access_token", "refresh_token"):
		remove_encrypted_password(SETTINGS, SETTINGS, fieldname)
	frappe.db.set_single_value(
		SETTINGS, {**DISCONNECTED, "code": None, CONNECTION_STATUS: status, CONNECTION_ERROR: reason}
	)


def mark_needs_attention(reason: str) -> None:
	"""Stop scheduled syncs until somebody authorizes again, and store the reason. Commits."""
	frappe.db.set_single_value(
		SETTINGS, {IS_ACTIVE: 0, CONNECTION_STATUS: "Needs Attention", CONNECTION_ERROR: reason}
	)
	frappe.db.commit()  # nosemgrep - what follows is an error, which rolls back


def mark_refused(reason: str) -> None:
	"""Note that Zoho refuses calls although it issues tokens. Scheduled syncs continue, as it may be temporary. Commits."""
	frappe.db.set_single_value(
		SETTINGS,
		{CONNECTION_STATUS: "Needs Attention", CONNECTION_ERROR: reason},
		update_modified=False,
	)
	frappe.db.commit()  # nosemgrep - what follows is an error, which rolls back


def mark_working() -> None:
	"""Clear Needs Attention, because Zoho answers again."""
	if get_settings().connection_status == "Needs Attention":
		frappe.db.set_single_value(
			SETTINGS, {CONNECTION_STATUS: "Connected", CONNECTION_ERROR: None}, update_modified=False
		)


class TokenSource:
	"""The access token of one run, kept in memory so that a call costs no query."""

	def __init__(self) -> None:
		self._token: str | None = None
		self._until = None

	def current(self) -> str:
		"""Return the token, reading or refreshing the stored one shortly before this one expires. May commit."""
		if not self._token or now_datetime() >= self._until:
			self._token = valid_token()
			self._until = _usable_until(get_settings())
		return self._token

	def cached(self) -> str:
		"""Return the token in memory, for threads that may not touch `frappe`; call `current` first."""
		return self._token or ""

	def renew(self, dead_token: str) -> str:
		"""Return a new token after Zoho refused this one. Commits."""
		self._token = refresh_token(dead_token)
		self._until = _usable_until(get_settings())
		return self._token


def _shared_refresh(refused_token: str | None) -> str:
	"""Return a stored token that is valid and not the refused one, or else a new one from Zoho.

	`refused_token` is None if the token merely expired: the caller may have read its expiry and its text on either side
	of another worker's commit, so comparing them proves nothing.
	"""
	with _token_lock():
		frappe.db.commit()  # nosemgrep - a new snapshot, to see what another worker has stored meanwhile
		settings = get_settings()
		token = stored_secret(settings, "access_token")
		if token and token != refused_token and _lives_long_enough(settings):
			return token
		return _ask_for_token(settings)


def _ask_for_token(settings) -> str:
	require_own(settings)
	long_lived_token = stored_secret(settings, "refresh_token")
	if not long_lived_token and unreadable_secret(settings):
		raise NotConnected(key_has_changed())
	if not long_lived_token:
		raise NotConnected(_("No refresh token available. Open Zoho Settings and click Authorize with Zoho."))
	locked_until = settings.get(NO_TOKENS_BEFORE)
	if locked_until and now_datetime() < get_datetime(locked_until):
		raise zoho.TokenThrottled(_("waiting until Zoho accepts token requests again"))
	try:
		tokens = oauth_client(settings).refresh(accounts_url(settings.data_center), long_lived_token)
	except zoho.ReauthorizationRequired as error:
		mark_needs_attention(explain(error))
		raise
	except zoho.TokenThrottled as error:
		# Each further request would prolong Zoho's block, so no worker asks until then.
		_write({NO_TOKENS_BEFORE: str(_from_now(min(error.retry_after, _LONGEST_WAIT)))})
		frappe.db.commit()  # nosemgrep - what follows is an error, which rolls back
		raise
	_store_refreshed(tokens, reactivate=not settings.is_active)
	return tokens.access_token


def _store_refreshed(tokens: zoho.Tokens, reactivate: bool) -> None:
	"""Store a new access token without `save()`, which would make an open form outdated every hour."""
	set_encrypted_password(SETTINGS, SETTINGS, tokens.access_token, "access_token")
	if tokens.refresh_token:
		set_encrypted_password(SETTINGS, SETTINGS, tokens.refresh_token, "refresh_token")
	values = {"token_expiry": str(_from_now(tokens.expires_in)), NO_TOKENS_BEFORE: None}
	if tokens.scopes:
		values[GRANTED_SCOPES] = " ".join(tokens.scopes)
	if reactivate:
		# The problem, such as a wrong client secret, has been solved.
		values |= {IS_ACTIVE: 1, CONNECTION_STATUS: "Connected", CONNECTION_ERROR: None}
	_write(values)
	frappe.db.commit()  # nosemgrep - Zoho has issued the token; losing it would waste one of ten


def _connected(tokens: zoho.Tokens, data_center: str, user: str) -> dict:
	"""Return the fields of Zoho Settings after an authorization."""
	values = {
		"access_token": tokens.access_token,
		"token_expiry": _from_now(tokens.expires_in),
		NO_TOKENS_BEFORE: None,
		# By RFC 6749, an answer without scopes grants those that were asked for.
		GRANTED_SCOPES: " ".join(tokens.scopes or wanted_scopes()),
		"data_center": data_center,
		"api_domain": tokens.api_domain or zoho.DATA_CENTERS[data_center].api_domain,
		"code": None,
		IS_ACTIVE: 1,
		CONNECTION_STATUS: "Connected",
		CONNECTION_ERROR: None,
		"connected_by": user,
		"connected_on": now_datetime(),
	}
	return {**values, "refresh_token": tokens.refresh_token} if tokens.refresh_token else values


def _write(values: dict) -> None:
	frappe.db.set_single_value(SETTINGS, values, update_modified=False)


def _token_lock() -> AbstractContextManager[Held]:
	"""Return the lock for changing tokens; it lasts longer than a call to Zoho with its retries."""
	return shared_lock("token", seconds=120, wait=90)


def _require_active(settings) -> None:
	if not settings.is_active:
		hint = settings.connection_error or _("Open Zoho Settings and click Authorize with Zoho.")
		inactive = _("Zoho integration is not active")
		raise NotConnected(f"{inactive}. {hint}")


def _from_now(seconds: float):
	return add_to_date(now_datetime(), seconds=seconds)


def _usable_until(settings):
	return get_datetime(settings.token_expiry) - MIN_LIFE if settings.token_expiry else now_datetime()


def _lives_long_enough(settings) -> bool:
	return bool(settings.token_expiry) and now_datetime() < _usable_until(settings)
