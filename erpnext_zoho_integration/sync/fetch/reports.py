"""The keys of a campaign, those of its A/B test mails included, and the report of each."""

from dataclasses import dataclass

from erpnext_zoho_integration import zoho


@dataclass(slots=True, frozen=True)
class Source:
	"""A key under which Zoho lists recipients: the campaign itself, or a test mail of an A/B campaign."""

	key: str
	variant: str | None = None


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
