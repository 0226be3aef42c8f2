"""Reads campaigns, reports and recipients live from Zoho, and stores nothing."""

from collections.abc import Iterable, Iterator
from itertools import chain, islice

import frappe
from frappe import _

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection.clients import campaigns_client
from erpnext_zoho_integration.connection.error_messages import explained_errors
from erpnext_zoho_integration.connection.settings import data_center
from erpnext_zoho_integration.connection.tokens import mark_working, valid_token
from erpnext_zoho_integration.erpnext_zoho_integration.roles_and_rate_limits import (
	MAY_SYNC,
	SYSTEM_MANAGER,
	reads_everything,
	reads_live,
	require,
	require_campaign_key,
)
from erpnext_zoho_integration.store.fields import ZOHO_CAMPAIGN_TYPE
from erpnext_zoho_integration.sync.fetch.reports import sources

# The seed's name for all bounces, which Zoho keeps in two lists.
_BOUNCED = ("senthardbounce", "sentsoftbounce")
_MAX_LIMIT = 500


def get_valid_token() -> str:
	"""Return an access token that is valid for at least five more minutes; one worker at a time refreshes it.

	Commits if it has to refresh. Never whitelisted.

	Raises:
		frappe.ValidationError: the integration is not active, or there is no refresh token.
		zoho.ZohoError: Zoho issued no token.
	"""
	return valid_token()


def make_api_call(
	endpoint: str, method: str = "GET", params: dict | None = None, data: dict | None = None
) -> dict:
	"""Call a method of the Zoho Campaigns API that reads, and return its parsed JSON. Never whitelisted.

	Methods that may write are refused: only `connection.writing.writing_client` does that. If Zoho refuses the token, it is refreshed once and the call repeated once. "No contacts" is an empty answer.

	Args:
		endpoint: such as `recentcampaigns`.
		method: `GET` or `POST`.
		params: for the query string.
		data: fields of a form body.

	Raises:
		zoho.ZohoError: see `zoho.errors` for its kinds, which tell what the caller can do.
	"""
	return dict(campaigns_client().call(endpoint, params, method, data))


@frappe.whitelist()
@reads_live
def get_recent_campaigns(limit: int = 20) -> dict:
	"""Return the newest campaigns of the Zoho account, whatever their status.

	Args:
		limit: how many at most, up to 500.

	Returns:
		`campaigns` as Zoho gives them, `total_count` at Zoho and `fetched_count`.
	"""
	require(*MAY_SYNC)
	limit = min(max(limit, 1), _MAX_LIMIT)
	campaigns, total = [], None
	with explained_errors():
		for page in campaigns_client().campaign_pages(status="all", page_size=min(limit, 100)):
			total = page.total if page.total is not None else total
			campaigns += page.raw
			if len(campaigns) >= limit:
				break
	campaigns = campaigns[:limit]
	return {
		"campaigns": campaigns,
		"total_count": len(campaigns) if total is None else total,
		"fetched_count": len(campaigns),
	}


@frappe.whitelist()
@reads_live
def get_campaign_report(campaign_key: str) -> dict:
	"""Return Zoho's report of a campaign.

	Args:
		campaign_key: Zoho's key; the user must be allowed to read the Campaign with it.

	Returns:
		`campaign_details`, `campaign_reports`, `campaign_reach`, `campaign_by_location`.
	"""
	require_campaign_key(campaign_key)
	with explained_errors():
		return _report(campaigns_client(), campaign_key)


