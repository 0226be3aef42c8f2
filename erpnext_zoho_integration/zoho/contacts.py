"""Mailing lists, their subscribers, topics, fields of contacts, and the outcome of a write, as immutable records."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from .dates import ZohoTime, epoch_ms
from .records import BadRecord
from .value_parsing import count, first, flag, is_nothing, rows, structure, text

# The filters of `getlistsubscribers` and `listsubscriberscount`. Only the second knows `spam`.
# ref: https://www.zoho.com/campaigns/help/developers/get-list-subscribers.html
SUBSCRIBER_STATUSES: Final = ("active", "recent", "mostrecent", "unsub", "bounce")
COUNTED_STATUSES: Final = ("active", "unsub", "bounce", "spam")

_BETWEEN = re.compile(r"\s*[;,]\s*")


@dataclass(frozen=True, slots=True)
class Written:
	"""The answer to a write that Zoho has done.

	Attributes:
		code: `0` in most answers, for a repetition too.
		message: Zoho's words, in the language of the Zoho user; nothing may depend on them.
	"""

	code: str
	message: str


@dataclass(frozen=True, slots=True)
class MailingList:
	"""A row of `getmailinglists`.

	Attributes:
		key: Identifies the list in every call.
		contacts, unsubscribed, bounced: Numbers of contacts; None if Zoho does not say.
		has_signup_form: Zoho mails a confirmation to everybody who is added to such a list. None if Zoho does not say.
		of_other_user: The list belongs to another user of the account.
		created, updated: The times as they came; `Clock.at` turns them into UTC.
	"""

	key: str
	name: str | None
	contacts: int | None
	unsubscribed: int | None
	bounced: int | None
	has_signup_form: bool | None
	is_smart: bool
	of_other_user: bool
	owner: str | None
	zuid: str | None
	created: ZohoTime
	updated: ZohoTime

	@classmethod
	def from_zoho(cls, row: Any) -> "MailingList | BadRecord":
		"""Return the list of a row, or a `BadRecord` if it has no key."""
		if not isinstance(row, dict):
			return BadRecord("not a mailing list", row)
		key = text(row.get("listkey"))
		if key is None:
			return BadRecord("a mailing list without a key", row)
		return cls(
			key=key,
			name=text(row.get("listname")),
			contacts=count(row.get("noofcontacts")),
			unsubscribed=count(row.get("noofunsubcnt")),
			bounced=count(row.get("noofbouncecnt")),
			has_signup_form=_has_signup_form(row),
			is_smart=flag(row.get("issmart")),
			of_other_user=flag(row.get("otherslist")),
			owner=text(row.get("owner")),
			zuid=text(row.get("zuid")),
			created=_time(row, "created_time"),
			updated=_time(row, "updated_time"),
		)


def _has_signup_form(row: Mapping[str, Any]) -> bool | None:
	for key in ("signupform", "listtype"):
		kind = (text(row.get(key)) or "").casefold()
		if kind in ("public", "private"):
			return kind == "public"
	return None if is_nothing(row.get("is_public")) else flag(row.get("is_public"))


@dataclass(frozen=True, slots=True)
class Subscriber:
	"""A row of `getlistsubscribers`. Its fields have other names at Zoho than a recipient's.

	Attributes:
		email: As Zoho wrote it, trimmed.
		added: When the contact joined; `Clock.at` turns it into UTC.
	"""

	email: str
	first_name: str | None
	last_name: str | None
	company: str | None
	phone: str | None
	added: ZohoTime

	@classmethod
	def from_zoho(cls, row: Any) -> "Subscriber | BadRecord":
		"""Return the subscriber of a row, or a `BadRecord` if it has no e-mail address."""
		if not isinstance(row, dict):
			return BadRecord("not a subscriber", row)
		email = text(row.get("contact_email")) or text(row.get("contactemailaddress"))
		if email is None:
			return BadRecord("a subscriber without an e-mail address", row)
		return cls(
			email=email,
			first_name=text(row.get("firstname")),
			last_name=text(row.get("lastname")),
			company=text(row.get("companyname")),
			phone=text(row.get("phone")),
			added=_time(row, "added_time"),
		)


@dataclass(frozen=True, slots=True)
class Topic:
	"""A row of `topics`. A campaign has a topic and reaches only contacts who have it too."""

	id: str
	name: str | None
	description: str | None

	@classmethod
	def from_zoho(cls, row: Any) -> "Topic | BadRecord":
		"""Return the topic of a row, or a `BadRecord` if it has no id."""
		if not isinstance(row, dict):
			return BadRecord("not a topic", row)
		topic_id = text(row.get("topicId"))
		if topic_id is None:
			return BadRecord("a topic without an id", row)
		return cls(topic_id, text(row.get("topicName")), text(row.get("topicDesc")))


@dataclass(frozen=True, slots=True)
class ContactField:
	"""A field that contacts have in this account, from `contact/allfields`.

	Attributes:
		display_name: The key under which a write gives a value. Users can rename it.
		name: Zoho's name of the field.
		id: Zoho's number of the field.
		type: Zoho's word for its type.
		is_mandatory: A contact must have a value.
		max_length: Characters; None if Zoho does not say.
		options: The values that a choice offers.
	"""

	display_name: str
	name: str | None
	id: str | None
	type: str | None
	is_mandatory: bool
	max_length: int | None
	options: tuple[str, ...]

	@classmethod
	def from_zoho(cls, row: Any) -> "ContactField | BadRecord":
		"""Return the field of a row, whose keys come in capitals or not; a `BadRecord` if it has no display name."""
		if not isinstance(row, dict):
			return BadRecord("not a field", row)
		get = {str(key).upper(): value for key, value in row.items()}.get
		display_name = text(get("DISPLAY_NAME")) or text(get("FIELD_DISPLAY_NAME"))
		if display_name is None:
			return BadRecord("a field without a display name", row)
		return cls(
			display_name=display_name,
			name=text(get("FIELD_NAME")),
			id=text(get("FIELD_ID")),
			type=text(get("TYPE")) or text(get("UITYPE")),
			is_mandatory=flag(get("IS_MANDATORY")),
			max_length=count(get("MAXLENGTH")),
			options=_options(get("VALUES")),
		)


def fields_of(answer: Mapping[str, Any]) -> tuple[ContactField, ...]:
	"""Return the fields in an answer of `contact/allfields`: in `fieldnames.fieldname`, or in `fieldname`."""
	holder = first(answer.get("fieldnames")) or answer
	records = (ContactField.from_zoho(row) for row in rows(holder.get("fieldname")))
	return tuple(record for record in records if isinstance(record, ContactField))


def _options(value: Any) -> tuple[str, ...]:
	value = structure(value)
	if isinstance(value, str):
		value = _BETWEEN.split(value)
	if not isinstance(value, list):
		return ()
	found = (text(next(iter(each.values()), None) if isinstance(each, dict) else each) for each in value)
	return tuple(each for each in found if each)


def _time(row: Mapping[str, Any], name: str) -> ZohoTime:
	"""Return a time that comes as epoch milliseconds, as text, or as both under one name."""
	skewed = epoch_ms(row.get(name))
	written = text(row.get(name)) if skewed is None else None
	return ZohoTime(epoch_ms(row.get(f"{name}_gmt")), skewed, written)
