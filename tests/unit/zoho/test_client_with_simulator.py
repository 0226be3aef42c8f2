"""The client against the simulator, which was written from the same sources and shares no code with it."""

from collections import Counter
from datetime import datetime
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import pytest
import requests

from erpnext_zoho_integration.zoho import (
	ACTIONS,
	AuthenticationError,
	Campaign,
	CampaignsClient,
	CampaignUnavailable,
	Clock,
	InvalidRequest,
	OAuthClient,
	RateLimited,
	ReauthorizationRequired,
	TokenThrottled,
	Transport,
	Unavailable,
	parse_callback,
)
from erpnext_zoho_integration.zoho.dates import from_epoch_ms
from zoho_simulator import Simulator

REDIRECT = "http://127.0.0.1:1/callback"
STORED = {action: label for action, label in ACTIONS.items() if label}


@pytest.fixture(scope="module")
def running():
	with Simulator(seed=7, campaigns=10, recipients=3000, today="2026-11-20", data_center="us") as simulator:
		yield simulator


@pytest.fixture
def zoho(running):
	"""Return the simulator with its first settings and data."""
	with_defaults = Simulator().settings
	data = {"seed": 7, "campaigns": 10, "recipients": 3000, "today": "2026-11-20", "data_center": "us"}
	running.reset(tokens=True, **{**with_defaults.as_dict(), **data})
	return running


def transport():
	return Transport(sleep=lambda _: None)


def connect(zoho, **kwargs):
	"""Return a client that caches its token and refreshes it when Zoho refuses it."""
	tokens = zoho.grant_tokens()
	oauth = OAuthClient(zoho.settings.client_id, zoho.settings.client_secret, REDIRECT, transport())
	kept = [tokens["access_token"]]

	def refresh(dead):
		kept[0] = oauth.refresh(zoho.url, tokens["refresh_token"]).access_token
		return kept[0]

	return CampaignsClient(zoho.url, lambda: kept[0], transport(), refresh=refresh, **kwargs)


def listed(client):
	return [campaign for page in client.campaign_pages() for campaign in page.items]


def keys_of(client, campaign):
	"""Return all keys of a campaign: its own and, for an A/B test, those of the variants."""
	if campaign.type != "abtesting":
		return [campaign.key]
	return [
		campaign.key,
		*(child.key for child in client.campaign_details(campaign.key, campaign.type).children),
	]


def read(client, campaign, action, clock):
	"""Return the rows that a sync stores for one action: one per e-mail address, without erased people."""
	rows = {}
	for key in keys_of(client, campaign):
		for page in client.recipient_pages(key, action):
			assert page.bad == []
			for recipient in page.items:
				email = (recipient.email or "").lower()
				if email and not recipient.erased:
					rows.setdefault(email, (recipient, clock.recipient_sent_at(recipient)))
	return rows


def moment(iso):
	return datetime.fromisoformat(iso.replace("Z", "+00:00")) if iso else None


def as_written(when):
	"""Return a moment as a written date: to the minute, without telling two equal hours apart."""
	return when.astimezone(ZoneInfo("America/New_York")).strftime("%Y-%m-%d %H:%M")


# -- signing in ------------------------------------------------------------------------------------------------


def test_authorise_refresh_and_revoke(zoho):
	oauth = OAuthClient(zoho.settings.client_id, zoho.settings.client_secret, REDIRECT, transport())
	consent = requests.get(oauth.authorization_url(zoho.url, "state-1"), allow_redirects=False, timeout=10)
	query = dict(parse_qsl(urlsplit(consent.headers["Location"]).query))
	callback = parse_callback(query, accounts_url=zoho.url)
	assert (callback.state, callback.data_center.code) == ("state-1", "us")
	assert parse_callback(query).accounts_url == "https://accounts.zoho.com"

	tokens = oauth.exchange_code(callback.accounts_url, callback.code)
	assert tokens.scopes == ("ZohoCampaigns.campaign.READ",)
	assert tokens.expires_in == 3600
	with pytest.raises(ReauthorizationRequired) as used:
		oauth.exchange_code(callback.accounts_url, callback.code)
	assert used.value.reason == "invalid_code"

	fresh = oauth.refresh(zoho.url, tokens.refresh_token)
	assert fresh.refresh_token is None
	client = CampaignsClient(zoho.url, lambda: fresh.access_token, transport())
	assert len(client.campaign_page().items) == 10

	oauth.revoke(zoho.url, tokens.refresh_token)
	with pytest.raises(AuthenticationError):
		client.campaign_page()
	with pytest.raises(ReauthorizationRequired):
		oauth.refresh(zoho.url, tokens.refresh_token)
	oauth.revoke(zoho.url, tokens.refresh_token)
	assert not any(request["secrets_in_url"] for request in zoho.requests[1:])  # the first is the browser's


