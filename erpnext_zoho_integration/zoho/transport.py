"""HTTP to Zoho: the only module that makes requests.

It handles time-outs, retries, back-off and sizes, and does not interpret answers. The caller passes a `read`
function that turns an answer into a result or an error. So an HTTP 200 that says "try again" is retried by
the same rules as a lost connection.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Final, TypeVar
from urllib.parse import urlsplit

import requests
import tenacity
import urllib3

from .errors import (
	LOCK_SECONDS,
	MalformedAnswer,
	PageTooLarge,
	RateLimited,
	Unavailable,
	ZohoError,
)

T = TypeVar("T")

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT: Final = 5.0
# Longest pause between two attempts, in seconds.
MAX_WAIT: Final = 30.0
MAX_BODY: Final = 32 * 1024 * 1024
CHUNK: Final = 64 * 1024
USER_AGENT: Final = "erpnext-zoho-integration"


@dataclass(frozen=True, slots=True, repr=False)
class HTTPAnswer:
	"""An answer: status, headers (names in lower case) and the whole decoded body."""

	status: int
	headers: Mapping[str, str]
	body: bytes

	@property
	def text(self) -> str:
		"""Return the body as UTF-8, whatever charset the headers give; broken bytes are replaced."""
		return self.body.decode("utf-8-sig", errors="replace")

	def __repr__(self) -> str:
		# The body may contain tokens or personal data.
		return f"<HTTPAnswer {self.status}, {len(self.body)} bytes>"


def retry_after(headers: Mapping[str, str]) -> float | None:
	"""Return the seconds of a `Retry-After` header (a number or an HTTP date); None if there is none."""
	value = headers.get("retry-after", "").strip()
	if not value:
		return None
	try:
		seconds = float(value)
	except ValueError:
		try:
			moment = parsedate_to_datetime(value)
		except (TypeError, ValueError):
			return None
		if moment.tzinfo is None:
			moment = moment.replace(tzinfo=timezone.utc)
		seconds = (moment - datetime.now(timezone.utc)).total_seconds()
	return max(0.0, seconds) if seconds < float("inf") else None


def raise_for_status(answer: HTTPAnswer, endpoint: str) -> None:
	"""Raise for a status that means "not now" (408, 429, 5xx) or "elsewhere" (3xx); else return.

	Raises:
		RateLimited: 429.
		Unavailable: 408 or 5xx.
		MalformedAnswer: 3xx; redirects are not followed.
	"""
	status = answer.status
	if status == 429:
		seconds = retry_after(answer.headers)
		raise RateLimited(
			"Zoho limits the number of calls",
			LOCK_SECONDS if seconds is None else seconds,
			endpoint=endpoint,
			status=status,
		)
	if status == 408 or status >= 500:
		raise Unavailable(
			"Zoho cannot answer at the moment", retry_after(answer.headers), endpoint=endpoint, status=status
		)
	if 300 <= status < 400:
		host = urlsplit(answer.headers.get("location", "")).hostname or "another page"
		raise MalformedAnswer(
			f"redirected to {host}, which is not followed", endpoint=endpoint, status=status
		)


class Transport:
	"""Send requests with time-outs and bounded retries, and count them. Threads may share an instance.

	If Zoho asks for a longer pause than `MAX_WAIT`, the error is raised at once and carries the time in
	`retry_after`. A proxy that the environment names (`HTTPS_PROXY`, `NO_PROXY`) is used.

	Args:
		read_timeout: Seconds to wait for the next bytes.
		total_timeout: Seconds that a whole answer may take.
		attempts: Number of times one request is sent at most.
		max_body: Largest size of an answer, in bytes.
		sleep: Waits the given seconds.
		before_call: Called with the endpoint before every attempt. It may wait, or refuse by raising.
		on_limit: Called with the error of a call that Zoho refused because there were too many.
		clock: A monotonic clock, in seconds.

	Attributes:
		calls: Number of requests sent, including retries, which Zoho counts too.
	"""

	def __init__(
		self,
		*,
		read_timeout: float = 30.0,
		total_timeout: float = 90.0,
		attempts: int = 4,
		max_body: int = MAX_BODY,
		sleep: Callable[[float], None] = time.sleep,
		before_call: Callable[[str], None] | None = None,
		on_limit: Callable[[RateLimited], None] | None = None,
		clock: Callable[[], float] = time.monotonic,
	) -> None:
		self.calls = 0
		self._session = _session()
		self._timeout = (CONNECT_TIMEOUT, read_timeout)
		self._total_timeout = total_timeout
		self._attempts = attempts
		self._max_body = max_body
		self._sleep = sleep
		self._before_call = before_call
		self._on_limit = on_limit
		self._clock = clock
		self._counting = threading.Lock()
		self._back_off = tenacity.wait_exponential(multiplier=0.5, max=MAX_WAIT) + tenacity.wait_random(
			0, 0.5
		)

	def exchange(
		self,
		method: str,
		url: str,
		read: Callable[[HTTPAnswer], T],
		*,
		endpoint: str,
		params: Mapping[str, str] | None = None,
		data: Mapping[str, str] | None = None,
		headers: Mapping[str, str] | None = None,
		retry: bool = True,
		before: Callable[[], None] | None = None,
	) -> T:
		"""Send one request and return the result of `read`; try again if that can help.

		Args:
			method: `GET` or `POST`.
			url: Without a query.
			read: Returns the result or raises a `ZohoError`.
			endpoint: The API method, for errors and `before_call`.
			params: The query. It must not contain a secret, because URLs appear in logs.
			data: Form fields of the body; secrets belong here.
			headers: Request headers.
			retry: False for a request that must not reach Zoho twice. It is repeated only if it certainly
				never left this machine.
			before: Called right before every attempt, after `before_call`. It may refuse by raising.

		Raises:
			Unavailable: no usable answer after all attempts.
			RateLimited: Zoho asks to wait for longer than `MAX_WAIT`.
			PageTooLarge: the answer is larger than `max_body`.
			ZohoError: whatever `read` raises.
		"""

		def attempt() -> T:
			return read(self._once(method, url, endpoint, params, data, headers))

		def announce(_: tenacity.RetryCallState) -> None:
			if self._before_call:
				self._before_call(endpoint)
			if before:
				before()

		retrying = tenacity.Retrying(
			sleep=self._sleep,
			stop=tenacity.stop_after_attempt(self._attempts),
			wait=self._pause,
			retry=tenacity.retry_if_exception(lambda error: self._worth_repeating(error, retry)),
			before=announce,
			before_sleep=_log_retry,
			reraise=True,
		)
		try:
			answer: T = retrying(attempt)
		except RateLimited as error:
			if self._on_limit:
				self._on_limit(error)
			raise
		return answer

	def _worth_repeating(self, error: BaseException, retry: bool) -> bool:
		if isinstance(error, Unavailable):
			if error.retry_after is not None and error.retry_after > MAX_WAIT:
				return False
			return retry or not error.sent
		if isinstance(error, RateLimited):
			return retry and error.retry_after <= MAX_WAIT
		return retry and isinstance(error, MalformedAnswer)

	def _pause(self, state: tenacity.RetryCallState) -> float:
		error = state.outcome.exception() if state.outcome else None
		seconds = getattr(error, "retry_after", None)
		return float(self._back_off(state) if seconds is None else seconds)

	def _once(
		self,
		method: str,
		url: str,
		endpoint: str,
		params: Mapping[str, str] | None,
		data: Mapping[str, str] | None,
		headers: Mapping[str, str] | None,
	) -> HTTPAnswer:
		with self._counting:
			self.calls += 1
		deadline = self._clock() + self._total_timeout
		failure: ZohoError
		try:
			with self._session.request(
				method,
				url,
				params=params,
				data=data,
				headers=headers,
				timeout=self._timeout,
				allow_redirects=False,
				stream=True,
				auth=_keep_our_header,
			) as response:
				body = self._body(response, endpoint, deadline)
				lower = {name.lower(): value for name, value in response.headers.items()}
				return HTTPAnswer(response.status_code, lower, body)
		except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, ValueError) as error:
			failure = _lost(error, endpoint)
		# Raised outside the handler: the original error shows the URL, and its frames show the headers.
		raise failure

	def _body(self, response: requests.Response, endpoint: str, deadline: float) -> bytes:
		chunks: list[bytes] = []
		size = 0
		for chunk in _arriving(response):
			size += len(chunk)
			if size > self._max_body:
				raise PageTooLarge(
					f"the answer is larger than {self._max_body} bytes",
					endpoint=endpoint,
					status=response.status_code,
				)
			if self._clock() > deadline:
				raise Unavailable(
					f"the answer was not complete after {self._total_timeout:g} s", endpoint=endpoint
				)
			chunks.append(chunk)
		return b"".join(chunks)


def _session() -> requests.Session:
	session = requests.Session()
	session.headers["User-Agent"] = USER_AGENT
	session.headers["Accept"] = "application/json"
	# The token alone identifies us; cookies are not kept.
	session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
	return session


def _keep_our_header(request: requests.PreparedRequest) -> requests.PreparedRequest:
	# If a request has no `auth`, requests replaces the Authorization header by a login from ~/.netrc.
	return request


def _arriving(response: requests.Response) -> Iterator[bytes]:
	"""Yield the decoded body as it arrives, so that a slow drip is noticed between two bytes."""
	raw = response.raw
	raw.enforce_content_length = True  # off by default before urllib3 2, which then accepts half an answer
	if hasattr(raw, "read1"):  # urllib3 2.1 and later
		while chunk := raw.read1(CHUNK, decode_content=True):
			yield chunk
	else:
		yield from raw.stream(1024, decode_content=True)


def _lost(error: Exception, endpoint: str) -> ZohoError:
	"""Turn a failure of the connection into a `ZohoError` that has no URL or header in its text."""
	if isinstance(error, requests.exceptions.ConnectTimeout):
		return Unavailable("no connection within the time-out", sent=False, endpoint=endpoint)
	if isinstance(error, requests.exceptions.Timeout | urllib3.exceptions.TimeoutError):
		return Unavailable("no answer within the time-out", endpoint=endpoint)
	if isinstance(error, requests.exceptions.SSLError | urllib3.exceptions.SSLError):
		return Unavailable("no secure connection (certificate or TLS)", sent=False, endpoint=endpoint)
	if isinstance(error, requests.exceptions.ConnectionError):
		reason = getattr(error.args[0], "reason", None) if error.args else None
		if isinstance(reason, urllib3.exceptions.NewConnectionError):
			return Unavailable("no connection (is the host reachable?)", sent=False, endpoint=endpoint)
		return Unavailable("the connection was lost", endpoint=endpoint)
	broken = urllib3.exceptions.ProtocolError | urllib3.exceptions.DecodeError
	if isinstance(error, requests.exceptions.ChunkedEncodingError | broken):
		return Unavailable("the answer broke off", endpoint=endpoint)
	return ZohoError(f"the request could not be made ({type(error).__name__})", endpoint=endpoint)


def _log_retry(state: tenacity.RetryCallState) -> None:
	error = state.outcome.exception() if state.outcome else None
	pause = state.next_action.sleep if state.next_action else 0.0
	logger.warning("attempt %d failed, next in %.1f s: %s", state.attempt_number, pause, error)
