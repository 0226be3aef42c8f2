"""Fixtures of the tests of `sync/privacy/`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.site.sync.privacy.people import ada, bob
from tests.site.syncing import answer_with, connect, sync_all


@pytest.fixture
def zoho(start_simulator: Callable):
	"""A connected Zoho with one synced campaign that Ada and Bob opened and clicked."""
	zoho = connect(start_simulator(seed=1, campaigns=1, recipients=10))
	lists = {action: [ada(), bob()] for action in ("sentcontacts", "openedcontacts", "clickedcontacts")}
	answer_with(zoho, lists)
	assert sync_all().status == "Success"
	return zoho
