"""Contacts: their states, what writing does to them, and an option for everything that Zoho does not document."""

import json
from collections import Counter

import pytest
import requests

from zoho_simulator import Simulator
from zoho_simulator.contacts import CUSTOMERS, NEWSLETTER, PROSPECTS

DO_NOT_MAIL, SUBSCRIBE = "json/contactdonotmail", "json/listsubscribe"
SUBSCRIBERS = "getlistsubscribers"
ANNA = "anna@acme.example"
ALL = "ZohoCampaigns.campaign.ALL,ZohoCampaigns.contact.ALL"


@pytest.fixture(scope="module")
def running():
	with Simulator(seed=3, campaigns=4, recipients=400, today="2026-06-30", token_limit=0) as simulator:
		yield simulator


@pytest.fixture
def zoho(running):
	running.reset(**{**Simulator().settings.as_dict(), "seed": 3, "campaigns": 4, "recipients": 400})
	running.token = running.grant_tokens(ALL)["access_token"]
	return running


def call(zoho, method, http="POST", where="data", resfmt="JSON", **params):
	headers = {"Authorization": f"Zoho-oauthtoken {zoho.token}"}
	params = {**({"resfmt": resfmt} if resfmt else {}), **params}
	return requests.request(
		http, f"{zoho.url}/api/v1.1/{method}", headers=headers, timeout=30, **{where: params}
	)


def info(email, **fields):
	return json.dumps({"Contact Email": email, **fields})


def subscribe(zoho, email=ANNA, list_key=PROSPECTS, fields=None, **params):
	return call(zoho, SUBSCRIBE, listkey=list_key, contactinfo=info(email, **(fields or {})), **params).json()


def do_not_mail(zoho, email=ANNA):
	return call(zoho, DO_NOT_MAIL, contactinfo=info(email)).json()


def state(zoho, email=ANNA):
	contact = zoho.contact(email)
	return contact and contact["state"]


def listed(zoho, list_key=CUSTOMERS, status="active"):
	"""Return the e-mails of a list, read page by page to the end that is an error."""
	found = []
	while True:
		page = call(
			zoho, SUBSCRIBERS, listkey=list_key, status=status, fromindex=len(found) + 1, range=50
		).json()
		if page["status"] == "error":
			assert page["code"] == "2502"
			return found
		found += [row["contact_email"].strip().lower() for row in page["list_of_details"]]


def rows(zoho, action):
	return [
		row["email"]
		for each in zoho.expected()["campaigns"]
		for row in zoho.rows(each["campaign_key"], action)
	]


# -- who is there ----------------------------------------------------------------------------------------------


def test_recipients_are_contacts_with_the_states_that_the_campaigns_lists_say(zoho):
	assert set(listed(zoho, status="unsub")) == set(rows(zoho, "Unsubscribed"))
	gone = set(rows(zoho, "Unsubscribed")) | set(rows(zoho, "Complaint"))
	assert set(listed(zoho, status="bounce")) == set(rows(zoho, "Hard Bounced")) - gone
	active = listed(zoho)
	assert len(active) == len(set(active))
	everybody = set(rows(zoho, "Sent"))
	assert set(active) >= everybody - gone - set(rows(zoho, "Hard Bounced"))
	assert not set(active) & gone


def test_every_recipient_is_found_by_its_address_in_any_case(zoho):
	for email in set(rows(zoho, "Sent")):
		assert zoho.contact(f" {email.upper()} ")["lists"] == [CUSTOMERS], email
	assert zoho.contact("nobody7@acme.example") is None


def test_numbers_of_lists_are_those_of_their_subscribers(zoho):
	[customers, *_rest] = call(zoho, "getmailinglists").json()["list_of_details"]
	for field, status in (("noofcontacts", "active"), ("noofunsubcnt", "unsub"), ("noofbouncecnt", "bounce")):
		number = len(listed(zoho, status=status))
		counted = call(zoho, "listsubscriberscount", "GET", "params", listkey=CUSTOMERS, status=status).json()
		assert int(customers[field]) == number == counted["no_of_contacts"]


