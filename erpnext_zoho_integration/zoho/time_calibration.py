"""Turn Zoho's skewed and written times into UTC, for one Zoho account.

The skew and the time zone are measured on campaigns, because campaigns carry the same moment in several ways.
`dates` explains the kinds of times that Zoho sends.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone, tzinfo
from statistics import median_low
from typing import Final
from zoneinfo import ZoneInfo

from dateutil import tz

from .dates import EPOCH, ZohoTime, epoch_ms, from_epoch_ms, parse_text
from .events import Event
from .recipients import Recipient
from .records import Campaign

# The widest gap between two time zones is 26 hours; a larger "skew" comes from a broken value.
LARGEST_SKEW_MS: Final = 26 * 3_600_000
QUARTER_HOUR: Final = 900


def find_zone(name: str) -> tzinfo | None:
	"""Return the time zone with this IANA name, or None if there is none."""
	try:
		return ZoneInfo(name)
	except (KeyError, ValueError, OSError):
		# There is no such zone, or the system has no zone files: dateutil brings its own.
		return tz.gettz(name) if re.fullmatch(r"[A-Za-z]+(/[A-Za-z0-9_+-]+)+", name) else None


@dataclass(frozen=True)
class Clock:
	"""Convert the times of one Zoho account to UTC.

	A measured clock also keeps its samples. If they disagree (a skew or an offset that changes over the
	year), the sample nearest in time decides. For a recipient this is usually the recipient's own campaign.

	Args:
		skew_ms: Milliseconds by which `*_time` is ahead of UTC; None if unknown.
		zone: Time zone of written dates; None if unknown.
	"""

	skew_ms: int | None = None
	zone: tzinfo | None = None
	_skews: tuple[tuple[int, int], ...] = field(default=(), repr=False)
	_offsets: tuple[tuple[datetime, int], ...] = field(default=(), repr=False)

	@classmethod
	def measure(
		cls,
		campaigns: Iterable[Campaign],
		*,
		zone: tzinfo | None = None,
		candidates: Iterable[str] = (),
	) -> "Clock":
		"""Measure the skew and the time zone on campaigns that carry a time in several ways.

		Args:
			campaigns: Any campaigns of the account. One page of the list is enough; more is better.
			zone: Time zone of the Zoho account, if the user has set it. It is used without a check.
			candidates: IANA names to try first, for example the site's own zone. The first zone that fits
				every campaign is used. After the candidates come the zones that the campaigns name. If no
				zone fits, the clock uses the offset of the campaign nearest in time.
		"""
		times: list[ZohoTime] = []
		named: Counter[str] = Counter()
		for campaign in campaigns:
			times += [campaign.created, campaign.updated, campaign.sent]
			if campaign.sent_time_zone:
				named[campaign.sent_time_zone] += 1
		skews, offsets = _skew_samples(times), _offset_samples(times)
		if zone is None and offsets:
			names = [*candidates, *(name for name, _ in named.most_common())]
			zone = next((found for found in map(find_zone, names) if found and _fits(found, offsets)), None)
		return cls(
			skew_ms=median_low([skew for _, skew in skews]) if skews else None,
			zone=zone,
			_skews=skews if len({skew for _, skew in skews}) > 1 else (),
			_offsets=offsets,
		)

	def from_skewed_ms(self, milliseconds: int) -> datetime | None:
		"""Return the UTC moment of a `*_time` value, or None if the skew is unknown."""
		if self.skew_ms is None:
			return None
		skew = _nearest(self._skews, milliseconds) if self._skews else self.skew_ms
		return EPOCH + timedelta(milliseconds=milliseconds - skew)

	def parse_local(self, written: str | None) -> datetime | None:
		"""Return the UTC moment of a written date, or None if the date or the zone is unknown.

		When clocks go back, an hour occurs twice; the first one (summer time) is used. When they go forward,
		an hour is missing; a time within it is moved forward by the gap.
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

	def at(self, time: ZohoTime) -> datetime | None:
		"""Return the UTC moment of a campaign's time: from `_gmt`, else by the skew, else from the text."""
		if time.gmt_ms is not None:
			return from_epoch_ms(time.gmt_ms)
		by_skew = None if time.skewed_ms is None else self.from_skewed_ms(time.skewed_ms)
		return by_skew or self.parse_local(time.written)

	def recipient_sent_at(self, recipient: Recipient) -> datetime | None:
		"""Return when the mail left for this recipient, in UTC: by the skew, else from the written date."""
		return self._moment(recipient.sent_time_raw) or self.parse_local(recipient.sent_date_raw)

	def bounced_at(self, recipient: Recipient) -> datetime | None:
		"""Return when the mail bounced, in UTC, or None if Zoho does not say."""
		return self._moment(recipient.bounced_at_raw)

	def opted_out_at(self, recipient: Recipient) -> datetime | None:
		"""Return when the recipient opted out, in UTC, or None if Zoho does not say."""
		return self._moment(recipient.opted_out_at_raw)

	def event_at(self, event: Event) -> datetime | None:
		"""Return when an open or a click happened, in UTC, or None if Zoho does not say."""
		if event.time_is_gmt and (milliseconds := epoch_ms(event.time_raw)) is not None:
			return from_epoch_ms(milliseconds)
		return self._moment(event.time_raw)

	def acted_at(self, recipient: Recipient, action_type: str) -> datetime | None:
		"""Return when the recipient acted, in UTC, or None if Zoho does not say.

		The first open or click counts. Only for `Sent` is this the time of sending.

		Args:
			recipient: A row of the list.
			action_type: A value of `ACTION_TYPES`, for example `Hard Bounced`.
		"""
		if action_type == "Sent":
			return self.recipient_sent_at(recipient)
		if action_type in ("Hard Bounced", "Soft Bounced"):
			return self.bounced_at(recipient)
		if action_type in ("Unsubscribed", "Complaint"):
			return self.opted_out_at(recipient)
		events = recipient.click_events if action_type == "Clicked" else recipient.open_events
		moments = (self.event_at(event) for event in events)
		return min((moment for moment in moments if moment), default=None)

	def _moment(self, raw: str | None) -> datetime | None:
		"""Return the UTC moment of skewed milliseconds or of a written date."""
		milliseconds = epoch_ms(raw)
		if milliseconds is not None:
			return self.from_skewed_ms(milliseconds)
		return self.parse_local(raw)


