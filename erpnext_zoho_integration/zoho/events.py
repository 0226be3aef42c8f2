"""Links, single opens and single clicks of one recipient.

The keys inside `openreports` and `clickreports` are not documented and differ between accounts. These
functions return what they recognise; the caller keeps the raw structure.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from .dates import epoch_ms, parse_text
from .value_parsing import count, structure, text, urls

# Deepest nesting of events that is searched: {"reports": [{"report": {"time": …}}]}.
DEEPEST: Final = 4
# In order of preference; any other key with "time" or "date" in its name comes after these.
_TIME_KEYS: Final = ("time", "opened_time", "clicked_time", "open_time", "click_time", "action_time")
_URL_KEYS: Final = ("url", "link", "click_url", "clickedurl", "link_url")


@dataclass(frozen=True, slots=True)
class LinkClicks:
	"""One link and how often this recipient clicked it; `count` is None if Zoho does not say."""

	url: str
	count: int | None


@dataclass(frozen=True, slots=True)
class Event:
	"""One open or click.

	Attributes:
		time_raw: The time as Zoho wrote it; `Clock.event_at` turns it into UTC.
		time_is_gmt: True if the time comes from a `_gmt` key and therefore has no skew.
		url: The link, for a click.
	"""

	time_raw: str
	time_is_gmt: bool
	url: str | None


def links(urlclicks: Any, clickedurls: Any) -> tuple[LinkClicks, ...]:
	"""Return the clicked links: from `urlclicks`, which has counts, else from the text `clickedurls`."""
	if urlclicks is None and clickedurls is None:
		return ()
	counted = tuple(_counted(structure(urlclicks)))
	return counted or tuple(LinkClicks(url, None) for url in urls(clickedurls))


def _counted(value: Any) -> Iterator[LinkClicks]:
	if isinstance(value, dict):
		url = text(value.get("url")) or _url(value)
		if url:
			yield LinkClicks(url, count(value.get("count", value.get("clickcount"))))
		else:
			yield from (LinkClicks(name, count(clicks)) for name, clicks in value.items() if ":" in name)
	elif isinstance(value, list):
		for item in value:
			yield from _counted(item)


def events(reports: Any) -> tuple[Event, ...]:
	"""Return the opens or clicks that can be recognised in `openreports` or `clickreports`.

	Lists and mappings may be nested and may be written as text. Every mapping with a time and every bare time
	in them is an event.
	"""
	return () if reports is None else tuple(_events(reports, DEEPEST))


def _events(value: Any, deeper: int) -> Iterator[Event]:
	value = structure(value)
	if isinstance(value, dict):
		event = _event(value)
		if event:
			yield event
		elif deeper:
			for inner in value.values():
				if isinstance(inner, list | dict) or _is_structure(inner):
					yield from _events(inner, deeper - 1)
	elif isinstance(value, list):
		for item in value if deeper else ():
			yield from _events(item, deeper - 1)
	elif _is_time(value):
		yield Event(str(value).strip(), False, None)


def _event(row: dict[str, Any]) -> Event | None:
	"""Return the event of a mapping that has a time directly in it."""
	for key in _time_keys(tuple(row)):
		if _is_time(row[key]):
			return Event(str(row[key]).strip(), key.casefold().endswith("_gmt"), _url(row))
	return None


@lru_cache(maxsize=256)
def _time_keys(keys: tuple[Any, ...]) -> tuple[str, ...]:
	"""Return the keys that name a time, in order of preference. Most mappings have the same keys."""
	named = [key for key in keys if isinstance(key, str) and _names_time(key.casefold())]
	return tuple(sorted(named, key=_preference))


def _url(row: dict[str, Any]) -> str | None:
	return next((found for key in _URL_KEYS if (found := text(row.get(key)))), None)


def _names_time(key: str) -> bool:
	return "time" in key or "date" in key


def _preference(key: str) -> int:
	key = key.casefold()
	if key.endswith("_gmt"):
		return -1
	return _TIME_KEYS.index(key) if key in _TIME_KEYS else len(_TIME_KEYS)


def _is_time(value: Any) -> bool:
	return epoch_ms(value) is not None or (isinstance(value, str) and parse_text(value) is not None)


def _is_structure(value: Any) -> bool:
	return isinstance(value, str) and value.lstrip()[:1] in ("[", "{")