def test_lists_topics_and_fields(zoho):
	lists = call(zoho, "getmailinglists").json()["list_of_details"]
	assert [(each["listname"], each["is_public"]) for each in lists] == [
		("Customers", "false"),
		("Newsletter", "true"),
		("Prospects", "false"),
	]
	topics = call(zoho, "topics", details='{"from_index": 2, "range": 5}').json()["topicDetails"]
	assert [each["topicName"] for each in topics] == ["Product News"]
	fields = call(zoho, "contact/allfields", "GET", "params", resfmt="", type="json").json()
	names = [each["DISPLAY_NAME"] for each in fields["response"]["fieldnames"]["fieldname"]]
	assert names[0] == "Contact Email" and "Customer Group" in names
	assert call(zoho, "contact/allfields", "GET", "params", type="json").json()["code"] == "1002"
	zoho.set(allfields_shape="flat")
	flat = call(zoho, "contact/allfields", "GET", "params", resfmt="", type="json").json()
	assert [each["DISPLAY_NAME"] for each in flat["response"]["fieldname"]] == names


# -- adding ----------------------------------------------------------------------------------------------------


def test_a_list_without_a_form_takes_a_contact_at_once(zoho):
	answer = subscribe(zoho, fields={"First Name": "Anna", "Customer Group": "Retail"}, topic_id="7001")
	assert (answer["status"], answer["code"]) == ("success", "0")
	contact = zoho.contact(ANNA)
	assert (contact["state"], contact["lists"], contact["topics"]) == ("active", [PROSPECTS], ["7001"])
	assert contact["fields"] == {"First Name": "Anna", "Customer Group": "Retail"}
	assert subscribe(zoho, fields={"First Name": "Ann"})["code"] == "0"
	assert zoho.contact(ANNA)["fields"]["First Name"] == "Ann"
	assert listed(zoho, PROSPECTS) == [ANNA]
	assert zoho.writes()["confirmation_mails"] == {} == zoho.writes()["resubscriptions"]


def test_a_list_with_a_form_mails_a_confirmation_each_time_until_the_click(zoho):
	for _nth in range(2):
		assert "confirmation email" in subscribe(zoho, list_key=NEWSLETTER)["message"]
	assert (state(zoho), listed(zoho, NEWSLETTER)) == ("pending", [])
	assert zoho.writes()["confirmation_mails"] == {ANNA: 2}
	zoho.contact_book.confirm(ANNA)
	assert (state(zoho), listed(zoho, NEWSLETTER)) == ("active", [ANNA])
	subscribe(zoho, list_key=NEWSLETTER)
	assert zoho.writes()["confirmation_mails"] == {ANNA: 2}
	assert zoho.writes()["calls"] == {SUBSCRIBE: {ANNA: 3}}


@pytest.mark.parametrize(
	("email", "code"),
	[("anna", "2004"), ("a b@x.example", "2004"), ("info@x.example", "2005"), ("a@refused.example", "2007")],
)
def test_addresses_that_are_refused(email, code, zoho):
	assert subscribe(zoho, email)["code"] == code
	assert state(zoho, email) is None


@pytest.mark.parametrize(
	"contactinfo", ["{Contact Email:a@b.example}", "[]", '{"First Name":"A"}', "x", '{"Contact Email":']
)
def test_what_is_no_json_is_2001(contactinfo, zoho):
	assert call(zoho, SUBSCRIBE, listkey=PROSPECTS, contactinfo=contactinfo).json()["code"] == "2001"


def test_wrong_and_deleted_lists(zoho):
	assert subscribe(zoho, list_key="3zdead")["code"] == "2501"
	key = zoho.contact_book.add_list("Fair")
	assert subscribe(zoho, list_key=key)["code"] == "0"
	zoho.contact_book.delete_list(key)
	for code in ("2501", "2002", "2102", "2202", "2206"):
		zoho.set(deleted_list_code=code)
		assert subscribe(zoho, list_key=key)["code"] == code
		assert call(zoho, SUBSCRIBERS, listkey=key).json()["code"] == code
	assert "Fair" not in call(zoho, "getmailinglists").text


@pytest.mark.parametrize("code", ["2302", "914"])
def test_the_plan_may_take_no_more_contacts(code, zoho):
	zoho.set(contact_limit=zoho.contact_book.count() + 1, contact_limit_code=code)
	assert subscribe(zoho, "one@acme.example")["code"] == "0"
	assert subscribe(zoho, "two@acme.example")["code"] == code
	assert subscribe(zoho, "one@acme.example")["code"] == "0"
	assert state(zoho, "two@acme.example") is None


