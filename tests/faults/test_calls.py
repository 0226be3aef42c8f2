"""Faults at the calls to Zoho: on the way there and back, and in what Zoho answers."""

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
from tests.faults import plan
from tests.faults.drill import PAGE_SIZE, Drill
from tests.faults.oracle import Oracle
from tests.faults.plan import Cell
from tests.site.connecting import SETTINGS
from tests.site.server import settle

CELLS = plan.played(plan.calls())
SLOW = {"hang": {"read_timeout": 0.2}, "slow": {"total_timeout": 0.3}}


def unlike_in_other_cells(fault: dict) -> dict:
	"""Return options of the transport: time-outs short enough, and pauses long enough for a port to open again."""
	if fault["fault"] == "refuse" and fault["seconds"] < 1:
		return {"sleep": lambda seconds: time.sleep(min(seconds, 0.5))}
	return SLOW.get(fault["fault"], {})


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)
def test_call(cell: Cell, drill: Drill, oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> None:
	for option, value in unlike_in_other_cells(cell.plan).items():
		monkeypatch.setitem(Transport.__init__.__kwdefaults__, option, value)
	if cell.stage == "authorise":
		authorise(cell, drill, oracle)
		return
	if cell.stage == "refresh":
		drill.let_token_expire()
	if "scope" in cell.more:
		drill.connect(cell.more["scope"])
	drill.zoho.plan(planned(cell, drill))
	run = drill.run()
	fired = drill.fired()
	assert fired, "the fault has not happened"
	JUDGES[cell.outcome](cell, drill, oracle, run)
	oracle.content_is_as_without_the_fault()
	oracle.no_secret_is_told()
	if "smaller_pages" not in cell.more:
		oracle.little_is_fetched_again(allowed(cell, fired))


def planned(cell: Cell, drill: Drill) -> dict:
	"""Return the fault for the simulator, at the call of the cell's stage."""
	key, split = {"campaignkey": drill.plain}, {"campaignkey": drill.split}
	page = {**key, "action": "sentcontacts", "fromindex": PAGE_SIZE + 1}
	calls = {
		"authorise": ("oauth/token", {"grant_type": "authorization_code"}),
		"refresh": ("oauth/token", {"grant_type": "refresh_token"}),
		"list": ("recentcampaigns", {}),
		"A/B keys": ("getcampaigndetails", split),
		"report": ("campaignreports", key),
		"recipients": ("getcampaignrecipientsdata", page),
	}
	endpoint, match = calls[cell.stage]
	soon = format_datetime(datetime.now(timezone.utc) + timedelta(minutes=10), usegmt=True)
	headers = {name: value.format(date=soon) for name, value in cell.plan.get("headers", {}).items()}
	return {"endpoint": endpoint, "match": match, **cell.plan, "headers": headers}


def affected(cell: Cell, drill: Drill) -> set[tuple[str | None, str | None]]:
	"""Return what the run must list."""
	key = drill.split if cell.stage == "A/B keys" else drill.plain
	if cell.affected == "from here":
		return {(each, None) for each in drill.keys[drill.keys.index(key) :]}
	return {"run": {(None, None)}, "campaign": {(key, None)}, "list": {(key, "Sent")}, "": set()}[
		cell.affected
	]


def allowed(cell: Cell, fired: int) -> int:
	"""Return how many pages may be fetched again: those that were spoiled, and what a list given up has cost."""
	return fired + (1 if cell.affected == "list" else 0)


def authorise(cell: Cell, drill: Drill, oracle: Oracle) -> None:
	"""Exchange the code of a consent while the fault happens, and again after it."""
	wipe_tokens("Not Connected", None)
	settle()
	fault = planned(cell, drill)
	if fault["fault"] == "refuse":  # the port is closed before anybody asks
		fault |= {"endpoint": "nothing", "match": {}}
	drill.zoho.plan(fault)
	if fault["fault"] == "refuse":
		with pytest.raises(requests.ConnectionError):
			requests.get(f"{drill.zoho.url}/api/v1.1/nothing", timeout=5)
	code = drill.zoho.grant_code()
	if cell.outcome == "recovers":
		authorization.exchange(code, "in")
	else:
		with pytest.raises(zoho_package.ZohoError) as refused:
			authorization.exchange(code, "in")
		assert code not in str(refused.value)
		settle()
		assert not frappe.db.get_single_value(SETTINGS, "is_active")
		assert drill.run().status == "Failed"
		drill.zoho.plan()
		authorization.exchange(drill.zoho.grant_code(), "in")
	assert drill.run().status == "Success"
	oracle.content_is_as_without_the_fault()
	oracle.no_secret_is_told()


def recovers(cell: Cell, drill: Drill, oracle: Oracle, run) -> None:
	assert run.status == "Success", [error.message for error in run.errors]
	assert not oracle.listed(run)


def listed(cell: Cell, drill: Drill, oracle: Oracle, run) -> None:
	assert run.status == "Partial", run.message
	assert oracle.listed(run) == affected(cell, drill)
	oracle.only_this_is_missing(affected(cell, drill))
	drill.zoho.plan()
	again = drill.run()
	assert again.status == "Success" and not oracle.listed(again)


def stops(cell: Cell, drill: Drill, oracle: Oracle, run) -> None:
	assert run.status in ("Failed", "Partial") and run.message
	assert oracle.listed(run) == affected(cell, drill)
	oracle.nothing_wrong_is_stored()
	drill.zoho.plan()
	drill.pass_time()
	if "scope" in cell.more or not drill.is_connected():
		drill.connect()
	again = drill.run()
	assert again.status == "Success" and not oracle.listed(again)


def waits(cell: Cell, drill: Drill, oracle: Oracle, run) -> None:
	assert run.status == "Waiting" and run.resume_at and run.message
	assert not oracle.listed(run)
	oracle.nothing_wrong_is_stored()
	drill.zoho.plan()
	drill.pass_time()
	queue.resume_waiting()
	settle()
	assert drill.go_on(run.name).status == "Success"


JUDGES = {"recovers": recovers, "listed": listed, "stops": stops, "waits": waits}
