"""Decide what an answer of the Campaigns API means: success, empty, or one of the errors.

Zoho wraps most errors in HTTP 200, reports "nothing there" as an error code, and uses one code for several
meanings. Therefore endpoint, code, message and HTTP status are read together. Only this module does so.

ref: https://www.zoho.com/campaigns/help/developers/error-codes.html and the page of each endpoint
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from xml.etree import ElementTree

from .error_codes import (
	ACCOUNT,
	BUG,
	CAMPAIGN_ENDPOINTS,
	CONTACT_LISTS,
	EMPTY,
	GONE,
	LIMIT_CODES,
	LIST_ENDPOINTS,
	LIST_GONE,
	PERMISSION,
	TRANSIENT,
	WRITES,
	Meaning,
)
from .errors import (
	LOCK_SECONDS,
	AccountError,
	AddressRefused,
	AuthenticationError,
	CampaignUnavailable,
	ContactLimitReached,
	InvalidRequest,
	ListUnavailable,
	MalformedAnswer,
	PageTooLarge,
	PermissionDenied,
	RateLimited,
	RecordUnavailable,
	Unavailable,
	UnknownRefusal,
	ZohoError,
)
from .redaction import Secret
from .transport import HTTPAnswer, raise_for_status, retry_after

Json = dict[str, Any]

# 3023 and 6201 are "Success" in the catalogue and errors on two pages of the documentation, so they are not
# in this set: with them, only `status: success` means success.
SUCCESS: Final = frozenset({"", "0", "200"})

_LIMIT_TEXT = re.compile(
	r"THROTTL|rate limit|calls? limit|too many (?:requests|calls)|limit exceeded|try again after \d+ ", re.I
)

# The error for each meaning of a code at an endpoint that writes, and its text if Zoho sends none.
_WRITE_ERRORS: Final[Mapping[Meaning, tuple[type[ZohoError], str]]] = {
	"address": (AddressRefused, "Zoho does not take this address"),
	"list": (ListUnavailable, "the list is deleted or unknown to Zoho"),
	"contact limit": (ContactLimitReached, "the Zoho account takes no more contacts"),
	"try again": (Unavailable, "Zoho asks to try again later"),
	"bug": (InvalidRequest, "Zoho does not understand the request"),
}

_AGAIN = re.compile(r"try again (?:after|in) (\d+) *(second|minute|hour)", re.I)
_SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0}
_SURROGATE_OR_NUL = re.compile(rb"\\u(?:[dD][89a-fA-F]|0000)")


class EmptyAnswer(dict[str, Any]):
	"""An empty mapping for an answer without data: Zoho had nothing to list, which is not an error.

	Attributes:
		code: Zoho's code, for example `"6303"`.
		message: Zoho's text.
	"""

	def __init__(self, code: str = "", message: str = "") -> None:
		super().__init__()
		self.code = code
		self.message = message


@dataclass(frozen=True, slots=True)
class _Refusal:
	"""Code and message of an error envelope. Zoho's words may name somebody, so they are not in the `repr`."""

	code: str
	message: str = field(repr=False)

	def says(self, *words: str) -> bool:
		"""Tell whether the message contains one of these words, in any case of letters."""
		message = self.message.casefold()
		return any(word in message for word in words)


def interpret(endpoint: str, answer: HTTPAnswer) -> Json:
	"""Return the parsed JSON of a successful answer, or an `EmptyAnswer`; raise for everything else.

	Args:
		endpoint: The API method that was called, for example `getcampaignrecipientsdata`.
		answer: Status, headers and body.

	Raises:
		ZohoError: the subclass that tells the caller what to do; see `errors`.
	"""
	body = parse_json(answer)
	if body is None:
		return _not_json(endpoint, answer)
	body = _unwrap(body)
	refusal = _refusal(body)
	if refusal is None and 200 <= answer.status < 300:
		return body
	refusal = refusal or _Refusal("", str(body.get("message") or ""))
	del body  # error reports print the variables of a frame
	return _refused(endpoint, answer, refusal)


def parse_json(answer: HTTPAnswer) -> Json | None:
	"""Return the JSON object in the body, or None if there is none.

	No database stores half a surrogate pair or a NUL: the first is replaced, the second dropped.
	"""
	try:
		body = json.loads(answer.text)
	except (ValueError, RecursionError):
		return None
	if not isinstance(body, dict):
		return None
	storable: Json = _storable(body) if _SURROGATE_OR_NUL.search(answer.body) else body
	return storable


