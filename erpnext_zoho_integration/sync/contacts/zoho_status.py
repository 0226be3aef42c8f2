"""Zoho's status of a person, where lists and campaigns differ: the newest campaign counts."""

from collections.abc import Iterable
from datetime import datetime

from erpnext_zoho_integration.store import sql_lookups
from erpnext_zoho_integration.store.doctypes import RECIPIENT
from erpnext_zoho_integration.store.fields import SENT_TIME
from erpnext_zoho_integration.sync.mapping.recipient_rows import Row

# A row's claim about a person's status: when the mail was sent, to the minute; whether the status is other than
# "active"; the status. The greatest claim counts.
StatusClaim = tuple[datetime, bool, str]


def last_status(names: Iterable[str]) -> dict[str, str]:
	"""Return Zoho's status of Contacts as of the last campaign sent to them, from their stored rows, in one query.

	Lists differ: the list of bounces says "bounce" where the list of all recipients says "active", and an older campaign
	says something else again. So that the order of reading does not matter, the newest campaign counts, and within it a
	status other than "active".

	Args:
		names: of the Contacts.
	"""
	claims: dict[str, StatusClaim] = {}
	for contact, status, sent_time in sql_lookups.latest_of_each(
		RECIPIENT, "contact", names, "contact_status", SENT_TIME
	):
		if status:
			claim = _status_claim(status, sent_time)
			claims[contact] = max(claims.get(contact, claim), claim)
	return {contact: status for contact, (_sent, _is_not_active, status) in claims.items()}


def status_claim(row: Row) -> StatusClaim:
	"""Return a row's claim about the status of its person."""
	return _status_claim(row.person.status, row.values[SENT_TIME])


def _status_claim(status: str | None, sent_time: datetime | str | None) -> StatusClaim:
	if not status:
		return datetime.min, False, ""
	return to_the_minute(sent_time), status.lower() != "active", status


def to_the_minute(sent_time: datetime | str | None) -> datetime:
	"""Return when a mail was sent, to the minute: Zoho's lists give different seconds for the same mail."""
	if not sent_time:
		return datetime.min
	moment = sent_time if isinstance(sent_time, datetime) else datetime.fromisoformat(sent_time)
	return moment.replace(second=0, microsecond=0)