@pytest.mark.parametrize("form", ["200", "400", "localised"])
def test_the_token_throttle(form, zoho):
	zoho.set(throttle=form)
	tokens = zoho.grant_tokens()
	oauth = OAuthClient(zoho.settings.client_id, zoho.settings.client_secret, REDIRECT, transport())
	for _ in range(9):
		oauth.refresh(zoho.url, tokens["refresh_token"])
	with pytest.raises(TokenThrottled):
		oauth.refresh(zoho.url, tokens["refresh_token"])
	zoho.advance(601)
	assert oauth.refresh(zoho.url, tokens["refresh_token"]).access_token


def test_a_lifetime_in_milliseconds(zoho):
	zoho.set(legacy_expires_in=True)
	oauth = OAuthClient(zoho.settings.client_id, zoho.settings.client_secret, REDIRECT, transport())
	assert oauth.refresh(zoho.url, zoho.grant_tokens()["refresh_token"]).expires_in == 3600


@pytest.mark.parametrize(
	"client_id, secret, reason",
	[("other", "sim-secret", "invalid_client"), ("sim-client", "other", "invalid_client_secret")],
)
def test_wrong_credentials_say_which(client_id, secret, reason, zoho):
	oauth = OAuthClient(client_id, secret, REDIRECT, transport())
	with pytest.raises(ReauthorizationRequired) as caught:
		oauth.refresh(zoho.url, zoho.grant_tokens()["refresh_token"])
	assert caught.value.reason == reason


def test_an_expired_token_is_refreshed_within_a_list(zoho):
	client = connect(zoho, page_size=3)
	zoho.plan({"fault": "expire", "endpoint": "recentcampaigns", "nth": 2})
	assert len(listed(client)) == 10
	assert zoho.stats()["calls"] == {"recentcampaigns": 5, "oauth/token": 1}


@pytest.mark.parametrize("status", [200, 401])
def test_a_token_without_the_scope_is_refreshed_only_once(status, zoho):
	zoho.set(scope_status=status)
	tokens = zoho.grant_tokens("ZohoCampaigns.contact.READ")["access_token"]
	asked = []
	client = CampaignsClient(
		zoho.url, lambda: tokens, transport(), refresh=lambda dead: asked.append(dead) or tokens
	)
	for _ in range(3):
		with pytest.raises(AuthenticationError):
			client.campaign_page()
	assert len(asked) == 1


# -- everything is read, with the right values ----------------------------------------------------------------


def test_all_sent_campaigns_with_their_times(zoho):
	found = {campaign.key: campaign for campaign in listed(connect(zoho, page_size=3))}
	truth = {each["campaign_key"]: each for each in zoho.expected()["campaigns"]}
	assert found.keys() == truth.keys()
	for key, campaign in found.items():
		assert isinstance(campaign, Campaign) and campaign.is_sent
		assert (campaign.id, campaign.zuid) == (truth[key]["campaign_id"], truth[key]["zuid"])
		assert (campaign.name, campaign.subject) == (truth[key]["campaign_name"], truth[key]["subject"])
		assert campaign.type == truth[key]["type"]
		assert from_epoch_ms(campaign.sent.gmt_ms) == moment(truth[key]["sent_time"])
		assert from_epoch_ms(campaign.created.gmt_ms) == moment(truth[key]["created_time"])
		assert campaign.preview_url.startswith("https://")


def test_drafts_are_distinguished_from_sent_campaigns_even_if_zoho_ignores_the_filter(zoho):
	zoho.set(status_filter=False)
	campaigns = listed(connect(zoho))
	assert len(campaigns) > 10
	assert sum(campaign.is_sent for campaign in campaigns) == 10


