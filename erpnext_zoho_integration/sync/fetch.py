"""What Zoho has of one campaign: its reports and pages of its recipients. Touches no `frappe` object."""

from collections.abc import Iterator
from dataclasses import dataclass

from erpnext_zoho_integration import zoho


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


def reports(client: zoho.CampaignsClient, sources: list[Source]) -> list[zoho.Report]:
	"""Return the reports of these keys; a test mail without a report of its own has none."""
	found = [client.report(sources[0].key)]
	for child in sources[1:]:
		try:
			found.append(client.report(child.key))
		except zoho.RecordUnavailable:
			continue
	return found


def recipient_pages(client: zoho.CampaignsClient, source: Source, action: str) -> Iterator[FetchedPage]:
	"""Yield the pages of one list of recipients."""
	action_type = zoho.ACTIONS[action]
	for page in client.recipient_pages(source.key, action):
		yield FetchedPage(action_type, source.variant, page)