def _storable(value: Any) -> Any:
	if isinstance(value, str):
		return value.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
	if isinstance(value, list):
		return [_storable(item) for item in value]
	if isinstance(value, dict):
		return {_storable(key): _storable(item) for key, item in value.items()}
	return value


def _unwrap(body: Json) -> Json:
	inner = body.get("response")
	return inner if isinstance(inner, dict) and not {"status", "code", "Code"} & body.keys() else body


def _text(value: Any) -> str:
	return "" if value is None else str(value).strip()


def _refusal(body: Json) -> _Refusal | None:
	"""Return the error in an envelope, in any of its shapes, or None for a success."""
	status = _text(body.get("status")).casefold()
	error = body.get("error")
	if isinstance(error, dict):
		details = error.get("details")
		message = _text(details.get("message")) if isinstance(details, dict) else _text(error.get("message"))
		title = _text(error.get("title"))
		return _Refusal(title or _text(error.get("status_code") or error.get("code")), message)
	code = _text(body.get("code", body.get("Code")))
	message = _text(body.get("message", body.get("Message")))
	if isinstance(error, str) and error and status != "success":
		return _Refusal(code or error, message or _text(body.get("error_description")) or error)
	if status in {"error", "failure", "failed"}:
		return _Refusal(code, message)
	if code in SUCCESS or (status == "success" and not _is_known_error(code)):
		return None
	return _Refusal(code, message)


def _is_known_error(code: str) -> bool:
	known = (LIMIT_CODES, TRANSIENT, ACCOUNT, PERMISSION, GONE, BUG, {"401", "1007", "6502"})
	return any(code in codes for codes in known) or any(code in codes for codes in EMPTY.values())


def _not_json(endpoint: str, answer: HTTPAnswer) -> Json:
	text = Secret(answer.text.strip())  # error reports print the variables of a frame
	envelope = _xml_envelope(text)
	if envelope is not None:
		refusal = _xml_refusal(envelope)
		if refusal:
			del envelope
			return _refused(endpoint, answer, refusal)
		if endpoint in WRITES and 200 <= answer.status < 300:
			return envelope  # it is done; what was asked for is no data
	if answer.status == 401:
		raise AuthenticationError("Zoho did not accept the access token", endpoint=endpoint, status=401)
	if not (text.startswith("{") and answer.status < 400):  # a truncated answer may contain any words
		_raise_if_limited(endpoint, answer, _Refusal("", text[:2000]))
	raise_for_status(answer, endpoint)
	if answer.status >= 400:
		raise _by_status(endpoint, answer, _Refusal("", ""))
	if not text:
		raise Unavailable("an empty answer", endpoint=endpoint, status=answer.status)
	if text.startswith("<") and "<html" in text[:1000].casefold():
		raise Unavailable("a web page instead of data", endpoint=endpoint, status=answer.status)
	kind = "XML" if text.startswith("<") else "incomplete or unknown data"
	raise MalformedAnswer(f"{kind} instead of a JSON object", endpoint=endpoint, status=answer.status)


def _xml_envelope(text: str) -> Json | None:
	"""Return status, code and message of an XML envelope, or None. Zoho's answers may ignore `resfmt=JSON`."""
	if not text.startswith("<") or "<response" not in text[:500] or "<!" in text[:500]:
		return None
	try:
		root = ElementTree.fromstring(text)
	except ElementTree.ParseError:
		return None
	found = {name: (root.findtext(f".//{name}") or "").strip() for name in ("status", "code", "message")}
	return {name: value for name, value in found.items() if value}


def _xml_refusal(envelope: Json) -> _Refusal | None:
	status, code = envelope.get("status", "").casefold(), envelope.get("code", "")
	if status == "success" or (not status and code in SUCCESS):
		return None
	return _Refusal(code, envelope.get("message", ""))


