"""How often a campaign is checked: often while it is young, and as long as Zoho lists it. Plain functions."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

# (age in days up to which it applies, hours between two checks); 0 days stands for any age.
DEFAULT_INTERVALS = ((2, 0), (7, 6), (30, 24), (180, 168), (0, 720))
# A campaign is due although its run starts some minutes early.
_GRACE = timedelta(minutes=10)


def interval(age: timedelta, intervals: Iterable[tuple[int, int]]) -> timedelta:
	"""Return the time between two checks of a campaign of this age.

	Args:
		age: since it was sent.
		intervals: as `DEFAULT_INTERVALS`.
	"""
	hours = 0
	for until_age_days, every_hours in intervals:
		hours = every_hours
		if not until_age_days or age < timedelta(days=until_age_days):
			break
	return timedelta(hours=hours)


def next_check_in(
	now: datetime, sent_time: datetime | None, intervals: Sequence[tuple[int, int]]
) -> timedelta:
	"""Return after how long a campaign that has just been checked is due again.

	Args:
		now: a time without zone.
		sent_time: in the same zone; None counts as just sent.
		intervals: as `DEFAULT_INTERVALS`.
	"""
	age = now - sent_time if sent_time else timedelta(0)
	return max(interval(age, intervals) - _GRACE, timedelta(0))


def full_check_due(
	now: datetime, last: datetime | None, days: int, check_interval: timedelta = timedelta(0)
) -> bool:
	"""Return whether all lists of a campaign are read again, whatever the counters say.

	Args:
		now: a time without zone.
		last: when all lists were read last, in the same zone.
		days: the setting; 0 for never.
		check_interval: of the campaign; old campaigns are checked less often than every `days`.
	"""
	if last is None:
		return True
	return bool(days) and now - last >= max(timedelta(days=days) - _GRACE, check_interval - _GRACE)
