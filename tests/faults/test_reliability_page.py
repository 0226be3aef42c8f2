"""docs/reliability.md has exactly the cells of the matrix, and none has failed."""

from __future__ import annotations

from tests.faults.matrix import STAGES, matrix
from tests.faults.reliability_page import PAGE, render, without_signs


def test_every_fault_has_a_cell_at_every_stage() -> None:
	cells = matrix()
	faults = {(cell.group, cell.fault) for cell in cells}
	assert (
		len(cells)
		== len({(cell.group, cell.fault, cell.stage) for cell in cells})
		== len(faults) * len(STAGES)
	)
	assert all(bool(cell.outcome) is not bool(cell.reason) for cell in cells)
	assert sum(cell.applicable for cell in cells) >= 250


def test_the_page_lists_these_cells() -> None:
	page = PAGE.read_text()
	assert without_signs(page) == without_signs(render({})), "./dev faults writes docs/reliability.md anew"
	assert "✗" not in page