def _refused(endpoint: str, answer: HTTPAnswer, refusal: _Refusal) -> Json:
	"""Return an `EmptyAnswer` if the refusal means "nothing there", else raise its error."""
	code = refusal.code
	meaning = WRITES.get(endpoint, {}).get(code)
	if meaning is not None and answer.status != 429 and answer.status < 500:
		kind, otherwise = _WRITE_ERRORS[meaning]
		raise _error(kind, endpoint, answer, refusal, otherwise)
	if code not in ACCOUNT:
		_raise_if_limited(endpoint, answer, refusal)
	if answer.status == 401 or code in {"401", "1007"}:
		raise _error(AuthenticationError, endpoint, answer, refusal, "Zoho did not accept the access token")
	raise_for_status(answer, endpoint)
	if _means_empty(endpoint, refusal):
		return EmptyAnswer(code, refusal.message)
	if code in TRANSIENT or (endpoint in LIST_ENDPOINTS and code == "2502"):
		raise _error(Unavailable, endpoint, answer, refusal, "Zoho asks to try again later")
	raise _permanent(endpoint, answer, refusal)


def _means_empty(endpoint: str, refusal: _Refusal) -> bool:
	if refusal.code in EMPTY.get(endpoint, ()):
		# Elsewhere in Zoho's documentation, 6303 means "User agent unknown.", 2203 "deleted", and 2502 "Error in
		# displaying contacts details. Please try after sometime."
		return not refusal.says("user agent", "delete", "privilege", "try after", "try again", "retry")
	return endpoint in CONTACT_LISTS and refusal.says("no contacts")


def _permanent(endpoint: str, answer: HTTPAnswer, refusal: _Refusal) -> ZohoError:
	code = refusal.code
	if code == "6502":
		return _error(
			PageTooLarge, endpoint, answer, refusal, "more rows were requested than Zoho returns at once"
		)
	if code == "6601" and refusal.says("less than 4", "ab campaign"):
		return _error(CampaignUnavailable, endpoint, answer, refusal, "an A/B campaign that was not sent")
	if code == "6607" and refusal.says("no content"):
		return _error(CampaignUnavailable, endpoint, answer, refusal, "a campaign without content")
	if endpoint in LIST_ENDPOINTS and code in LIST_GONE:
		return _error(ListUnavailable, endpoint, answer, refusal, "the list is deleted or unknown to Zoho")
	if code in GONE:
		kind = CampaignUnavailable if endpoint in CAMPAIGN_ENDPOINTS else RecordUnavailable
		return _error(kind, endpoint, answer, refusal, "deleted, not sent yet, or unknown to Zoho")
	if code in ACCOUNT:
		return _error(AccountError, endpoint, answer, refusal, "the Zoho account cannot use Zoho Campaigns")
	if code in PERMISSION or refusal.says("privilege"):
		return _error(PermissionDenied, endpoint, answer, refusal, "the Zoho user may not do this")
	if code in BUG:
		return _error(InvalidRequest, endpoint, answer, refusal, "Zoho does not understand the request")
	return _by_status(endpoint, answer, refusal)


def _by_status(endpoint: str, answer: HTTPAnswer, refusal: _Refusal) -> ZohoError:
	if answer.status == 403:
		return _error(PermissionDenied, endpoint, answer, refusal, "refused by Zoho")
	if answer.status >= 400:
		return _error(InvalidRequest, endpoint, answer, refusal, "Zoho does not understand the request")
	return _error(UnknownRefusal, endpoint, answer, refusal, "refused by Zoho without a reason")


def _error(
	kind: type[ZohoError], endpoint: str, answer: HTTPAnswer, refusal: _Refusal, otherwise: str
) -> ZohoError:
	message = refusal.message[:300] or otherwise
	return kind(message, endpoint=endpoint, code=refusal.code or None, status=answer.status)


def _raise_if_limited(endpoint: str, answer: HTTPAnswer, refusal: _Refusal) -> None:
	"""Raise `RateLimited` if the answer is a rate limit, in any of the shapes it may have.

	Zoho does not publish the wording that Campaigns uses. The documentation says "locked for 30 minutes";
	sibling products answer 429, 400 with "Try again after 22 minutes.", or an envelope inside HTTP 200.
	"""
	by_text = _LIMIT_TEXT.search(f"{refusal.code} {refusal.message}")
	if not (answer.status == 429 or refusal.code in LIMIT_CODES or by_text):
		return
	seconds = retry_after(answer.headers)
	stated = _AGAIN.search(refusal.message)
	if stated:
		seconds = max(seconds or 0.0, int(stated[1]) * _SECONDS[stated[2].lower()])
	message = "" if refusal.message.startswith("<") else refusal.message[:300]
	raise RateLimited(
		message or "Zoho limits the number of calls",
		LOCK_SECONDS if seconds is None else seconds,
		endpoint=endpoint,
		code=refusal.code or None,
		status=answer.status,
	)
