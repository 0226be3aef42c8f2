"""Payloads about campaigns: recentcampaigns, campaignreports and getcampaigndetails.

ref: https://www.zoho.com/campaigns/help/developers/recent-campaign.html
ref: https://www.zoho.com/campaigns/help/developers/campaign-reports.html
ref: https://www.zoho.com/campaigns/help/api/campaign-details.html
"""

from __future__ import annotations

from typing import Any

from zoho_simulator.campaigns import SENDER_ZONES, SENDERS, Campaign
from zoho_simulator.formats import date_string, epoch_ms
from zoho_simulator.mailings import Counts, Mailing
from zoho_simulator.settings import Settings

COUNTRIES = ("India", "Germany", "United States", "Côte d'Ivoire")
COUNTRY_CODES = ("in", "de", "us", "ci")
SOCIAL = ("facebook", "twitter", "linkedin", "other", "gplus", "pinterest", "tumblr")


class Reporter:
	"""Write Zoho's JSON payloads about a campaign."""

	def __init__(self, settings: Settings) -> None:
		self.settings = settings

	def times(self, name: str, seconds: int) -> dict[str, str]:
		"""Return Zoho's three fields for a time: skewed epoch, true epoch, local string. `seconds` is epoch time (UTC)."""
		return {
			f"{name}_time": epoch_ms(seconds, self.settings.skew_hours),
			f"{name}_time_gmt": epoch_ms(seconds),
			f"{name}_date_string": date_string(seconds, self.settings.zone),
		}

	def listed(self, campaign: Campaign, mailing: Mailing | None = None) -> dict[str, Any]:
		"""Return a campaign, or a child of an A/B campaign, as recentcampaigns lists it."""
		sent_at = mailing.sent_at if mailing else campaign.sent_at
		item = {
			"campaign_key": mailing.key if mailing else campaign.key,
			"campaignId": str(int(campaign.id) + campaign.mailings.index(mailing))
			if mailing
			else campaign.id,
			"campaign_name": campaign.name,
			"subject": campaign.subject,
			"campaign_status": campaign.status,
			"campaigntype": campaign.type,
			"from_email": SENDERS[campaign.zuid][0],
			"reply_to": SENDERS[campaign.zuid][0],
			"campaign_preview": preview(campaign.key),
			"zuid": campaign.zuid,
			"folder_id": "",
			"is_hybrid": "false",
			**self.times("created", campaign.created_at),
			**self.times("updated", sent_at or campaign.created_at + 900),
		}
		if sent_at:
			item |= self.times("sent", sent_at)
			item["sent_time_zone"] = SENDER_ZONES[campaign.zuid]
		return item

	def report(self, campaign: Campaign, mailing: Mailing) -> dict[str, Any]:
		"""Return the blocks of campaignreports for one key. The report of an A/B parent covers the winner's mailing only."""
		sender = SENDERS[campaign.zuid][0]
		details = {
			"campaign_key": mailing.key,
			"campaign_name": campaign.name,
			"email_type": "html_template_editor",
			"email_subject": campaign.subject,
			"email_from": sender,
			"email_options": "Both",
			"reply_to": sender,
			"sent_time": epoch_ms(mailing.sent_at, self.settings.skew_hours),
			"created_time": epoch_ms(campaign.created_at, self.settings.skew_hours),
		}
		return {
			**self.location(campaign, mailing.counts),
			"campaign-details": [details],
			"campaign-reach": [reach(mailing.counts)],
			"campaign-reports": [{"campaign_name": campaign.name, **figures(mailing.shown)}],
		}

	def location(self, campaign: Campaign, counts: Counts) -> dict[str, Any]:
		"""Return all opens (not only first opens) by country, in one of the forms that Zoho was seen to send."""
		opens = counts.opened * 2 + counts.clicked
		shares = [opens - opens // 4 - opens // 6 - opens // 9, opens // 4, opens // 6, opens // 9]
		form = campaign.index % 6
		if form == 1:
			codes = zip(COUNTRY_CODES, shares, strict=True)
			return {"campaign-by-loaction": "{" + ", ".join(f"{code}={n}" for code, n in codes if n) + "}"}
		if form == 3:
			return {"campaign-by-loaction": "" if not opens else [{COUNTRIES[0]: opens}]}
		if form == 5:
			return {}
		return {"campaign-by-loaction": {name: n for name, n in zip(COUNTRIES, shares, strict=True) if n}}

	def details(self, campaign: Campaign, asked_type: str) -> dict[str, Any]:
		"""Return the blocks of getcampaigndetails. If `asked_type` is not the campaign's type, the figures are empty."""
		blocks: dict[str, Any] = {
			"associated_mailing_lists": [
				{"listkey": "3z" + "a" * 64, "listname": "Customers", "liststatus": "active"}
			],
			"segments_info": {},
			"total_contacts_count": str(sum(each.counts.sent for each in campaign.mailings)),
			"campaign_status": campaign.status,
			"campaign-details": [self._full_details(campaign)],
			"campaign-reports": [],
			"campaign-reach": [],
		}
		if campaign.mailings and asked_type == campaign.type:
			report = self.report(campaign, campaign.mailings[0])
			blocks |= {name: value for name, value in report.items() if name != "campaign-details"}
		if campaign.is_ab and asked_type == "abtesting":
			blocks["AB-split-details"] = [self._split(campaign)]
		return blocks

	def _split(self, campaign: Campaign) -> dict[str, str]:
		_winner, a, b = campaign.mailings
		return {
			"a_child_campaignkey": a.key,
			"b_child_campaignkey": b.key,
			"a_open_count": str(a.counts.opened),
			"b_open_count": str(b.counts.opened),
			"a_click_count": str(a.counts.clicked),
			"b_click_count": str(b.counts.clicked),
		}

	def _full_details(self, campaign: Campaign) -> dict[str, Any]:
		sender, name = SENDERS[campaign.zuid]
		item = self.listed(campaign)
		details = {
			"campaign_key": campaign.key,
			"campaign_name": campaign.name,
			"campaign_preview": item["campaign_preview"],
			"campaigntype": campaign.type,
			"email_from": sender,
			"email_options": "Both",
			"email_subject": campaign.subject,
			"email_type": "html_template_editor",
			"encodeName": "UTF-8",
			"preheader": "undefined",
			"reply_to": sender,
			"sender_name": name,
			"topic_id": "null",
			"topic_name": "null",
			**{key: item[key] for key in ("zuid", "folder_id", "is_hybrid")},
		}
		times = ("created", "updated", "sent")
		return details | {key: value for key, value in item.items() if key.startswith(times)}


def preview(key: str) -> str:
	"""Return the address of a campaign's preview. Zoho omits the scheme."""
	return f"acme-simulated.maillist-manage.com/campaigns/SharedCampaignPreview.zc?c=html&cDgs={key}"


def reach(counts: Counts) -> dict[str, str]:
	return {"total": str(counts.opened), "emails": str(counts.opened)} | dict.fromkeys(SOCIAL, "0")


def figures(counts: Counts) -> dict[str, str]:
	"""Return the counters and percentages of campaign-reports, under Zoho's irregular names."""
	sent, delivered, opened, clicked = counts.sent, counts.delivered, counts.opened, counts.clicked
	return {
		"emails_sent_count": str(sent),
		"delivered_count": str(delivered),
		"delivered_percent": percent(delivered, sent),
		"opens_count": str(opened),
		"open_percent": percent(opened, delivered),
		"unopened": str(delivered - opened),
		"unopened_percent": percent(delivered - opened, delivered),
		"unique_clicks_count": str(clicked),
		"unique_clicked_percent": percent(clicked, delivered),
		"clicksperopenrate": percent(clicked, opened),
		"bounces_count": str(counts.bounced),
		"bounce_percent": percent(counts.bounced, sent),
		"hardbounce_count": str(counts.hard),
		"softbounce_count": str(counts.bounced - counts.hard),
		"unsub_count": str(counts.opted_out),
		"unsubscribe_percent": percent(counts.opted_out, delivered),
		"spams_count": str(counts.complained),
		"spam_percent": percent(counts.complained, delivered),
		"complaints_count": str(counts.complained),
		"complaints_percent": percent(counts.complained, delivered),
		"forwards_count": str(opened // 50),
		"forward_percent": percent(opened // 50, delivered),
		"autoreply_count": str(sent // 90),
		"unsent_count": str(counts.unsent),
		"unsent_percent": percent(counts.unsent, sent + counts.unsent),
	}


def percent(part: int, whole: int) -> str:
	return f"{part * 100 / whole:.1f}" if whole else "0.0"
