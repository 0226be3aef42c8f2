"""Results of a session: what is skipped has no result, and a failure stays one."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.faults import conftest

CELL = "Database | disk full, once | write"


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
	monkeypatch.setattr(conftest, "RESULTS", {})
	monkeypatch.delenv("ZOHO_FAULTS_SERVERS", raising=False)
	return conftest.RESULTS


def report(outcome: str, when: str = "call", **values: object) -> None:
	"""Report a phase of a test, as pytest does."""
	outcomes = {each: each == outcome for each in ("passed", "failed", "skipped")}
	values = {"nodeid": "tests/faults/test_site.py::test", "user_properties": [("cell", CELL)], **values}
	conftest.pytest_runtest_logreport(SimpleNamespace(when=when, **outcomes, **values))


@pytest.mark.parametrize("when", ["setup", "call"])
@pytest.mark.parametrize("servers", ["", "/a/folder"])
def test_a_skipped_cell_has_no_result(
	when: str, servers: str, results: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
	monkeypatch.setenv("ZOHO_FAULTS_SERVERS", servers)
	report("skipped", when)
	report("passed", "teardown")
	assert results == {}


def test_a_cell_that_failed_once_has_failed(results: dict[str, str]) -> None:
	report("passed")
	assert results == {CELL: "passed"}
	report("failed", "teardown")
	report("passed")
	assert results == {CELL: "failed"}


@pytest.mark.parametrize("module", ["test_schedules", "test_soak"])
def test_schedules_and_the_soak_have_results_without_a_cell(module: str, results: dict[str, str]) -> None:
	node = f"tests/faults/{module}.py::test"
	report("passed", nodeid=node, user_properties=[])
	report("passed", nodeid="tests/faults/test_results.py::test", user_properties=[])
	assert results == {node: "passed"}
