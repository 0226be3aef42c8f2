"""Read dates as Zoho writes them.

Zoho sends three kinds, and only the first is ready to use:

1. `*_time_gmt`: milliseconds since 1970 in UTC.
2. `*_time`: the same moment plus a constant skew (8 hours in every sample from the United States data
   centre; other data centres may differ).
3. `*_date_string`, `sentdate`: text in the time zone of the Zoho user who authorised the connection; the
   text does not name the zone.

`clock` measures the skew and finds the zone.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

from dateutil.parser import isoparse, parserinfo

EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
# A moment outside these years is an error, for example seconds read as milliseconds.
EARLIEST_MS: Final = 946_684_800_000  # 2000-01-01
LATEST_MS: Final = 4_102_444_800_000  # 2100-01-01

# English month names for every locale of the server; strptime would use the locale's.
_ENGLISH: Final = parserinfo()
_TIME = r",? (\d{1,2}):(\d{2})(?::(\d{2}))?(?: ?([AaPp])\.?[Mm]\.?)?"
_DAY_FIRST = re.compile(rf"(\d{{1,2}}) ([^\W\d_]{{3,20}})\.?,? (\d{{4}}){_TIME}")
_MONTH_FIRST = re.compile(rf"([^\W\d_]{{3,20}})\.? (\d{{1,2}}),? (\d{{4}}){_TIME}")


def epoch_ms(value: object) -> int | None:
	"""Return milliseconds since 1970 from `"1783009449000"` or an integer; None for anything else.

	The field decides whether they are UTC or skewed.
	"""
	if type(value) is str:
		value = value.strip()
		if not (value.isascii() and value.isdigit() and len(value) <= 13):
			return None
		value = int(value)
	if type(value) is not int or not EARLIEST_MS <= value < LATEST_MS:
		return None
	return value


def from_epoch_ms(milliseconds: int) -> datetime:
	"""Return the aware UTC datetime of milliseconds since 1970 in UTC."""
	return EPOCH + timedelta(milliseconds=milliseconds)


@lru_cache(maxsize=8192)
def parse_text(written: str) -> datetime | None:
	"""Return a written date and time, or None if it cannot be read. It has no zone unless the text names one.

	Forms: `02 Jul 2026, 12:24 PM`; `Feb 12, 2026 12:08 PM`; both with or without seconds and AM/PM; and ISO
	8601, whose offset is kept. Month names are English. A date without a time gives None.
	"""
	# Newer Java puts a narrow no-break space before AM and PM; split() handles every kind of space.
	written = " ".join(written.split())
	match = _DAY_FIRST.fullmatch(written)
	if match:
		day, name, year, *clock = match.groups()
	elif match := _MONTH_FIRST.fullmatch(written):
		name, day, year, *clock = match.groups()
	else:
		return _iso(written)
	month = _ENGLISH.month(name)
	hour, minute, second, half = clock
	hours = _hours(int(hour), half)
	if month is None or hours is None:
		return None
	try:
		return datetime(int(year), month, int(day), hours, int(minute), int(second or 0))
	except ValueError:
		return None


def _hours(hour: int, half: str | None) -> int | None:
	if not half:
		return hour
	if not 1 <= hour <= 12:
		return None
	return hour % 12 + (12 if half in "Pp" else 0)


def _iso(written: str) -> datetime | None:
	if len(written) < 16 or written[4] != "-" or written[10] not in "T ":
		return None
	try:
		return isoparse(written)
	except ValueError:
		return None


@dataclass(frozen=True, slots=True)
class ZohoTime:
	"""One moment of a campaign, in the up to three forms that Zoho sends.

	Attributes:
		gmt_ms: `*_time_gmt`, milliseconds since 1970 in UTC.
		skewed_ms: `*_time`, milliseconds with Zoho's skew.
		written: `*_date_string`, text in the account's time zone.
	"""

	gmt_ms: int | None = None
	skewed_ms: int | None = None
	written: str | None = None