# -- opting out ------------------------------------------------------------------------------------------------


def test_do_not_mail_is_for_all_lists_answers_without_status_and_can_be_repeated(zoho):
	subscribe(zoho)
	assert "status" not in do_not_mail(zoho)
	assert do_not_mail(zoho) == {
		"uri": f"/api/v1.1/{DO_NOT_MAIL}",
		"version": "1.1",
		"code": "0",
		"message": "User already in Do-Not-Mail.",
	}
	assert state(zoho) == "do-not-mail"
	assert listed(zoho, PROSPECTS) == [] and zoho.writes()["calls"][DO_NOT_MAIL] == {ANNA: 2}
	assert zoho.writes()["opt_out_mails"] == {}


def test_a_recipient_of_campaigns_can_be_moved_too(zoho):
	email = listed(zoho)[0]
	assert do_not_mail(zoho, email)["code"] == "0"
	assert state(zoho, email) == "do-not-mail" and email not in listed(zoho)


def test_options_of_do_not_mail(zoho):
	zoho.set(do_not_mail_unknown="2103", opt_out_mails=True)
	assert do_not_mail(zoho)["code"] == "2103" and state(zoho) is None
	zoho.set(do_not_mail_unknown="adds")
	assert do_not_mail(zoho)["code"] == "0" and state(zoho) == "do-not-mail"
	assert zoho.writes()["opt_out_mails"] == {ANNA: 1}
	subscribed = listed(zoho)[0]
	do_not_mail(zoho, subscribed)
	assert subscribed in listed(zoho, status="unsub")
	zoho.set(unsub_lists_do_not_mail=False)
	assert subscribed not in listed(zoho, status="unsub")


AGAIN = {
	"unchanged": ("0", 0, 0, False),
	"resubscribes": ("0", 0, 1, True),
	"confirmation": ("0", 1, 0, False),
	"2006": ("2006", 0, 0, False),
	"2007": ("2007", 0, 0, False),
}


@pytest.mark.parametrize(
	("option", "does", "before"),
	[
		("subscribe_opted_out", does, before)
		for does in ("unchanged", "resubscribes", "confirmation", "2006")
		for before in ("unsub", "do-not-mail", "spam")
	]
	+ [
		("subscribe_bounced", does, "bounce")
		for does in ("unchanged", "resubscribes", "confirmation", "2007")
	],
)
def test_options_of_subscribing_somebody_who_opted_out_or_bounced(option, does, before, zoho):
	zoho.set(**{option: does})
	zoho.contact_book.set_contact(ANNA, state=before, lists=[PROSPECTS])
	code, mails, again, active = AGAIN[does]
	assert subscribe(zoho)["code"] == code
	assert Counter(zoho.writes()["confirmation_mails"])[ANNA] == mails
	assert Counter(zoho.writes()["resubscriptions"])[ANNA] == again
	assert (state(zoho) == "active") is active and (active or state(zoho) == before)
	if mails:
		zoho.contact_book.confirm(ANNA)
		assert state(zoho) == "active"


def opted_out(zoho):
	return Counter(rows(zoho, "Unsubscribed"))


@pytest.mark.parametrize("shown", [False, True])
def test_options_show_opt_outs_by_api_and_by_topic_in_the_last_campaign(shown, zoho):
	zoho.set(api_opt_outs=shown, topic_opt_outs=shown)
	before, listed_before = opted_out(zoho), zoho.expected()["actions"]["Unsubscribed"]["listed"]
	free = [email for email in rows(zoho, "Opened") if state(zoho, email) == "active"]
	do_not_mail(zoho, free[0])
	do_not_mail(zoho, free[0])
	zoho.contact_book.leave_topic(free[1], "7001")
	assert (zoho.contact(free[1])["topics"], state(zoho, free[1])) == (["7002"], "active")
	assert set(opted_out(zoho) - before) == (set(free[:2]) if shown else set())
	assert zoho.expected()["actions"]["Unsubscribed"]["listed"] - listed_before == (2 if shown else 0)


