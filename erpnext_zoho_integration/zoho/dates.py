"""Dates as Zoho writes them, made into UTC.

Three kinds arrive, and only the first can be taken as it is:

1. `*_time_gmt`: milliseconds since 1970 in UTC.
2. `*_time`: the same moment plus a constant skew (8 hours in every sample from the United States data
   centre; other data centres may differ). The skew is measured on campaigns, which carry both.
3. `*_date_string`, `sentdate`: text in the time zone of the Zoho user who authorised the connection,
   without naming the zone. It is compared with the first kind to find the zone's offset.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from statistics import median_low
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from dateutil import tz
from dateutil.parser import isoparse, parserinfo

from .values import text

if TYPE_CHECKING:
	from .records import Campaign, Event, Recipient

EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
# A moment outside these years is a mistake, for example seconds taken for milliseconds.
EARLIEST_MS: Final = 946_684_800_000  # 2000-01-01
LATEST_MS: Final = 4_102_444_800_000  # 2100-01-01
# The widest gap between two time zones is 26 hours; a larger "skew" is a broken value.
LARGEST_SKEW_MS: Final = 26 * 3_600_000
QUARTER_HOUR: Final = 900

# Month names in English whatever the server's locale is, which strptime would obey.
_ENGLISH: Final = parserinfo()
_TIME = r",? (\d{1,2}):(\d{2})(?::(\d{2}))?(?: ?([AaPp])\.?[Mm]\.?)?"
_DAY_FIRST = re.compile(rf"(\d{{1,2}}) ([^\W\d_]{{3,20}})\.?,? (\d{{4}}){_TIME}")
_MONTH_FIRST = re.compile(rf"([^\W\d_]{{3,20}})\.? (\d{{1,2}}),? (\d{{4}}){_TIME}")


def epoch_ms(value: object) -> int | None:
	"""Return milliseconds since 1970 from `"1783009449000"` or the integer; None if it is no such moment.

	Which clock they belong to (UTC or skewed) depends on the field.
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
	"""Read a date and time as Zoho writes them, without saying which zone they are in.

	Forms: `02 Jul 2026, 12:24 PM`; `Feb 12, 2026 12:08 PM`; both with or without seconds and AM/PM; and ISO
	8601, whose offset is kept. Month names are English. Anything else, a date without a time included,
	gives None.
	"""
	# Newer Java puts a narrow no-break space before AM and PM; split() takes all kinds of spaces.
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


def find_zone(name: str) -> tzinfo | None:
	"""Return the time zone of that IANA name, or None if there is none."""
	try:
		return ZoneInfo(name)
	except (KeyError, ValueError, OSError):
		# No zone files on this system, or no such zone: dateutil brings its own files.
		return tz.gettz(name) if re.fullmatch(r"[A-Za-z]+(/[A-Za-z0-9_+-]+)+", name) else None


@dataclass(frozen=True, slots=True)
class ZohoTime:
	"""One moment in the up to three ways in which a campaign carries it.

	Attributes:
		gmt_ms: `*_time_gmt`, milliseconds since 1970 in UTC.
		skewed_ms: `*_time`, milliseconds with Zoho's skew.
		written: `*_date_string`, text in the account's time zone.
	"""

	gmt_ms: int | None = None
	skewed_ms: int | None = None
	written: str | None = None

	@property
	def utc(self) -> datetime | None:
		"""Return the moment if it is known without a `Clock`, aware, in UTC."""
		return None if self.gmt_ms is None else from_epoch_ms(self.gmt_ms)


