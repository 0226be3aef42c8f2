"""Zoho's status of a person, where lists and campaigns differ: the newest campaign counts."""

from collections.abc import Iterable
from datetime import datetime

from erpnext_zoho_integration.store import sql_lookups
from erpnext_zoho_integration.store.doctypes import RECIPIENT
from erpnext_zoho_integration.sync.mapping.rows import Row

# What a row says of a person's status: when, to the minute; whether it is trouble; the status.
StatusClaim = tuple[datetime, bool, str]


def last_status(names: Iterable[str]) -> dict[str, str]:
	"""Return what Zoho says of Contacts as of the last campaign that was sent to them, from their stored rows.

	Lists differ in it: one of bounces says "bounce" and the one of all recipients "active", an old campaign's something
	else again. So that it does not depend on which list was read last, the newest campaign counts, and in it what is not
	"active". One query.
	"""
	said: dict[str, StatusClaim] = {}
	for contact, status, sent_time in sql_lookups.latest_of_each(
		RECIPIENT, "contact", names, "contact_status", "sent_time"
	):
		if status:
			word = _status_claim(status, sent_time)
			said[contact] = max(said.get(contact, word), word)
	return {contact: status for contact, (_sent, _is_trouble, status) in said.items()}


def status_of(row: Row) -> StatusClaim:
	"""Return what a row says of a person's status; the greatest of such words is the last one."""
	return _status_claim(row.person.status, row.values["sent_time"])


def _status_claim(status: str | None, sent_time: datetime | str | None) -> StatusClaim:
	return (
		(to_the_minute(sent_time), status.lower() != "active", status)
		if status
		else (datetime.min, False, "")
	)


def to_the_minute(sent_time: datetime | str | None) -> datetime:
	"""Return when a mail was sent; what Zoho writes of one mail's time differs in the seconds."""
	if not sent_time:
		return datetime.min
	moment = sent_time if isinstance(sent_time, datetime) else datetime.fromisoformat(sent_time)
	return moment.replace(second=0, microsecond=0)
