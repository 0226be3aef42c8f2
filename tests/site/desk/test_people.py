"""What the form of a Campaign shows of its people, and that of a Contact of its campaigns."""

from __future__ import annotations

import json

import frappe
from frappe.desk.form.load import run_onload
from frappe.utils import getdate

from erpnext_zoho_integration.erpnext_zoho_integration.desk import campaign as dashboard
from erpnext_zoho_integration.erpnext_zoho_integration.desk import people_timeline
from erpnext_zoho_integration.sync.campaigns import top_links_and_daily_figures
from tests.site.database_content import run_all
from tests.site.desk.test_desk import DESK, figures, make_campaign, make_recipient
from tests.site.syncing import connect, statements


def make_contact(email: str = "a@x.test") -> str:
	contact = frappe.get_doc(
		{"doctype": "Contact", "first_name": "Ann", "email_ids": [{"email_id": email, "is_primary": 1}]}
	)
	return contact.insert().name


def test_averages_are_taken_over_all_campaigns_together():
	make_campaign("One", **figures())
	assert dashboard.averages() == {}
	make_campaign("Two", **figures(Emails_Sent=96, Delivered=97, Opens=48, Unique_Clicks=9))
	averages = dashboard.averages()
	assert (averages["opens"], averages["clicks"]) == (50.0, 10.0)


def test_opens_and_clicks_are_counted_by_day_where_zoho_gives_times():
	campaign = make_campaign().name
	make_recipient(campaign, "a@x.test", "Opened", action_date="2026-03-01 08:00:00")
	make_recipient(campaign, "b@x.test", "Opened", action_date="2026-03-01 23:59:59")
	make_recipient(campaign, "c@x.test", "Opened")
	make_recipient(campaign, "b@x.test", "Clicked", action_date="2026-03-02 00:00:00")
	make_recipient(campaign, "a@x.test", "Sent", action_date="2026-03-01 08:00:00")
	assert top_links_and_daily_figures.over_time(campaign) == {
		"labels": ["2026-03-01", "2026-03-02"],
		"opened": [2, 0],
		"clicked": [0, 1],
	}
	assert top_links_and_daily_figures.over_time(make_campaign("Another").name) is None


def test_top_links_are_those_of_most_people():
	campaign = make_campaign().name
	often = [{"url": "https://x.test/often", "count": 9}]
	both = [{"url": "https://x.test/many", "count": None}, *often]
	make_recipient(campaign, "a@x.test", "Clicked", url_clicks=json.dumps(both))
	make_recipient(campaign, "b@x.test", "Clicked", url_clicks=json.dumps(both[:1]))
	assert top_links_and_daily_figures.top_links(campaign) == [
		{"url": "https://x.test/many", "people": 2, "clicks": None},
		{"url": "https://x.test/often", "people": 1, "clicks": 9},
	]
	assert len(top_links_and_daily_figures.top_links(campaign, limit=1)) == 1


def test_countries_beyond_the_first_are_added_up():
	campaign = make_campaign().name
	stored = {"India": 5, "Kenya": 7, "Chile": 2, "Japan": 1}
	frappe.db.set_value("Campaign", campaign, "zoho_opens_by_country", json.dumps(stored))
	assert dashboard.countries(campaign, limit=2) == [
		{"country": "Kenya", "opens": 7},
		{"country": "India", "opens": 5},
		{"country": "Others", "opens": 3},
	]


def test_insights_are_for_those_who_may_read_the_campaign(web, make_user):
	campaign = make_campaign(**figures()).name
	frappe.db.commit()

	def status(*roles: str) -> int:
		session = web.session(make_user(*roles))
		return session.get(
			f"/api/method/{DESK}.campaign.get_insights", params={"campaign": campaign}
		).status_code

	assert (status(), status("Sales User"), status("System Manager")) == (403, 200, 200)