@dataclass(frozen=True)
class Clock:
	"""How one Zoho account tells the time; turns its skewed and its written times into UTC.

	Args:
		skew_ms: Milliseconds by which `*_time` is ahead of UTC; None if unknown.
		zone: Time zone of written dates; None if unknown.

	A measured clock also remembers its samples. If they disagree (a skew or an offset that changes over the
	year) the sample nearest in time decides, which for a recipient is as a rule his own campaign's.
	"""

	skew_ms: int | None = None
	zone: tzinfo | None = None
	zone_fits: bool | None = None
	_skews: tuple[tuple[int, int], ...] = field(default=(), repr=False)
	_offsets: tuple[tuple[datetime, int], ...] = field(default=(), repr=False)

	@classmethod
	def measure(
		cls,
		campaigns: "Iterable[Campaign]",
		*,
		zone: tzinfo | None = None,
		candidates: Iterable[str] = (),
	) -> "Clock":
		"""Measure skew and zone on campaigns that carry a time in several ways.

		Args:
			campaigns: Any campaigns of the account; a page of the list is enough, more is better.
			zone: Time zone of the Zoho account if the user has set it; then it is used, and `zone_fits`
				tells whether the campaigns agree.
			candidates: IANA names to try first, for example the site's own zone. The first that fits every
				campaign is taken, then the zones that the campaigns name; if none fits, fixed offsets are.
		"""
		times: list[ZohoTime] = []
		named: Counter[str] = Counter()
		for campaign in campaigns:
			times += [campaign.created, campaign.updated, campaign.sent]
			if campaign.sent_time_zone:
				named[campaign.sent_time_zone] += 1
		skews, offsets = _skews(times), _offsets(times)
		fits = _fits(zone, offsets) if zone and offsets else None
		if zone is None and offsets:
			names = [*candidates, *(name for name, _ in named.most_common())]
			zone = next((found for found in map(find_zone, names) if found and _fits(found, offsets)), None)
			fits = True if zone else None
		return cls(
			skew_ms=median_low([skew for _, skew in skews]) if skews else None,
			zone=zone,
			zone_fits=fits,
			_skews=skews if len({skew for _, skew in skews}) > 1 else (),
			_offsets=offsets,
		)

	def from_skewed_ms(self, milliseconds: int) -> datetime | None:
		"""Return the UTC moment of a `*_time` value, or None as long as the skew is unknown."""
		if self.skew_ms is None:
			return None
		skew = _nearest(self._skews, milliseconds) if self._skews else self.skew_ms
		return EPOCH + timedelta(milliseconds=milliseconds - skew)

	def parse_local(self, written: str | None) -> datetime | None:
		"""Return the UTC moment of a written date, or None if it or the zone is unknown.

		When clocks go back, an hour occurs twice: the first one (summer time) is meant. When they go forward,
		an hour is missing: such a time is moved forward by the gap.
		"""
		moment = parse_text(written) if written else None
		if moment is None:
			return None
		if moment.tzinfo is not None:
			return moment.astimezone(timezone.utc)
		if self.zone is not None:
			return moment.replace(tzinfo=self.zone).astimezone(timezone.utc)
		if not self._offsets:
			return None
		offset = _nearest(self._offsets, moment)
		return (moment - timedelta(seconds=offset)).replace(tzinfo=timezone.utc)

	def instant(self, raw: object) -> datetime | None:
		"""Return the UTC moment of a raw value without a `_gmt` name: skewed milliseconds or a text."""
		milliseconds = epoch_ms(raw)
		if milliseconds is not None:
			return self.from_skewed_ms(milliseconds)
		return self.parse_local(text(raw))

	def at(self, time: ZohoTime) -> datetime | None:
		"""Return the UTC moment of a campaign's time: `_gmt` first, then the skew, then the text."""
		if time.gmt_ms is not None:
			return from_epoch_ms(time.gmt_ms)
		by_skew = None if time.skewed_ms is None else self.from_skewed_ms(time.skewed_ms)
		return by_skew or self.parse_local(time.written)

	def recipient_sent_at(self, recipient: "Recipient") -> datetime | None:
		"""Return when the mail left for this recipient, in UTC: by the skew, else by the written date."""
		return self.instant(recipient.sent_time_raw) or self.parse_local(recipient.sent_date_raw)

	def bounced_at(self, recipient: "Recipient") -> datetime | None:
		"""Return when the mail bounced, in UTC, where Zoho says."""
		return self.instant(recipient.bounced_at_raw)

	def opted_out_at(self, recipient: "Recipient") -> datetime | None:
		"""Return when the recipient opted out, in UTC, where Zoho says."""
		return self.instant(recipient.opted_out_at_raw)

	def event_at(self, event: "Event") -> datetime | None:
		"""Return when an open or a click happened, in UTC, where Zoho says."""
		if event.time_is_gmt and (milliseconds := epoch_ms(event.time_raw)) is not None:
			return from_epoch_ms(milliseconds)
		return self.instant(event.time_raw)

	def acted_at(self, recipient: "Recipient", action: str) -> datetime | None:
		"""Return when the recipient did what the list `action` is about, in UTC; None where Zoho is silent.

		For opens and clicks the first one counts. Never the time of sending, but for `sentcontacts`.
		"""
		if action == "sentcontacts":
			return self.recipient_sent_at(recipient)
		if action in ("senthardbounce", "sentsoftbounce"):
			return self.bounced_at(recipient)
		if action == "optoutcontacts":
			return self.opted_out_at(recipient)
		events = {"openedcontacts": recipient.open_events, "clickedcontacts": recipient.click_events}
		moments = (self.event_at(event) for event in events.get(action, ()))
		return min((moment for moment in moments if moment), default=None)


def _skews(times: Iterable[ZohoTime]) -> tuple[tuple[int, int], ...]:
	"""Return (skewed moment, skew) of every time that carries both, in order of time."""
	samples = {
		(time.skewed_ms, time.skewed_ms - time.gmt_ms)
		for time in times
		if time.gmt_ms is not None and time.skewed_ms is not None
	}
	return tuple(sorted(sample for sample in samples if abs(sample[1]) <= LARGEST_SKEW_MS))


def _offsets(times: Iterable[ZohoTime]) -> tuple[tuple[datetime, int], ...]:
	"""Return (local time, seconds ahead of UTC) of every time that is also written, in order of time.

	A text has no seconds, and zones differ by quarters of an hour: round to the nearest.
	"""
	samples = set()
	for time in times:
		local = parse_text(time.written) if time.written else None
		if time.gmt_ms is None or local is None or local.tzinfo is not None:
			continue
		ahead = (local - from_epoch_ms(time.gmt_ms).replace(tzinfo=None)).total_seconds()
		offset = round(ahead / QUARTER_HOUR) * QUARTER_HOUR
		if abs(offset) * 1000 <= LARGEST_SKEW_MS and abs(ahead - offset) <= 60:
			samples.add((local, offset))
	return tuple(sorted(samples))


def _fits(zone: tzinfo, offsets: Iterable[tuple[datetime, int]]) -> bool:
	return all(
		(local - timedelta(seconds=offset)).replace(tzinfo=timezone.utc).astimezone(zone).utcoffset()
		== timedelta(seconds=offset)
		for local, offset in offsets
	)


def _nearest(samples: "Sequence[tuple[int, int]] | Sequence[tuple[datetime, int]]", moment: object) -> int:
	"""Return the second part of the sample whose first part is nearest to `moment`."""
	position = bisect_left(samples, (moment,))
	around = samples[max(0, position - 1) : position + 1]
	return min(around, key=lambda sample: abs(sample[0] - moment))[1]
