"""Zoho's campaigns, reports and pages as plain immutable records.

The fields of Zoho's rows and reports are read only here and in `recipients` and `events`; `paging` and `answers` read
what surrounds them. `from_zoho` never raises for the
content of a row: a value that cannot be read becomes None, and a row without an identity becomes a
`BadRecord`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Generic, TypeVar

from .dates import ZohoTime, epoch_ms
from .value_parsing import count, counts_by_name, first, percentage, rows, text

T = TypeVar("T")

# The counters of `campaignreports` in Zoho's irregular spelling, and the function that reads each.
METRICS: Final[Mapping[str, Callable[[Any], int | float | None]]] = MappingProxyType(
	{
		"emails_sent_count": count,
		"delivered_count": count,
		"delivered_percent": percentage,
		"opens_count": count,  # people who opened, not openings
		"open_percent": percentage,
		"unopened": count,
		"unopened_percent": percentage,
		"unique_clicks_count": count,
		"unique_clicked_percent": percentage,
		"clicksperopenrate": percentage,
		"bounces_count": count,
		"bounce_percent": percentage,
		"hardbounce_count": count,
		"softbounce_count": count,
		"unsub_count": count,
		"unsubscribe_percent": percentage,
		"spams_count": count,
		"spam_percent": percentage,
		"complaints_count": count,
		"complaints_percent": percentage,
		"forwards_count": count,
		"forward_percent": percentage,
		"autoreply_count": count,
		"unsent_count": count,
		"unsent_percent": percentage,
	}
)

# The counters of a report that give the length of each recipient list. Zoho does not explain how spam and
# complaints differ, so either may count the list of complaints.
ACTION_COUNTERS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
	{
		"sentcontacts": ("emails_sent_count",),
		"openedcontacts": ("opens_count",),
		"clickedcontacts": ("unique_clicks_count",),
		"senthardbounce": ("hardbounce_count",),
		"sentsoftbounce": ("softbounce_count",),
		"optoutcontacts": ("unsub_count",),
		"spamcontacts": ("complaints_count", "spams_count"),
		"unopenedcontacts": ("unopened",),
		"unsentcontacts": ("unsent_count",),
	}
)

_HOST_AND_PATH = re.compile(r"[A-Za-z0-9][\w.-]*\.[A-Za-z]{2,}(?::\d+)?(?:[/?#].*)?")
_CHILD_KEY = re.compile(r"([a-z])_child_campaign_?key", re.I)


@dataclass(frozen=True, slots=True)
class BadRecord:
	"""A row that cannot become a record, and the reason."""

	reason: str
	raw: Any = field(repr=False)


@dataclass(frozen=True, slots=True, repr=False)
class Page(Generic[T]):
	"""One page of a list.

	Attributes:
		items: The records, in Zoho's order.
		raw: Every row as it came, bad ones included.
		from_index: Position of the first row in the whole list, from 1.
		next_index: Position where the next page begins; None if this is the last page.
		total: Length of the whole list, or None if Zoho does not say.
		bad: Rows that could not become records.
	"""

	items: list[T]
	raw: list[Any]
	from_index: int
	next_index: int | None
	total: int | None = None
	bad: list[BadRecord] = field(default_factory=list)

	def __repr__(self) -> str:
		return f"<Page from {self.from_index}: {len(self.items)} items, {len(self.bad)} bad>"


@dataclass(frozen=True, slots=True)
class Campaign:
	"""A row of `recentcampaigns`.

	Attributes:
		key: Identifies the campaign in every call (`campaign_key`).
		id: Zoho's number of the campaign, a text of digits.
		status: As Zoho shows it: `Sent`, `Draft`, …; see `is_sent`.
		type: `normal`, `abtesting`, …
		preview_url: With `https://` added.
		created, updated, sent: The times as they came; `Clock.at` turns them into UTC.
		sent_time_zone: Time zone of the campaign's author. Written dates are not in this zone.
		zuid: The Zoho user who owns the campaign.
	"""

	key: str
	id: str | None
	name: str | None
	subject: str | None
	from_email: str | None
	from_name: str | None
	reply_to: str | None
	status: str | None
	type: str | None
	preview_url: str | None
	created: ZohoTime
	updated: ZohoTime
	sent: ZohoTime
	sent_time_zone: str | None
	zuid: str | None

	@property
	def is_sent(self) -> bool:
		"""Tell whether the campaign has been sent."""
		return (self.status or "").casefold() == "sent"

	@classmethod
	def from_zoho(cls, row: Any) -> "Campaign | BadRecord":
		"""Return the campaign of a row, or a `BadRecord` if it has no campaign key."""
		if not isinstance(row, dict):
			return BadRecord("not a campaign", row)
		key = text(row.get("campaign_key"))
		if key is None:
			return BadRecord("a campaign without a key", row)
		return cls(
			key=key,
			id=_first_text(row, "campaignId", "campaignid"),
			name=text(row.get("campaign_name")),
			subject=_first_text(row, "subject", "email_subject"),
			from_email=_first_text(row, "from_email", "email_from"),
			from_name=_first_text(row, "from_name", "sender_name"),
			reply_to=text(row.get("reply_to")),
			status=text(row.get("campaign_status")),
			type=text(row.get("campaigntype")),
			preview_url=_web_address(row.get("campaign_preview")),
			created=_time(row, "created_time", "created_date_string"),
			updated=_time(row, "updated_time", "updated_date_string"),
			sent=_time(row, "sent_time", "sent_date_string"),
			sent_time_zone=text(row.get("sent_time_zone")),
			zuid=text(row.get("zuid")),
		)


def _first_text(row: Mapping[str, Any], *keys: str) -> str | None:
	"""Return the text under the first of `keys` that has one: endpoints spell the same field differently."""
	for key in keys:
		found = text(row.get(key))
		if found is not None:
			return found
	return None


def _time(row: Mapping[str, Any], name: str, written: str) -> ZohoTime:
	return ZohoTime(epoch_ms(row.get(f"{name}_gmt")), epoch_ms(row.get(name)), text(row.get(written)))


def _web_address(value: Any) -> str | None:
	"""Return a web address, adding the `https://` that Zoho leaves out; None for any other scheme."""
	written = text(value)
	if written is None:
		return None
	if written.startswith(("https://", "http://")):
		return written
	return f"https://{written}" if _HOST_AND_PATH.fullmatch(written) else None


@dataclass(frozen=True, slots=True)
class Report:
	"""The figures of one campaign, from `campaignreports`.

	For an A/B test they cover the final mailing only; each test mail has a campaign key and a report of its
	own.

	Attributes:
		metrics: A value for every name in `METRICS`; None if Zoho gave no readable number.
		reach: Number of shares for each place (`emails`, `facebook`, …).
		locations: Opens (not people) for each country, as Zoho names it.
	"""

	metrics: Mapping[str, int | float | None]
	reach: Mapping[str, int | None]
	locations: Mapping[str, int]

	@property
	def has_figures(self) -> bool:
		"""Tell whether there are any; Zoho leaves them out for an A/B test requested as a normal campaign."""
		return any(value is not None for value in self.metrics.values())

	def expected(self, action: str) -> int | None:
		"""Return the length that the report gives for a list of `ACTION_COUNTERS`, or None if it gives none."""
		found = [self.metrics.get(name) for name in ACTION_COUNTERS[action]]
		return max((int(value) for value in found if value is not None), default=None)

	@classmethod
	def from_zoho(cls, answer: Mapping[str, Any]) -> "Report":
		"""Return the report in an answer of `campaignreports`."""
		figures = first(answer.get("campaign-reports"))
		# Misspelt in JSON, spelt correctly in XML.
		places = answer.get("campaign-by-loaction", answer.get("campaign-by-location"))
		reach = first(answer.get("campaign-reach"))
		return cls(
			metrics={name: read(figures.get(name)) for name, read in METRICS.items()},
			reach={name: count(value) for name, value in reach.items()},
			locations=counts_by_name(places),
		)


@dataclass(frozen=True, slots=True)
class ChildCampaign:
	"""One variant of an A/B test.

	Attributes:
		variant: `A`, `B`, …
		key: The campaign key under which its recipients are listed.
		opens: People who opened the variant.
		clicks: People who clicked in the variant.
	"""

	variant: str
	key: str
	opens: int | None
	clicks: int | None


@dataclass(frozen=True, slots=True)
class CampaignDetails:
	"""The fields of `getcampaigndetails` that `recentcampaigns` and `campaignreports` do not have.

	Attributes:
		children: The variants of an A/B test, in their order; empty for other campaigns.
		mailing_lists: Names of the mailing lists that it was sent to.
		topic: Name of its topic.
	"""

	children: tuple[ChildCampaign, ...]
	mailing_lists: tuple[str, ...]
	topic: str | None

	@classmethod
	def from_zoho(cls, answer: Mapping[str, Any]) -> "CampaignDetails":
		"""Return the details in an answer of `getcampaigndetails`."""
		return cls(
			children=_children(first(answer.get("AB-split-details"))),
			mailing_lists=_names(answer.get("associated_mailing_lists"), "listname"),
			topic=text(first(answer.get("campaign-details")).get("topic_name")),
		)


def _children(split: Mapping[str, Any]) -> tuple[ChildCampaign, ...]:
	found = []
	for name, value in split.items():
		match = _CHILD_KEY.fullmatch(name)
		key = text(value)
		if match and key:
			letter = match[1]
			opens, clicks = split.get(f"{letter}_open_count"), split.get(f"{letter}_click_count")
			found.append(ChildCampaign(letter.upper(), key, count(opens), count(clicks)))
	return tuple(sorted(found, key=lambda child: child.variant))


def _names(value: Any, key: str) -> tuple[str, ...]:
	names = (text(row.get(key)) for row in rows(value) if isinstance(row, dict))
	return tuple(name for name in names if name)
