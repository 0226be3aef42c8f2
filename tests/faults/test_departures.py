"""A run that is taken away while a worker is at it: its record deleted, or the app uninstalled.

The app is uninstalled on a copy of the embedded site that is thrown away, by a process of its own, while another one
(`python -m tests.faults.uninstalling`) is at work there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

import frappe

from tests.faults import plan, sabotage
from tests.faults.drill import CLIENT_SECRET, Drill
from tests.faults.oracle import TOKEN, Oracle
from tests.faults.plan import Cell
from tests.faults.plan_site import departures
from tests.site.database_content import RUN
from tests.site.server import settle
from zoho_simulator import Simulator

if TYPE_CHECKING:
	from embedded.bench import TemporaryBench

CELLS = plan.played(departures())


@pytest.fixture
def throwaway() -> Iterator[TemporaryBench]:
	"""A bench of its own; on a real one tests/faults/test_bench.py uninstalls the app."""
	if os.environ.get("FRAPPE_SITE") and os.environ.get("FRAPPE_SITES_PATH"):
		pytest.skip("tests/faults/test_bench.py plays it")
	from embedded.bench import TemporaryBench

	with TemporaryBench() as run:
		yield run


@pytest.mark.parametrize(
	"cell", [cell for cell in CELLS if cell.more["act"] == "delete"], ids=lambda cell: cell.id
)
def test_the_record_is_deleted(
	cell: Cell, drill: Drill, oracle: Oracle, worker, monkeypatch: pytest.MonkeyPatch
) -> None:
	assert drill.run().status == "Success"
	name = drill.open("Full")

	def act() -> None:
		frappe.delete_doc(RUN, name)
		settle()

	with sabotage.at_moment(cell.stage, act, monkeypatch) as done:
		drill.work(name)
	assert done
	settle()
	assert drill.unforeseen is None and not frappe.db.count("Error Log")
	assert not frappe.db.exists(RUN, name) and not frappe.db.count("Zoho Sync Task")
	for child in ("Zoho Sync Run Error", "Zoho Sync Run Campaign"):
		assert not frappe.db.exists(child, {"parent": name}), child
	oracle.nothing_wrong_is_stored()
	assert drill.run("Full").status == "Success"
	oracle.content_is_as_without_the_fault()
	oracle.no_secret_is_told()
	worker.discard_jobs()


@pytest.mark.parametrize(
	"cell", [cell for cell in CELLS if cell.more["act"] != "delete"], ids=lambda cell: cell.id
)
def test_the_app_is_uninstalled(cell: Cell, throwaway: TemporaryBench) -> None:
	with Simulator(seed=109, campaigns=3, recipients=60, client_secret=CLIENT_SECRET).start() as zoho:
		judge(cell, throwaway, zoho)


def judge(cell: Cell, bench: TemporaryBench, zoho: Simulator) -> None:
	bench.configure(**zoho.site_config)
	done = subprocess.run(
		[
			sys.executable,
			"-m",
			"tests.faults.uninstalling",
			cell.more["act"].removeprefix("uninstall").strip(),
			cell.stage,
		],
		cwd=bench.sites,
		env=bench.environment(),
		capture_output=True,
		text=True,
	)
	said = done.stdout + done.stderr
	assert done.returncode == 0, said[-4000:]
	seen = json.loads(done.stdout.splitlines()[-1])
	assert seen["acted"] and seen["status"] == "Gone"
	assert not seen["errors"] and "Traceback" not in said
	assert seen["apps"] == ["frappe", "erpnext"]
	assert seen["leftovers"] == {} and seen["jobs"] == 0
	logs = [path.read_text(errors="replace") for path in bench.root.glob("**/logs/*") if path.is_file()]
	for text in (said, seen["texts"], *logs):
		assert not TOKEN.search(text) and CLIENT_SECRET not in text
	assert not [line for text in logs for line in text.splitlines() if "Traceback" in line]
	# Installed again, the site brings what it would have brought.
	assert seen["rows"] == zoho.expected()["rows"]
