"""What Zoho tells us, as plain immutable records.

Zoho's spelling of every field is here and nowhere else. `from_zoho` never raises for what a row contains:
a value that cannot be read becomes None and its key is listed in `problems`; a row without an identity
becomes a `BadRecord`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, Generic, TypeVar

from .dates import ZohoTime, epoch_ms
from .events import Event, LinkClicks
from .recipients import ACTION_COUNTERS, ACTION_TYPES, ACTIONS, BadRecord, Recipient
from .values import NOTHING, count, counts_by_name, first, is_nothing, percentage, rows, text

__all__ = [
	"ACTIONS",
	"ACTION_COUNTERS",
	"ACTION_TYPES",
	"METRICS",
	"BadRecord",
	"Campaign",
	"CampaignDetails",
	"ChildCampaign",
	"Event",
	"LinkClicks",
	"Page",
	"Recipient",
	"Report",
]

T = TypeVar("T")

# The counters of `campaignreports`, as Zoho spells them (irregularly), and how each is read.
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

_REPORT_KEYS: Final = frozenset({*METRICS, "campaign_name"})

_HOST_AND_PATH = re.compile(r"[A-Za-z0-9][\w.-]*\.[A-Za-z]{2,}(?::\d+)?(?:[/?#].*)?")
_CHILD_KEY = re.compile(r"([a-z])_child_campaign_?key", re.I)

_CAMPAIGN_KEYS: Final = frozenset(
	[
		"campaign_key",
		"campaignId",
		"campaignid",
		"campaign_name",
		"subject",
		"email_subject",
		"from_email",
		"email_from",
		"from_name",
		"sender_name",
		"reply_to",
		"campaign_status",
		"campaigntype",
		"campaign_preview",
		"zuid",
		"sent_time_zone",
		"created_time",
		"created_time_gmt",
		"created_date_string",
		"updated_time",
		"updated_time_gmt",
		"updated_date_string",
		"sent_time",
		"sent_time_gmt",
		"sent_date_string",
	]
)


@dataclass(frozen=True, slots=True, repr=False)
class Page(Generic[T]):
	"""One page of a list.

	Attributes:
		items: The records, in Zoho's order.
		raw: Every row as it came, bad ones included.
		from_index: Position of the first row in the whole list, from 1.
		next_index: Where the next page begins; None if this is the last.
		total: Length of the whole list, where Zoho says.
		bad: Rows that could not be made into records.
	"""

	items: list[T]
	raw: list[Any]
	from_index: int
	next_index: int | None
	total: int | None = None
	bad: list[BadRecord] = field(default_factory=list)

	def __repr__(self) -> str:
		return f"<Page from {self.from_index}: {len(self.items)} items, {len(self.bad)} bad>"


def _either(row: Mapping[str, Any], *keys: str) -> str | None:
	"""Return the text under the first of `keys` that has one: endpoints spell the same field differently."""
	for key in keys:
		found = text(row.get(key))
		if found is not None:
			return found
	return None


def _time(row: Mapping[str, Any], name: str, written: str, problems: list[str]) -> ZohoTime:
	moments: list[int | None] = []
	for key in (f"{name}_gmt", name):
		raw = row.get(key)
		moments.append(epoch_ms(raw))
		if moments[-1] is None and not is_nothing(raw) and str(raw) != "0":
			problems.append(key)
	return ZohoTime(moments[0], moments[1], text(row.get(written)))


def _web_address(value: Any) -> str | None:
	"""Return an https address from Zoho's, which lacks the scheme; None for any other scheme."""
	written = text(value)
	if written is None:
		return None
	if written.startswith(("https://", "http://")):
		return written
	return f"https://{written}" if _HOST_AND_PATH.fullmatch(written) else None


