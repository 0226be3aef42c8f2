"""Transactions of the framework that the app relies on, on the embedded site and on any bench.

If one fails on the embedded site only, its copy of the framework needs an edit (embedded/framework/source_edits.py).
"""

from __future__ import annotations

import threading

import pytest
import requests

import frappe

from tests.site.embedded.probe import PROBE, new
from tests.site.server import Session, TestSite, Web

pytestmark = pytest.mark.usefixtures("empty_probe")


def plainly(session: Session, method: str, path: str, values: dict) -> requests.Response:
	"""Send a request as it is, without committing for it or looking at its effects here."""
	answer = requests.request(
		method,
		session.base_url + path,
		json=values,
		cookies=session.cookies,
		headers={"X-Frappe-CSRF-Token": session.csrf_token, "Accept": "application/json"},
		timeout=120,
	)
	assert answer.ok, answer.text[:500]
	return answer


def test_a_rollback_undoes_and_a_savepoint_undoes_in_part(site: TestSite) -> None:
	new(data="kept")
	frappe.db.savepoint("here")
	new(data="dropped")
	frappe.db.rollback(save_point="here")
	frappe.db.savepoint("there")
	new(data="also kept")
	frappe.db.release_savepoint("there")
	frappe.db.commit()
	new(data="undone")
	frappe.db.rollback()
	assert sorted(frappe.get_all(PROBE, pluck="data")) == ["also kept", "kept"]


def test_a_transaction_sees_one_state_and_the_next_one_the_newest(web: Web) -> None:
	session = web.session("Administrator")
	name = new(data="before").name
	frappe.db.commit()
	assert frappe.db.get_value(PROBE, name, "data") == "before"
	plainly(session, "PUT", f"/api/resource/{PROBE}/{name}", {"data": "after"})
	assert frappe.db.get_value(PROBE, name, "data") == "before"
	assert frappe.get_all(PROBE, {"data": "after"}) == []
	assert frappe.db.get_value(PROBE, name, "data", for_update=True) == "after"
	frappe.db.rollback()
	assert frappe.db.get_value(PROBE, name, "data") == "after"


def test_callbacks_wait_for_the_commit_and_a_rollback_drops_them(site: TestSite) -> None:
	heard = []
	frappe.db.after_commit.add(lambda: heard.append("dropped"))
	frappe.db.rollback()
	frappe.db.after_commit.add(lambda: heard.append("committed"))
	assert heard == []
	frappe.db.commit()
	assert heard == ["committed"]


def test_single_values_follow_the_transaction(site: TestSite) -> None:
	def read() -> str:
		return frappe.db.get_single_value("CRM Settings", "campaign_naming_by", cache=False)

	before = read()
	frappe.db.commit()
	frappe.db.set_single_value("CRM Settings", "campaign_naming_by", "Naming Series")
	assert read() == "Naming Series"
	frappe.db.rollback()
	assert read() == before


def test_processes_that_write_at_once_wait_for_each_other(web: Web) -> None:
	refused, sessions = [], [web.session("Administrator") for _ in range(3)]

	def write(session: Session) -> None:
		for _ in range(8):
			try:
				plainly(session, "POST", f"/api/resource/{PROBE}", {"data": "theirs"})
			except AssertionError as error:
				refused.append(str(error))

	threads = [threading.Thread(target=write, args=(session,)) for session in sessions]
	for thread in threads:
		thread.start()
	for _ in range(24):
		new(data="ours")
		frappe.db.commit()
	for thread in threads:
		thread.join()
	assert refused == []
	frappe.db.rollback()
	assert (frappe.db.count(PROBE, {"data": "theirs"}), frappe.db.count(PROBE, {"data": "ours"})) == (24, 24)
