"""Fixtures of the fault matrix: one account and one connected site, emptied between two cells."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.faults.plan import Cell
from tests.site.conftest import (  # noqa: F401 - fixtures
	SIMULATOR_PORT,
	passwords,
	restore_singles,
	singles,
	site,
	web,
	worker,
)

if TYPE_CHECKING:
	from tests.faults.drill import Drill
	from tests.faults.oracle import Oracle

RESULTS: dict[str, str] = {}
FIGURES: dict[str, object] = {}


def pytest_configure(config: pytest.Config) -> None:
	# Tests that are ended write down what they have seen.
	signal.signal(signal.SIGTERM, signal.default_int_handler)
	config.addinivalue_line("markers", "worst: the worst faults, played on a real bench as well")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
	from tests.faults import plan_worst
	from tests.faults.table import key

	for item in items:
		cell = getattr(item, "callspec", None) and item.callspec.params.get("cell")
		if isinstance(cell, Cell) and key(cell) in plan_worst.CELLS:
			item.add_marker(pytest.mark.worst)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
	"""Remember what became of each cell, and of each schedule."""
	played = dict(report.user_properties).get("cell")
	if "tests/faults/test_schedules" in report.nodeid and not report.skipped:
		played = report.nodeid
	if os.environ.get("ZOHO_FAULTS_SERVERS") and not report.skipped:
		played = played or report.nodeid
	if played and (report.when == "call" or report.failed):
		RESULTS[played] = "passed" if report.passed and RESULTS.get(played) != "failed" else "failed"
	FIGURES.update(dict(report.user_properties).get("figures") or {})


def pytest_sessionfinish(session: pytest.Session) -> None:
	"""Remember what takes long or a bench, and write docs/reliability.md, if `./dev faults` or the bench's run asks for it."""
	if not os.environ.get("ZOHO_RELIABILITY") or not RESULTS:
		return
	from tests.faults import seen
	from tests.faults.table import PAGE, render

	if os.environ.get("ZOHO_FAULTS_SERVERS"):
		seen.remember_bench(RESULTS)
		return
	seen.remember_schedules(RESULTS)
	seen.remember_month(RESULTS, FIGURES)
	if any(" | " in played for played in RESULTS):
		PAGE.write_text(render(RESULTS))


@pytest.fixture(autouse=True)
def noted(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> None:
	"""Note which cell a test plays."""
	from tests.faults.table import key

	if "cell" in request.fixturenames:
		record_property("cell", key(request.getfixturevalue("cell")))


LONGEST_PAUSE = 0.05  # seconds; where the app would wait for longer before it asks again


def _pause(seconds: float) -> None:
	time.sleep(min(seconds, LONGEST_PAUSE))


@pytest.fixture(scope="package")
def drill(site, singles) -> Iterator[Drill]:  # noqa: F811
	"""The account and the site of all cells."""
	import frappe

	from erpnext_zoho_integration.connection.rate_limit import RateLimiter
	from erpnext_zoho_integration.zoho import Transport
	from tests.faults.drill import ACCOUNT, CLIENT_SECRET, TRACES, Drill
	from tests.site.database_content import forget_everything
	from tests.site.server import settle
	from zoho_simulator import Simulator

	patch = pytest.MonkeyPatch()
	patch.setitem(Transport.__init__.__kwdefaults__, "sleep", _pause)
	patch.setitem(RateLimiter.__init__.__kwdefaults__, "sleep", _pause)
	frappe.set_user("Administrator")
	with Simulator(**ACCOUNT, client_secret=CLIENT_SECRET).start(SIMULATOR_PORT) as zoho:
		yield Drill(zoho)
	patch.undo()
	forget_everything()
	for doctype in TRACES:
		frappe.db.delete(doctype)
	restore_singles(singles)
	settle()


class _Listener(logging.Handler):
	def __init__(self) -> None:
		super().__init__(logging.DEBUG)
		self.heard: list[str] = []

	def emit(self, record: logging.LogRecord) -> None:
		self.heard.append(f"{record.name} {record.getMessage()} {record.exc_text or ''}")


@pytest.fixture
def oracle(drill: Drill) -> Iterator[Oracle]:
	"""A site at its beginning, and the judge of what becomes of it."""
	from tests.faults.oracle import Oracle

	listener, root = _Listener(), logging.getLogger()
	level = root.level
	root.addHandler(listener)
	root.setLevel(logging.DEBUG)
	drill.begin()
	yield Oracle(drill, listener.heard)
	root.removeHandler(listener)
	root.setLevel(level)
	drill.zoho.plan()
