"""How often a campaign is looked at: often while it is young, for ever while Zoho has it. Plain functions."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

# (age in days up to which it counts, hours between two checks); age 0 stands for "whatever the age".
DEFAULT_INTERVALS = ((2, 0), (7, 6), (30, 24), (180, 168), (0, 720))
# A run that starts some minutes early must not find the campaign "not yet due".
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


def next_check(now: datetime, sent_time: datetime | None, intervals: Sequence[tuple[int, int]]) -> datetime:
	"""Return when a campaign that has just been checked is due again.

	Args:
		now: in any zone without name.
		sent_time: in the same zone; unknown counts as just sent.
		intervals: as `DEFAULT_INTERVALS`.
	"""
	age = now - sent_time if sent_time else timedelta(0)
	return now + max(interval(age, intervals) - _GRACE, timedelta(0))


def full_check_due(
	now: datetime, last: datetime | None, days: int, check_interval: timedelta = timedelta(0)
) -> bool:
	"""Return whether all lists of a campaign are to be read again, whatever the counters say.

	Args:
		last: when that was done last.
		days: the setting; 0 for never.
		check_interval: of the campaign; old ones are looked at less often than `days`.
	"""
	if last is None:
		return True
	return bool(days) and now - last >= max(timedelta(days=days) - _GRACE, check_interval - _GRACE)