@frappe.whitelist()
@reads_live
def get_campaign_recipients(
	campaign_key: str, action: str = "openedcontacts", fromindex: int = 1, range_val: int = 20
) -> dict:
	"""Return one page of the recipients of a campaign.

	Args:
		campaign_key: Zoho's key; the user must be allowed to read the Campaign with it.
		action: one of Zoho's lists, or `bouncedcontacts` for hard and soft bounces together.
		fromindex: position of the first row, from 1.
		range_val: how many rows at most, up to 500.

	Returns:
		`recipients` as Zoho gives them, `action` and `total_fetched`.
	"""
	require_campaign_key(campaign_key)
	lists = _BOUNCED if action == "bouncedcontacts" else (action,)
	if unknown := set(lists) - set(zoho.ACTIONS):
		frappe.throw(
			_("Zoho has no recipient list named {0}. Choose one of: {1}").format(
				frappe.utils.escape_html(unknown.pop()), ", ".join([*zoho.ACTIONS, "bouncedcontacts"])
			)
		)
	first, count = max(fromindex, 1), min(max(range_val, 1), _MAX_LIMIT)
	with explained_errors():
		recipients = _window(campaigns_client(), campaign_key, lists, first, count)
	return {"recipients": recipients, "action": action, "total_fetched": len(recipients)}


@frappe.whitelist()
@reads_everything
def sync_campaign_data(campaign_key: str) -> dict:
	"""Return a campaign's report and all people who opened, clicked, bounced or unsubscribed.

	Args:
		campaign_key: Zoho's key; the user must be allowed to read the Campaign with it.

	Returns:
		`report`, `opened_contacts`, `clicked_contacts`, `bounced_contacts`, `unsubscribed_contacts`. The contacts of
		a synced A/B campaign are those of all its test mails.
	"""
	campaign = require_campaign_key(campaign_key)
	with explained_errors():
		client = campaigns_client()
		keys = _keys(client, campaign_key, campaign)
		return {
			"report": _report(client, campaign_key),
			"opened_contacts": list(_all(client, keys, ["openedcontacts"])),
			"clicked_contacts": list(_all(client, keys, ["clickedcontacts"])),
			"bounced_contacts": list(_all(client, keys, _BOUNCED)),
			"unsubscribed_contacts": list(_all(client, keys, ["optoutcontacts"])),
		}


@frappe.whitelist(methods=["POST"])
@reads_live
def test_connection() -> dict:
	"""Ask Zoho for one campaign; return the `data_center` and the `total_count` of campaigns of the account."""
	require(SYSTEM_MANAGER)
	with explained_errors():
		page = next(iter(campaigns_client().campaign_pages(status="all", page_size=1)), None)
	mark_working()
	return {"data_center": _(data_center().name), "total_count": (page and page.total) or 0}


def _report(client: zoho.CampaignsClient, campaign_key: str) -> dict:
	answer = client.call("campaignreports", {"campaignkey": campaign_key})
	return {
		"campaign_details": _first(answer.get("campaign-details")),
		"campaign_reports": _first(answer.get("campaign-reports")),
		"campaign_reach": _first(answer.get("campaign-reach")),
		"campaign_by_location": dict(zoho.Report.from_zoho(answer).locations),
	}


def _first(block: object) -> dict:
	"""Return the only element of one of Zoho's one-element arrays, which may be empty."""
	if isinstance(block, list):
		block = block[0] if block else {}
	return block if isinstance(block, dict) else {}


def _keys(client: zoho.CampaignsClient, campaign_key: str, campaign: str | None) -> list[str]:
	"""Return the keys under which Zoho lists the recipients: its own, and those of an A/B campaign's test mails."""
	kind = frappe.db.get_value("Campaign", campaign, ZOHO_CAMPAIGN_TYPE) if campaign else None
	return [source.key for source in sources(client, campaign_key, kind)]


def _window(
	client: zoho.CampaignsClient, campaign_key: str, lists: tuple[str, ...], first: int, count: int
) -> list[dict]:
	"""Return `count` rows from position `first` on, from several pages if one is too small."""
	if len(lists) > 1:  # the second list begins where the first one ends, so read both from the start
		return list(islice(_all(client, [campaign_key], lists), first - 1, first - 1 + count))
	size = min(count, client.page_size)
	pages = client.recipient_pages(campaign_key, lists[0], from_index=first, page_size=size)
	return list(islice(chain.from_iterable(page.raw for page in pages), count))


def _all(client: zoho.CampaignsClient, keys: Iterable[str], lists: Iterable[str]) -> Iterator[dict]:
	keys = list(keys)
	for action in lists:
		for key in keys:
			for page in client.recipient_pages(key, action):
				yield from page.raw