def _skew_samples(times: Iterable[ZohoTime]) -> tuple[tuple[int, int], ...]:
	"""Return (skewed moment, skew) of every time that carries both, in order of time."""
	samples = {
		(time.skewed_ms, time.skewed_ms - time.gmt_ms)
		for time in times
		if time.gmt_ms is not None and time.skewed_ms is not None
	}
	return tuple(sorted(sample for sample in samples if abs(sample[1]) <= LARGEST_SKEW_MS))


def _offset_samples(times: Iterable[ZohoTime]) -> tuple[tuple[datetime, int], ...]:
	"""Return (local time, seconds ahead of UTC) of every time that is also written, in order of time.

	A text has no seconds, and zones differ by quarters of an hour, so the offset is rounded to a quarter.
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
	"""Tell whether a zone has every one of these offsets at its time."""
	return all(
		(local - timedelta(seconds=offset)).replace(tzinfo=timezone.utc).astimezone(zone).utcoffset()
		== timedelta(seconds=offset)
		for local, offset in offsets
	)


def _nearest(samples: Sequence[tuple[int, int]] | Sequence[tuple[datetime, int]], moment: object) -> int:
	"""Return the second part of the sample whose first part is nearest to `moment`."""
	position = bisect_left(samples, (moment,))
	around = samples[max(0, position - 1) : position + 1]
	return min(around, key=lambda sample: abs(sample[0] - moment))[1]
