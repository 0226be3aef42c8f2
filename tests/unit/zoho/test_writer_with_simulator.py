"""The writer against the simulator: every documented answer and every option for what is not documented."""

import pytest

from erpnext_zoho_integration import zoho as package
from erpnext_zoho_integration.zoho import (
	AddressRefused,
	AuthenticationError,
	CampaignsWriter,
	ContactLimitReached,
	InvalidRequest,
	ListUnavailable,
	RateLimited,
	Transport,
	Unavailable,
)
from zoho_simulator import Simulator
from zoho_simulator.contacts import CUSTOMERS, NEWSLETTER, PROSPECTS
from zoho_simulator.settings import BOUNCED, LIST_GONE, OPTED_OUT, REFUSALS

DO_NOT_MAIL, SUBSCRIBE = "json/contactdonotmail", "json/listsubscribe"
ANNA = "anna@acme.example"


@pytest.fixture(scope="module")
def running():
	with Simulator(seed=3, campaigns=3, recipients=300, today="2026-06-30", token_limit=0) as simulator:
		yield simulator


@pytest.fixture
def zoho(running):
	running.reset(**{**Simulator().settings.as_dict(), "seed": 3, "campaigns": 3, "recipients": 300})
	return running


def make_writer(zoho, scopes=package.WRITING_SCOPES, **kwargs):
	token = zoho.grant_tokens(",".join(scopes))["access_token"]
	transport = Transport(sleep=lambda _: None)
	return CampaignsWriter(zoho.url, lambda: token, transport, may_write=lambda: None, **kwargs)


@pytest.fixture
def writer(zoho):
	return make_writer(zoho)


@pytest.mark.parametrize("language", ["english", "german"])
@pytest.mark.parametrize("xml", [False, True], ids=["JSON", "XML"])
@pytest.mark.parametrize("unread", [False, True], ids=["body", "query"])
def test_do_not_mail_works_however_zoho_answers(unread, xml, language, writer, zoho):
	both = [DO_NOT_MAIL, SUBSCRIBE]
	zoho.set(unread_bodies=both if unread else [], xml_answers=both if xml else [], language=language)
	assert writer.do_not_mail(ANNA).code == "0"
	assert writer.do_not_mail(ANNA).code == "0"
	assert zoho.contact(ANNA)["state"] == "do-not-mail"
	assert writer.subscribe(PROSPECTS, "b@acme.example", {"First Name": "Bea & Co, +1"}).code == "0"
	assert zoho.contact("b@acme.example")["fields"] == {"First Name": "Bea & Co, +1"}
	in_url = [each["addresses_in_url"] for each in zoho.requests]
	assert in_url == ([[], ["contactinfo"], ["contactinfo"], [], ["contactinfo"]] if unread else [[]] * 3)


@pytest.mark.parametrize("language", ["english", "german"])
def test_refusals_do_not_depend_on_words(language, writer, zoho):
	zoho.set(language=language, do_not_mail_unknown="2103", contact_limit=1)
	cases = [
		(lambda: writer.do_not_mail(ANNA), AddressRefused, "2103"),
		(lambda: writer.do_not_mail("x"), AddressRefused, "2004"),
		(lambda: writer.subscribe(PROSPECTS, "x"), AddressRefused, "2004"),
		(lambda: writer.subscribe(PROSPECTS, "info@acme.example"), AddressRefused, "2005"),
		(lambda: writer.subscribe(PROSPECTS, "a@refused.example"), AddressRefused, "2007"),
		(lambda: writer.subscribe(PROSPECTS, ANNA), ContactLimitReached, "2302"),
		(lambda: writer.subscribe("3zdead", ANNA), ListUnavailable, "2501"),
		(lambda: writer.subscriber_count("3zdead"), ListUnavailable, "2501"),
	]
	for write, kind, code in cases:
		with pytest.raises(kind) as caught:
			write()
		assert (type(caught.value), caught.value.code) == (kind, code)


@pytest.mark.parametrize("code", ["2302", "914"])
def test_the_limit_of_the_plan_is_an_account_error(code, writer, zoho):
	zoho.set(contact_limit=1, contact_limit_code=code)
	with pytest.raises(ContactLimitReached):
		writer.subscribe(PROSPECTS, ANNA)


@pytest.mark.parametrize("code", LIST_GONE)
def test_a_deleted_list_is_gone_by_every_code(code, writer, zoho):
	zoho.set(deleted_list_code=code)
	zoho.contact_book.delete_list(PROSPECTS)
	with pytest.raises(ListUnavailable):
		writer.subscribe(PROSPECTS, ANNA)
	with pytest.raises(ListUnavailable):
		list(writer.subscriber_pages(PROSPECTS))


def test_a_field_that_zoho_refuses_is_a_mistake_of_the_caller(writer, zoho):
	zoho.set(unknown_fields="910")
	with pytest.raises(InvalidRequest):
		writer.subscribe(PROSPECTS, ANNA, {"Shoe": "43"})


