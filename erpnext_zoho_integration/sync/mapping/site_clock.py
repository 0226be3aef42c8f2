"""The clock of the site, which is put on by an hour each spring and back each autumn while runs go on.

What is stored is the time of day in the site's zone, as all of Frappe's times: the hour that comes twice is stored alike
both times. So each question is asked here in the way whose answer does no harm, whichever of the two was meant.
"""

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from frappe.utils import get_system_timezone, now_datetime


def utc_now() -> datetime:
	"""Return the time, with its zone."""
	return datetime.now(timezone.utc)


def older_than(minutes: float) -> datetime:
	"""Return a time such that whatever is stored as earlier is at least so old.

	What was stored before the clock was put back seems to be younger for an hour than it is.

	Returns:
		In the site's zone.
	"""
	span = timedelta(minutes=minutes)
	return min(now_datetime() - span, _at_site(utc_now() - span))


def not_before(seconds: float) -> datetime:
	"""Return the time that the site's clock shows in so many seconds, or an hour later if it is put back meanwhile.

	Returns:
		In the site's zone.
	"""
	span = timedelta(seconds=seconds)
	return max(now_datetime() + span, _at_site(utc_now() + span))


def is_due(moment: datetime) -> bool:
	"""Return whether a stored time is reached; in the hour that comes twice, from its first coming on."""
	return _in_utc(moment, fold=0) <= utc_now()


def seconds_since(moment: datetime) -> float:
	"""Return how long ago a stored time was: its last coming that is not ahead. Negative if all of them are."""
	now = utc_now()
	again = (now - _in_utc(moment, fold=1)).total_seconds()
	return again if again >= 0 else (now - _in_utc(moment, fold=0)).total_seconds()


def _at_site(moment: datetime) -> datetime:
	return moment.astimezone(_zone()).replace(tzinfo=None)


def _in_utc(moment: datetime, fold: int) -> datetime:
	return moment.replace(tzinfo=_zone(), fold=fold).astimezone(timezone.utc)


def _zone() -> ZoneInfo:
	return ZoneInfo(get_system_timezone())
