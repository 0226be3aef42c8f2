"""The site's clock, shifted to shortly before a change to or from summer time."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from frappe.utils import get_system_timezone, now_datetime

from erpnext_zoho_integration.sync.mapping import site_clock

_STEP = timedelta(minutes=15)


def next_change(hours: int) -> datetime:
	"""Return the next moment, in UTC, at which the site's clock goes forward (hours > 0) or back."""
	zone = ZoneInfo(get_system_timezone())
	moment = datetime.now(timezone.utc).replace(minute=0, second=0, microsecond=0)
	for _quarter in range(4 * 24 * 400):
		before, moment = moment.astimezone(zone).utcoffset(), moment + _STEP
		moved = moment.astimezone(zone).utcoffset() - before
		if moved and (moved > timedelta(0)) is (hours > 0):
			return moment
	pytest.skip("the site's zone has no summer time")


class SiteClock:
	"""Shift the site's time in this process; it runs on from there at normal speed.

	Args:
		begin: the time to start at, in UTC.
		patch: pytest's monkeypatch.
	"""

	def __init__(self, begin: datetime, patch: pytest.MonkeyPatch) -> None:
		self._ahead = begin - datetime.now(timezone.utc)
		names = now_datetime.__globals__
		patch.setattr(site_clock, "now_epoch", lambda: self.utc().timestamp())
		patch.setitem(names, "_shifted_clock", self)
		patch.setattr(now_datetime, "__code__", (lambda: _shifted_clock.at_site()).__code__)  # noqa: F821 - a name of its module

	def utc(self) -> datetime:
		return datetime.now(timezone.utc) + self._ahead

	def at_site(self) -> datetime:
		return self.utc().astimezone(ZoneInfo(get_system_timezone())).replace(tzinfo=None)

	def let_pass(self, minutes: float) -> None:
		self._ahead += timedelta(minutes=minutes)