@dataclass(frozen=True, slots=True)
class Campaign:
	"""A row of `recentcampaigns`.

	Attributes:
		key: What every call about the campaign needs (`campaign_key`).
		id: Zoho's number of it, a text of digits.
		status: As Zoho shows it: `Sent`, `Draft`, …; see `is_sent`.
		type: `normal`, `abtesting`, …; see `is_ab_test`.
		preview_url: With `https://` added.
		created, updated, sent: The times as they came; `Clock.at` turns them into UTC in every case.
		sent_time_zone: Zone of the campaign's author; written dates are not in it.
		zuid: The Zoho user who owns it.
		extra: Fields that this class does not know.
		problems: Keys whose value could not be read.
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
	extra: Mapping[str, Any]
	problems: tuple[str, ...] = ()

	@property
	def created_at_utc(self) -> datetime | None:
		"""Return when it was made, if Zoho gave the time in UTC."""
		return self.created.utc

	@property
	def updated_at_utc(self) -> datetime | None:
		"""Return when it was last changed, if Zoho gave the time in UTC; opens and clicks do not count."""
		return self.updated.utc

	@property
	def sent_at_utc(self) -> datetime | None:
		"""Return when sending ended, if Zoho gave the time in UTC."""
		return self.sent.utc

	@property
	def is_sent(self) -> bool:
		"""Tell whether the campaign has gone out."""
		return (self.status or "").casefold() == "sent"

	@property
	def is_ab_test(self) -> bool:
		"""Tell whether it is an A/B test, whose test mails belong to child campaigns."""
		return (self.type or "").casefold() == "abtesting"

	@classmethod
	def from_zoho(cls, row: Any) -> "Campaign | BadRecord":
		"""Return the campaign of a row, or a `BadRecord` if it has no key to ask for it by."""
		if not isinstance(row, dict):
			return BadRecord("not a campaign", row)
		key = text(row.get("campaign_key"))
		if key is None:
			return BadRecord("a campaign without a key", row)
		problems: list[str] = []
		preview = _web_address(row.get("campaign_preview"))
		if preview is None and not is_nothing(row.get("campaign_preview")):
			problems.append("campaign_preview")
		return cls(
			key=key,
			id=_either(row, "campaignId", "campaignid"),
			name=text(row.get("campaign_name")),
			subject=_either(row, "subject", "email_subject"),
			from_email=_either(row, "from_email", "email_from"),
			from_name=_either(row, "from_name", "sender_name"),
			reply_to=text(row.get("reply_to")),
			status=text(row.get("campaign_status")),
			type=text(row.get("campaigntype")),
			preview_url=preview,
			created=_time(row, "created_time", "created_date_string", problems),
			updated=_time(row, "updated_time", "updated_date_string", problems),
			sent=_time(row, "sent_time", "sent_date_string", problems),
			sent_time_zone=text(row.get("sent_time_zone")),
			zuid=text(row.get("zuid")),
			extra={
				name: row[name] for name in row if name not in _CAMPAIGN_KEYS and row[name] not in NOTHING
			},
			problems=tuple(problems),
		)


@dataclass(frozen=True, slots=True)
class Report:
	"""The figures of one campaign, from `campaignreports`.

	For an A/B test they cover the final mailing only; the test mails have their own keys and reports.

	Attributes:
		metrics: Every name of `METRICS`; None where Zoho gave no readable number.
		reach: Where the mail was shared (`emails`, `facebook`, …) and how often.
		locations: Opens (not people) by country, as Zoho names it.
		details: `campaign-details` as it came.
		extra_metrics: Counters that `METRICS` does not know.
		problems: Keys whose value could not be read.
	"""

	metrics: Mapping[str, int | float | None]
	reach: Mapping[str, int | None]
	locations: Mapping[str, int]
	details: Mapping[str, Any]
	extra_metrics: Mapping[str, Any]
	problems: tuple[str, ...] = ()

	@property
	def has_figures(self) -> bool:
		"""Tell whether there are any; Zoho leaves them out for an A/B test asked for as a normal one."""
		return any(value is not None for value in self.metrics.values())

	def expected(self, action: str) -> int | None:
		"""Return how many recipients the report counts for an action, or None if it does not say."""
		found = [self.metrics.get(name) for name in ACTION_COUNTERS[action]]
		return max((int(value) for value in found if value is not None), default=None)

	@classmethod
	def from_zoho(cls, answer: Mapping[str, Any]) -> "Report":
		"""Return the report in an answer of `campaignreports` or `getcampaigndetails`."""
		figures = first(answer.get("campaign-reports"))
		metrics = {name: read(figures.get(name)) for name, read in METRICS.items()}
		# Misspelt like this in JSON, and correct in XML.
		places = answer.get("campaign-by-loaction", answer.get("campaign-by-location"))
		reach = first(answer.get("campaign-reach"))
		return cls(
			metrics=metrics,
			reach={name: count(value) for name, value in reach.items()},
			locations=counts_by_name(places),
			details=first(answer.get("campaign-details")),
			extra_metrics={name: figures[name] for name in figures if name not in _REPORT_KEYS},
			problems=tuple(
				name for name in METRICS if metrics[name] is None and not is_nothing(figures.get(name))
			),
		)


@dataclass(frozen=True, slots=True)
class ChildCampaign:
	"""One variant of an A/B test.

	Attributes:
		variant: `A`, `B`, …
		key: The campaign key under which its recipients are listed.
		opens: People who opened it.
		clicks: People who clicked in it.
	"""

	variant: str
	key: str
	opens: int | None
	clicks: int | None


@dataclass(frozen=True, slots=True)
class CampaignDetails:
	"""An answer of `getcampaigndetails`.

	Attributes:
		children: The variants of an A/B test, in their order; empty for other campaigns.
		report: The same figures as `campaignreports`.
		mailing_lists: Names of the lists it went to.
		details: `campaign-details` as it came.
	"""

	key: str
	name: str | None
	subject: str | None
	from_email: str | None
	sender_name: str | None
	reply_to: str | None
	preheader: str | None
	topic: str | None
	status: str | None
	type: str | None
	created: ZohoTime
	updated: ZohoTime
	sent: ZohoTime
	children: tuple[ChildCampaign, ...]
	mailing_lists: tuple[str, ...]
	report: Report
	details: Mapping[str, Any]
	problems: tuple[str, ...] = ()

	@classmethod
	def from_zoho(cls, campaign_key: str, answer: Mapping[str, Any]) -> "CampaignDetails":
		"""Return the details in an answer to the question for `campaign_key`."""
		row = first(answer.get("campaign-details"))
		problems: list[str] = []
		return cls(
			key=text(row.get("campaign_key")) or campaign_key,
			name=text(row.get("campaign_name")),
			subject=_either(row, "email_subject", "subject"),
			from_email=_either(row, "email_from", "from_email"),
			sender_name=_either(row, "sender_name", "from_name"),
			reply_to=text(row.get("reply_to")),
			preheader=text(row.get("preheader")),
			topic=text(row.get("topic_name")),
			status=text(answer.get("campaign_status")) or text(row.get("campaign_status")),
			type=text(row.get("campaigntype")),
			created=_time(row, "created_time", "created_date_string", problems),
			updated=_time(row, "updated_time", "updated_date_string", problems),
			sent=_time(row, "sent_time", "sent_date_string", problems),
			children=_children(first(answer.get("AB-split-details"))),
			mailing_lists=_names(answer.get("associated_mailing_lists"), "listname"),
			report=Report.from_zoho(answer),
			details=row,
			problems=tuple(problems),
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
