"""Fixtures of the fault matrix: one account and one connected site, emptied between two cells."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

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

LONGEST_PAUSE = 0.05  # seconds; where the app would wait for longer before it asks again


def _pause(seconds: float) -> None:
	time.sleep(min(seconds, LONGEST_PAUSE))


@pytest.fixture(scope="package")
def drill(site, singles) -> Iterator[Drill]:  # noqa: F811
	"""The account and the site of all cells."""
	import frappe

	from erpnext_zoho_integration.simulator import Simulator
	from erpnext_zoho_integration.sync.governor import Governor
	from erpnext_zoho_integration.zoho import Transport
	from tests.faults.drill import ACCOUNT, CLIENT_SECRET, Drill
	from tests.site.engine import forget_everything
	from tests.site.server import settle

	patch = pytest.MonkeyPatch()
	patch.setitem(Transport.__init__.__kwdefaults__, "sleep", _pause)
	patch.setitem(Governor.__init__.__kwdefaults__, "sleep", _pause)
	frappe.set_user("Administrator")
	with Simulator(**ACCOUNT, client_secret=CLIENT_SECRET).start(SIMULATOR_PORT) as zoho:
		yield Drill(zoho)
	patch.undo()
	forget_everything()
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
