"""Read a list of Zoho page by page: its rows, the position of the next page, and its end."""

import re
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

from .answers import EmptyAnswer, Json
from .errors import MalformedAnswer, PagingError
from .records import BadRecord, Page
from .value_parsing import count, first, rows

T = TypeVar("T")

# A list with more pages than this is treated as one without end.
MAX_PAGES: Final = 100_000

_IDENTITIES: Final = (
	"contactid",
	"contactemailaddress",
	"campaign_key",
	"contact_email",
	"listkey",
	"topicId",
)
_ECHO = re.compile(r"\brange=(\d+)")


def read_page(
	endpoint: str,
	answer: Json,
	key: str,
	read: Callable[[Any], T | BadRecord],
	*,
	from_index: int,
	size: int,
) -> Page[T]:
	"""Return the page in an answer.

	Args:
		endpoint: The API method, for errors.
		answer: What Zoho sent.
		key: Zoho's name of the list in the answer.
		read: Makes a record of a row.
		from_index: Position of the first row that was requested, from 1.
		size: Number of rows that were requested.

	Raises:
		MalformedAnswer: the answer has a list, but under another name.
	"""
	raw = _rows(endpoint, answer, key)
	total = _total(answer)
	items: list[T] = []
	bad: list[BadRecord] = []
	for row in raw:
		record = read(row)
		if isinstance(record, BadRecord):
			bad.append(record)
		else:
			items.append(record)
	last = not raw or _is_last(answer, len(raw), size, from_index, total)
	return Page(items, raw, from_index, None if last else from_index + len(raw), total, bad)


def all_pages(endpoint: str, ask: Callable[[int], Page[T]], from_index: int = 1) -> Iterator[Page[T]]:
	"""Yield the pages of a list from a position on; pages without rows are left out.

	Args:
		endpoint: The API method, for errors.
		ask: Returns the page that begins at a position.
		from_index: Position to begin at, from 1.

	Raises:
		PagingError: Zoho repeats a page, or the list has more than `MAX_PAGES` pages.
	"""
	seen: set[int] = set()
	start = from_index
	for _ in range(MAX_PAGES):
		page = ask(start)
		if page.raw:
			fingerprint = _fingerprint(page.raw)
			if fingerprint in seen:
				raise PagingError(f"Zoho sent the same page again at row {start}", endpoint=endpoint)
			seen.add(fingerprint)
			yield page
		if page.next_index is None:
			return
		start = page.next_index
	raise PagingError(f"no end after {MAX_PAGES} pages", endpoint=endpoint)


def _rows(endpoint: str, answer: Json, key: str) -> list[Any]:
	"""Return the rows of an answer; an empty answer or a missing list is the end of the list.

	A list under another name raises `MalformedAnswer`: Zoho has changed its answers, and people would be
	missed silently if this were read as an empty list.
	"""
	if key not in answer and not isinstance(answer, EmptyAnswer):
		others = [name for name, value in answer.items() if isinstance(value, list) and any(value)]
		if others:
			raise MalformedAnswer(f"no {key} in the answer, but {', '.join(others)[:100]}", endpoint=endpoint)
	return rows(answer.get(key))


def _is_last(answer: Json, found: int, asked: int, from_index: int, total: int | None) -> bool:
	"""Tell whether a page is the last one: it has fewer rows than Zoho gives at once.

	Zoho repeats the page size in its answer. If that size is smaller than the requested one, a page of that
	size is a full page. If Zoho does not repeat the size, the length of the whole list may show that there is
	more.
	"""
	given = _echoed_range(answer)
	if found >= min(asked, given or asked):
		return False
	more = given is None and total is not None and from_index + found <= total
	return not more


def _echoed_range(answer: Json) -> int | None:
	details = answer.get("requestdetails")
	if isinstance(details, dict):
		found = count(details.get("range"))
	elif isinstance(details, str) and (match := _ECHO.search(details)):
		found = int(match[1])
	else:
		found = count(answer.get("range"))
	return found or None


def _total(answer: Json) -> int | None:
	"""Return the length of the whole list, or None if Zoho does not say."""
	for holder in (answer, first(answer.get("requestdetails"))):
		for key in ("total_record_count", "total_list_count"):
			found = count(holder.get(key))
			if found is not None:
				return found
	return None


def _fingerprint(raw: list[Any]) -> int:
	"""Return a number that is equal for pages with the same content.

	It covers the identities of all rows in their order, and the whole first and last row; that is fast even
	for a large page.
	"""
	identities = [
		tuple(str(row.get(name)) for name in _IDENTITIES) if isinstance(row, dict) else repr(row)
		for row in raw
	]
	return hash((tuple(identities), repr(raw[0]), repr(raw[-1])))
