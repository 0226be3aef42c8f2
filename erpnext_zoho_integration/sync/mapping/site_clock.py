"""Seconds since the epoch, which workers compare, and times in the site's zone, which people read.

A time in the site's zone says nothing certain in the hour that comes twice, when the clocks go back; so nothing that a run
depends on is compared as such a time.
"""

import time
from datetime import datetime
from zoneinfo import ZoneInfo

from frappe.utils import get_system_timezone


def now_epoch() -> float:
	"""Return the seconds since the epoch; the only clock that runs, tasks and cursors are compared by."""
	return time.time()


def at_site(epoch: float) -> datetime:
	"""Return a moment as a time in the site's zone, for people to read.

	Args:
		epoch: seconds since the epoch.
	"""
	return datetime.fromtimestamp(epoch, _zone()).replace(tzinfo=None)


def epoch_of(moment: datetime) -> float:
	"""Return a stored time as seconds since the epoch.

	Args:
		moment: in the site's zone; in the hour that comes twice, its second coming is meant.
	"""
	return moment.replace(tzinfo=_zone(), fold=1).timestamp()


def seconds_since(moment: datetime) -> float:
	"""Return how long ago a stored time was; up to an hour too little if it is in the hour that comes twice.

	Args:
		moment: in the site's zone.
	"""
	return now_epoch() - epoch_of(moment)


def _zone() -> ZoneInfo:
	return ZoneInfo(get_system_timezone())
