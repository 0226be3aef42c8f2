"""Turns Zoho's records into rows of Campaign Recipient: plain functions without site or network."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from zoneinfo import ZoneInfo

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.store.addresses import normalize_email, visible
from erpnext_zoho_integration.store.row_keys_and_digests import row_key
from erpnext_zoho_integration.sync.mapping.clean_text_and_urls import (
	MAX_DATA,
	MAX_EMAIL,
	MAX_TEXT,
	clean,
	clean_url,
)

# Columns of Campaign Recipient that come from Zoho, in the order of the content hash.
RECIPIENT_FIELDS = (
	"email",
	"action_type",
	"action_date",
	"sent_time",
	"full_name",
	"company_name",
	"job_title",
	"zoho_contact_id",
	"contact_status",
	"country",
	"state",
	"city",
	"is_optout",
	"is_spam",
	"rtbf",
	"open_count",
	"click_count",
	"variant",
	"clicked_links",
	"url_clicks",
	"open_reports",
	"click_reports",
)
MAX_INT = 2_147_483_647
_REMEMBERED_TIMES = 10_000


@dataclass(slots=True)
class Row:
	"""The wanted content of one recipient row, and its person.

	Attributes:
		key: see `row_keys_and_digests.row_key`.
		email: normalized; a stand-in if the row is erased.
		action_type: such as `Opened`.
		values: of `RECIPIENT_FIELDS`.
		content_hash: of the values.
		person: the values for the Contact.
		erased: the row does not name its person, who is erased or received a campaign that keeps figures only.
	"""

	key: str
	email: str
	action_type: str
	values: dict
	content_hash: str
	person: "Person"
	erased: bool = False

	@property
	def precedence(self) -> tuple:
		"""Order among records for the same row: the smallest wins, independent of the order in which they come."""
		return precedence(self.values["zoho_contact_id"], self.values["variant"])


@dataclass(slots=True)
class Person:
	"""The values of a record that matter to the person's Contact.

	Attributes:
		acted: the person did more than receive the mail.
	"""

	email: str
	zoho_contact_id: str | None
	first_name: str | None
	last_name: str | None
	company_name: str | None
	designation: str | None
	phone: str | None
	mobile_no: str | None
	status: str | None
	acted: bool = True


@dataclass(slots=True, frozen=True)
class Times:
	"""Converts the times of a Zoho account to the site's time zone.

	Args:
		clock: of the account.
		site_zone: the site's time zone.
	"""

	clock: zoho.Clock
	site_zone: ZoneInfo
	# A cache: most recipients of a campaign have the same sent time, to the second.
	_sent: dict = field(default_factory=dict, repr=False, compare=False)

	def sent_at(self, record: zoho.Recipient) -> datetime | None:
		"""Return when the mail was sent to a recipient, in the site's time zone."""
		raw = (record.sent_time_raw, record.sent_date_raw)
		if raw not in self._sent:
			if len(self._sent) > _REMEMBERED_TIMES:
				self._sent.clear()
			self._sent[raw] = self.at_site(self.clock.recipient_sent_at(record))
		return self._sent[raw]

	def at_site(self, moment: datetime | None) -> datetime | None:
		"""Return a time as Frappe stores it: in the site's time zone, without zone, to the second.

		Args:
			moment: with a time zone.
		"""
		if moment is None:
			return None
		return moment.astimezone(self.site_zone).replace(tzinfo=None, microsecond=0)


def precedence(zoho_contact_id: str | None, variant: str | None) -> tuple:
	"""Return the sort key of a record among duplicates: known contact before unknown, lower id first."""
	identifier = zoho_contact_id or ""
	return (not identifier, len(identifier), identifier, variant or "")