def test_a_link_in_a_campaign_unsubscribes_and_shows_there(zoho):
	free = [email for email in rows(zoho, "Opened") if state(zoho, email) == "active"]
	campaign = zoho.contact_book.show_opt_out(free[0])
	zoho.contact_book.unsubscribe(free[0])
	assert state(zoho, free[0]) == "unsub"
	by_key = {each["campaign_key"]: each for each in zoho.expected()["campaigns"]}
	parent = by_key.get(campaign) or next(each for each in by_key.values() if campaign in each["child_keys"])
	assert free[0] in [row["email"] for row in zoho.rows(parent["campaign_key"], "Unsubscribed")]
	report = parent["reports"][campaign]
	assert int(report["unsub_count"]) == parent["actions"]["Unsubscribed"]["by_key"][campaign]
	page = call(
		zoho, "getcampaignrecipientsdata", campaignkey=campaign, action="optoutcontacts", range=500
	).json()
	assert free[0] in [row["contactemailaddress"].strip().lower() for row in page["list_of_details"]]


def test_opt_outs_that_happen_later_list_nobody_twice(zoho):
	for email in [email for email in rows(zoho, "Sent") if state(zoho, email) == "active"][:60]:
		zoho.contact_book.unsubscribe(email)
	for _day in range(3):
		zoho.evolve(days=1, opt_outs=30)
		for each in zoho.expected()["campaigns"]:
			found = each["actions"]["Unsubscribed"]
			stored = [row["email"] for row in zoho.rows(each["campaign_key"], "Unsubscribed")]
			assert len(stored) == len(set(stored)) == found["rows"]
			assert found["listed"] == sum(
				found[name] for name in ("rows", "duplicates", "missing_email", "erased")
			)


# -- how it answers --------------------------------------------------------------------------------------------


def test_parameters_come_in_the_query_or_the_body_unless_the_body_is_not_read(zoho):
	assert call(zoho, DO_NOT_MAIL, where="params", contactinfo=info(ANNA)).json()["code"] == "0"
	zoho.set(unread_bodies=[DO_NOT_MAIL])
	assert "<code>903</code>" in call(zoho, DO_NOT_MAIL, contactinfo=info(ANNA)).text
	assert call(zoho, DO_NOT_MAIL, where="params", contactinfo=info(ANNA)).json()["code"] == "0"
	assert subscribe(zoho)["code"] == "0"
	assert [each["addresses_in_url"] for each in zoho.requests] == [
		["contactinfo"],
		[],
		["contactinfo"],
		[],
	]


def test_a_get_does_not_write(zoho):
	answer = call(zoho, DO_NOT_MAIL, "GET", "params", contactinfo=info(ANNA)).json()
	assert answer["code"] == "1004" and state(zoho) is None


def test_answers_may_be_xml_and_messages_german(zoho):
	zoho.set(xml_answers=[DO_NOT_MAIL], language="german")
	assert "<code>0</code>" in call(zoho, DO_NOT_MAIL, contactinfo=info(ANNA)).text
	assert subscribe(zoho, "x")["message"] == "Ungültige E-Mail-Adresse."
	end = call(zoho, SUBSCRIBERS, listkey=NEWSLETTER).json()
	assert (end["code"], "no contacts" in end["message"]) == ("2502", False)


def test_pages_of_subscribers_have_a_largest_size_of_their_own(zoho):
	zoho.set(subscribers_max_range=30)
	assert call(zoho, SUBSCRIBERS, listkey=CUSTOMERS, range=31).json()["code"] == "6502"
	assert len(call(zoho, SUBSCRIBERS, listkey=CUSTOMERS, range=30).json()["list_of_details"]) == 30


def test_options_of_values(zoho):
	fields = {"Remark": "x" * 21, "Customer Group": "Friends", "Customer Since": "2026-02-12", "Shoe": "43"}
	subscribe(zoho, fields=fields)
	assert zoho.contact(ANNA)["fields"] == {
		"Remark": "x" * 20,
		"Customer Group": "Friends",
		"Customer Since": "2026-02-12",
	}
	[row] = call(zoho, SUBSCRIBERS, listkey=PROSPECTS).json()["list_of_details"]
	assert "remark" not in row
	zoho.set(custom_values=True, custom_dates="written")
	[row] = call(zoho, SUBSCRIBERS, listkey=PROSPECTS).json()["list_of_details"]
	assert (row["remark"], row["customer since"]) == ("x" * 20, "02/12/2026")
	zoho.set(long_values="refused", unknown_fields="910", other_options="dropped")
	assert subscribe(zoho, "b@acme.example", fields={"Remark": "x" * 21})["code"] == "1001"
	assert subscribe(zoho, "b@acme.example", fields={"Shoe": "43"})["code"] == "910"
	subscribe(zoho, "b@acme.example", fields={"Customer Group": "Friends"})
	assert zoho.contact("b@acme.example")["fields"] == {}


