"""The endpoints of the Zoho Campaigns API, version 1.1.

Each method sends one kind of request. Lists are generators of pages, so memory use does not grow with a list.
`CampaignsClient` only reads; the calls that change something are in `writer`.

ref: https://www.zoho.com/campaigns/help/developers/
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

from .answers import Json, interpret
from .contacts import (
	COUNTED_STATUSES,
	SUBSCRIBER_STATUSES,
	ContactField,
	MailingList,
	Subscriber,
	Topic,
	fields_of,
)
from .errors import AuthenticationError, InvalidRequest, MalformedAnswer, PageTooLarge
from .paging import all_pages, read_page
from .recipients import ACTIONS, Recipient
from .records import BadRecord, Campaign, CampaignDetails, Page, Report
from .redaction import Secret
from .transport import Transport
from .value_parsing import count

T = TypeVar("T")

API: Final = "api/v1.1"
# This size works for every list; Zoho does not publish the largest page that it accepts.
PAGE_SIZE: Final = 200

_ENDPOINT = re.compile(r"[A-Za-z]+(?:/[A-Za-z]+)*")
# Every endpoint but this one takes `resfmt`; Zoho refuses unknown parameters with code 1002.
_FORMAT: Final[Mapping[str, Mapping[str, str]]] = {"contact/allfields": {"type": "json"}}
_JSON: Final[Mapping[str, str]] = {"resfmt": "JSON"}
# Every method that reads is one of these or its name begins with `get`. At Zoho, even a GET may delete
# (`deletemailinglist`), so a method that is not known to read counts as one that writes.
_READING: Final = re.compile(
	r"get[A-Za-z]+|recentcampaigns|recentsentcampaigns|campaignreports|lastcampaignreport|listsubscriberscount"
	r"|topics|tag/getalltags|contact/allfields"
)


class CampaignsClient:
	"""Read one Zoho Campaigns account. Threads may share a client.

	Args:
		base_url: Origin of the Campaigns API, from the table of data centres.
		token_provider: Returns an access token. It is asked before every call, so it should cache the token.
		transport: Sends the requests.
		refresh: Takes a token that was refused and returns a new one. Used at most once per call.
		page_size: Rows to request at once.

	Attributes:
		page_limits: For each endpoint that refused a page size (code 6502), the largest size that is now
			requested. It may be stored and set on the next client to avoid the refusals.
	"""

	def __init__(
		self,
		base_url: str,
		token_provider: Callable[[], str],
		transport: Transport,
		*,
		refresh: Callable[[str], str] | None = None,
		page_size: int = PAGE_SIZE,
	) -> None:
		self.page_size = page_size
		self.page_limits: dict[str, int] = {}
		self._base_url = base_url.rstrip("/")
		self._token = token_provider
		self._transport = transport
		self._refresh = refresh
		self._refresh_is_futile = False

	def call(
		self,
		endpoint: str,
		params: Mapping[str, Any] | None = None,
		method: str = "GET",
		data: Mapping[str, Any] | None = None,
	) -> Json:
		"""Call one method of the API that reads, and return its parsed JSON.

		After HTTP 401 or code 1007 the token is refreshed once and the call repeated once.

		Args:
			endpoint: Name of the method, for example `recentcampaigns`.
			params: The query, also for POST, since Zoho reads parameters there. None values are left out.
			method: `GET` or `POST`; only a GET is repeated after a failure.
			data: Form fields of the body. Zoho does not document that it reads any.

		Returns:
			The answer, or an `EmptyAnswer` if Zoho has nothing to list.

		Raises:
			InvalidRequest: the method does not exist, or may write.
			ZohoError: the subclass that says what to do.
		"""
		if not _ENDPOINT.fullmatch(endpoint) or method not in ("GET", "POST"):
			raise InvalidRequest(f"not a method of the API: {method} {endpoint[:60]}")
		if not _READING.fullmatch(endpoint):
			raise InvalidRequest(f"{endpoint[:60]} may write, and only a writer may do that")
		params = {**_FORMAT.get(endpoint, _JSON), **_texts(params)}
		return self._authorized(endpoint, params, method, _texts(data), retry=method == "GET")

	def _authorized(
		self,
		endpoint: str,
		params: Mapping[str, str],
		method: str,
		data: Mapping[str, str],
		*,
		retry: bool,
		before: Callable[[], None] | None = None,
		check: Callable[[Json], Json] = lambda answer: answer,
	) -> Json:
		"""Send a request; if its token is refused, refresh the token once and send the request once more.

		Args:
			before: Called before every attempt.
			check: Returns a successful answer, or raises for one that is not complete.
		"""

		def send(token: Secret) -> Json:
			return self._transport.exchange(
				method,
				f"{self._base_url}/{API}/{endpoint}",
				lambda answer: check(interpret(endpoint, answer)),
				endpoint=endpoint,
				params=params,
				data=data or None,
				headers={"Authorization": Secret(f"Zoho-oauthtoken {token}")},
				retry=retry,
				before=before,
			)

		token = Secret(self._token())
		try:
			answer = send(token)
		except AuthenticationError:
			if self._refresh is None or self._refresh_is_futile:
				raise
			token = Secret(self._refresh(token))
			try:
				answer = send(token)
			except AuthenticationError:
				# A new token does not help. Zoho issues only a few, so do not request more.
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
		"""Yield the campaigns of all users of the account, the newest first, page by page.

		Args:
			status: Zoho's filter: `sent`, `drafts`, `scheduled`, `all`, … Zoho may ignore it, so check
				`Campaign.is_sent` as well.
			page_size: Rows per page; by default the client's.

		Raises:
			PagingError: Zoho repeats a page, or the list has no end.
		"""
		return all_pages("recentcampaigns", lambda start: self.campaign_page(start, page_size, status=status))

	def report(self, campaign_key: str) -> Report:
		"""Return the figures of a campaign.

		Raises:
			CampaignUnavailable: deleted, not sent, or unknown.

		ref: https://www.zoho.com/campaigns/help/developers/campaign-reports.html
		"""
		return Report.from_zoho(self.call("campaignreports", {"campaignkey": campaign_key}))

	def campaign_details(self, campaign_key: str, campaign_type: str | None = "normal") -> CampaignDetails:
		"""Return a campaign's details: mailing lists, topic, and the variants of an A/B test.

		Args:
			campaign_key: The key of the campaign.
			campaign_type: `Campaign.type`. If it is wrong, Zoho leaves out the figures of an A/B test.

		Raises:
			CampaignUnavailable: deleted or unknown.

		ref: https://www.zoho.com/campaigns/help/api/campaign-details.html
		"""
		params = {"campaignkey": campaign_key, "campaigntype": (campaign_type or "normal").lower()}
		return CampaignDetails.from_zoho(self.call("getcampaigndetails", params))

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

		Zoho takes no snapshot: while the pages are read, a row may move to another page and come twice.

		Args:
			campaign_key: The key of the campaign, or of a variant of an A/B test.
			action: For example `openedcontacts`.
			from_index: Position to begin at, from 1. `Page.next_index` continues an earlier reading.
			page_size: Rows per page; by default the client's.

		Raises:
			CampaignUnavailable: deleted, not sent, or unknown.
			PagingError: Zoho repeats a page, or the list has no end.
		"""
		return all_pages(
			"getcampaignrecipientsdata",
			lambda start: self.recipient_page(campaign_key, action, start, page_size),
			from_index,
		)

	def mailing_list_pages(self, page_size: int | None = None) -> Iterator[Page[MailingList]]:
		"""Yield the mailing lists of the account, page by page.

		ref: https://www.zoho.com/campaigns/help/developers/get-mailing-lists.html
		"""
		return all_pages(
			"getmailinglists",
			lambda start: self._page(
				"getmailinglists", {}, "list_of_details", MailingList.from_zoho, start, page_size
			),
		)

	def subscriber_pages(
		self, list_key: str, status: str = "active", *, from_index: int = 1, page_size: int | None = None
	) -> Iterator[Page[Subscriber]]:
		"""Yield the contacts of a mailing list, page by page.

		Only its words tell "no contacts" (code 2502) from a passing failure. If it matters that nobody is missing,
		compare with `subscriber_count`.

		Args:
			list_key: `MailingList.key`.
			status: One of `SUBSCRIBER_STATUSES`.
			from_index: Position to begin at, from 1.
			page_size: Rows per page; by default the client's.

		Raises:
			ListUnavailable: the list was deleted, or the key is wrong.

		ref: https://www.zoho.com/campaigns/help/developers/get-list-subscribers.html
		"""
		_require(status, SUBSCRIBER_STATUSES)
		params = {"listkey": list_key, "status": status}
		return all_pages(
			"getlistsubscribers",
			lambda start: self._page(
				"getlistsubscribers", params, "list_of_details", Subscriber.from_zoho, start, page_size
			),
			from_index,
		)

	def subscriber_count(self, list_key: str, status: str = "active") -> int:
		"""Return the number of contacts of a mailing list.

		Args:
			list_key: `MailingList.key`.
			status: One of `COUNTED_STATUSES`.

		Raises:
			ListUnavailable: the list was deleted, or the key is wrong.

		ref: https://www.zoho.com/campaigns/help/developers/get-list-subscribers-count.html
		"""
		_require(status, COUNTED_STATUSES)
		answer = self.call("listsubscriberscount", {"listkey": list_key, "status": status})
		found = count(answer.get("no_of_contacts"))
		if found is None:
			raise MalformedAnswer("no number of contacts in the answer", endpoint="listsubscriberscount")
		return found

	def topics(self) -> list[Topic]:
		"""Return the topics of the account.

		ref: https://www.zoho.com/campaigns/help/developers/topics.html
		"""
		pages = all_pages(
			"topics",
			lambda start: self._page("topics", {}, "topicDetails", Topic.from_zoho, start, None, _in_details),
		)
		return [topic for page in pages for topic in page.items]

	def contact_fields(self) -> tuple[ContactField, ...]:
		"""Return the fields that contacts have in this account.

		ref: https://www.zoho.com/campaigns/help/developers/get-all-contact-fields.html
		"""
		return fields_of(self.call("contact/allfields"))

	def _page(
		self,
		endpoint: str,
		params: Mapping[str, str],
		key: str,
		read: Callable[[Any], T | BadRecord],
		from_index: int,
		page_size: int | None,
		place: Callable[[int, int], Mapping[str, Any]] = lambda start, size: {
			"fromindex": start,
			"range": size,
		},
	) -> Page[T]:
		"""Return the page at `from_index`, halving its size as long as Zoho refuses it as too large."""
		from_index = max(1, from_index)  # Zoho reads 0 as 1; then the next page would overlap by a row.
		size = max(1, page_size or self.page_size)
		size = min(size, self.page_limits.get(endpoint, size))
		while True:
			try:
				answer = self.call(endpoint, {**params, **place(from_index, size)})
				break
			except PageTooLarge:
				if size == 1:
					raise
				size //= 2
				self.page_limits[endpoint] = size
		return read_page(endpoint, answer, key, read, from_index=from_index, size=size)


def _in_details(start: int, size: int) -> dict[str, str]:
	"""Return the position of a page as `topics` takes it."""
	return {"details": json.dumps({"from_index": start, "range": size})}


def _require(status: str, known: tuple[str, ...]) -> None:
	if status not in known:
		raise InvalidRequest(f"unknown status {status[:60]!r}; Zoho knows {', '.join(known)}")


def _texts(values: Mapping[str, Any] | None) -> dict[str, str]:
	"""Return parameters as texts, without those that are None."""
	texts = {}
	for name, value in (values or {}).items():
		if value is not None:
			texts[name] = value if isinstance(value, str) else str(value)
	return texts
