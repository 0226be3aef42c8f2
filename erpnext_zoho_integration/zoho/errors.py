"""What can go wrong between us and Zoho, told apart by what the caller should do about it.

Every class answers one question in its `action` attribute:

- `"stop"`: somebody has to change something (settings, rights, this program); stop and tell them.
- `"wait"`: try again later; `retry_after` says when, if it is known.
- `"skip"`: leave out what was asked for (one campaign, one action of it), list it, go on. Where there
  is nothing to leave out (the list of campaigns itself), the run has failed.

Messages are redacted when the error is made, so `str(error)` can be logged and shown.
"""

from typing import ClassVar, Final, Literal

from .redaction import redact

Action = Literal["stop", "wait", "skip"]

# Zoho: "that API is locked for 30 minutes" (every read page of its developer guide).
LOCK_SECONDS: Final = 1800.0
# "10 access tokens per refresh token in 10 minutes", then blocked for the rest of them
# (https://www.zoho.com/accounts/protocol/oauth/web-apps/access-token-expiry.html).
TOKEN_LOCK_SECONDS: Final = 600.0


class ZohoError(Exception):
	"""Anything Zoho, or the way to Zoho, did not do as asked.

	Args:
		message: What happened, in plain English. Redacted here.
		endpoint: The API method, for example `recentcampaigns`.
		code: Zoho's own code as text, for example `"6101"`.
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
	"""The access token was not accepted (HTTP 401 or code 1007), also after one refresh.

	Zoho answers alike for an expired token, a missing scope, revoked access and another data centre.
	"""


class AccountError(ZohoError):
	"""The Zoho account itself cannot use Zoho Campaigns (not active, unknown, over its contact limit)."""


class PermissionDenied(ZohoError):
	"""The Zoho user who authorised the connection may not do this."""


class InvalidRequest(ZohoError):
	"""We asked for something that does not exist or left something out: a mistake in this program."""


class _Locked(ZohoError):
	"""Zoho was asked too often; `retry_after` is the number of seconds to stay away."""

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
	"""Zoho counted too many calls; `retry_after` is the number of seconds to stay away from `endpoint`."""

	lock_seconds: ClassVar[float] = LOCK_SECONDS


class Unavailable(ZohoError):
	"""Zoho did not answer, or answered that it cannot just now; already retried a few times.

	`retry_after` is in seconds, or None where Zoho gave no time. `sent` is False if the request certainly
	never left, so that even a request that must not be repeated can be.
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
	"""What was asked for has been deleted or never existed."""

	action: ClassVar[Action] = "skip"


class CampaignUnavailable(RecordUnavailable):
	"""The campaign was deleted, is not sent yet, or its key is unknown."""


class UnknownRefusal(ZohoError):
	"""Zoho refused with a code that its catalogue does not explain for this endpoint."""

	action: ClassVar[Action] = "skip"


class PageTooLarge(ZohoError):
	"""More rows were asked for than Zoho (code 6502) or our own size limit allows in one answer."""


class MalformedAnswer(ZohoError):
	"""An answer that is neither data nor an error we can read; already asked again a few times."""

	action: ClassVar[Action] = "skip"


class PagingError(ZohoError):
	"""Paging would not end: Zoho repeated a page, or the cap on pages was reached."""

	action: ClassVar[Action] = "skip"


class OAuthError(ZohoError):
	"""Connecting to Zoho, or staying connected, failed."""


class AuthorizationRefused(OAuthError):
	"""Zoho sent the browser back without a usable code; `error` is the word Zoho gave."""

	def __init__(self, message: str, error: str = "", *, endpoint: str | None = None) -> None:
		super().__init__(message, endpoint=endpoint, code=error or None)
		self.error = redact(error)


class ReauthorizationRequired(OAuthError):
	"""The connection is over until somebody changes the settings or authorises again.

	`reason` is Zoho's code: `invalid_code` (expired or used code, or a revoked refresh token),
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
	"""Zoho issues no more tokens for now; asking again keeps it closed for longer.

	The connection itself is fine. `retry_after` is in seconds.
	"""

	lock_seconds: ClassVar[float] = TOKEN_LOCK_SECONDS
