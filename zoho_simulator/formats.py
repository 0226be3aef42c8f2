"""Times and XML in Zoho's formats."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import escape, quoteattr
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# Hours ahead of UTC, for machines without a time zone database. These have had one offset since 1992.
FIXED_HOURS = {
	"UTC": 0,
	"Asia/Kolkata": 5.5,
	"Asia/Dubai": 4,
	"Asia/Riyadh": 3,
	"Asia/Tokyo": 9,
	"Asia/Shanghai": 8,
}


@lru_cache(maxsize=32)
def find_zone(name: str) -> tzinfo:
	"""Return a time zone by its IANA name. Raises ValueError if this machine does not know it."""
	try:
		return ZoneInfo(name)
	except (ZoneInfoNotFoundError, ValueError):
		if name in FIXED_HOURS:
			return timezone(timedelta(hours=FIXED_HOURS[name]))
		raise ValueError(f"no time zone {name!r} on this machine; install the package tzdata") from None


@lru_cache(maxsize=8192)
def _local_minute(minute: int, zone_name: str) -> tuple[str, str]:
	when = datetime.fromtimestamp(minute * 60, find_zone(zone_name))
	month, clock = MONTHS[when.month - 1], f"{when.hour % 12 or 12:02d}:{when.minute:02d}"
	half = "AM" if when.hour < 12 else "PM"
	return (
		f"{when.day:02d} {month} {when.year}, {clock} {half}",
		f"{month} {when.day:02d}, {when.year} {clock} {half}",
	)


def date_string(seconds: int, zone_name: str) -> str:
	"""Format epoch seconds (UTC) in local time as most answers do: "02 Jul 2026, 12:24 PM"."""
	return _local_minute(seconds // 60, zone_name)[0]


def event_string(seconds: int, zone_name: str) -> str:
	"""Format epoch seconds (UTC) in local time as open and click events do: "Feb 12, 2026 12:08 PM"."""
	return _local_minute(seconds // 60, zone_name)[1]


def epoch_ms(seconds: int, skew_hours: float = 0) -> str:
	"""Format epoch seconds (UTC) as a string of milliseconds, shifted ahead by `skew_hours`."""
	return str(int((seconds + skew_hours * 3600) * 1000))


# Elements whose XML name differs from the JSON name. Zoho misspells "location" in JSON alone.
XML_NAMES = {"recent_campaigns": "recent-campaigns", "campaign-by-loaction": "campaign-by-location"}


def to_xml(payload: Mapping[str, Any]) -> bytes:
	"""Convert a JSON payload to Zoho's XML: scalars become elements, records become <fl val="name">value</fl>."""
	uri = payload.get("uri") or payload.get("URI") or ""
	inside = "".join(
		_element(XML_NAMES.get(name, name), value)
		for name, value in payload.items()
		if name not in ("uri", "URI", "version")
	)
	version = quoteattr(str(payload.get("version", "1.1")))
	return (
		f'<?xml version="1.0" encoding="UTF-8" ?>\n<response uri={quoteattr(uri)} version={version}>'
		f"{inside}</response>"
	).encode()


def _element(name: str, value: Any) -> str:
	tag = name.lower() if name in ("Code",) else name
	if isinstance(value, list):
		return f"<{tag}>{''.join(f'<item>{_fields(each)}</item>' for each in value)}</{tag}>"
	if isinstance(value, Mapping):
		return f"<{tag}>{_fields(value)}</{tag}>"
	return f"<{tag}>{_text(value)}</{tag}>"


def _fields(record: Any) -> str:
	if not isinstance(record, Mapping):
		return _text(record)
	return "".join(
		_element(name, value)
		if isinstance(value, list | Mapping)
		else f"<fl val={quoteattr(str(name))}>{_text(value)}</fl>"
		for name, value in record.items()
	)


def _text(value: Any) -> str:
	return escape("true" if value is True else "false" if value is False else str(value))
