"""Python's search for unreachable cycles, which a page of rows sets off again and again and which finds nothing in it."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# Python's own are 700, 10 and 10: a page of 500 rows has some thousand objects, all of them alive until it is written.
_THRESHOLDS = (50_000, 20, 20)


@contextmanager
def collecting_rarely() -> Iterator[None]:
	"""Let Python look for unreachable cycles seldom, and not among what was there before.

	They are looked for in all that a process has imported otherwise, which takes a sixth of a sync's time.
	"""
	thresholds, frozen_before = gc.get_threshold(), gc.get_freeze_count()
	if not frozen_before:
		gc.freeze()
	gc.set_threshold(*_THRESHOLDS)
	try:
		yield
	finally:
		gc.set_threshold(*thresholds)
		if not frozen_before:
			gc.unfreeze()
