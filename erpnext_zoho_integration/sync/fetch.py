"""What Zoho has of one campaign: its reports and pages of its recipients, the next one fetched while one is written."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
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


def prefetched_pages(
	session: Session, source: Source, action: str, reading: Reading, from_index: int = 1
) -> Iterator[FetchedPage]:
	"""Yield the pages as `recipient_pages` does; while the caller writes one, a thread fetches and reads the next.

	The thread touches no `frappe` object: a token that Zoho refuses is renewed here, once, and the page asked for again.
	"""
	start, renewed = from_index, False
	while True:
		try:
			token = session.tokens.current()
			pages = recipient_pages(session.reader, source, action, reading, start)
			for fetched in _ahead(session.executor, pages):
				start = fetched.page.next_index or start
				yield fetched
				token = session.tokens.current()
			return
		except zoho.AuthenticationError:
			if renewed:
				raise
			session.tokens.renew(token)
			renewed = True


def _ahead(executor: ThreadPoolExecutor, pages: Iterator[FetchedPage]) -> Iterator[FetchedPage]:
	"""Yield pages, the next of which is already being fetched."""
	future: Future | None = executor.submit(next, pages, _END)
	try:
		while future and (fetched := future.result()) is not _END:
			future = executor.submit(next, pages, _END) if fetched.page.next_index else None
			yield fetched
	finally:
		if future:
			future.cancel()