def recipient_row(
	record: zoho.Recipient, action_type: str, identity: str, times: Times, variant: str | None = None
) -> Row | None:
	"""Return the row of a record, or None if it has no address that can be stored.

	Args:
		record: from Zoho.
		action_type: as stored, such as `Hard Bounced`.
		identity: of the campaign, see `campaigns.identity.campaign_identity`.
		times: clocks of account and site.
		variant: `A` or `B` for the test mails of an A/B campaign.
	"""
	email = normalize_email(visible(record.email))
	if not email or len(email) > MAX_EMAIL or not email.isprintable():
		return None
	full_name = " ".join(part for part in (record.first_name, record.last_name) if part)
	company, job_title, contact_id = clean(record.company), clean(record.job_title), clean(record.contact_id)
	status = clean(record.status)
	sent_time = times.sent_at(record)
	values = {
		"email": email,
		"action_type": action_type,
		"action_date": sent_time
		if action_type == "Sent"
		else times.at_site(times.clock.acted_at(record, action_type)),
		"sent_time": sent_time,
		"full_name": clean(full_name),
		"company_name": company,
		"job_title": job_title,
		"zoho_contact_id": contact_id,
		"contact_status": status,
		"country": clean(record.country),
		"state": clean(record.state),
		"city": clean(record.city),
		"is_optout": int(action_type == "Unsubscribed"),
		"is_spam": int(action_type == "Complaint"),
		"rtbf": 0,
		"variant": variant,
		**_engagement(record),
	}
	first_name, last_name = _short_names(clean(record.first_name), clean(record.last_name))
	person = Person(
		email=email,
		zoho_contact_id=contact_id,
		first_name=first_name,
		last_name=last_name,
		company_name=company,
		designation=job_title,
		phone=clean(record.phone),
		mobile_no=clean(record.mobile),
		status=status,
		acted=action_type != "Sent",
	)
	return Row(
		key=row_key(identity, email, action_type),
		email=email,
		action_type=action_type,
		values=values,
		content_hash=content_hash(values),
		person=person,
	)


def erased_row(stand_in: str, action_type: str, identity: str, variant: str | None = None) -> Row:
	"""Return the row of an erased person: it counts in the campaign's figures and has no data of the person.

	Args:
		stand_in: see `row_keys_and_digests.pseudonym`.
		action_type: such as `Opened`.
		identity: of the campaign, see `campaigns.identity.campaign_identity`.
		variant: `A` or `B` for the test mails of an A/B campaign.
	"""
	values = dict.fromkeys(RECIPIENT_FIELDS)
	values.update(
		email=stand_in,
		action_type=action_type,
		rtbf=1,
		is_optout=int(action_type == "Unsubscribed"),
		is_spam=int(action_type == "Complaint"),
		open_count=0,
		click_count=0,
		variant=variant,
	)
	person = Person(stand_in, None, None, None, None, None, None, None, None, acted=False)
	key = row_key(identity, stand_in, action_type)
	return Row(key, stand_in, action_type, values, content_hash(values), person, erased=True)


# Returns the values of all `RECIPIENT_FIELDS`, in their order.
in_order = itemgetter(*RECIPIENT_FIELDS)
_HASHED = "\x1f".join(["%s"] * len(RECIPIENT_FIELDS))


def content_hash(values: dict) -> str:
	"""Return a digest of all values from Zoho; if the stored row has the same one, there is nothing to write."""
	text = _HASHED % in_order(values)
	return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()


_NO_ENGAGEMENT = {
	"open_count": 0,
	"click_count": 0,
	"clicked_links": None,
	"url_clicks": None,
	"open_reports": None,
	"click_reports": None,
}


def _engagement(record: zoho.Recipient) -> dict:
	"""Return the columns for opens and clicks."""
	counts, reports = (
		(record.open_count, record.click_count),
		(record.open_reports_raw, record.click_reports_raw),
	)
	if not any(counts) and not any(reports) and not record.links:
		return _NO_ENGAGEMENT  # most recipients of a campaign
	addresses = [(clean_url(link.url), link.count) for link in record.links]
	links = [(url, count) for url, count in addresses if url]
	clicks = len(record.click_events) or sum(n or 0 for _url, n in links)
	return {
		"open_count": _count(record.open_count, len(record.open_events)),
		"click_count": _count(record.click_count, clicks),
		"clicked_links": _join([url for url, _times in links]),
		"url_clicks": _json([{"url": url, "count": count} for url, count in links]),
		"open_reports": _json(record.open_reports_raw),
		"click_reports": _json(record.click_reports_raw),
	}


def _short_names(first: str | None, last: str | None) -> tuple[str | None, str | None]:
	"""Return first and last name, shortened so that the Contact's full name, made of both, fits its field."""
	if first and last and len(first) + 1 + len(last) > MAX_DATA:
		first = clean(first, max(MAX_DATA // 2, MAX_DATA - 1 - len(last)))
		last = clean(last, MAX_DATA - 1 - len(first or ""))
	return first, last


def _count(number: int | None, otherwise: int) -> int:
	"""Return a count that fits an Int field."""
	return min(max(otherwise if number is None else number, 0), MAX_INT)


def _join(urls: list[str]) -> str | None:
	"""Return as many addresses as fit a Small Text field, one per line."""
	kept, size = [], 0
	for url in urls:
		size += len(url.encode()) + 1
		if size > MAX_TEXT:
			break
		kept.append(url)
	return "\n".join(kept) or None


_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, default=str).encode


def _json(value: object) -> str | None:
	if not value:
		return None
	text = _encode(value)
	return text.encode("utf-8", "replace").decode()  # no database stores half a surrogate pair
