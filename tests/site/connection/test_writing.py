"""Writing to Zoho: the switches that stop it at once, the scopes it needs, and that nothing else depends on it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import pytest

import frappe

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection import authorization, writing
from erpnext_zoho_integration.connection.clients import campaigns_client
from erpnext_zoho_integration.connection.error_messages import explain, explained_errors
from erpnext_zoho_integration.connection.errors import ScopesMissing, WritingStopped
from erpnext_zoho_integration.connection.zoho_rate_limit import BudgetUsedUp
from tests.site.connecting import (
	API,
	AUTHORIZE,
	SETTINGS,
	enter_client,
	query_of,
	settings,
)
from tests.site.database_content import forget_keys
from tests.site.server import Session, TestSite, Web, settle
from tests.site.syncing import errors_of, sync_all
from zoho_simulator import Simulator
from zoho_simulator.contacts import PROSPECTS

ANNA = "anna@acme.example"
READING, WRITING = zoho.READING_SCOPES, zoho.WRITING_SCOPES
BOTH = zoho.scopes_for(writing=True)
DO_NOT_MAIL = "json/contactdonotmail"


def connect(simulator: Simulator, scopes: tuple[str, ...] = BOTH, **values: object) -> Simulator:
	"""Connect the site with a Self Client's code for these scopes."""
	enter_client(**values)
	authorization.exchange(simulator.grant_code(",".join(scopes)), "in")
	settle()
	return simulator


@pytest.fixture
def connected(simulator: Simulator) -> Simulator:
	return connect(simulator)


@pytest.fixture
def manager(web: Web, make_user: Callable[..., str]) -> Session:
	return web.session(make_user("System Manager"))


@pytest.fixture
def config(site: TestSite) -> Iterator[Callable[..., None]]:
	"""`config(zoho_read_only=1)` adds to site_config.json, which running processes have read before."""
	before = site.config()

	def add(**values: object) -> None:
		kept = dict(frappe.local.conf)
		site.write_config({**before, **values})
		frappe.local.conf.clear()
		frappe.local.conf.update(kept)

	yield add
	site.write_config(before)


def switch(manager: Session, value: int) -> None:
	"""Set the switch as a person does: in another process."""
	answer = manager.call(
		"frappe.client.set_value", doctype=SETTINGS, name=SETTINGS, fieldname="stop_writing", value=value
	)
	assert answer.ok, answer.text


def state(zoho_account: Simulator) -> str | None:
	contact = zoho_account.contact(ANNA)
	return contact and contact["state"]


# Stopping


def test_a_write_reaches_zoho_with_the_address_in_no_url(connected: Simulator) -> None:
	client = writing.writing_client()
	assert client.do_not_mail(ANNA).code == "0"
	assert client.subscribe(PROSPECTS, "b@acme.example").code == "0"
	assert state(connected) == "do-not-mail"
	assert not any(each["addresses_in_url"] or each["secrets_in_url"] for each in connected.requests)


def test_the_switch_stops_a_running_job_before_its_next_call(connected: Simulator, manager: Session) -> None:
	client = writing.writing_client()
	client.do_not_mail(ANNA)
	settings()  # the transaction of this process begins before the switch is set
	frappe.db.get_single_value(SETTINGS, "stop_writing")
	switch(manager, 1)
	with pytest.raises(WritingStopped):
		client.do_not_mail("b@acme.example")
	with pytest.raises(WritingStopped):
		writing.writing_client()
	switch(manager, 0)
	client.do_not_mail("b@acme.example")
	assert connected.writes()["calls"] == {DO_NOT_MAIL: {ANNA: 1, "b@acme.example": 1}}


def test_the_switch_stops_a_repetition_too(connected: Simulator, manager: Session) -> None:
	client = writing.writing_client()
	connected.plan({"endpoint": DO_NOT_MAIL, "fault": "status", "status": 503, "times": 1})
	transport, done = client._transport, []
	transport._sleep = lambda _seconds: done.append(switch(manager, 1))
	with pytest.raises(WritingStopped):
		client.do_not_mail(ANNA)
	assert len(done) == 1 and state(connected) is None
	assert connected.stats()["calls"][DO_NOT_MAIL] == 1


def test_site_config_stops_a_running_job_and_no_user_can_undo_it(
	connected: Simulator, config: Callable
) -> None:
	client = writing.writing_client()
	client.do_not_mail(ANNA)
	config(zoho_read_only=1)
	assert not frappe.conf.get("zoho_read_only")
	with pytest.raises(WritingStopped, match="zoho_read_only"):
		client.do_not_mail("b@acme.example")
	config(zoho_read_only=0)
	client.do_not_mail("b@acme.example")


def test_while_writing_is_stopped_everything_is_read_as_before(
	start_simulator: Callable, config: Callable
) -> None:
	simulator = connect(start_simulator(seed=1, campaigns=1, recipients=40), stop_writing=1)
	config(zoho_read_only=1)
	run = sync_all()
	assert run.status == "Success" and not errors_of(run)
	assert campaigns_client().subscriber_count(PROSPECTS) == 0
	assert simulator.writes()["calls"] == {}


