"""Fixtures of the fault matrix: one account and one connected site, reset before each cell."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.faults.matrix import Cell
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
	from tests.faults.harness import Harness
	from tests.faults.oracle import Oracle

RESULTS: dict[str, str] = {}
FIGURES: dict[str, object] = {}
# Tests whose results are kept although they run no cell of the matrix.
WITHOUT_CELLS = ("tests/faults/test_schedules.py", "tests/faults/test_soak.py")


def pytest_configure(config: pytest.Config) -> None:
	# On SIGTERM the session still ends in order and writes its results.
	signal.signal(signal.SIGTERM, signal.default_int_handler)
	config.addinivalue_line("markers", "worst: the worst faults, which also run on a real bench")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
	from tests.faults import worst_faults
	from tests.faults.reliability_page import key

	for item in items:
		cell = getattr(item, "callspec", None) and item.callspec.params.get("cell")
		if isinstance(cell, Cell) and key(cell) in worst_faults.CELLS:
			item.add_marker(pytest.mark.worst)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
	"""Keep the result of each cell, schedule, month and test of a bench; a skipped one has none."""
	if report.skipped:
		return
	name = dict(report.user_properties).get("cell")
	if report.nodeid.startswith(WITHOUT_CELLS) or os.environ.get("ZOHO_FAULTS_SERVERS"):
		name = name or report.nodeid
	if name and (report.when == "call" or report.failed):
		RESULTS[name] = "passed" if report.passed and RESULTS.get(name) != "failed" else "failed"
	FIGURES.update(dict(report.user_properties).get("figures") or {})


def pytest_sessionfinish(session: pytest.Session) -> None:
	"""Write results.json and docs/reliability.md, if `./dev faults` or `python -m tests.faults.bench` asks for it."""
	if not os.environ.get("ZOHO_RELIABILITY") or not RESULTS:
		return
	from tests.faults import results
	from tests.faults.reliability_page import PAGE, render

	if os.environ.get("ZOHO_FAULTS_SERVERS"):
		results.store_bench(RESULTS)
		return
	results.store_schedules(RESULTS)
	results.store_month(RESULTS, FIGURES)
	if any(" | " in name for name in RESULTS):
		PAGE.write_text(render(RESULTS))


@pytest.fixture(autouse=True)
def record_cell(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> None:
	"""Record which cell a test runs."""
	from tests.faults.reliability_page import key

	if "cell" in request.fixturenames:
		record_property("cell", key(request.getfixturevalue("cell")))


LONGEST_PAUSE = 0.05  # seconds; shortens the back-off between two calls


def _pause(seconds: float) -> None:
	time.sleep(min(seconds, LONGEST_PAUSE))


@pytest.fixture(scope="package")
def harness(site, singles) -> Iterator[Harness]:  # noqa: F811
	"""The account and the site that all cells use."""
	import frappe

	from erpnext_zoho_integration.connection.zoho_rate_limit import RateLimiter
	from erpnext_zoho_integration.zoho import Transport
	from tests.faults.harness import ACCOUNT, CLIENT_SECRET, LOG_DOCTYPES, Harness
	from tests.site.database_content import forget_everything
	from tests.site.server import settle
	from zoho_simulator import Simulator

	patch = pytest.MonkeyPatch()
	patch.setitem(Transport.__init__.__kwdefaults__, "sleep", _pause)
	patch.setitem(RateLimiter.__init__.__kwdefaults__, "sleep", _pause)
	frappe.set_user("Administrator")
	with Simulator(**ACCOUNT, client_secret=CLIENT_SECRET).start(SIMULATOR_PORT) as zoho:
		yield Harness(zoho)
	patch.undo()
	forget_everything()
	for doctype in LOG_DOCTYPES:
		frappe.db.delete(doctype)
	restore_singles(singles)
	settle()


class _LogRecorder(logging.Handler):
	def __init__(self) -> None:
		super().__init__(logging.DEBUG)
		self.messages: list[str] = []

	def emit(self, record: logging.LogRecord) -> None:
		self.messages.append(f"{record.name} {record.getMessage()} {record.exc_text or ''}")


@pytest.fixture
def oracle(harness: Harness) -> Iterator[Oracle]:
	"""Reset the site, and return the checks of the cell."""
	from tests.faults.oracle import Oracle

	recorder, root = _LogRecorder(), logging.getLogger()
	level = root.level
	root.addHandler(recorder)
	root.setLevel(logging.DEBUG)
	harness.reset()
	yield Oracle(harness, recorder.messages)
	root.removeHandler(recorder)
	root.setLevel(level)
	harness.zoho.plan()
