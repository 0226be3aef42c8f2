"""docs/reliability.md: the fault matrix as a page. `./dev faults` writes it with its results."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path

from tests.faults import results as stored_results
from tests.faults.matrix import OUTCOMES, STAGES, Cell, matrix

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
SIGNS = {"passed": "✓", "failed": "✗"}
INTRODUCTION = """# What happens when things go wrong

Each cell below is a test: one fault at one stage of a sync of a small simulated account, and the outcome. Every cell also
checks that

- the stored data is right, and nothing is stored twice;
- the run lists exactly what is missing, if anything is;
- no token, code or secret is in a record, a message, a log or a URL;
- no page of recipients is fetched again except the one that the fault spoiled, the pages written together with it, and as
  many pages as had been fetched ahead; if a list was given up, also the pages before;
- in the end the database is the same as after a run without the fault.

The tests write this page (`./dev faults`). `./dev test` runs most of the cells again, and checks that this table has
exactly the cells that exist.

"""


def render(results: Mapping[str, str]) -> str:
	"""Return the page.

	Args:
		results: `passed` or `failed` by the key of a cell, or by the node id of another test that ran.
	"""
	cells = matrix()
	applicable = [cell for cell in cells if cell.applicable]
	passed = sum(results.get(key(cell)) == "passed" for cell in applicable)
	parts = [
		INTRODUCTION,
		f"**{len(applicable)} cells apply; {passed} of them were played for this page and passed,"
		f" {sum(result == 'failed' for result in results.values())} failed.**\n\n",
		"| outcome | what the test demands |\n| --- | --- |\n",
		*(f"| {outcome} | {demand} |\n" for outcome, demand in OUTCOMES.items()),
		"\n| stage | |\n| --- | --- |\n",
		*(f"| {stage} | {what} |\n" for stage, what in STAGES.items()),
	]
	for group, members in groupby(cells, lambda cell: cell.group):
		parts += ["\n", *_table(group, list(members), results)]
	return "".join([*parts, *stored_results.bench(), *stored_results.schedules(), *stored_results.month()])


def _table(group: str, cells: list[Cell], results: Mapping[str, str]) -> Iterable[str]:
	stages = [stage for stage in STAGES if any(cell.stage == stage and cell.applicable for cell in cells)]
	reasons: dict[str, int] = {}
	rows = []
	for fault in dict.fromkeys(cell.fault for cell in cells):
		by_stage = {cell.stage: cell for cell in cells if cell.fault == fault}
		line = [_entry(by_stage[stage], results, reasons) for stage in stages]
		rows.append(f"| {_escaped(fault)} | {' | '.join(line)} |\n")
	others = [stage for stage in STAGES if stage not in stages]
	for stage in others:
		reasons.setdefault(next(cell.reason for cell in cells if cell.stage == stage), len(reasons) + 1)
	yield f"## {group}\n\n| fault | {' | '.join(stages)} |\n| --- |{' --- |' * len(stages)}\n"
	yield from rows
	for reason, number in reasons.items():
		yield f"\n<sup>{number}</sup> {reason}\n"
	if others:
		yield f"\nNot at {', '.join(others)}: see the reasons.\n"


def _entry(cell: Cell, results: Mapping[str, str], reasons: dict[str, int]) -> str:
	if not cell.applicable:
		return f"–<sup>{reasons.setdefault(cell.reason, len(reasons) + 1)}</sup>"
	return f"{cell.outcome} {SIGNS.get(results.get(key(cell), ''), '')}".strip()


def key(cell: Cell) -> str:
	"""Return the key of a cell in the results of a session."""
	return f"{cell.group} | {cell.fault} | {cell.stage}"


def without_signs(page: str) -> str:
	"""Return the tables of a page without results: the cells alone."""
	tables = "\n".join(line for line in page.splitlines() if line.startswith("|"))
	return re.sub(r" [✓✗]", "", tables)


def _escaped(text: str) -> str:
	return text.replace("|", "\\|").replace("<", "&lt;")
