"""Which campaigns a run deals with: everything that Zoho has sent, less what was deleted here."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import frappe
from frappe.utils import get_system_timezone

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection.clients import get_settings
from erpnext_zoho_integration.sync.lifecycle import DELETED
from erpnext_zoho_integration.sync.mapping import Times
from erpnext_zoho_integration.sync.page import CREATE_FOR

# Setting → Zoho's list. Sent comes last: by then those who acted have their contacts.
ACTION_SETTINGS = {
	"sync_opened": "openedcontacts",
	"sync_clicked": "clickedcontacts",
	"sync_hard_bounced": "senthardbounce",
	"sync_soft_bounced": "sentsoftbounce",
	"sync_unsubscribed": "optoutcontacts",
	"sync_complaint": "spamcontacts",
	"sync_sent": "sentcontacts",
}


@dataclass(slots=True)
class Policy:
	"""What the settings say about a run."""

	actions: tuple[str, ...]
	create_for: str
	zone: ZoneInfo | None


@dataclass(slots=True)
class Plan:
	"""The campaigns of a run, newest first, and how their times are read."""

	campaigns: list[zoho.Campaign] = field(default_factory=list)
	bad: list[zoho.BadRecord] = field(default_factory=list)
	times: Times | None = None


def read_policy() -> Policy:
	"""Return what Zoho Settings say about what is synced."""
	settings = get_settings()
	create_for = settings.create_contacts_for
	return Policy(
		actions=tuple(action for setting, action in ACTION_SETTINGS.items() if settings.get(setting)),
		create_for=create_for if create_for in CREATE_FOR else next(iter(CREATE_FOR)),
		zone=settings.zone(),
	)


def plan_all(client: zoho.CampaignsClient, policy: Policy) -> Plan:
	"""Return every sent campaign that Zoho lists and that was not deleted here."""
	unwanted = deleted_keys()
	plan = Plan()
	seen: list[zoho.Campaign] = []
	keys: set[str] = set()
	for page in client.campaign_pages(status="sent"):
		plan.bad += page.bad
		for campaign in page.items:
			# Pages shift while new campaigns are sent: the same one may come twice.
			if campaign.key not in keys:
				keys.add(campaign.key)
				seen.append(campaign)
	plan.campaigns = [c for c in seen if c.is_sent and c.key not in unwanted]
	plan.times = measure_times(seen, policy)
	return plan


def plan_one(client: zoho.CampaignsClient, policy: Policy, campaign_key: str) -> Plan:
	"""Return one campaign, read from Zoho's list as far as needed.

	Raises:
		zoho.CampaignUnavailable: Zoho does not list it among the sent ones.
	"""
	seen: list[zoho.Campaign] = []
	for campaign in _listed(client):
		seen.append(campaign)
		if campaign.key == campaign_key:
			return Plan([campaign], [], measure_times(seen, policy))
	raise zoho.CampaignUnavailable("not in the list of sent campaigns", endpoint="recentcampaigns")


def measure_times(campaigns: list[zoho.Campaign], policy: Policy) -> Times:
	"""Return the clocks of account and site; see `zoho.Clock.measure` for how the account's is found."""
	site_zone = get_system_timezone()
	clock = zoho.Clock.measure(campaigns, zone=policy.zone, candidates=[site_zone])
	return Times(clock, ZoneInfo(site_zone))


def times_of_account(client: zoho.CampaignsClient, policy: Policy) -> Times:
	"""Return the clocks, measured on the first page of Zoho's list."""
	page = next(iter(client.campaign_pages(status="sent")), None)
	return measure_times(page.items if page else [], policy)


def deleted_keys() -> set[str]:
	"""Return the keys of campaigns that were deleted or merged here."""
	return set(frappe.get_all(DELETED, pluck="zoho_campaign_key"))


def _listed(client: zoho.CampaignsClient) -> Iterator[zoho.Campaign]:
	for page in client.campaign_pages(status="sent"):
		yield from (campaign for campaign in page.items if campaign.is_sent)
