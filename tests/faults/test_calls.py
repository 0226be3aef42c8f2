"""Faults of calls to Zoho: on the network, and in what Zoho answers."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
import requests

import frappe

from erpnext_zoho_integration import zoho as zoho_package
from erpnext_zoho_integration.connection import authorization
from erpnext_zoho_integration.connection.tokens import wipe_tokens
from erpnext_zoho_integration.sync.runs import queue
from erpnext_zoho_integration.zoho import Transport
from tests.faults import matrix
from tests.faults.harness import PAGE_SIZE, Harness
from tests.faults.matrix import Cell
from tests.faults.oracle import Oracle
from tests.site.connecting import SETTINGS
from tests.site.server import settle

CELLS = matrix.selected(matrix.calls())
SLOW = {"hang": {"read_timeout": 0.2}, "slow": {"total_timeout": 0.3}}


def transport_options(fault: dict) -> dict:
	"""Return options of the transport: short time-outs, and pauses in which a closed port opens again."""
	if fault["fault"] == "refuse" and fault["seconds"] < 1:
		return {"sleep": lambda seconds: time.sleep(min(seconds, 0.5))}
	return SLOW.get(fault["fault"], {})


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)
def test_call(cell: Cell, harness: Harness, oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> None:
	for option, value in transport_options(cell.plan).items():
		monkeypatch.setitem(Transport.__init__.__kwdefaults__, option, value)
	if cell.stage == "authorise":
		authorise(cell, harness, oracle)
		return
	if cell.stage == "refresh":
		harness.let_token_expire()
	if "scope" in cell.more:
		harness.connect(cell.more["scope"])
	harness.zoho.plan(planned(cell, harness))
	run = harness.run()
	fired = harness.faults_fired()
	assert fired, "the fault has not happened"
	JUDGES[cell.outcome](cell, harness, oracle, run)
	oracle.content_is_as_expected()
	oracle.no_secret_leaked()
	if "smaller_pages" not in cell.more:
		oracle.few_pages_are_fetched_again(allowed(cell, fired))


def planned(cell: Cell, harness: Harness) -> dict:
	"""Return the fault for the simulator's `plan`, at the call of the cell's stage."""
	key, ab_key = {"campaignkey": harness.plain_key}, {"campaignkey": harness.ab_key}
	page = {**key, "action": "sentcontacts", "fromindex": PAGE_SIZE + 1}
	calls = {
		"authorise": ("oauth/token", {"grant_type": "authorization_code"}),
		"refresh": ("oauth/token", {"grant_type": "refresh_token"}),
		"list": ("recentcampaigns", {}),
		"A/B keys": ("getcampaigndetails", ab_key),
		"report": ("campaignreports", key),
		"recipients": ("getcampaignrecipientsdata", page),
	}
	endpoint, match = calls[cell.stage]
	soon = format_datetime(datetime.now(timezone.utc) + timedelta(minutes=10), usegmt=True)
	headers = {name: value.format(date=soon) for name, value in cell.plan.get("headers", {}).items()}
	return {"endpoint": endpoint, "match": match, **cell.plan, "headers": headers}


def affected(cell: Cell, harness: Harness) -> set[tuple[str | None, str | None]]:
	"""Return what the run must report as missing."""
	key = harness.ab_key if cell.stage == "A/B keys" else harness.plain_key
	if cell.affected == "from here":
		return {(each, None) for each in harness.campaign_keys[harness.campaign_keys.index(key) :]}
	return {"run": {(None, None)}, "campaign": {(key, None)}, "list": {(key, "Sent")}, "": set()}[
		cell.affected
	]


def allowed(cell: Cell, fired: int) -> int:
	"""Return how many pages may be fetched again: those with a fault, and one more if the run skipped a list."""
	return fired + (1 if cell.affected == "list" else 0)


def authorise(cell: Cell, harness: Harness, oracle: Oracle) -> None:
	"""Exchange the code of a consent during the fault, and another code after it."""
	wipe_tokens("Not Connected", None)
	settle()
	fault = planned(cell, harness)
	if fault["fault"] == "refuse":  # the first request closes the port
		fault |= {"endpoint": "nothing", "match": {}}
	harness.zoho.plan(fault)
	if fault["fault"] == "refuse":
		with pytest.raises(requests.ConnectionError):
			requests.get(f"{harness.zoho.url}/api/v1.1/nothing", timeout=5)
	code = harness.zoho.grant_code()
	if cell.outcome == "recovers":
		authorization.exchange(code, "in")
	else:
		with pytest.raises(zoho_package.ZohoError) as refused:
			authorization.exchange(code, "in")
		assert code not in str(refused.value)
		settle()
		assert not frappe.db.get_single_value(SETTINGS, "is_active")
		assert harness.run().status == "Failed"
		harness.zoho.plan()
		authorization.exchange(harness.zoho.grant_code(), "in")
	assert harness.run().status == "Success"
	oracle.content_is_as_expected()
	oracle.no_secret_leaked()


def recovers(cell: Cell, harness: Harness, oracle: Oracle, run) -> None:
	assert run.status == "Success", [error.message for error in run.errors]
	assert not oracle.reported_missing(run)


def listed(cell: Cell, harness: Harness, oracle: Oracle, run) -> None:
	assert run.status == "Partial", run.message
	assert oracle.reported_missing(run) == affected(cell, harness)
	oracle.nothing_else_is_missing(affected(cell, harness))
	harness.zoho.plan()
	again = harness.run()
	assert again.status == "Success" and not oracle.reported_missing(again)


def stops(cell: Cell, harness: Harness, oracle: Oracle, run) -> None:
	assert run.status in ("Failed", "Partial") and run.message
	assert oracle.reported_missing(run) == affected(cell, harness)
	oracle.nothing_wrong_is_stored()
	harness.zoho.plan()
	harness.let_an_hour_pass()
	if "scope" in cell.more or not harness.is_connected():
		harness.connect()
	again = harness.run()
	assert again.status == "Success" and not oracle.reported_missing(again)


def waits(cell: Cell, harness: Harness, oracle: Oracle, run) -> None:
	assert run.status == "Waiting" and run.resume_at and run.message
	assert not oracle.reported_missing(run)
	oracle.nothing_wrong_is_stored()
	harness.zoho.plan()
	harness.let_an_hour_pass()
	queue.resume_waiting()
	settle()
	assert harness.continue_run(run.name).status == "Success"


JUDGES = {"recovers": recovers, "listed": listed, "stops": stops, "waits": waits}
