"""What Zoho has of one campaign: its reports and pages of its recipients, the next ones fetched while some are written."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.sync.fetch.reports import Source
from erpnext_zoho_integration.sync.fetch.session import ZohoSession
from erpnext_zoho_integration.sync.mapping.pages import FetchedPage, PageMapper


def recipient_pages(
	client: zoho.CampaignsClient, source: Source, action: str, reading: PageMapper, from_index: int = 1
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


# What has come is written when Zoho takes longer: a worker that is silent for minutes is held for dead.
_GATHER_SECONDS = 10.0
List = tuple[Source, str]  # with Zoho's name of the action
Following = Callable[[Source, str], List | None]


def _nothing_follows(_source: Source, _action: str) -> None:
	return None


@dataclass(slots=True, frozen=True)
class _Piece:
	"""What came when a list was asked for what it has from a position on: a page, nothing any more, or an error.

	Attributes:
		token: with which it was asked for.
	"""

	wanted: List
	start: int
	token: str
	page: FetchedPage | None = None
	error: Exception | None = None

	@property
	def size(self) -> int:
		return self.page.listed if self.page else 0

	@property
	def is_last(self) -> bool:
		"""Return whether nothing of another list can follow: the list goes on, or nobody knows how."""
		return self.error is not None or bool(self.page and self.page.next_index)


class _Reader:
	"""Reads list after list, for the fetching thread.

	Args:
		session: connection of the run.
		reading: how the records are read.
		following: as for `PagesAhead`.
		wanted: the list to begin with.
		start: where in it.
	"""

	def __init__(
		self, session: ZohoSession, reading: PageMapper, following: Following, wanted: List, start: int
	) -> None:
		self._session = session
		self._reading = reading
		self._following = following
		self._wanted: List | None = wanted
		self._start = start
		self._pages: Iterator[FetchedPage] | None = None
		self._held: _Piece | None = None  # read already, and too large for the batch before it

	def batch(self) -> list[_Piece]:
		"""Return the pages that are written together: no more rows than a full page has."""
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
			if piece.is_last or rows >= self._session.page_size or time.monotonic() > deadline:
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
				self._pages = recipient_pages(self._session.reader, source, action, self._reading, start)
			page = next(self._pages, None)
		except Exception as error:
			self._wanted = None
			return _Piece(wanted, start, token, error=error)
		if page and page.next_index:
			self._start = page.next_index
		else:
			self._wanted, self._start, self._pages = self._following(*wanted), 1, None
		return _Piece(wanted, start, token, page)


class PagesAhead:
	"""The lists of one campaign, batch by batch: while the caller writes one, a thread fetches and reads the next.

	A batch is as many pages as have together no more rows than a full page: most lists of most campaigns are shorter than
	that. The thread touches no `frappe` object: a token that Zoho refuses is renewed here, once a list, and the page
	asked for again.

	Args:
		session: connection of the run.
		reading: how the records are read.
		following: returns the list that will be asked for after one, or None; called in the fetching thread.

	Attributes:
		batch: the pages that were fetched together with the one that was yielded last, and that one.
	"""

	def __init__(self, session: ZohoSession, reading: PageMapper, following: Following) -> None:
		self._session = session
		self._reading = reading
		self._following = following
		self._pieces: deque[_Piece] = deque()
		self._reader: _Reader | None = None
		self._ahead: Future[list[_Piece]] | None = None
		self.batch: list[FetchedPage] = []

	def __enter__(self) -> "PagesAhead":
		return self

	def __exit__(self, *exception: object) -> None:
		if self._ahead:
			self._ahead.cancel()
		# Whoever knows what follows has this as well: together they would keep the last batch in memory.
		self._reader, self._following = None, _nothing_follows

	def expect(self, wanted: List) -> None:
		"""Begin to fetch a list that will be asked for from its beginning."""
		self._begin(wanted, 1)

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

	def _take(self, wanted: List, start: int) -> _Piece:
		"""Return what was fetched ahead, if it is what is wanted now; else begin with that."""
		if not self._pieces:
			self._receive()
		if not self._pieces or (self._pieces[0].wanted, self._pieces[0].start) != (wanted, start):
			if self._ahead:
				self._ahead.cancel()
			self._begin(wanted, start)
			self._receive()
		return self._pieces.popleft()

	def _begin(self, wanted: List, start: int) -> None:
		self._reader = _Reader(self._session, self._reading, self._following, wanted, start)
		self._fetch()

	def _receive(self) -> None:
		"""Wait for the batch that is being fetched, if one is, and let the one behind it be fetched."""
		self._pieces = deque(self._ahead.result() if self._ahead else ())
		self.batch = [piece.page for piece in self._pieces if piece.page]
		self._ahead = None
		if self._pieces:
			self._fetch()

	def _fetch(self) -> None:
		assert self._reader
		self._ahead = self._session.executor.submit(self._reader.batch)
