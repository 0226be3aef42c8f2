"""What Zoho has of one campaign: its reports and pages of its recipients, the next one fetched while one is written."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.sync import erased
from erpnext_zoho_integration.sync.mapping import Row, Times, recipient_row
from erpnext_zoho_integration.sync.session import Session

_END = object()


@dataclass(slots=True, frozen=True)
class Source:
	"""A key under which Zoho lists recipients: the campaign itself, or a test mail of an A/B campaign."""

	key: str
	variant: str | None = None


@dataclass(slots=True, frozen=True)
class FetchedPage:
	"""A page of recipients with where it came from, and all that can be told of it without the site.

	Attributes:
		rows: the row of each record, as if nobody were erased; None where it cannot have one.
		digests: of the people, for the register of erased ones.
	"""

	action_type: str
	variant: str | None
	page: zoho.Page[zoho.Recipient]
	rows: list[Row | None]
	digests: dict[erased.Person, list[str]]


@dataclass(slots=True, frozen=True)
class Reading:
	"""How the records of one campaign are read; used in the fetching thread, so it touches no `frappe` object.

	Args:
		identity: of the campaign, see `identity.campaign_identity`.
		times: clocks of account and site.
		key: of the site's digests.
	"""

	identity: str
	times: Times
	key: bytes

	def page(self, action_type: str, variant: str | None, page: zoho.Page[zoho.Recipient]) -> FetchedPage:
		"""Return a page with its records as rows."""
		rows = [
			recipient_row(record, action_type, self.identity, self.times, variant)
			if not record.erased
			else None
			for record in page.items
		]
		people = ((record.email, record.contact_id) for record in page.items)
		return FetchedPage(action_type, variant, page, rows, erased.digests_of(people, self.key))


def sources(client: zoho.CampaignsClient, campaign_key: str, campaign_type: str | None) -> list[Source]:
	"""Return the keys of a campaign: its own and, for an A/B campaign, those of its test mails."""
	own = Source(campaign_key)
	if (campaign_type or "").lower() != "abtesting":
		return [own]
	details = client.campaign_details(campaign_key, campaign_type)
	return [own, *(Source(child.key, child.variant) for child in details.children)]


def reports(client: zoho.CampaignsClient, sources: list[Source]) -> list[zoho.Report | None]:
	"""Return the report of each key; a test mail may have none of its own."""
	found: list[zoho.Report | None] = [client.report(sources[0].key)]
	for child in sources[1:]:
		try:
			found.append(client.report(child.key))
		except zoho.RecordUnavailable:
			found.append(None)
	return found


def recipient_pages(
	client: zoho.CampaignsClient, source: Source, action: str, reading: Reading, from_index: int = 1
) -> Iterator[FetchedPage]:
	"""Yield the pages of one list of recipients, one after the other.

	Args:
		client: for the API.
		source: whose list.
		action: Zoho's name of the list.
		reading: how its records are read.
		from_index: position of the first record, from 1.
	"""
	for page in client.recipient_pages(source.key, action, from_index=from_index):
		yield reading.page(zoho.ACTION_TYPES[action], source.variant, page)


List = tuple[Source, str]  # with Zoho's name of the action


@dataclass(slots=True, frozen=True)
class _Ahead:
	"""A page that is being fetched, of what, and with which token."""

	wanted: List
	pages: Iterator[FetchedPage]
	page: Future
	token: str


class PagesAhead:
	"""The lists of one campaign, page by page: while the caller writes one page, a thread fetches and reads the next.

	Of the same list, or of the one that follows: most lists of most campaigns are one page long. The thread touches no
	`frappe` object: a token that Zoho refuses is renewed here, once a list, and the page asked for again.

	Args:
		session: connection of the run.
		reading: how the records are read.
		following: the list that will be asked for after this one, or None; called before a list's last page is yielded.
	"""

	def __init__(
		self, session: Session, reading: Reading, following: Callable[[Source, str], List | None]
	) -> None:
		self._session = session
		self._reading = reading
		self._following = following
		self._begun: _Ahead | None = None

	def __enter__(self) -> "PagesAhead":
		return self

	def __exit__(self, *exception: object) -> None:
		if self._begun:
			self._begun.page.cancel()

	def pages(self, source: Source, action: str, from_index: int = 1) -> Iterator[FetchedPage]:
		"""Yield the pages of one list as `recipient_pages` does."""
		wanted, start, renewed = (source, action), from_index, False
		while True:
			self._session.tokens.current()
			ahead = self._take(wanted, start)
			try:
				while (fetched := ahead.page.result()) is not _END:
					if not fetched.page.next_index:
						self._begin(self._following(source, action))
						yield fetched
						return
					start = fetched.page.next_index
					ahead = self._fetch(wanted, ahead.pages)
					yield fetched
					self._session.tokens.current()
				return
			except zoho.AuthenticationError:
				if renewed:
					raise
				self._session.tokens.renew(ahead.token)
				renewed = True
			finally:
				ahead.page.cancel()

	def _take(self, wanted: List, start: int) -> _Ahead:
		"""Return what is being fetched already if it is the wanted page, else begin with that."""
		begun, self._begun = self._begun, None
		if begun and begun.wanted == wanted and start == 1:
			return begun
		if begun:
			begun.page.cancel()
		return self._start(wanted, start)

	def _begin(self, wanted: List | None) -> None:
		self._begun = self._start(wanted, 1) if wanted else None

	def _start(self, wanted: List, start: int) -> _Ahead:
		source, action = wanted
		pages = recipient_pages(self._session.reader, source, action, self._reading, start)
		return self._fetch(wanted, pages)

	def _fetch(self, wanted: List, pages: Iterator[FetchedPage]) -> _Ahead:
		page = self._session.executor.submit(next, pages, _END)
		return _Ahead(wanted, pages, page, self._session.tokens.held())