def test_the_ordinary_client_has_no_way_to_write(connected: Simulator) -> None:
	client = campaigns_client()
	assert not isinstance(client, zoho.CampaignsWriter) and not hasattr(client, "do_not_mail")
	with pytest.raises(zoho.InvalidRequest):
		client.call(DO_NOT_MAIL, {"contactinfo": json.dumps({"Contact Email": ANNA})}, "POST")
	assert state(connected) is None


# Scopes


def test_only_what_is_switched_on_is_asked_for(manager: Session, simulator: Simulator) -> None:
	def asked() -> str:
		location = manager.get(AUTHORIZE, allow_redirects=False).headers["Location"]
		return query_of(location)["scope"]

	enter_client()
	assert asked() == ",".join(READING)
	enter_client(tell_zoho=1)
	assert asked() == ",".join(BOTH)
	enter_client(tell_zoho=0)
	assert asked() == ",".join(READING)


@pytest.mark.parametrize("separator", ["space", "comma", "absent"])
def test_what_was_granted_is_stored_however_zoho_writes_it(
	separator: str, manager: Session, start_simulator: Callable
) -> None:
	start_simulator(campaigns=1, recipients=10, scope_separator=separator)
	enter_client(tell_zoho=1)
	manager.get(AUTHORIZE)
	assert settings().granted_scopes == " ".join(BOTH)
	assert writing.missing_scopes(WRITING) == ()
	assert manager.call(f"{API}.oauth.refresh_access_token").ok
	assert writing.missing_scopes(BOTH) == ()
	assert manager.call(f"{API}.oauth.disconnect").ok
	settle()
	assert writing.missing_scopes(WRITING) == WRITING


def test_a_missing_scope_stops_its_feature_and_nothing_else(start_simulator: Callable) -> None:
	simulator = connect(start_simulator(seed=1, campaigns=1, recipients=40), READING, tell_zoho=1)
	with pytest.raises(ScopesMissing, match="Authorize with Zoho again") as caught:
		writing.writing_client()
	assert caught.value.scopes == WRITING == writing.missing_scopes(WRITING)
	assert simulator.stats()["calls"].get("oauth/token") == 1  # no token is wasted on it
	run = sync_all()
	assert run.status == "Success" and settings().connection_status == "Connected"


def test_a_connection_of_an_earlier_version_may_read_and_has_to_authorize_again_to_write(
	simulator: Simulator,
) -> None:
	connect(simulator, READING)
	frappe.db.set_single_value(SETTINGS, "granted_scopes", None)
	assert writing.missing_scopes(READING) == () and writing.missing_scopes(BOTH) == WRITING


def test_saving_the_form_does_not_change_what_was_granted(connected: Simulator) -> None:
	form = settings()
	form.granted_scopes = ""
	form.save()
	assert settings().granted_scopes == " ".join(BOTH)


# Budgets and locks


def test_a_lock_is_remembered_for_all_workers(start_simulator: Callable) -> None:
	simulator = connect(start_simulator(campaigns=1, recipients=10, rate_limit=2))
	client = writing.writing_client()
	client.do_not_mail(ANNA)
	client.do_not_mail(ANNA)
	with pytest.raises(zoho.RateLimited):
		client.do_not_mail(ANNA)
	assert json.loads(settings().method_locks)[DO_NOT_MAIL] > time.time() + 1700
	forget_keys()  # Redis has lost it
	with pytest.raises(BudgetUsedUp) as paused:
		writing.writing_client().do_not_mail(ANNA)
	assert paused.value.locked and simulator.stats()["refused"] == {DO_NOT_MAIL: 1}


def test_writes_keep_the_budget_of_the_site(start_simulator: Callable) -> None:
	connect(start_simulator(campaigns=1, recipients=10), calls_per_window=2)
	client = writing.writing_client(patience=0)
	client.do_not_mail(ANNA)
	client.do_not_mail(ANNA)
	with pytest.raises(BudgetUsedUp) as paused:
		client.do_not_mail(ANNA)
	assert not paused.value.locked
	client.subscribe(PROSPECTS, "b@acme.example")  # another method


# Words


def test_a_person_is_told_why_nothing_is_written(connected: Simulator) -> None:
	frappe.db.set_single_value(SETTINGS, "stop_writing", 1)
	with pytest.raises(WritingStopped, match="Zoho Settings"), explained_errors():
		writing.writing_client()
	assert "is stopped" in frappe.get_message_log()[-1]["message"]


@pytest.mark.parametrize(
	("error", "words"),
	[
		(zoho.AddressRefused("x", code="2005"), "does not take this e-mail address. [x (code 2005)]"),
		(zoho.ContactLimitReached("x"), "takes no more contacts"),
		(zoho.ListUnavailable("x"), "no longer has this mailing list"),
	],
)
def test_each_refusal_of_a_write_has_words_of_its_own(error: zoho.ZohoError, words: str) -> None:
	assert words in explain(error)
