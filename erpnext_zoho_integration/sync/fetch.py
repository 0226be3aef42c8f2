"""What Zoho has of one campaign: its reports and pages of its recipients, the next one fetched while one is written."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.sync.session import Session

_END = object()


@dataclass(slots=True, frozen=True)
class Source:
	"""A key under which Zoho lists recipients: the campaign itself, or a test mail of an A/B campaign."""

	key: str
	variant: str | None = None


@dataclass(slots=True, frozen=True)
class FetchedPage:
	"""A page of recipients with where it came from."""

	action_type: str
	variant: str | None
	page: zoho.Page[zoho.Recipient]


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


def recipient_pages(client: zoho.CampaignsClient, source: Source, action: str) -> Iterator[FetchedPage]:
	"""Yield the pages of one list of recipients, one after the other."""
	for page in client.recipient_pages(source.key, action):
		yield FetchedPage(zoho.ACTION_TYPES[action], source.variant, page)


def prefetched_pages(
	session: Session, source: Source, action: str, from_index: int = 1
) -> Iterator[FetchedPage]:
	"""Yield the pages of one list; while the caller writes one, a thread fetches the next.

	The thread touches no `frappe` object: a token that Zoho refuses is renewed here, once, and the page asked for again.

	Args:
		session: of the run.
		source: whose list.
		action: Zoho's name of the list.
		from_index: position of the first record, from 1.
	"""
	start, renewed = from_index, False
	while True:
		try:
			token = session.tokens.current()
			for page in _ahead(
				session.executor, session.reader.recipient_pages(source.key, action, from_index=start)
			):
				start = page.next_index or start
				yield FetchedPage(zoho.ACTION_TYPES[action], source.variant, page)
				token = session.tokens.current()
			return
		except zoho.AuthenticationError:
			if renewed:
				raise
			session.tokens.renew(token)
			renewed = True


def _ahead(executor: ThreadPoolExecutor, pages: Iterator[zoho.Page]) -> Iterator[zoho.Page]:
	"""Yield pages, the next of which is already being fetched."""
	future: Future | None = executor.submit(next, pages, _END)
	try:
		while future and (page := future.result()) is not _END:
			future = executor.submit(next, pages, _END) if page.next_index else None
			yield page
	finally:
		if future:
			future.cancel()
