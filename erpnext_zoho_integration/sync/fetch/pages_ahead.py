"""Pages of a campaign's recipients; a thread fetches the next ones while some are written."""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.sync.fetch.reports import Source
from erpnext_zoho_integration.sync.fetch.zoho_session import ZohoSession
from erpnext_zoho_integration.sync.mapping.recipient_pages import FetchedPage, PageMapper


def recipient_pages(
	client: zoho.CampaignsClient, source: Source, action: str, mapper: PageMapper, from_index: int = 1
) -> Iterator[FetchedPage]:
	"""Yield the pages of one list of recipients, one after the other.

	Args:
		client: for the API.
		source: whose list.
		action: Zoho's name of the list.
		mapper: makes rows of its records.
		from_index: position of the first record, from 1.
	"""
	for page in client.recipient_pages(source.key, action, from_index=from_index):
		yield mapper.page(zoho.ACTION_TYPES[action], source.variant, page)


# The pages fetched so far are written if Zoho takes longer: a worker without a sign of life for minutes counts as dead.
_GATHER_SECONDS = 10.0
ListKey = tuple[Source, str]  # a list: whose it is, and Zoho's name of the action


@dataclass(slots=True, frozen=True)
class _Piece:
	"""The answer to one request for a page of a list: the page, nothing behind the last page, or an error.

	Attributes:
		wanted: the list.
		start: index of the first record asked for.
		token: the access token of the request.
	"""

	wanted: ListKey
	start: int
	token: str
	page: FetchedPage | None = None
	error: Exception | None = None

	@property
	def size(self) -> int:
		return self.page.listed if self.page else 0

	@property
	def ends_batch(self) -> bool:
		"""Return whether the batch ends here: more of this list follows, or the request failed."""
		return self.error is not None or bool(self.page and self.page.next_index)


class _Reader:
	"""Reads list after list, for the fetching thread.

	Args:
		session: connection of the run.
		mapper: makes rows of the records.
		order: the lists, in the order in which they are read.
		wanted: the list to begin with.
		start: index of its first record, from 1.
	"""

	def __init__(
		self, session: ZohoSession, mapper: PageMapper, order: Sequence[ListKey], wanted: ListKey, start: int
	) -> None:
		self._session = session
		self._mapper = mapper
		self._order = order
		self._wanted: ListKey | None = wanted
		self._start = start
		self._pages: Iterator[FetchedPage] | None = None
		self._held: _Piece | None = None  # fetched already, too large for the previous batch

	def batch(self) -> list[_Piece]:
		"""Return the pages that are written together: together no more rows than a full page."""
		deadline = time.monotonic() + _GATHER_SECONDS
		pieces: list[_Piece] = []
		rows = 0
		while piece := self._held or self._next():
			self._held = None
			rows += piece.size
			if rows > piece.size and rows > self._session.page_size:
				self._held = piece
				break
			pieces.append(piece)
			if piece.ends_batch or rows >= self._session.page_size or time.monotonic() > deadline:
				break
		return pieces

	def _next(self) -> _Piece | None:
		"""Return the next page; None after the last one of the last list, and after an error."""
		if not self._wanted:
			return None
		wanted, start, token = self._wanted, self._start, self._session.tokens.cached()
		try:
			if not self._pages:
				source, action = wanted
				self._pages = recipient_pages(self._session.reader, source, action, self._mapper, start)
			page = next(self._pages, None)
		except Exception as error:
			self._wanted = None
			return _Piece(wanted, start, token, error=error)
		if page and page.next_index:
			self._start = page.next_index
		else:
			self._wanted, self._start, self._pages = self._list_after(wanted), 1, None
		return _Piece(wanted, start, token, page)

	def _list_after(self, wanted: ListKey) -> ListKey | None:
		behind = self._order.index(wanted) + 1 if wanted in self._order else len(self._order)
		return self._order[behind] if behind < len(self._order) else None


class PagesAhead:
	"""The lists of one campaign, batch by batch: while the caller writes a batch, a thread fetches and maps the next.

	A batch holds as many pages as have together no more rows than a full page: most lists of most campaigns are shorter
	than that. The thread touches no `frappe` object. A token that Zoho refuses is renewed in the caller's thread, once a
	list, and the page is asked for again.

	Args:
		session: connection of the run.
		mapper: makes rows of the records.

	Attributes:
		order: the lists in the order in which they will be asked for.
		batch: all pages of the batch to which the page yielded last belongs.
	"""

	def __init__(self, session: ZohoSession, mapper: PageMapper) -> None:
		self._session = session
		self._mapper = mapper
		self._pieces: deque[_Piece] = deque()
		self._reader: _Reader | None = None
		self._ahead: Future[list[_Piece]] | None = None
		self.order: list[ListKey] = []
		self.batch: list[FetchedPage] = []

	def __enter__(self) -> "PagesAhead":
		return self

	def __exit__(self, *exception: object) -> None:
		if self._ahead:
			self._ahead.cancel()

	def expect(self, order: list[ListKey]) -> None:
		"""Begin to fetch lists that will be asked for, in this order and from their beginning."""
		self.order = order
		if order:
			self._begin(order[0], 1)

	def pages(self, source: Source, action: str, from_index: int = 1) -> Iterator[FetchedPage]:
		"""Yield the pages of one list as `recipient_pages` does."""
		start: int | None = from_index
		renewed = False
		while start:
			self._session.tokens.current()
			piece = self._take((source, action), start)
			if isinstance(piece.error, zoho.AuthenticationError) and not renewed:
				self._session.tokens.renew(piece.token)
				renewed = True
				continue
			if piece.error:
				raise piece.error
			if not piece.page:
				return
			start = piece.page.next_index
			yield piece.page

	def _take(self, wanted: ListKey, start: int) -> _Piece:
		"""Return what was fetched ahead if it is wanted now; else fetch what is wanted."""
		if not self._pieces:
			self._receive()
		if not self._pieces or (self._pieces[0].wanted, self._pieces[0].start) != (wanted, start):
			if self._ahead:
				self._ahead.cancel()
			self._begin(wanted, start)
			self._receive()
		return self._pieces.popleft()

	def _begin(self, wanted: ListKey, start: int) -> None:
		self._reader = _Reader(self._session, self._mapper, self.order, wanted, start)
		self._fetch()

	def _receive(self) -> None:
		"""Wait for the batch that is being fetched, if any, and have the next one fetched."""
		self._pieces = deque(self._ahead.result() if self._ahead else ())
		self.batch = [piece.page for piece in self._pieces if piece.page]
		self._ahead = None
		if self._pieces:
			self._fetch()

	def _fetch(self) -> None:
		assert self._reader
		self._ahead = self._session.executor.submit(self._reader.batch)
