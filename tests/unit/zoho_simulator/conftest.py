"""Fixtures that several modules share."""

import pytest

from tests.unit.zoho_simulator.reader import Reader
from zoho_simulator import Simulator


@pytest.fixture(scope="module")
def account():
	"""Return a running simulator with the default data. Tests must not change it."""
	with Simulator(today="2026-06-30") as simulator:
		yield simulator


@pytest.fixture(scope="module")
def reader(account):
	return Reader(account)
