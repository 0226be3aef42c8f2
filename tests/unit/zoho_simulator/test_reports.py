"""Reports and details of campaigns."""


def test_locations_have_every_form(account, reader):
	shapes = set()
	for campaign in account.expected()["campaigns"]:
		report = reader.call("campaignreports", campaignkey=campaign["campaign_key"])
		shapes.add(type(report.get("campaign-by-loaction")).__name__)
	assert shapes == {"dict", "str", "list", "NoneType"}


def test_only_campaigntype_abtesting_returns_the_test_mails(account, reader):
	campaign = next(each for each in account.expected()["campaigns"] if each["child_keys"])
	key = campaign["campaign_key"]
	wrong = reader.call("getcampaigndetails", campaignkey=key, campaigntype="normal")
	assert wrong["campaign-reports"] == [] and "AB-split-details" not in wrong
	opened = campaign["actions"]["Opened"]["by_key"]
	parent = reader.call("campaignreports", campaignkey=key)["campaign-reports"][0]
	assert int(parent["opens_count"]) == opened[key] < sum(opened.values())
