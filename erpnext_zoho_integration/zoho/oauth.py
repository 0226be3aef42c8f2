"""Zoho's OAuth 2.0: the consent page, the callback and the token endpoint.

This module stores nothing. Secrets are sent in form bodies, never in a URL.

ref: https://www.zoho.com/accounts/protocol/oauth/web-apps.html and
https://www.zoho.com/accounts/protocol/oauth/multi-dc.html
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from .answers import parse_json
from .data_centers import DataCenter, by_accounts_server, by_location
from .errors import (
	TOKEN_LOCK_SECONDS,
	AuthorizationRefused,
	OAuthError,
	ReauthorizationRequired,
	TokenThrottled,
	Unavailable,
)
from .redaction import MASK, Secret, redact
from .transport import HTTPAnswer, Transport, raise_for_status, retry_after
from .value_parsing import number, text

# This scope is enough to read campaigns, reports and recipients.
READING_SCOPES: Final = ("ZohoCampaigns.campaign.READ",)
# For reading mailing lists.
LIST_SCOPES: Final = ("ZohoCampaigns.contact.READ",)
# These are for features that write, and for reading back what was written.
WRITING_SCOPES: Final = (*LIST_SCOPES, "ZohoCampaigns.contact.UPDATE")

AUTHORIZE: Final = "oauth/v2/auth"
TOKEN: Final = "oauth/v2/token"
REVOKE: Final = "oauth/v2/token/revoke"

# The documented lifetime of an access token in seconds, used if an answer does not give one.
LIFETIME: Final = 3600
# Older answers give milliseconds in `expires_in`. No token lives for more than a day, so a larger number is
# milliseconds.
LONGEST_LIFETIME: Final = 86_400

# The errors that only a person can resolve, and how. Every other failure is temporary.
PERMANENT: Final[Mapping[str, str]] = {
	"invalid_code": "the code was used, has expired (it lives for a minute), or access was revoked at Zoho:"
	" authorise again",
	"invalid_client": "Zoho does not know this client ID here: check the client ID, the data centre, and that"
	" Multi-DC is enabled for the client in Zoho's API console",
	"invalid_client_secret": "the client secret is wrong; it may differ between data centres",
	"invalid_redirect_uri": "the redirect URI differs from the one registered in Zoho's API console",
	"invalid_grant": "Zoho no longer accepts this authorisation: authorise again",
	"unauthorized_client": "this client may not do this: check its type in Zoho's API console",
	"invalid_scope": "Zoho does not know a scope that was asked for",
	"unsupported_grant_type": "the token server does not support this kind of request",
}
_REFUSALS: Final[Mapping[str, str]] = {
	"access_denied": "access was refused on Zoho's consent page",
	"invalid_scope": "Zoho does not know a scope that was asked for",
	"other_dc": "this Zoho account is in another data centre",
}


def scopes_for(*, lists: bool = False, writing: bool = False) -> tuple[str, ...]:
	"""Return the scopes to ask for: one for reading campaigns, and more only for features that are used.

	Args:
		lists: A feature that reads mailing lists is used.
		writing: A feature that writes is switched on.
	"""
	if writing:
		return (*READING_SCOPES, *WRITING_SCOPES)
	return (*READING_SCOPES, *LIST_SCOPES) if lists else READING_SCOPES


def scopes_lacking(granted: str, needed: Iterable[str]) -> tuple[str, ...]:
	"""Return the needed scopes that are not among the granted ones.

	Args:
		granted: As Zoho gives them, separated by spaces or commas.
		needed: Such as `ZohoCampaigns.contact.UPDATE`, which `ZohoCampaigns.contact.ALL` includes.
	"""
	have = {scope.casefold() for scope in split_scopes(granted)}
	return tuple(
		scope
		for scope in needed
		if not {scope.casefold(), f"{scope.rpartition('.')[0]}.all".casefold()} & have
	)


def split_scopes(scopes: str) -> tuple[str, ...]:
	"""Return the scopes in a text; they are separated by spaces or commas."""
	return tuple(scopes.replace(",", " ").split())


@dataclass(frozen=True, slots=True, repr=False)
class Tokens:
	"""An answer of the token endpoint.

	Attributes:
		access_token: Valid for `expires_in` seconds.
		refresh_token: None after a refresh and after an authorisation without the consent page; the old
			one stays valid.
		expires_in: Seconds from now.
		api_domain: Zoho's general gateway in the user's data centre; it is not the host of Campaigns.
		scope: The granted scopes, separated by spaces or commas; empty if the answer does not give them.
	"""

	access_token: str
	refresh_token: str | None
	expires_in: int
	api_domain: str | None
	scope: str

	@property
	def scopes(self) -> tuple[str, ...]:
		"""Return the granted scopes one by one."""
		return split_scopes(self.scope)

	def __repr__(self) -> str:
		refresh = MASK if self.refresh_token else None
		return f"Tokens(access_token={MASK}, refresh_token={refresh}, expires_in={self.expires_in})"


@dataclass(frozen=True, slots=True, repr=False)
class Callback:
	"""The checked query of the redirect URI.

	Attributes:
		code: Has to be exchanged at `accounts_url` within a minute.
		state: The `state` of the authorisation URL; the caller has to compare it.
		accounts_url: The server that exchanges the code: from the table of data centres or the caller's
			override.
		data_center: None only if there is an override and Zoho named no known location.
	"""

	code: str
	state: str
	accounts_url: str
	data_center: DataCenter | None

	def __repr__(self) -> str:
		center = self.data_center.code if self.data_center else None
		return f"Callback(code={MASK}, state={MASK}, data_center={center!r})"


def parse_callback(params: Mapping[str, str | None], *, accounts_url: str | None = None) -> Callback:
	"""Check the query of the redirect URI and choose the server that exchanges the code.

	Args:
		params: The query: `code`, `state`, `location`, `accounts-server`, or `error`.
		accounts_url: Origin of an accounts server that the server's administrator has set. It overrides
			the query.

	Raises:
		AuthorizationRefused: Zoho sent an error or no code, or the query names an accounts server that is not
			Zoho's. The client secret is sent to that server, and anybody can put an address into a link.
	"""
	values = {name: (params.get(name) or "").strip() for name in ("code", "state", "location", "error")}
	# Frappe and others replace the hyphen in the name of a parameter by an underscore.
	server = (params.get("accounts-server") or params.get("accounts_server") or "").strip()
	error = values["error"]
	if error:
		what = _REFUSALS.get(error, f"Zoho refused the authorisation: {error[:100]}")
		raise AuthorizationRefused(what, error[:100], endpoint=AUTHORIZE)
	if not values["code"]:
		raise AuthorizationRefused("Zoho sent no authorisation code", "no_code", endpoint=AUTHORIZE)
	center = by_accounts_server(server) if server else None
	if accounts_url is None:
		if server and center is None:
			raise AuthorizationRefused("the accounts server is not one of Zoho's", "unknown_server")
		center = center or by_location(values["location"])
		if center is None:
			raise AuthorizationRefused("Zoho named no known data centre", "unknown_location")
		accounts_url = center.accounts_url
	else:
		center = center or by_location(values["location"])
	return Callback(Secret(values["code"]), Secret(values["state"]), accounts_url, center)


class OAuthClient:
	"""Request and revoke tokens for one client that is registered in Zoho's API console.

	Args:
		client_id: The same in every data centre.
		client_secret: The secret for the data centre in use; data centres may have different ones.
		redirect_uri: Exactly as registered.
		transport: Sends the requests.
	"""

	def __init__(self, client_id: str, client_secret: str, redirect_uri: str, transport: Transport) -> None:
		self._client_id = client_id
		self._client_secret = Secret(client_secret)
		self._redirect_uri = redirect_uri
		self._transport = transport

	def authorization_url(self, accounts_url: str, state: str, scopes: Iterable[str] = READING_SCOPES) -> str:
		"""Return the address of Zoho's consent page.

		Args:
			accounts_url: Accounts server of the data centre in which the client is registered. Zoho redirects
				the user to the data centre of the user's account.
			state: Unguessable and used once; Zoho returns it to the redirect URI.
			scopes: The scopes to request.
		"""
		query = {
			"response_type": "code",
			"client_id": self._client_id,
			"scope": ",".join(scopes),
			"redirect_uri": self._redirect_uri,
			"access_type": "offline",  # for a refresh token
			"prompt": "consent",  # for a refresh token at every authorisation, not only at the first
			"state": state,
		}
		return f"{accounts_url.rstrip('/')}/{AUTHORIZE}?{urlencode(query)}"

	def exchange_code(self, accounts_url: str, code: str) -> Tokens:
		"""Exchange an authorisation code, which works once and for about a minute, for tokens.

		The request is not repeated if it may have reached Zoho, because Zoho would have used up the code.

		Raises:
			ReauthorizationRequired: the code or the client's settings are wrong; the message tells what
				to do.
			TokenThrottled: too many requests for tokens.
			Unavailable: no usable answer.
		"""
		return self._tokens(
			accounts_url,
			{
				"grant_type": "authorization_code",
				"redirect_uri": self._redirect_uri,
				"code": Secret(code),
			},
			retry=False,
		)

	def refresh(self, accounts_url: str, refresh_token: str) -> Tokens:
		"""Return a new access token; the refresh token stays the same.

		Zoho issues 10 access tokens in 10 minutes for one refresh token and then none for some time, so share
		and cache them.

		Raises:
			ReauthorizationRequired: access was revoked, or the client's settings are wrong.
			TokenThrottled: too many requests for tokens; the refresh token is still valid.
			Unavailable: no usable answer.
		"""
		return self._tokens(
			accounts_url, {"grant_type": "refresh_token", "refresh_token": Secret(refresh_token)}, retry=True
		)

	def revoke(self, accounts_url: str, token: str) -> None:
		"""Revoke a token. Revoking a refresh token revokes its access tokens too.

		A token that Zoho no longer knows counts as revoked.

		Raises:
			OAuthError: Zoho refused.
			TokenThrottled: too many requests for tokens.
			Unavailable: no usable answer.
		"""
		self._transport.exchange(
			"POST",
			f"{accounts_url.rstrip('/')}/{REVOKE}",
			_read_revocation,
			endpoint=REVOKE,
			data={"token": Secret(token)},
		)

	def _tokens(self, accounts_url: str, form: Mapping[str, str], *, retry: bool) -> Tokens:
		return self._transport.exchange(
			"POST",
			f"{accounts_url.rstrip('/')}/{TOKEN}",
			_read_tokens,
			endpoint=TOKEN,
			data={"client_id": self._client_id, "client_secret": self._client_secret, **form},
			retry=retry,
		)


def _read_tokens(answer: HTTPAnswer) -> Tokens:
	"""Return the tokens of an answer. The status is ignored, because Zoho sends errors with HTTP 200 too."""
	body = parse_json(answer)
	access_token = Secret(text(body.get("access_token")) or "") if body else ""
	if body is None or not access_token:
		raise _no_token(answer, body)
	refresh_token = text(body.get("refresh_token"))
	return Tokens(
		access_token=access_token,
		refresh_token=Secret(refresh_token) if refresh_token else None,
		expires_in=_lifetime(body),
		api_domain=_gateway(body.get("api_domain")),
		scope=text(body.get("scope")) or "",
	)


def _lifetime(body: Mapping[str, Any]) -> int:
	for key in ("expires_in_sec", "expires_in"):
		seconds = number(body.get(key))
		if seconds is not None and seconds > 0:
			return int(seconds / 1000 if seconds > LONGEST_LIFETIME else seconds)
	return LIFETIME


def _gateway(value: Any) -> str | None:
	domain = text(value)
	return domain if domain and domain.startswith("https://") else None


def _no_token(answer: HTTPAnswer, body: Mapping[str, Any] | None) -> OAuthError | Unavailable:
	"""Return the error for an answer without an access token.

	Zoho sends the texts of a throttle, including its `error`, in the user's language. So a throttle is
	recognised by its status and by not being one of the permanent errors. It must not be taken for a lost
	connection: the user would be asked to authorise again, which requests even more tokens.
	"""
	status = answer.status
	wait = retry_after(answer.headers)
	if body is not None:
		error = (text(body.get("error")) or "").strip()
		if error in PERMANENT:
			return ReauthorizationRequired(PERMANENT[error], error, endpoint=TOKEN, status=status)
		throttled = (
			text(body.get("status")) == "failure" or error.casefold().replace(" ", "_") == "access_denied"
		)
		if throttled or status == 429:
			said = text(body.get("error_description")) or "Zoho issues no more tokens for the moment"
			seconds = TOKEN_LOCK_SECONDS if wait is None else wait
			return TokenThrottled(said[:300], seconds, endpoint=TOKEN, code=error or None, status=status)
		said = f"no access token in the answer{f': {error[:100]}' if error else ''}"
		return Unavailable(said, wait, endpoint=TOKEN, status=status)
	if status == 429:
		seconds = TOKEN_LOCK_SECONDS if wait is None else wait
		return TokenThrottled(
			"Zoho issues no more tokens for the moment", seconds, endpoint=TOKEN, status=status
		)
	what = "a web page" if "<" in answer.text[:100] else "nothing"
	return Unavailable(f"{what} instead of tokens", wait, endpoint=TOKEN, status=status)


def _read_revocation(answer: HTTPAnswer) -> None:
	if answer.status == 429:
		wait = retry_after(answer.headers)
		raise TokenThrottled(
			"Zoho limits requests for tokens", TOKEN_LOCK_SECONDS if wait is None else wait, endpoint=REVOKE
		)
	raise_for_status(answer, REVOKE)
	body = parse_json(answer) or {}
	error = text(body.get("error")) or ""
	if body.get("status") == "failure" and not error.casefold().startswith("invalid"):
		said = text(body.get("error_description")) or "Zoho limits requests for tokens"
		raise TokenThrottled(redact(said[:300]), endpoint=REVOKE, code=error or None, status=answer.status)
	if answer.status not in (200, 400):
		raise OAuthError("the token was not revoked", endpoint=REVOKE, status=answer.status)
