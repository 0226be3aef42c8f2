"""The endpoints of the Zoho Campaigns API, version 1.1, and paging through their lists.

One request of each kind per method; lists come as generators of pages, so that memory stays flat.

ref: https://www.zoho.com/campaigns/help/developers/
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

from .answers import EmptyAnswer, Json, interpret
from .errors import AuthenticationError, InvalidRequest, MalformedAnswer, PageTooLarge, PagingError
from .records import ACTIONS, BadRecord, Campaign, CampaignDetails, Page, Recipient, Report
from .redaction import Secret
from .transport import HTTPAnswer, Transport
from .values import count, first, rows

T = TypeVar("T")

API: Final = "api/v1.1"
# Seen to work for every list; the largest page that Zoho accepts is not published.
PAGE_SIZE: Final = 200
# A list that is still not at its end after so many pages is taken for one without an end.
MAX_PAGES: Final = 100_000

_ENDPOINT = re.compile(r"[A-Za-z]+(?:/[A-Za-z]+)*")
# Everything but this endpoint takes `resfmt`; unknown parameters are refused with code 1002.
_FORMAT: Final[Mapping[str, Mapping[str, str]]] = {"contact/allfields": {"type": "json"}}
_JSON: Final[Mapping[str, str]] = {"resfmt": "JSON"}
_ECHO = re.compile(r"\brange=(\d+)")


class CampaignsClient:
	"""Read one Zoho Campaigns account.

	Args:
		base_url: Origin of the Campaigns API, from the table of data centres.
		token_provider: Returns an access token; asked before every call, so it should keep one.
		transport: Sends the requests.
		refresh: Given a token that was refused, returns another. Used at most once per call.
		page_size: Rows to ask for at once.
		max_pages: Cap on the pages of one list.

	Attributes:
		page_limits: For each endpoint that refused a page size (code 6502) the size it is now asked for at
			most. May be kept and set again, to spare the next client the refusals.
	"""

	def __init__(
		self,
		base_url: str,
		token_provider: Callable[[], str],
		transport: Transport,
		*,
		refresh: Callable[[str], str] | None = None,
		page_size: int = PAGE_SIZE,
		max_pages: int = MAX_PAGES,
	) -> None:
		self.page_size = page_size
		self.page_limits: dict[str, int] = {}
		self._base_url = base_url.rstrip("/")
		self._token = token_provider
		self._transport = transport
		self._refresh = refresh
		self._max_pages = max_pages
		self._refresh_is_futile = False

	def call(
		self,
		endpoint: str,
		params: Mapping[str, Any] | None = None,
		method: str = "GET",
		data: Mapping[str, Any] | None = None,
	) -> Json:
		"""Call one method of the API and return its parsed JSON.

		After HTTP 401 or code 1007 the token is refreshed once and the call repeated once.

		Args:
			endpoint: Name of the method, for example `recentcampaigns`.
			params: Go into the query, also for POST, as Zoho reads them there. None values are left out.
			method: `GET` or `POST`; only a GET is repeated after a failure.
			data: Form fields of the body. Zoho does not document reading any.

		Returns:
			The answer, or an empty `EmptyAnswer` where Zoho has nothing to list.

		Raises:
			ZohoError: the subclass that says what to do.
		"""
		if not _ENDPOINT.fullmatch(endpoint) or method not in ("GET", "POST"):
			raise InvalidRequest(f"not a method of the API: {method} {endpoint[:60]}")
		token = Secret(self._token())
		try:
			answer = self._send(endpoint, params, method, data, token)
		except AuthenticationError:
			if self._refresh is None or self._refresh_is_futile:
				raise
			token = Secret(self._refresh(token))
			try:
				answer = self._send(endpoint, params, method, data, token)
			except AuthenticationError:
				# A new token does not help; Zoho gives only a few, so ask for no more of them.
				self._refresh_is_futile = True
				raise
		self._refresh_is_futile = False
		return answer

	def campaign_page(
		self, from_index: int = 1, page_size: int | None = None, *, status: str = "sent"
	) -> Page[Campaign]:
		"""Return one page of campaigns, the newest first.

		ref: https://www.zoho.com/campaigns/help/developers/recent-campaign.html
		"""
		params = {"status": status, "sort": "desc"}
		return self._page(
			"recentcampaigns", params, "recent_campaigns", Campaign.from_zoho, from_index, page_size
		)

	def campaign_pages(self, status: str = "sent", page_size: int | None = None) -> Iterator[Page[Campaign]]:
		"""Yield all campaigns of the account, of all its users, the newest first, page by page.

		Args:
			status: Zoho's filter: `sent`, `drafts`, `scheduled`, `all`, … What comes is Zoho's answer to it;
				check `Campaign.is_sent` as well.
			page_size: Rows per page; by default the client's.

		Raises:
			PagingError: Zoho repeats a page, or there is no end.
		"""
		return self._pages(
			"recentcampaigns",
			lambda start, size: self.campaign_page(start, size, status=status),
			1,
			page_size,
		)

	def report(self, campaign_key: str) -> Report:
		"""Return the figures of a campaign.

		Raises:
			CampaignUnavailable: deleted, not sent, or unknown.

		ref: https://www.zoho.com/campaigns/help/developers/campaign-reports.html
		"""
		return Report.from_zoho(self.call("campaignreports", {"campaignkey": campaign_key}))

	def campaign_details(self, campaign_key: str, campaign_type: str | None = "normal") -> CampaignDetails:
		"""Return a campaign's details, for an A/B test with its child campaigns.

		Args:
			campaign_key: The campaign's.
			campaign_type: `Campaign.type`. Zoho leaves out an A/B test's figures for a wrong one.

		Raises:
			CampaignUnavailable: deleted or unknown.

		ref: https://www.zoho.com/campaigns/help/api/campaign-details.html
		"""
		params = {"campaignkey": campaign_key, "campaigntype": (campaign_type or "normal").lower()}
		return CampaignDetails.from_zoho(campaign_key, self.call("getcampaigndetails", params))

	def recipient_page(
		self, campaign_key: str, action: str, from_index: int = 1, page_size: int | None = None
	) -> Page[Recipient]:
		"""Return one page of the recipients in one of the nine lists of `ACTIONS`.

		ref: https://www.zoho.com/campaigns/help/developers/campaign-recipient-data.html
		"""
		if action not in ACTIONS:
			raise InvalidRequest(f"unknown action {action[:60]!r}; Zoho knows {', '.join(ACTIONS)}")
		params = {"campaignkey": campaign_key, "action": action}
		return self._page(
			"getcampaignrecipientsdata", params, "list_of_details", Recipient.from_zoho, from_index, page_size
		)

	def recipient_pages(
		self, campaign_key: str, action: str, *, from_index: int = 1, page_size: int | None = None
	) -> Iterator[Page[Recipient]]:
		"""Yield the recipients in one of the nine lists of `ACTIONS`, page by page.

		Zoho takes no snapshot: while the pages are read, rows may move to another one and come twice.

		Args:
			campaign_key: The campaign's, or a child's of an A/B test.
			action: For example `openedcontacts`.
			from_index: Position to begin at, from 1; `Page.next_index` of an earlier run resumes it.
			page_size: Rows per page; by default the client's.

		Raises:
			CampaignUnavailable: deleted, not sent, or unknown.
			PagingError: Zoho repeats a page, or there is no end.
		"""
		return self._pages(
			"getcampaignrecipientsdata",
			lambda start, size: self.recipient_page(campaign_key, action, start, size),
			from_index,
			page_size,
		)

	def _send(
		self,
		endpoint: str,
		params: Mapping[str, Any] | None,
		method: str,
		data: Mapping[str, Any] | None,
		token: Secret,
	) -> Json:
		def read(answer: HTTPAnswer) -> Json:
			return interpret(endpoint, answer)

		return self._transport.exchange(
			method,
			f"{self._base_url}/{API}/{endpoint}",
			read,
			endpoint=endpoint,
			params={**_FORMAT.get(endpoint, _JSON), **_texts(params)},
			data=_texts(data) or None,
			headers={"Authorization": Secret(f"Zoho-oauthtoken {token}")},
			retry=method == "GET",
		)

	def _page(
		self,
		endpoint: str,
		params: Mapping[str, str],
		key: str,
		read: Callable[[Any], T | BadRecord],
		from_index: int,
		page_size: int | None,
	) -> Page[T]:
		"""Return the page at `from_index`, asking for fewer rows as long as Zoho says they are too many."""
		from_index = max(1, from_index)  # 0 is taken for 1, and the next page would overlap by a row
		size = max(1, page_size or self.page_size)
		size = min(size, self.page_limits.get(endpoint, size))
		while True:
			try:
				answer = self.call(endpoint, {**params, "fromindex": from_index, "range": size})
				break
			except PageTooLarge:
				if size == 1:
					raise
				size //= 2
				self.page_limits[endpoint] = size
		raw = _rows(endpoint, answer, key)
		total = _total(answer)
		items: list[T] = []
		bad: list[BadRecord] = []
		for row in raw:
			record = read(row)
			if isinstance(record, BadRecord):
				bad.append(record)
			else:
				items.append(record)
		last = not raw or _is_last(answer, len(raw), size, from_index, total)
		return Page(items, raw, from_index, None if last else from_index + len(raw), total, bad)

	def _pages(
		self, endpoint: str, ask: Callable[[int, int | None], Page[T]], from_index: int, page_size: int | None
	) -> Iterator[Page[T]]:
		seen: set[int] = set()
		start = from_index
		for _ in range(self._max_pages):
			page = ask(start, page_size)
			if page.raw:
				fingerprint = _fingerprint(page.raw)
				if fingerprint in seen:
					raise PagingError(f"Zoho sent the same page again at row {start}", endpoint=endpoint)
				seen.add(fingerprint)
				yield page
			if page.next_index is None:
				return
			start = page.next_index
		raise PagingError(f"no end after {self._max_pages} pages", endpoint=endpoint)


def _texts(values: Mapping[str, Any] | None) -> dict[str, str]:
	"""Return parameters as texts, without those that are None."""
	texts = {}
	for name, value in (values or {}).items():
		if value is not None:
			texts[name] = value if isinstance(value, str) else str(value)
	return texts


def _rows(endpoint: str, answer: Json, key: str) -> list[Any]:
	"""Return the rows of a list answer; an empty answer and a missing list are the end of the list.

	A list of something under another name is not: then Zoho has changed its answers, and reading them as
	"nobody" would go unnoticed.
	"""
	if key not in answer and not isinstance(answer, EmptyAnswer):
		others = [name for name, value in answer.items() if isinstance(value, list) and any(value)]
		if others:
			raise MalformedAnswer(f"no {key} in the answer, but {', '.join(others)[:100]}", endpoint=endpoint)
	return rows(answer.get(key))


def _is_last(answer: Json, found: int, asked: int, from_index: int, total: int | None) -> bool:
	"""Tell whether a page is the last: it is shorter than what Zoho says it gives at most.

	Zoho repeats the page size in its answer. Where it gives less than was asked for, without an error, a
	short page is not the end; where it does not repeat it, the length of the whole list may say so.
	"""
	given = _echoed_range(answer)
	if found >= min(asked, given or asked):
		return False
	more = given is None and total is not None and from_index + found <= total
	return not more


def _echoed_range(answer: Json) -> int | None:
	details = answer.get("requestdetails")
	if isinstance(details, dict):
		found = count(details.get("range"))
	elif isinstance(details, str) and (match := _ECHO.search(details)):
		found = int(match[1])
	else:
		found = count(answer.get("range"))
	return found or None


def _total(answer: Json) -> int | None:
	"""Return the length of the whole list, where Zoho gives it."""
	for holder in (answer, first(answer.get("requestdetails"))):
		for key in ("total_record_count", "total_list_count"):
			found = count(holder.get(key))
			if found is not None:
				return found
	return None


def _fingerprint(raw: list[Any]) -> int:
	"""Return a number that is equal for pages with the same content.

	Who is on the page, in which order, and its first and last row in full: nearly free for a large page.
	"""
	identities = [
		(str(row.get("contactid")), str(row.get("contactemailaddress")), str(row.get("campaign_key")))
		if isinstance(row, dict)
		else repr(row)
		for row in raw
	]
	return hash((tuple(identities), repr(raw[0]), repr(raw[-1])))
