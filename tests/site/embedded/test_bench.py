"""The embedded site itself: separate benches, processes that end with their starter, install, migrate, SQLite."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import frappe

from tests.site.server import EmbeddedSite, TestSite

OUR_APP = "erpnext_zoho_integration"
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def only_embedded(site: TestSite) -> None:
	if not isinstance(site, EmbeddedSite):
		pytest.skip("these tests are about the embedded site; this run uses a bench")


@pytest.fixture
def run() -> Iterator:
	"""Another temporary bench, with its own site and Redis."""
	from embedded.bench import TemporaryBench

	with TemporaryBench() as another:
		yield another


def rows(run, statement: str) -> list[tuple]:
	"""Read the database of another bench."""
	connection = sqlite3.connect(run.site_path / "db" / "site.db")
	try:
		return connection.execute(statement).fetchall()
	finally:
		connection.close()


def test_runs_side_by_side_share_nothing(site: TestSite, run) -> None:
	assert run.root != site.run.root and run.web_port != site.port
	frappe.get_doc({"doctype": "ToDo", "description": "mine"}).insert()
	frappe.db.commit()
	assert rows(run, "select count(*) from `tabToDo`") == [(0,)]
	assert rows(run, "select count(*) from `tabUser` where name='Administrator'") == [(1,)]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_when_the_starter_ends(how: signal.Signals) -> None:
	script = (
		"import signal, sys, time\n"
		"from embedded.bench import TemporaryBench\n"
		"signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))\n"
		"signal.signal(signal.SIGINT, signal.default_int_handler)\n"
		"with TemporaryBench() as run:\n"
		"	run.start_worker()\n"
		"	run.start_scheduler()\n"
		"	print(run.root, *(service.process.pid for service in run._services), flush=True)\n"
		"	time.sleep(600)\n"
	)
	starter = subprocess.Popen(
		[sys.executable, "-c", script],
		cwd=ROOT,
		env={**os.environ, "PYTHONPATH": str(ROOT)},
		stdout=subprocess.PIPE,
		stderr=subprocess.DEVNULL,
		text=True,
	)
	folder, *processes = starter.stdout.readline().split()
	assert len(processes) == 3 and all(is_alive(process) for process in processes)
	starter.send_signal(how)
	starter.wait(timeout=60)
	starter.stdout.close()
	deadline = time.monotonic() + 60
	while time.monotonic() < deadline and (Path(folder).exists() or any(map(is_alive, processes))):
		time.sleep(0.05)
	assert not any(map(is_alive, processes))
	assert not Path(folder).exists()


def is_alive(process: str) -> bool:
	import psutil

	try:
		return psutil.Process(int(process)).status() != psutil.STATUS_ZOMBIE
	except psutil.NoSuchProcess:
		return False


def test_an_app_is_removed_with_its_tables_and_comes_back(run) -> None:
	tables = "select name from sqlite_master where type='table' and name like 'tabZoho%' or name='tabCampaign Recipient'"
	fields = "select name, fieldtype, insert_after from `tabCustom Field` where module='ERPNext Zoho Integration' order by 1"
	before = (sorted(rows(run, tables)), rows(run, fields))
	assert all(before)
	run.run("uninstall-app", OUR_APP)
	assert rows(run, tables) == [] and rows(run, fields) == []
	assert rows(run, "select count(*) from `tabModule Def` where app_name='erpnext_zoho_integration'") == [
		(0,)
	]
	assert rows(run, "select count(*) from sqlite_master where name='tabCampaign'") == [(1,)]
	run.run("install-app", OUR_APP)
	assert (sorted(rows(run, tables)), rows(run, fields)) == before


def test_migrating_twice_changes_nothing(run) -> None:
	questions = (
		"select name, sql from sqlite_master where sql is not null order by name",
		"select name, fieldtype, label from `tabCustom Field` order by name",
		"select name, module from `tabDocType` order by name",
		"select patch from `tabPatch Log` order by patch",
		"select method, frequency from `tabScheduled Job Type` order by method",
	)
	run.run("migrate")
	once = [rows(run, question) for question in questions]
	run.run("migrate")
	assert [rows(run, question) for question in questions] == once


def test_an_altered_table_keeps_key_defaults_and_indexes(site: TestSite) -> None:
	name = "Embedded Probe"
	fields = [
		{"fieldname": "code", "fieldtype": "Data", "label": "Code", "unique": 1},
		{"fieldname": "number", "fieldtype": "Int", "label": "Number", "default": "4", "search_index": 1},
		{"fieldname": "amount", "fieldtype": "Float", "label": "Amount"},
		{"fieldname": "short", "fieldtype": "Data", "label": "Short"},
	]
	doctype = frappe.get_doc(
		{
			"doctype": "DocType",
			"name": name,
			"module": "Custom",
			"custom": 1,
			"autoname": "hash",
			"fields": fields,
		}
	).insert()
	try:
		frappe.db.add_index(name, ["number", "amount"])
		frappe.db.sql(f"insert into `tab{name}` (name, code) values ('a', 'one')")
		doctype.fields[2].default = "1.5"
		doctype.fields[3].length = 200
		doctype.save()
		assert frappe.db.sql(f"select number, amount, docstatus from `tab{name}`") == ((4, 0.0, 0),)
		frappe.db.sql(f"insert into `tab{name}` (name, short) values ('b', %s)", "x" * 200)
		assert frappe.db.get_value(name, "b", ["number", "amount"]) == (4, 1.5)
		for statement in (
			f"insert into `tab{name}` (name) values ('A')",
			f"insert into `tab{name}` (name, code) values ('c', 'ONE')",
		):
			with pytest.raises(sqlite3.IntegrityError):
				frappe.db.sql(statement)
		assert frappe.db.has_index(f"tab{name}", "number_amount_index")
		assert frappe.db.get_column_index(f"tab{name}", "number")
	finally:
		frappe.db.rollback()
		frappe.delete_doc("DocType", name, force=True)
		frappe.db.commit()
		frappe.db.sql_ddl(f"drop table if exists `tab{name}`")


def test_a_lock_for_update_keeps_writers_out(site: TestSite) -> None:
	path = site.sites_path / site.name / "db" / "site.db"
	other = sqlite3.connect(path, timeout=0, isolation_level=None)
	try:
		other.execute("insert into `tabToDo` (name, description) values ('theirs', 'x')")
		frappe.db.rollback()
		assert frappe.db.get_value("ToDo", "theirs", "description") == "x"
		other.execute("update `tabToDo` set description='y' where name='theirs'")
		assert frappe.db.get_value("ToDo", "theirs", "description", for_update=True) == "y"
		with pytest.raises(sqlite3.OperationalError, match="locked"):
			other.execute("update `tabToDo` set description='z' where name='theirs'")
		frappe.db.rollback()
		other.execute("update `tabToDo` set description='z' where name='theirs'")
	finally:
		frappe.db.rollback()
		other.execute("delete from `tabToDo` where name='theirs'")
		other.close()