def test_every_report_has_zohos_own_figures(zoho):
	client = connect(zoho)
	locations = 0
	for each in zoho.expected()["campaigns"]:
		for key, figures in each["reports"].items():
			report = client.report(key)
			assert {name: str(value) for name, value in report.metrics.items()} == figures
			locations += sum(report.locations.values())
	assert locations > 0


def test_every_recipient_of_every_action_with_times_and_links(zoho):
	client = connect(zoho, page_size=50)
	campaigns = listed(client)
	clock = Clock.measure(campaigns, candidates=["Asia/Kolkata", "America/New_York"])
	counted = Counter()
	for campaign in campaigns:
		for action, label in STORED.items():
			truth = {row["email"]: row for row in zoho.rows(campaign.key, label)}
			rows = read(client, campaign, action, clock)
			assert rows.keys() == truth.keys()
			for email, (recipient, sent_at) in rows.items():
				expected = truth[email]
				assert sent_at == moment(expected["sent_time"])
				assert recipient.contact_id == expected["contact_id"]
				acted_at = clock.acted_at(recipient, label)
				if acted_at and action != "sentcontacts":
					assert as_written(acted_at) == as_written(moment(expected["action_time"]))
				if action == "clickedcontacts":
					assert recipient.click_count == expected["click_count"]
					if recipient.links and recipient.links[0].count is not None:
						assert {link.url: link.count for link in recipient.links} == expected["links"]
					else:
						assert {link.url for link in recipient.links} == set(expected["links"])
			counted[label] += len(rows)
	assert sum(counted.values()) == zoho.expected()["rows"]
	assert {label: zoho.expected()["actions"][label]["rows"] for label in STORED.values()} == counted


@pytest.mark.parametrize("shape", ["list", "dict", "json", "java"])
def test_single_opens_and_clicks_are_recognised_in_every_shape(shape, zoho):
	zoho.set(event_shapes=shape)
	client = connect(zoho)
	for campaign in listed(client)[:3]:
		for page in client.recipient_pages(campaign.key, "openedcontacts"):
			assert all(recipient.open_events for recipient in page.items)
		for page in client.recipient_pages(campaign.key, "clickedcontacts"):
			assert all(recipient.click_events and recipient.links for recipient in page.items)


@pytest.mark.parametrize("skew", [0, 8, -7.5])
@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata", "Australia/Adelaide"])
def test_times_are_right_for_any_skew_and_zone(skew, zone, zoho):
	zoho.reset(skew_hours=skew, time_zone=zone, campaigns=4, recipients=400)
	client = connect(zoho)
	campaigns = listed(client)
	clock = Clock.measure(campaigns)
	assert clock.skew_ms == skew * 3_600_000
	campaign = campaigns[0]
	truth = {row["email"]: row for row in zoho.rows(campaign.key, "Opened")}
	rows = read(client, campaign, "openedcontacts", clock)
	assert {email: sent_at for email, (_, sent_at) in rows.items()} == {
		email: moment(row["sent_time"]) for email, row in truth.items()
	}


@pytest.mark.parametrize("end", ["6303", "6302", "6501", "text", "empty", "absent"])
def test_a_list_ends_in_every_way(end, zoho):
	zoho.set(end_of_list=end)
	client = connect(zoho, page_size=1)
	campaign = zoho.expected()["campaigns"][0]
	for action, label in STORED.items():
		pages = list(client.recipient_pages(campaign["campaign_key"], action, page_size=7))
		assert (
			sum(len(page.items) for page in pages)
			== campaign["actions"][label]["by_key"][campaign["campaign_key"]]
		)


def test_the_largest_page_is_found_and_nothing_is_lost(zoho):
	zoho.set(max_range=70)
	client = connect(zoho, page_size=300)
	campaign = max(zoho.expected()["campaigns"], key=lambda each: each["actions"]["Sent"]["listed"])
	key = campaign["campaign_key"]
	pages = list(client.recipient_pages(key, "sentcontacts"))
	ids = [recipient.contact_id for page in pages for recipient in page.items]
	assert len(ids) == len(set(ids)) == campaign["actions"]["Sent"]["by_key"][key]
	assert client.page_limits == {"recentcampaigns": 37} or client.page_limits == {
		"getcampaignrecipientsdata": 37
	}