def test_a_contact_s_cards_open_exactly_the_rows_they_count():
	contact = make_contact()
	first, second = make_campaign("First").name, make_campaign("Second").name
	for campaign in (first, second):
		make_recipient(campaign, "a@x.test", "Sent")
		make_recipient(campaign, "b@x.test", "Opened")
	make_recipient(first, "a@x.test", "Opened", action_date="2026-03-02 08:00:00")
	make_recipient(first, "a@x.test", "Clicked", action_date="2026-03-03 08:00:00")
	make_recipient(second, "a@x.test", "Unsubscribed", action_date="2026-03-09 08:00:00")

	found = people_timeline.engagement(people_timeline.people_of("Contact", contact))

	values = {card["key"]: card["value"] for card in found["cards"]}
	assert values == {"sent": 2, "opens": 1, "clicks": 1, "bounces": 0, "unsubscribes": 1, "complaints": 0}
	for card in found["cards"]:
		assert len(frappe.get_list("Campaign Recipient", filters=card["filters"])) == card["value"]
	assert str(found["last_engagement"]) == "2026-03-03 08:00:00"


def test_a_contact_without_campaigns_looks_as_before():
	contact = frappe.get_doc("Contact", make_contact())
	run_onload(contact)
	assert "zoho" not in (contact.get("__onload") or {})


def test_the_timeline_has_the_latest_twenty_engagements_by_date():
	contact = make_contact()
	for number in range(1, 26):
		campaign = make_campaign(f"Campaign {number:02}").name
		make_recipient(campaign, "a@x.test", "Sent", action_date="2026-12-31 00:00:00")
		# Of every other one Zoho does not say when; the day it was sent stands in.
		field = "action_date" if number % 2 else "sent_time"
		make_recipient(campaign, "a@x.test", "Opened", **{field: f"2026-03-{number:02} 10:00:00"})
	entries = people_timeline.timeline("Contact", contact)
	assert [str(entry["creation"])[:10] for entry in entries] == [f"2026-03-{n:02}" for n in range(25, 5, -1)]
	assert "Campaign 25" in entries[0]["content"]


def test_the_timeline_shows_markup_of_names_and_links_as_text():
	contact = make_contact()
	campaign = make_campaign('Tom & Ann\'s "big" day').name
	frappe.db.set_value("Campaign", campaign, "campaign_name", "<script>alert(1)</script>")
	make_recipient(
		campaign, "a@x.test", "Clicked", clicked_links="https://x.test/?a=<img src=x onerror=alert(1)>"
	)
	content = people_timeline.timeline("Contact", contact)[0]["content"]
	assert "<img" not in content and "<script" not in content
	assert "&lt;img" in content and "Tom &amp; Ann" in content


def test_timeline_and_cards_leave_out_campaigns_that_the_user_may_not_read(web, make_user):
	contact = make_contact()
	mine, theirs = make_campaign("Mine").name, make_campaign("Theirs").name
	for campaign in (mine, theirs):
		make_recipient(campaign, "a@x.test", "Opened", action_date="2026-03-02 08:00:00")
	user = make_user("Sales User")
	frappe.get_doc(
		{"doctype": "User Permission", "user": user, "allow": "Campaign", "for_value": mine}
	).insert()
	frappe.db.commit()
	answer = (
		web.session(user)
		.get("/api/method/frappe.desk.form.load.getdoc", params={"doctype": "Contact", "name": contact})
		.json()
	)
	contents = [entry["content"] for entry in answer["docinfo"]["additional_timeline_content"]]
	assert len(contents) == 1 and "Mine" in contents[0]
	cards = answer["docs"][0]["__onload"]["zoho"]["cards"]
	assert {card["key"]: card["value"] for card in cards}["opens"] == 1


def test_who_may_not_read_recipients_sees_nothing_of_them(make_user):
	contact = make_contact()
	make_recipient(make_campaign().name, "a@x.test", "Opened")
	frappe.set_user(make_user())
	assert people_timeline.timeline("Contact", contact) == []


def make_lead_with_contacts(*emails: str) -> tuple[str, list[str]]:
	"""Insert a Lead and Contacts that are linked to it."""
	lead = frappe.get_doc({"doctype": "Lead", "first_name": "Ann", "company_name": "Acme"}).insert().name
	contacts = []
	for email in emails:
		contact = frappe.get_doc("Contact", make_contact(email))
		contact.append("links", {"link_doctype": "Lead", "link_name": lead})
		contacts.append(contact.save().name)
	return lead, contacts


