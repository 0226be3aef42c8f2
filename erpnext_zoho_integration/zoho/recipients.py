"""Recipients: who was sent a campaign and what they did with it. Imported through `records`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from .events import Event, LinkClicks, events, links
from .values import NOTHING, count, flag, is_nothing, structure, text

# The nine lists of `getcampaignrecipientsdata` and the action type of their recipients. Two are not kept:
# they are what is left when the others are taken away.
# ref: https://www.zoho.com/campaigns/help/developers/campaign-recipient-data.html
ACTIONS: Final[Mapping[str, str | None]] = MappingProxyType(
	{
		"sentcontacts": "Sent",
		"openedcontacts": "Opened",
		"clickedcontacts": "Clicked",
		"senthardbounce": "Hard Bounced",
		"sentsoftbounce": "Soft Bounced",
		"optoutcontacts": "Unsubscribed",
		"spamcontacts": "Complaint",
		"unopenedcontacts": None,
		"unsentcontacts": None,
	}
)

# The lists that say what somebody did, by their names at Zoho.
ACTION_TYPES: Final[Mapping[str, str]] = MappingProxyType(
	{action: label for action, label in ACTIONS.items() if label is not None}
)

# The counters of a report that say how long each list is. Zoho does not explain how spam and complaints
# differ: either may count the list of complaints.
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

_KEYS: Final = frozenset(
	[
		"contactid",
		"contactemailaddress",
		"contact_email",
		"contactfn",
		"contactln",
		"firstname",
		"lastname",
		"companyname",
		"jobtitle",
		"phone",
		"mobile",
		"country",
		"city",
		"state",
		"contactstatus",
		"sent_time",
		"sentdate",
		"rtbf",
		"clickcount",
		"opencount",
		"clickedurls",
		"urlclicks",
		"openreports",
		"clickreports",
		"bouncedDate",
		"bounceddate",
		"optOutTime",
		"optouttime",
	]
)


@dataclass(frozen=True, slots=True)
class BadRecord:
	"""A row that nothing can be done with, and why."""

	reason: str
	raw: Any = field(repr=False)


@dataclass(frozen=True)
class Recipient:
	"""A row of `getcampaignrecipientsdata`: one person in one list of one campaign.

	Place, company and the like describe the contact; they do not tell where the mail was opened.

	Attributes:
		contact_id: Zoho's number of the contact, a text of digits.
		email: As Zoho wrote it, trimmed; None if the contact has none.
		status: Zoho's word for the contact (`active`, …).
		sent_time_raw, sent_date_raw: When the mail left; see `Clock.recipient_sent_at`.
		erased: The contact asked to be forgotten: nothing personal may be kept.
		click_count, open_count: How often, where Zoho says.
		links: Clicked links.
		open_events, click_events: Single opens and clicks, as far as they can be recognised.
		open_reports_raw, click_reports_raw: What they were recognised in; made of JSON values.
		bounced_at_raw, opted_out_at_raw: See `Clock.bounced_at` and `Clock.opted_out_at`.
		extra: Further fields that have a value, such as `website` and custom fields.
		problems: Keys whose value could not be read.
	"""

	contact_id: str | None
	email: str | None
	first_name: str | None
	last_name: str | None
	company: str | None
	job_title: str | None
	phone: str | None
	mobile: str | None
	country: str | None
	city: str | None
	state: str | None
	status: str | None
	sent_time_raw: str | None
	sent_date_raw: str | None
	erased: bool
	click_count: int | None = None
	open_count: int | None = None
	links: tuple[LinkClicks, ...] = ()
	open_events: tuple[Event, ...] = ()
	click_events: tuple[Event, ...] = ()
	open_reports_raw: Any = None
	click_reports_raw: Any = None
	bounced_at_raw: str | None = None
	opted_out_at_raw: str | None = None
	extra: Mapping[str, Any] = field(default_factory=dict)
	problems: tuple[str, ...] = ()

	@classmethod
	def from_zoho(cls, row: Any) -> "Recipient | BadRecord":
		"""Return the recipient of a row, or a `BadRecord` if it has neither an e-mail address nor an id.

		A million rows come through here.
		"""
		if not isinstance(row, dict):
			return BadRecord("not a recipient", row)
		get = row.get
		contact_id = text(get("contactid"))
		email = text(get("contactemailaddress")) or text(get("contact_email"))
		if contact_id is None and email is None:
			return BadRecord("a recipient with neither an e-mail address nor an id", row)
		click_count, open_count = count(get("clickcount")), count(get("opencount"))
		open_reports, click_reports = _reports(get("openreports")), _reports(get("clickreports"))
		made = object.__new__(cls)
		# What __init__ of a frozen class does field by field, in one go: less than half the time per row.
		made.__dict__.update(
			contact_id=contact_id,
			email=email,
			first_name=text(get("contactfn")) or text(get("firstname")),  # the second as documented
			last_name=text(get("contactln")) or text(get("lastname")),
			company=text(get("companyname")),
			job_title=text(get("jobtitle")),
			phone=text(get("phone")),
			mobile=text(get("mobile")),
			country=text(get("country")),
			city=text(get("city")),
			state=text(get("state")),
			status=text(get("contactstatus")),
			sent_time_raw=text(get("sent_time")),
			sent_date_raw=text(get("sentdate")),
			erased=flag(get("rtbf")),
			click_count=click_count,
			open_count=open_count,
			links=links(get("urlclicks"), get("clickedurls")),
			open_events=() if open_reports is None else events(open_reports),
			click_events=() if click_reports is None else events(click_reports),
			open_reports_raw=open_reports,
			click_reports_raw=click_reports,
			bounced_at_raw=text(get("bouncedDate")) or text(get("bounceddate")),
			opted_out_at_raw=text(get("optOutTime")) or text(get("optouttime")),
			extra={key: value for key, value in row.items() if key not in _KEYS and value not in NOTHING},
			problems=_unreadable(row, email, click_count, open_count),
		)
		return made


def _reports(value: Any) -> Any:
	"""Return what a report field holds as JSON values: a structure, or the text where it is none."""
	return None if value is None or is_nothing(value) else structure(value)


def _unreadable(
	row: Mapping[str, Any], email: str | None, click_count: int | None, open_count: int | None
) -> tuple[str, ...]:
	"""Return the keys whose value is there but makes no sense."""
	found = []
	if email is not None and "@" not in email:
		found.append("contactemailaddress")
	if click_count is None and not is_nothing(row.get("clickcount")):
		found.append("clickcount")
	if open_count is None and not is_nothing(row.get("opencount")):
		found.append("opencount")
	return tuple(found)
