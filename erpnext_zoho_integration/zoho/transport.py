"""HTTP to Zoho: the only module that makes a request.

Knows time-outs, retries, back-off and sizes; does not know what an answer means. Whoever asks passes a
`read` function that turns an answer into a result or an error, so that an answer which only says "try
again" inside HTTP 200 is retried by the same rules as a lost connection.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final, TypeVar
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
from .redaction import redact

__all__ = ["HTTPAnswer", "Transport", "raise_for_status", "redact", "retry_after"]

T = TypeVar("T")

logger = logging.getLogger(__name__)

MAX_BODY: Final = 32 * 1024 * 1024
CHUNK: Final = 64 * 1024
USER_AGENT: Final = "erpnext-zoho-integration"


@dataclass(frozen=True, slots=True, repr=False)
class HTTPAnswer:
	"""What came back: status, headers (names in lower case) and the whole decoded body."""

	status: int
	headers: Mapping[str, str]
	body: bytes

	@property
	def text(self) -> str:
		"""Return the body as UTF-8, whatever the headers say; a broken byte does not cost the answer."""
		return self.body.decode("utf-8-sig", errors="replace")

	def __repr__(self) -> str:
		# The body may hold tokens or people.
		return f"<HTTPAnswer {self.status}, {len(self.body)} bytes>"


def retry_after(headers: Mapping[str, str]) -> float | None:
	"""Return the seconds of a `Retry-After` header, given as a number or as an HTTP date; else None."""
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
	"""Raise for a status that says "not now" (408, 429, 5xx) or "elsewhere" (3xx); else return."""
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


def _as_it_is(answer: HTTPAnswer, endpoint: str) -> HTTPAnswer:
	raise_for_status(answer, endpoint)
	return answer


class Transport:
	"""Send requests with time-outs, bounded retries and a memory of how many there were.

	One instance may be shared by threads.

	Args:
		session: A `requests.Session` of the caller's; by default one without cookies.
		connect_timeout: Seconds to wait for a connection.
		read_timeout: Seconds to wait for the next bytes.
		total_timeout: Seconds after which an answer that is still dripping in is given up.
		attempts: How often one call is tried altogether.
		max_wait: Longest pause between two attempts in seconds. Zoho asking for more is not waited for:
			the error is raised and carries the time in `retry_after`.
		max_body: Most bytes that one answer may have.
		sleep: Waits the given seconds.
		before_call: Called with the endpoint before every attempt; may wait, or refuse by raising.
		clock: Seconds that only ever grow.

	Attributes:
		calls: Number of requests sent, retries included (Zoho counts those too).
		calls_by_endpoint: The same for each endpoint.
	"""

	def __init__(
		self,
		*,
		session: requests.Session | None = None,
		connect_timeout: float = 5.0,
		read_timeout: float = 30.0,
		total_timeout: float = 90.0,
		attempts: int = 4,
		max_wait: float = 30.0,
		max_body: int = MAX_BODY,
		sleep: Callable[[float], None] = time.sleep,
		before_call: Callable[[str], None] | None = None,
		clock: Callable[[], float] = time.monotonic,
	) -> None:
		self.calls = 0
		self.calls_by_endpoint: Counter[str] = Counter()
		self.max_wait = max_wait
		self._session = session or _session()
		self._timeout = (connect_timeout, read_timeout)
		self._total_timeout = total_timeout
		self._attempts = attempts
		self._max_body = max_body
		self._sleep = sleep
		self._before_call = before_call
		self._clock = clock
		self._counting = threading.Lock()
		self._back_off = tenacity.wait_exponential(multiplier=0.5, max=max_wait) + tenacity.wait_random(
			0, 0.5
		)

	def send(
		self,
		method: str,
		url: str,
		*,
		endpoint: str,
		params: Mapping[str, str] | None = None,
		data: Mapping[str, str] | None = None,
		headers: Mapping[str, str] | None = None,
		retry: bool = True,
	) -> HTTPAnswer:
		"""Send one request and return its answer, whatever it says, unless its status says "not now".

		Arguments and errors as for `exchange`.
		"""
		return self.exchange(
			method,
			url,
			lambda answer: _as_it_is(answer, endpoint),
			endpoint=endpoint,
			params=params,
			data=data,
			headers=headers,
			retry=retry,
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
	) -> T:
		"""Send one request and return what `read` makes of the answer; try again where that can help.

		Args:
			method: `GET` or `POST`.
			url: Without a query.
			read: Returns the result or raises a `ZohoError`.
			endpoint: Name for errors, counting and `before_call`.
			params: The query. Never a secret: URLs end up in logs.
			data: Form fields of the body, for secrets.
			headers: Request headers.
			retry: False for a request that must not reach Zoho twice; it is then repeated only if it
				certainly never left.

		Raises:
			Unavailable: no answer, or none that is of use, after all attempts.
			RateLimited: Zoho asks to stay away for longer than `max_wait`.
			PageTooLarge: the answer is larger than `max_body`.
			ZohoError: whatever `read` raises.
		"""

		def attempt() -> T:
			return read(self._once(method, url, endpoint, params, data, headers))

		def announce(_: tenacity.RetryCallState) -> None:
			if self._before_call:
				self._before_call(endpoint)

		retrying = tenacity.Retrying(
			sleep=self._sleep,
			stop=tenacity.stop_after_attempt(self._attempts),
			wait=self._pause,
			retry=tenacity.retry_if_exception(lambda error: self._worth_repeating(error, retry)),
			before=announce,
			before_sleep=_log_retry,
			reraise=True,
		)
		answer: T = retrying(attempt)
		return answer

	def _worth_repeating(self, error: BaseException, retry: bool) -> bool:
		if isinstance(error, Unavailable):
			if error.retry_after is not None and error.retry_after > self.max_wait:
				return False
			return retry or not error.sent
		if isinstance(error, RateLimited):
			return retry and error.retry_after <= self.max_wait
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
			self.calls_by_endpoint[endpoint] += 1
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
		# Raised outside the handler: the original carries the URL and, in its frames, the headers.
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


class _Session(requests.Session):
	"""Looks into the environment for proxies and certificates once a host, not at each call."""

	def __init__(self) -> None:
		super().__init__()
		self._settings: dict[tuple[str, str], Any] = {}

	def merge_environment_settings(self, url: Any, *others: Any) -> Any:
		"""Return what applies to a request; `_once` gives the same other arguments each time."""
		scheme, host = urlsplit(url)[:2]
		if (scheme, host) not in self._settings:
			self._settings[scheme, host] = super().merge_environment_settings(url, *others)
		return self._settings[scheme, host]


def _session() -> requests.Session:
	session = _Session()
	session.headers["User-Agent"] = USER_AGENT
	session.headers["Accept"] = "application/json"
	# A token says who we are; a cookie from an earlier call must not.
	session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
	return session


def _keep_our_header(request: requests.PreparedRequest) -> requests.PreparedRequest:
	# Without an `auth` of its own, requests lets ~/.netrc replace the Authorization header.
	return request


def _arriving(response: requests.Response) -> Iterator[bytes]:
	"""Yield the decoded body as it arrives, so that a slow drip is noticed between two bytes."""
	raw = response.raw
	raw.enforce_content_length = True  # before urllib3 2, half an answer passes for a whole one
	if hasattr(raw, "read1"):  # urllib3 2.1 and later
		while chunk := raw.read1(CHUNK, decode_content=True):
			yield chunk
	else:
		yield from raw.stream(1024, decode_content=True)


def _lost(error: Exception, endpoint: str) -> ZohoError:
	"""Turn a failure on the way into an error of ours, without the URL or header in the original's text."""
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