def test_a_list_that_grows_while_it_is_read_loses_nobody(zoho):
	zoho.set(grow_every=1)
	client = connect(zoho)
	campaign = max(zoho.expected()["campaigns"], key=lambda each: each["actions"]["Opened"]["listed"])
	key = campaign["campaign_key"]
	before = campaign["actions"]["Opened"]["by_key"][key]
	ids = [
		r.contact_id
		for page in client.recipient_pages(key, "openedcontacts", page_size=5)
		for r in page.items
	]
	assert len(set(ids)) >= before


def test_missing_addresses_and_erased_people_are_recognised(zoho):
	client = connect(zoho)
	found = Counter()
	for campaign in listed(client):
		for key in keys_of(client, campaign):
			for page in client.recipient_pages(key, "sentcontacts"):
				found["missing"] += sum(
					recipient.email is None and not recipient.erased for recipient in page.items
				)
				found["erased"] += sum(recipient.erased for recipient in page.items)
	truth = zoho.expected()["actions"]["Sent"]
	assert (found["missing"], found["erased"]) == (truth["missing_email"], truth["erased"])
	assert found["missing"] and found["erased"]


def test_campaigns_that_were_not_sent_are_skipped(zoho):
	client = connect(zoho)
	draft = zoho.expected()["not_stored"][0]["campaign_key"]
	for ask in (client.report, lambda key: list(client.recipient_pages(key, "sentcontacts"))):
		with pytest.raises(CampaignUnavailable):
			ask(draft)
		with pytest.raises(CampaignUnavailable):
			ask("3z" + "0" * 64)


def test_a_wrong_method_and_a_missing_key_are_our_mistakes(zoho):
	client = connect(zoho)
	with pytest.raises(InvalidRequest):
		client.call("nosuchmethod")
	with pytest.raises(InvalidRequest):
		client.call("campaignreports")
	with pytest.raises(InvalidRequest):
		client.call("campaignreports", {"campaignkey": "k", "cachebuster": "1"})


# -- faults --------------------------------------------------------------------------------------------------


PASSING = [
	{"fault": "status", "status": 500},
	{"fault": "status", "status": 503, "headers": {"Retry-After": "1"}},
	{"fault": "code", "code": "6001"},
	{"fault": "html"},
	{"fault": "html", "status": 200},
	{"fault": "reset"},
	{"fault": "close"},
	{"fault": "truncate"},
	{"fault": "garble"},
	{"fault": "empty"},
	{"fault": "xml"},
	{"fault": "status", "status": 429, "headers": {"Retry-After": "2"}},
]


@pytest.mark.parametrize(
	"fault", PASSING, ids=lambda fault: "-".join(str(value) for value in fault.values())[:40]
)
def test_a_passing_fault_costs_a_call_and_no_row(fault, zoho):
	client = connect(zoho, page_size=20)
	key = max(zoho.expected()["campaigns"], key=lambda each: each["rows"])["campaign_key"]
	want = [r.contact_id for page in client.recipient_pages(key, "sentcontacts") for r in page.items]
	calls = zoho.stats()["calls"]["getcampaignrecipientsdata"]
	zoho.plan({**fault, "endpoint": "getcampaignrecipientsdata", "nth": [2, 4]})
	got = [r.contact_id for page in client.recipient_pages(key, "sentcontacts") for r in page.items]
	assert got == want
	assert zoho.stats()["calls"]["getcampaignrecipientsdata"] == 2 * calls + 2


def test_a_lasting_fault_is_raised(zoho):
	zoho.plan({"fault": "html", "endpoint": "campaignreports"})
	with pytest.raises(Unavailable) as caught:
		connect(zoho).report(zoho.expected()["campaigns"][0]["campaign_key"])
	assert caught.value.action == "wait"


@pytest.mark.parametrize(
	"form", ["429", "429-retry-after", "400", "400-retry-after", "200-filter", "200-envelope"]
)
def test_a_lock_in_every_form_is_recognised_and_its_end_is_known(form, zoho):
	zoho.set(rate_limit=3, rate_refusal=form)
	client = connect(zoho)
	key = zoho.expected()["campaigns"][0]["campaign_key"]
	for _ in range(3):
		client.report(key)
	with pytest.raises(RateLimited) as caught:
		client.report(key)
	assert caught.value.retry_after == 1800
	assert caught.value.endpoint == "campaignreports"
	assert zoho.stats()["refused"] == {"campaignreports": 1}
	assert client.campaign_page().items
	zoho.advance(caught.value.retry_after)
	assert client.report(key).has_figures
