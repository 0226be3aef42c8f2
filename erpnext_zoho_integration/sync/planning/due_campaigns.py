"""Which campaigns a run syncs: those that Zoho has sent, except those deleted here and those not due."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from frappe.utils import get_system_timezone

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection.identity import compare_organisation
from erpnext_zoho_integration.store.fields import SENT_TIME
from erpnext_zoho_integration.sync.campaigns import sync_state
from erpnext_zoho_integration.sync.campaigns.deleted import deleted_keys
from erpnext_zoho_integration.sync.mapping import site_clock
from erpnext_zoho_integration.sync.mapping.recipient_rows import Times
from erpnext_zoho_integration.sync.planning.sync_settings import Policy

# The clocks are measured on this many campaigns; more would add nothing.
_SAMPLES = 100
_TIME_FIELDS = (
	"campaign_key",
	"created_time",
	"created_time_gmt",
	"created_date_string",
	"updated_time",
	"updated_time_gmt",
	"updated_date_string",
	SENT_TIME,
	"sent_time_gmt",
	"sent_date_string",
	"sent_time_zone",
)


@dataclass(slots=True)
class Plan:
	"""The campaigns of a run, newest first.

	Attributes:
		due: items of Zoho's list that are synced.
		records: the same items as records.
		not_due: how many sent campaigns are left for a later run.
		bad: items that are not campaigns.
		samples: the times of some campaigns, to measure the clocks on.
	"""

	due: list[dict] = field(default_factory=list)
	records: list[zoho.Campaign] = field(default_factory=list)
	not_due: int = 0
	bad: list[zoho.BadRecord] = field(default_factory=list)
	samples: list[dict] = field(default_factory=list)

	@property
	def total(self) -> int:
		return len(self.due) + self.not_due


def plan_all(client: zoho.CampaignsClient, policy: Policy, mode: str) -> Plan:
	"""Return every sent campaign that Zoho lists, that was not deleted here, and that is due.

	Args:
		client: of the connected account.
		policy: what the settings say.
		mode: `Due`, or `All` and `Full`, in which every campaign is due.

	Raises:
		ConnectionPaused: the account seems to be another organisation's.
	"""
	plan, unwanted, known = Plan(), deleted_keys(), sync_state.load()
	listed: dict[str, tuple[dict, zoho.Campaign]] = {}
	for page in client.campaign_pages(status="sent"):
		plan.bad += page.bad
		# Pages shift when new campaigns are sent, so one campaign may come twice.
		listed.update({record.key: (item, record) for item, record in _pairs(page)})
	compare_organisation(listed)
	plan.samples = [_sample(item) for item, _record in list(listed.values())[:_SAMPLES]]
	times = measure_times([record for _item, record in listed.values()], policy)
	for key, (item, record) in listed.items():
		if not record.is_sent or key in unwanted or _too_old(record, times, policy):
			continue
		if mode != "Due" or _is_due(known.get(key)):
			plan.due.append(item)
			plan.records.append(record)
		else:
			plan.not_due += 1
	return plan


def plan_one(client: zoho.CampaignsClient, campaign_key: str) -> Plan:
	"""Return one campaign, read from Zoho's list as far as needed.

	Raises:
		zoho.CampaignUnavailable: Zoho does not list it among the sent ones.
	"""
	samples: list[dict] = []
	for page in client.campaign_pages(status="sent"):
		pairs = list(_pairs(page))
		samples += [_sample(item) for item, _record in pairs]
		for item, record in pairs:
			if record.key == campaign_key and record.is_sent:
				return Plan([item], [record], samples=samples[-_SAMPLES:])
	raise zoho.CampaignUnavailable("not in the list of sent campaigns", endpoint="recentcampaigns")


def measure_times(campaigns: list[zoho.Campaign], policy: Policy) -> Times:
	"""Return the clocks of account and site; see `zoho.Clock.measure` for how the account's is found."""
	site_zone = get_system_timezone()
	clock = zoho.Clock.measure(campaigns, zone=policy.zone, candidates=[site_zone])
	return Times(clock, ZoneInfo(site_zone))


def times_from_samples(samples: list[dict], policy: Policy) -> Times:
	"""Return the clocks measured on the samples of a plan."""
	records = [zoho.Campaign.from_zoho(sample) for sample in samples]
	return measure_times([record for record in records if isinstance(record, zoho.Campaign)], policy)


def times_of_account(client: zoho.CampaignsClient, policy: Policy) -> Times:
	"""Return the clocks, measured on the first page of Zoho's list."""
	page = next(iter(client.campaign_pages(status="sent")), None)
	return measure_times(page.items if page else [], policy)


def _pairs(page: zoho.Page[zoho.Campaign]) -> Iterator[tuple[dict, zoho.Campaign]]:
	"""Yield the items of a page with their records; items that are not campaigns are in `page.bad`."""
	records = iter(page.items)
	for item in page.raw:
		if isinstance(item, dict) and not isinstance(zoho.Campaign.from_zoho(item), zoho.BadRecord):
			yield item, next(records)


def _is_due(known: sync_state.CampaignState | None) -> bool:
	if known is None or known.cursor or known.needs_repair:
		return True
	return known.next_check_epoch <= site_clock.now_epoch()


def _too_old(record: zoho.Campaign, times: Times, policy: Policy) -> bool:
	if not policy.sync_from:
		return False
	sent = times.at_site(times.clock.at(record.sent))
	return bool(sent and sent < policy.sync_from)


def _sample(item: dict) -> dict:
	return {key: item[key] for key in _TIME_FIELDS if key in item}
