"""Campaigns have irregular names, senders and times."""

from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo


def test_campaigns_are_irregular(reader):
	campaigns = reader.campaigns()
	sent = [each for each in campaigns if each["campaign_status"] == "Sent"]
	assert {"Draft", "Scheduled", "Stopped", "Paused"} <= {each["campaign_status"] for each in campaigns}
	assert max(Counter(each["campaign_name"] for each in sent).values()) == 2
	assert any("<" in each["campaign_name"] and ">" in each["campaign_name"] for each in sent)
	assert any(len(each["campaign_name"]) > 140 for each in sent)
	assert any("<script>" in each["subject"] for each in sent)
	assert len({each["zuid"] for each in sent}) == 2
	assert any(each["campaigntype"] == "abtesting" for each in sent)
	assert not any("://" in each["campaign_preview"] for each in campaigns)
	assert all("sent_time" in each for each in sent)
	assert not any("sent_time" in each for each in campaigns if each["campaign_status"] == "Draft")


def test_some_campaigns_were_sent_when_the_clocks_changed(reader):
	berlin = ZoneInfo("Europe/Berlin")
	local = [
		datetime.fromtimestamp(int(each["sent_time_gmt"]) / 1000, berlin).replace(tzinfo=None, fold=0)
		for each in reader.campaigns(status="sent")
	]
	assert datetime(2026, 3, 29, 3, 1) in local
	assert local.count(datetime(2025, 10, 26, 2, 30)) == 2, "one hour twice"