@pytest.mark.parametrize(
	("state", "option", "does"),
	[("unsub", "subscribe_opted_out", does) for does in OPTED_OUT]
	+ [("do-not-mail", "subscribe_opted_out", does) for does in OPTED_OUT]
	+ [("bounce", "subscribe_bounced", does) for does in BOUNCED],
)
def test_whoever_opted_out_gets_code_0_or_a_refusal_of_the_address(state, option, does, writer, zoho):
	zoho.set(**{option: does})
	zoho.contact_book.set_contact(ANNA, state=state)
	if does.isdigit():
		with pytest.raises(AddressRefused) as caught:
			writer.subscribe(PROSPECTS, ANNA)
		assert caught.value.code == does
	else:
		assert writer.subscribe(PROSPECTS, ANNA).code == "0"


FAULTS = [
	{"fault": "reset", "after": True},
	{"fault": "truncate"},
	{"fault": "status", "status": 503, "after": True},
	{"fault": "code", "code": "2104", "message": "x"},
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault["fault"])
def test_an_answer_that_is_lost_moves_a_contact_once(fault, writer, zoho):
	zoho.plan({"endpoint": DO_NOT_MAIL, "times": 2, **fault})
	assert writer.do_not_mail(ANNA).code == "0"
	assert zoho.contact(ANNA)["state"] == "do-not-mail"
	assert zoho.stats()["calls"][DO_NOT_MAIL] == 3


def test_a_lost_answer_costs_no_second_confirmation_mail(writer, zoho):
	zoho.plan({"endpoint": SUBSCRIBE, "fault": "reset", "after": True, "times": 1})
	with pytest.raises(Unavailable):
		writer.subscribe(NEWSLETTER, ANNA)
	assert zoho.writes()["confirmation_mails"] == {ANNA: 1}
	zoho.plan({"endpoint": SUBSCRIBE, "fault": "reset", "after": True, "times": 1})
	writer.subscribe(PROSPECTS, ANNA, retry=True)
	assert zoho.writes()["calls"][SUBSCRIBE] == {ANNA: 3}
	assert zoho.writes()["confirmation_mails"] == {ANNA: 1}


@pytest.mark.parametrize("language", ["english", "german"])
@pytest.mark.parametrize("form", REFUSALS)
def test_a_lock_is_known_in_every_wording(form, language, zoho):
	met = []
	token = zoho.grant_tokens(",".join(package.WRITING_SCOPES))["access_token"]
	transport = Transport(sleep=lambda _: None, on_limit=met.append)
	writer = CampaignsWriter(zoho.url, lambda: token, transport, may_write=lambda: None)
	zoho.set(rate_limit=2, rate_refusal=form, language=language)
	writer.do_not_mail(ANNA)
	writer.do_not_mail(ANNA)
	with pytest.raises(RateLimited) as caught:
		writer.do_not_mail(ANNA)
	assert met == [caught.value] and caught.value.endpoint == DO_NOT_MAIL
	assert zoho.stats()["refused"] == {DO_NOT_MAIL: 1}


def test_lists_are_read_to_the_end_with_the_numbers_that_zoho_gives(writer, zoho):
	zoho.set(subscribers_max_range=30)
	lists = [each for page in writer.mailing_list_pages() for each in page.items]
	assert [(each.key, each.has_signup_form) for each in lists] == [
		(CUSTOMERS, False),
		(NEWSLETTER, True),
		(PROSPECTS, False),
	]
	for status, number in (
		("active", lists[0].contacts),
		("unsub", lists[0].unsubscribed),
		("bounce", lists[0].bounced),
	):
		pages = list(writer.subscriber_pages(CUSTOMERS, status))
		assert not any(page.bad for page in pages)
		found = [each.email for page in pages for each in page.items]
		assert len(found) == len(set(found)) == number == writer.subscriber_count(CUSTOMERS, status)
	assert list(writer.subscriber_pages(PROSPECTS)) == []
	assert writer.page_limits == {"getlistsubscribers": 25}


@pytest.mark.parametrize("shape", ["nested", "flat"])
def test_topics_and_fields(shape, writer, zoho):
	zoho.set(allfields_shape=shape, topics=3)
	assert [topic.name for topic in writer.topics()] == ["Marketing", "Product News", "Events"]
	fields = {field.display_name: field for field in writer.contact_fields()}
	assert fields["Contact Email"].is_mandatory and fields["Company Name"].max_length == 100
	assert fields["Customer Group"].options == ("Retail", "Wholesale")


def test_without_the_scope_each_write_is_refused_and_reading_goes_on(zoho):
	writer = make_writer(zoho, ["ZohoCampaigns.contact.READ"])
	for write in (lambda: writer.do_not_mail(ANNA), lambda: writer.subscribe(PROSPECTS, ANNA)):
		with pytest.raises(AuthenticationError):
			write()
	assert writer.subscriber_count(PROSPECTS) == 0
	assert zoho.writes()["calls"] == {}