@pytest.mark.parametrize("sole", [False, True])
def test_an_account_with_one_topic_may_give_it_by_itself(sole, zoho):
	zoho.set(topics=1, sole_topic=sole)
	subscribe(zoho)
	assert zoho.contact(ANNA)["topics"] == (["7001"] if sole else [])
	assert subscribe(zoho, topic_id="7002")["code"] == "1001"


def test_each_method_needs_its_scope(zoho):
	zoho.token = zoho.grant_tokens("ZohoCampaigns.contact.READ")["access_token"]
	assert subscribe(zoho)["Code"] == "1007"
	assert call(zoho, "getmailinglists").json()["code"] == "0"
	zoho.token = zoho.grant_tokens("ZohoCampaigns.contact.UPDATE")["access_token"]
	assert subscribe(zoho)["code"] == "0"
	assert call(zoho, SUBSCRIBERS, listkey=CUSTOMERS).json()["Code"] == "1007"


@pytest.mark.parametrize(("window", "calls"), [(0, 10), (60, 250), (3600, 1500)])
def test_subscribing_has_three_windows_and_the_lock(window, calls, zoho):
	zoho.set(rate_limit=10, token_limit=0, access_token_ttl=10**9)
	zoho.token = zoho.grant_tokens(ALL)["access_token"]
	for done in range(calls):
		if window and done % 10 == 0:
			zoho.advance(61)
		if window == 3600 and done % 240 == 0:
			zoho.advance(3700)
		assert zoho.limits.admit(SUBSCRIBE) is None, done
	if window:
		zoho.advance(61)
	if window == 3600:
		zoho.advance(3700)
	assert zoho.limits.admit(SUBSCRIBE) == zoho.settings.rate_lock
	assert zoho.limits.admit(DO_NOT_MAIL) is None
	zoho.advance(zoho.settings.rate_lock + 1)
	assert (zoho.limits.admit(SUBSCRIBE) is None) is (window == 0)  # an hour and a day are not over yet


@pytest.mark.parametrize(
	("separator", "scope"), [("space", "A.x.READ B.x.READ"), ("comma", "A.x.READ,B.x.READ"), ("absent", None)]
)
def test_an_option_separates_the_scopes_of_a_token_answer(separator, scope, zoho):
	zoho.set(scope_separator=separator)
	assert zoho.grant_tokens("A.x.READ,B.x.READ").get("scope") == scope


def test_the_control_interface_does_the_same(zoho):
	def control(name, body=None, **params):
		url = f"{zoho.url}/_simulator/{name}"
		answer = (
			requests.get(url, params, timeout=30)
			if body is None
			else requests.post(url, json=body, timeout=30)
		)
		return answer.json()

	assert control("contact", email=ANNA) is None
	made = control("contact", {"email": ANNA, "state": "unsub", "lists": [PROSPECTS]})
	assert (made["state"], made["lists"]) == ("unsub", [PROSPECTS])
	control("settings", {"subscribe_opted_out": "confirmation", "unread_bodies": ["x"]})
	subscribe(zoho)
	assert control("writes") == zoho.writes()
	assert control("writes")["confirmation_mails"] == {ANNA: 1}
	assert control("person", {"does": "confirm", "email": ANNA})["state"] == "active"
	assert control("person", {"does": "leave_topic", "email": ANNA, "topic_id": "7001"})["topics"] == []
	assert control("person", {"does": "unsubscribe", "email": ANNA})["state"] == "unsub"
	assert "error" in control("person", {"does": "keep", "email": ANNA})
	assert "error" in control("contact", {"email": ANNA, "state": "gone"})
	key = control("list", {"name": "Fair", "signup_form": True})["key"]
	assert {"key": key, "name": "Fair", "signup_form": True, "deleted": False} in control("lists")["lists"]
	control("list", {"delete": key})
	assert control("lists")["lists"][-1]["deleted"] is True
	control("reset", {})
	assert control("contact", email=ANNA) is None and control("writes")["calls"] == {}