def test_a_lead_shows_what_its_contacts_did_and_opens_exactly_these_rows():
	lead, contacts = make_lead_with_contacts("a@x.test", "b@x.test")
	make_contact("c@x.test")
	first, second = make_campaign("First").name, make_campaign("Second").name
	for email in ("a@x.test", "b@x.test", "c@x.test"):
		make_recipient(first, email, "Sent")
	make_recipient(first, "a@x.test", "Opened", action_date="2026-03-02 08:00:00")
	make_recipient(second, "b@x.test", "Clicked", action_date="2026-03-05 08:00:00")
	make_recipient(second, "c@x.test", "Clicked", action_date="2026-03-09 08:00:00")
	frappe.db.set_value("Contact", contacts[1], "unsubscribed", 1)

	document = frappe.get_doc("Lead", lead)
	run_onload(document)
	found = document.get("__onload")["zoho"]

	values = {card["key"]: card["value"] for card in found["cards"]}
	assert values == {"sent": 2, "opens": 1, "clicks": 1, "bounces": 0, "unsubscribes": 0, "complaints": 0}
	for card in found["cards"]:
		assert len(frappe.get_list("Campaign Recipient", filters=card["filters"])) == card["value"]
	assert len(frappe.get_list("Campaign Recipient", filters=found["filters"])) == 4
	assert (found["contacts"], found["opted_out"]) == (3, 1)  # ERPNext makes one of the Lead itself
	assert str(found["last_engagement"]) == "2026-03-05 08:00:00"

	entries = people_timeline.timeline("Lead", lead)
	assert ["Second" in entries[0]["content"], "First" in entries[1]["content"]] == [True, True]
	assert contacts[1] in entries[0]["content"] and len(entries) == 2


def open_this_year() -> None:
	"""Let ERPNext have a fiscal year, without which it opens no Customer; a new site has none."""
	if not frappe.db.exists("DocType", "Fiscal Year") or frappe.db.count("Fiscal Year"):
		return
	year = getdate().year
	limits = {"year_start_date": f"{year}-01-01", "year_end_date": f"{year}-12-31"}
	frappe.get_doc({"doctype": "Fiscal Year", "year": str(year), **limits}).insert()


def test_a_customer_without_contacts_from_zoho_looks_as_before():
	open_this_year()
	customer = frappe.get_doc({"doctype": "Customer", "customer_name": "Acme"})
	customer.flags.ignore_mandatory = True
	customer.insert()
	run_onload(customer)
	assert "zoho" not in (customer.get("__onload") or {})
	assert people_timeline.timeline("Customer", customer.name) == []


def test_a_lead_shows_nothing_of_contacts_that_the_user_may_not_read(make_user):
	lead, contacts = make_lead_with_contacts("a@x.test", "b@x.test")
	campaign = make_campaign().name
	for email in ("a@x.test", "b@x.test"):
		make_recipient(campaign, email, "Opened", action_date="2026-03-02 08:00:00")
	user = make_user("Sales User")
	frappe.get_doc(
		{"doctype": "User Permission", "user": user, "allow": "Contact", "for_value": contacts[0]}
	).insert()
	frappe.set_user(user)
	assert [person.name for person in people_timeline.people_of("Lead", lead)] == contacts[:1]
	assert len(people_timeline.timeline("Lead", lead)) == 1
	frappe.set_user(make_user())
	assert people_timeline.timeline("Lead", lead) == []


def test_a_sync_works_out_what_the_form_shows_so_that_opening_it_reads_no_recipients(start_simulator):
	connect(start_simulator(seed=1, campaigns=1, recipients=500))
	run_all()
	campaign = frappe.get_doc("Campaign", {"zoho_campaign_key": ("is", "set")})
	with statements() as opening:
		run_onload(campaign)
	assert len(campaign.get("__onload")["zoho"]["cards"]) == 7
	assert len(opening) <= 6
	with statements() as below:
		found = dashboard.get_insights(campaign.name)
	assert not [each for each in opening + below if "tabCampaign Recipient" in each]
	assert sum(found["over_time"]["opened"]) > 100
	assert (found["over_time"], found["links"]) == (
		top_links_and_daily_figures.over_time(campaign.name),
		top_links_and_daily_figures.top_links(campaign.name),
	)
