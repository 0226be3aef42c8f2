"""The errors of this package, grouped by what the caller should do.

The `action` of each class is one of:

- `"stop"`: a person has to change something (settings, permissions, this program); stop and tell them.
- `"wait"`: try again later, after `retry_after` seconds if that is known.
- `"skip"`: leave out the campaign or list that was requested, record that, and continue. If nothing can be
  left out (the request was for the list of campaigns), the run has failed.

Messages are redacted when an error is created, so `str(error)` is safe to log and to show.
"""

from typing import ClassVar, Final, Literal

from .redaction import redact

Action = Literal["stop", "wait", "skip"]

# "that API is locked for 30 minutes" (on the page of every read endpoint in Zoho's developer guide).
LOCK_SECONDS: Final = 1800.0
# "10 access tokens per refresh token in 10 minutes"; then Zoho issues none for the rest of that time
# (https://www.zoho.com/accounts/protocol/oauth/web-apps/access-token-expiry.html).
TOKEN_LOCK_SECONDS: Final = 600.0


class ZohoError(Exception):
	"""A request to Zoho that failed.

	Args:
		message: What happened, in plain English. It is redacted here.
		endpoint: The API method, for example `recentcampaigns`.
		code: Zoho's code as text, for example `"6101"`.
		status: The HTTP status.
	"""

	action: ClassVar[Action] = "stop"

	def __init__(
		self,
		message: str,
		*,
		endpoint: str | None = None,
		code: str | None = None,
		status: int | None = None,
	) -> None:
		self.message = redact(message)
		self.endpoint = endpoint
		self.code = code
		self.status = status
		super().__init__(self.message)

	def __str__(self) -> str:
		details = []
		if self.code:
			details.append(f"code {self.code}")
		if self.status:
			details.append(f"HTTP {self.status}")
		text = f"{self.endpoint}: {self.message}" if self.endpoint else self.message
		return redact(f"{text} ({', '.join(details)})" if details else text)


class AuthenticationError(ZohoError):
	"""Zoho did not accept the access token (HTTP 401 or code 1007), even after one refresh.

	Zoho gives the same answer for an expired token, a missing scope, revoked access and a wrong data centre.
	"""


class AccountError(ZohoError):
	"""The Zoho account itself cannot use Zoho Campaigns (not active, unknown, over its contact limit)."""


class ContactLimitReached(AccountError):
	"""The plan of the Zoho account takes no more contacts."""


class PermissionDenied(ZohoError):
	"""The Zoho user who authorised the connection may not do this."""


class InvalidRequest(ZohoError):
	"""The request names something that does not exist or lacks something: a bug in this program."""


class _Locked(ZohoError):
	"""Too many requests; `retry_after` is the number of seconds to wait."""

	action: ClassVar[Action] = "wait"
	lock_seconds: ClassVar[float]

	def __init__(
		self,
		message: str,
		retry_after: float | None = None,
		*,
		endpoint: str | None = None,
		code: str | None = None,
		status: int | None = None,
	) -> None:
		super().__init__(message, endpoint=endpoint, code=code, status=status)
		self.retry_after = float(self.lock_seconds if retry_after is None else retry_after)


class RateLimited(_Locked):
	"""Too many calls; `retry_after` is the number of seconds in which `endpoint` must not be called."""

	lock_seconds: ClassVar[float] = LOCK_SECONDS


class Unavailable(ZohoError):
	"""Zoho did not answer, or answered that it is unavailable; retries have failed.

	`retry_after` is in seconds, or None if Zoho gave no time. `sent` is False if the request certainly never
	left this machine; then even a request that must not reach Zoho twice can be repeated.
	"""

	action: ClassVar[Action] = "wait"

	def __init__(
		self,
		message: str,
		retry_after: float | None = None,
		*,
		sent: bool = True,
		endpoint: str | None = None,
		code: str | None = None,
		status: int | None = None,
	) -> None:
		super().__init__(message, endpoint=endpoint, code=code, status=status)
		self.retry_after = retry_after
		self.sent = sent


class RecordUnavailable(ZohoError):
	"""The requested record has been deleted or never existed."""

	action: ClassVar[Action] = "skip"


class CampaignUnavailable(RecordUnavailable):
	"""The campaign was deleted, has not been sent yet, or its key is unknown."""


class ListUnavailable(RecordUnavailable):
	"""The mailing list was deleted, or its key is unknown."""


class AddressRefused(ZohoError):
	"""Zoho does not take this one e-mail address; `code` says why, and trying again does not help.

	`2004`: not an address; `2005`: of a group, such as info@; `2006`: in Do-Not-Mail; `2007`: refused;
	`2103`: no contact has it.
	"""

	action: ClassVar[Action] = "skip"


class UnknownRefusal(ZohoError):
	"""Zoho refused with a code that its error catalogue does not explain for this endpoint."""

	action: ClassVar[Action] = "skip"


class PageTooLarge(ZohoError):
	"""The request was for more rows than Zoho (code 6502) or our own size limit allows in one answer."""


class MalformedAnswer(ZohoError):
	"""The answer is neither data nor a known error; retries have failed."""

	action: ClassVar[Action] = "skip"


class PagingError(ZohoError):
	"""A list has no end: Zoho repeated a page, or the largest number of pages was reached."""

	action: ClassVar[Action] = "skip"


class OAuthError(ZohoError):
	"""A request for tokens, or the consent before it, failed."""


class AuthorizationRefused(OAuthError):
	"""Zoho sent the browser back without a usable code; `error` is Zoho's word for the reason."""

	def __init__(self, message: str, error: str = "", *, endpoint: str | None = None) -> None:
		super().__init__(message, endpoint=endpoint, code=error or None)
		self.error = redact(error)


class ReauthorizationRequired(OAuthError):
	"""The connection does not work until a person changes the settings or authorises again.

	`reason` is Zoho's code: `invalid_code` (an expired or used code, or a revoked refresh token),
	`invalid_client`, `invalid_client_secret`, `invalid_redirect_uri` and the like.
	"""

	def __init__(
		self,
		message: str,
		reason: str = "",
		*,
		endpoint: str | None = None,
		status: int | None = None,
	) -> None:
		super().__init__(message, endpoint=endpoint, code=reason or None, status=status)
		self.reason = reason


class TokenThrottled(_Locked, OAuthError):
	"""Zoho issues no tokens for some time; further requests prolong it.

	The connection still works afterwards. `retry_after` is in seconds.
	"""

	lock_seconds: ClassVar[float] = TOKEN_LOCK_SECONDS
