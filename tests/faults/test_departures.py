"""A run disappears while a worker works on it: somebody deletes its record, or uninstalls the app.

The app is uninstalled on a temporary copy of the embedded site, see tests/faults/uninstall_run.py.
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

from tests.faults import injectors, matrix
from tests.faults.harness import CLIENT_SECRET, Harness
from tests.faults.matrix import Cell
from tests.faults.matrix_site import departures
from tests.faults.oracle import TOKEN, Oracle
from tests.site.database_content import RUN
from tests.site.server import settle
from zoho_simulator import Simulator

if TYPE_CHECKING:
	from embedded.bench import TemporaryBench

CELLS = matrix.selected(departures())


@pytest.fixture
def temporary_bench() -> Iterator[TemporaryBench]:
	"""A temporary bench; on a real bench tests/faults/test_bench.py uninstalls the app."""
	if os.environ.get("FRAPPE_SITE") and os.environ.get("FRAPPE_SITES_PATH"):
		pytest.skip("tests/faults/test_bench.py has this test for a bench")
	from embedded.bench import TemporaryBench

	with TemporaryBench() as run:
		yield run


@pytest.mark.parametrize(
	"cell", [cell for cell in CELLS if cell.more["act"] == "delete"], ids=lambda cell: cell.id
)
def test_the_record_is_deleted(
	cell: Cell, harness: Harness, oracle: Oracle, worker, monkeypatch: pytest.MonkeyPatch
) -> None:
	assert harness.run().status == "Success"
	name = harness.open_run("Full")

	def act() -> None:
		frappe.delete_doc(RUN, name)
		settle()

	with injectors.between_transactions(cell.stage, act, monkeypatch) as done:
		harness.work_on(name)
	assert done
	settle()
	assert harness.job_error is None and not frappe.db.count("Error Log")
	assert not frappe.db.exists(RUN, name) and not frappe.db.count("Zoho Sync Task")
	for child in ("Zoho Sync Run Error", "Zoho Sync Run Campaign"):
		assert not frappe.db.exists(child, {"parent": name}), child
	oracle.nothing_wrong_is_stored()
	assert harness.run("Full").status == "Success"
	oracle.content_is_as_expected()
	oracle.no_secret_leaked()
	worker.discard_jobs()


@pytest.mark.parametrize(
	"cell", [cell for cell in CELLS if cell.more["act"] != "delete"], ids=lambda cell: cell.id
)
def test_the_app_is_uninstalled(cell: Cell, temporary_bench: TemporaryBench) -> None:
	with Simulator(seed=109, campaigns=3, recipients=60, client_secret=CLIENT_SECRET).start() as zoho:
		judge(cell, temporary_bench, zoho)


def judge(cell: Cell, bench: TemporaryBench, zoho: Simulator) -> None:
	bench.configure(**zoho.site_config)
	done = subprocess.run(
		[
			sys.executable,
			"-m",
			"tests.faults.uninstall_run",
			cell.more["act"].removeprefix("uninstall").strip(),
			cell.stage,
		],
		cwd=bench.sites,
		env=bench.environment(),
		capture_output=True,
		text=True,
	)
	output = done.stdout + done.stderr
	assert done.returncode == 0, output[-4000:]
	result = json.loads(done.stdout.splitlines()[-1])
	assert result["acted"] and result["status"] == "Gone"
	assert not result["errors"] and "Traceback" not in output
	assert result["apps"] == ["frappe", "erpnext"]
	assert result["leftovers"] == {} and result["jobs"] == 0
	logs = [path.read_text(errors="replace") for path in bench.root.glob("**/logs/*") if path.is_file()]
	for text in (output, result["texts"], *logs):
		assert not TOKEN.search(text) and CLIENT_SECRET not in text
	assert not [line for text in logs for line in text.splitlines() if "Traceback" in line]
	# After a new installation a sync brings all rows.
	assert result["rows"] == zoho.expected()["rows"]
