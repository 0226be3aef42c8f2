"""Calls of the simulated API with fresh tokens."""

import requests

RECIPIENTS = "getcampaignrecipientsdata"


def get(zoho, method, /, scope="ZohoCampaigns.campaign.READ", http="GET", resfmt="JSON", **params):
	"""Call a method with a fresh token; return the HTTP answer."""
	headers = {"Authorization": f"Zoho-oauthtoken {zoho.grant_tokens(scope)['access_token']}"}
	params = {"resfmt": resfmt, **params} if resfmt else params
	url = f"{zoho.url}/api/v1.1/{method}"
	return requests.request(http, url, params=params, headers=headers, timeout=30)


def call(zoho, method, **params):
	return get(zoho, method, **params).json()


def first_key(zoho):
	return zoho.expected()["campaigns"][0]["campaign_key"]


def key_of(zoho, status):
	return next(each["campaign_key"] for each in zoho.expected()["not_stored"] if each["status"] == status)


def ask(method, key):
	"""Return the parameters a method needs for a key."""
	more = {"getcampaigndetails": {"campaigntype": "normal"}, RECIPIENTS: {"action": "sentcontacts"}}
	return {"campaignkey": key, **more.get(method, {})}


def listed_keys(zoho):
	return {each["campaign_key"] for each in call(zoho, "recentcampaigns", range=100)["recent_campaigns"]}


def sent(zoho):
	return call(zoho, "recentcampaigns", range=100, status="sent")["recent_campaigns"]
