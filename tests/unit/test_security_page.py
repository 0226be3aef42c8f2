"""docs/security.md: every line names tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "security.md"
ROWS = [line for line in PAGE.read_text().splitlines() if line.startswith("| ") and "proved by" not in line]
PROOF = re.compile(
	r"((?:`test_\w+`(?:, )?)+) in `tests/((?:unit|site|faults|browser)/(?:\w+/)*test_\w+\.py)`"
)


def proofs(row: str) -> list[tuple[str, str]]:
	"""Return (file, test) of everything that a row names."""
	return [(file, test) for tests, file in PROOF.findall(row) for test in re.findall(r"`(test_\w+)`", tests)]


def functions_of(file: str) -> set[str]:
	tree = ast.parse((ROOT / "tests" / file).read_text())
	return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:60])
def test_each_line_is_proved_by_tests_that_exist(row: str) -> None:
	named = proofs(row)
	assert named, "no test is named"
	assert {test for _file, test in named} == set(re.findall(r"`(test_\w+)`", row)), "a test without its file"
	for file, test in named:
		assert test in functions_of(file), f"{test} is not in {file}"


def test_the_page_has_a_line_for_each_kind_of_threat() -> None:
	assert len(ROWS) >= 30
