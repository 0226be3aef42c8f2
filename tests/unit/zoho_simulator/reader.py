"""A reader of the simulator's lists that shares no code with the app's client."""

import requests

STORED = {
	"sentcontacts": "Sent",
	"openedcontacts": "Opened",
	"clickedcontacts": "Clicked",
	"senthardbounce": "Hard Bounced",
	"sentsoftbounce": "Soft Bounced",
	"optoutcontacts": "Unsubscribed",
	"spamcontacts": "Complaint",
}


class Reader:
	"""Read campaigns and lists of recipients with a fresh token."""

	def __init__(self, zoho):
		self.url = zoho.url + "/api/v1.1/"
		self.session = requests.Session()
		token = zoho.grant_tokens()["access_token"]
		self.session.headers["Authorization"] = f"Zoho-oauthtoken {token}"

	def call(self, method, **params):
		return self.session.get(self.url + method, params={"resfmt": "JSON", **params}, timeout=30).json()

	def campaigns(self, **params):
		found, page = [], 1
		while True:
			answer = self.call("recentcampaigns", fromindex=page, range=7, **params)
			if answer["status"] == "error":
				assert answer["code"] == "6101"
				return found
			found += answer["recent_campaigns"]
			page += 7

	def keys(self, campaign):
		if campaign["campaigntype"] != "abtesting":
			return [campaign["campaign_key"]]
		details = self.call(
			"getcampaigndetails", campaignkey=campaign["campaign_key"], campaigntype="abtesting"
		)
		split = details["AB-split-details"][0]
		return [campaign["campaign_key"], split["a_child_campaignkey"], split["b_child_campaignkey"]]

	def listed(self, key, action, size=100):
		rows = []
		while True:
			answer = self.call(
				"getcampaignrecipientsdata",
				campaignkey=key,
				action=action,
				fromindex=len(rows) + 1,
				range=size,
			)
			if answer["status"] == "error":
				assert answer["code"] == "6303"
				return rows
			rows += answer["list_of_details"]

	def tally(self, keys, action, size=100):
		"""Return the figures of an action, as `Simulator.expected` names them."""
		rows = [row for key in keys for row in self.listed(key, action, size)]
		erased = [row for row in rows if row["rtbf"] == "1"]
		emails = [row.get("contactemailaddress", "").strip().lower() for row in rows if row["rtbf"] != "1"]
		good = [email for email in emails if email not in ("", "null")]
		return {
			"listed": len(rows),
			"rows": len(set(good)),
			"duplicates": len(good) - len(set(good)),
			"missing_email": len(emails) - len(good),
			"erased": len(erased),
		}
