"""Recipients: the people a campaign was sent to, and what each of them did with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from .events import Event, LinkClicks, events, links
from .records import BadRecord
from .value_parsing import NOTHING, count, flag, is_nothing, structure, text

# The nine lists of `getcampaignrecipientsdata` (Zoho calls them actions) and the action type that each is
# stored as. The last two are not stored: they hold only people who are missing from other lists.
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

# The lists that are stored.
ACTION_TYPES: Final[Mapping[str, str]] = MappingProxyType(
	{action: label for action, label in ACTIONS.items() if label is not None}
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
class Recipient:
	"""A row of `getcampaignrecipientsdata`: one person in one list of one campaign.

	Company, place and the like describe the contact; they do not tell where the mail was opened.

	Attributes:
		contact_id: Zoho's number of the contact, a text of digits.
		email: As Zoho wrote it, trimmed; None if the contact has none.
		status: Zoho's word for the contact (`active`, …).
		erased: The contact asked to be forgotten (`rtbf`): nothing personal may be kept.
		sent_time_raw, sent_date_raw: When the mail left; see `Clock.recipient_sent_at`.
		bounced_at_raw, opted_out_at_raw: See `Clock.bounced_at` and `Clock.opted_out_at`.
		click_count, open_count: How often; None if Zoho does not say.
		links: The clicked links.
		open_events, click_events: Single opens and clicks that could be recognised in the reports.
		open_reports_raw, click_reports_raw: The reports as Zoho sent them, made of JSON values.
		extra: Other fields that have a value, such as `website` and custom fields.
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
	erased: bool
	sent_time_raw: str | None
	sent_date_raw: str | None
	bounced_at_raw: str | None
	opted_out_at_raw: str | None
	click_count: int | None
	open_count: int | None
	links: tuple[LinkClicks, ...]
	open_events: tuple[Event, ...]
	click_events: tuple[Event, ...]
	open_reports_raw: Any
	click_reports_raw: Any
	extra: Mapping[str, Any]

	@classmethod
	def from_zoho(cls, row: Any) -> "Recipient | BadRecord":
		"""Return the recipient of a row, or a `BadRecord` if it has neither an e-mail address nor an id."""
		if not isinstance(row, dict):
			return BadRecord("not a recipient", row)
		get = row.get
		contact_id = text(get("contactid"))
		email = text(get("contactemailaddress")) or text(get("contact_email"))
		if contact_id is None and email is None:
			return BadRecord("a recipient with neither an e-mail address nor an id", row)
		open_reports, click_reports = _reports(get("openreports")), _reports(get("clickreports"))
		return cls(
			contact_id=contact_id,
			email=email,
			# The second spelling is the documented one.
			first_name=text(get("contactfn")) or text(get("firstname")),
			last_name=text(get("contactln")) or text(get("lastname")),
			company=text(get("companyname")),
			job_title=text(get("jobtitle")),
			phone=text(get("phone")),
			mobile=text(get("mobile")),
			country=text(get("country")),
			city=text(get("city")),
			state=text(get("state")),
			status=text(get("contactstatus")),
			erased=flag(get("rtbf")),
			sent_time_raw=text(get("sent_time")),
			sent_date_raw=text(get("sentdate")),
			bounced_at_raw=text(get("bouncedDate")) or text(get("bounceddate")),
			opted_out_at_raw=text(get("optOutTime")) or text(get("optouttime")),
			click_count=count(get("clickcount")),
			open_count=count(get("opencount")),
			links=links(get("urlclicks"), get("clickedurls")),
			open_events=events(open_reports),
			click_events=events(click_reports),
			open_reports_raw=open_reports,
			click_reports_raw=click_reports,
			extra={key: value for key, value in row.items() if key not in _KEYS and value not in NOTHING},
		)


def _reports(value: Any) -> Any:
	"""Return the value of a report field as JSON values: a structure, else the text; None for nothing."""
	return None if is_nothing(value) else structure(value)
