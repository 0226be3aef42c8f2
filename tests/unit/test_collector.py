"""Python's search for cycles is put back as it was, whatever ends the work."""

import gc

import pytest

from erpnext_zoho_integration.sync.collector import collecting_rarely


@pytest.fixture(autouse=True)
def _as_before():
	thresholds = gc.get_threshold()
	yield
	gc.set_threshold(*thresholds)
	gc.unfreeze()


def test_cycles_are_looked_for_seldom_and_as_before_afterwards() -> None:
	before = gc.get_threshold()
	with pytest.raises(ValueError), collecting_rarely():
		assert gc.get_threshold() > before and gc.isenabled() and gc.get_freeze_count() > 0
		raise ValueError
	assert gc.get_threshold() == before and gc.get_freeze_count() == 0


def test_what_somebody_else_has_put_aside_stays_there() -> None:
	gc.freeze()
	with collecting_rarely():
		assert gc.get_freeze_count() > 0
	assert gc.get_freeze_count() > 0
