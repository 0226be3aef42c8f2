"""Tells Zoho about opt-outs of ERPNext, once each, if a System Manager has switched that on.

Nothing of this can be undone at Zoho. So an unsubscribe link is told at once, but a ticked box only after an hour, unless
somebody clears it before; many boxes at once wait for a System Manager's yes. Zoho is told only about people it has mailed,
and never what it said itself. This module writes the columns of Zoho Suppressed Address about telling.
"""

from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import datetime, timedelta

import frappe
from frappe.query_builder import DocType
from frappe.utils import cint, now_datetime

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection.error_messages import explain
from erpnext_zoho_integration.connection.errors import NotConnected, ScopesMissing, WritingStopped
from erpnext_zoho_integration.connection.writing import missing_scopes, writing_client
from erpnext_zoho_integration.connection.zoho_rate_limit import BudgetUsedUp
from erpnext_zoho_integration.consent import events, rules, suppression_list
from erpnext_zoho_integration.consent.events import Fact
from erpnext_zoho_integration.shared_locks import shared_lock
from erpnext_zoho_integration.store import people_lookup, sql_lookups
from erpnext_zoho_integration.store.addresses import address_key, person_address, spellings
from erpnext_zoho_integration.store.doctypes import CONSENT_EVENT, RECIPIENT, SETTINGS, SUPPRESSED_ADDRESS
from erpnext_zoho_integration.store.fields import TELL_ZOHO, ZOHO_CONTACT_ID

NOT_NEEDED, WAITING, NEEDS_APPROVAL, TOLD, REFUSED = (
	"Not Needed",
	"Waiting",
	"Needs Approval",
	"Told",
	"Refused",
)
# Sources of boxes, which people may tick by mistake.
_BOXES = ("Contact", "Lead")
_BOX_DELAY = timedelta(hours=1)
_MANY_BOXES = 50
_RETRY_AFTER = (timedelta(minutes=5), timedelta(hours=1), timedelta(hours=6))
_THEN_EVERY = timedelta(days=1)
MAX_ATTEMPTS = 10
_JOB_SECONDS = 1_200
_BATCH = 200


def plan(facts: Iterable[Fact]) -> None:
	"""Note which new opt-outs Zoho does not know yet and when it may be told. The caller commits.

	Args:
		facts: new opt-outs and complaints of blocked addresses.
	"""
	by_address: dict[str, list[Fact]] = {}
	for fact in facts:
		by_address.setdefault(fact.address, []).append(fact)
	of_erpnext = {a for a, found in by_address.items() if not _from_zoho(found)}
	known, stored = _known_to_zoho(of_erpnext), _states(by_address)
	boxes = links = False
	for address, found in by_address.items():
		before = stored.get(address_key(address))
		if address not in of_erpnext or address not in known:
			if before not in (TOLD, REFUSED, NOT_NEEDED):
				_write(address, told_zoho=NOT_NEEDED, tell_after=None)
		elif not before:
			is_box = all(fact.source in _BOXES for fact in found)
			boxes |= is_box
			links |= not is_box
			after = now_datetime() + (_BOX_DELAY if is_box else timedelta())
			_write(address, told_zoho=WAITING, tell_after=after)
	if boxes:
		_hold_many_boxes()
	if links and is_on():
		frappe.db.after_commit.add(_start_quietly)


def cancel(addresses: Collection[str]) -> None:
	"""Do not tell Zoho about boxes that somebody cleared before it was told; mail stays held back here."""
	keys = [address_key(address) for address in addresses]
	for name in _of_boxes((WAITING, NEEDS_APPROVAL)):
		if name in keys:
			frappe.db.set_value(SUPPRESSED_ADDRESS, name, {"told_zoho": NOT_NEEDED, "tell_after": None})


def approve() -> int:
	"""Let Zoho be told about the many boxes that wait for a yes; return how many."""
	names = frappe.get_all(SUPPRESSED_ADDRESS, {"told_zoho": NEEDS_APPROVAL}, pluck="name")
	if names:
		now = {"told_zoho": WAITING, "tell_after": now_datetime()}
		frappe.db.set_value(SUPPRESSED_ADDRESS, {"name": ("in", names)}, now)
	return len(names)


def counts() -> dict[str, int]:
	"""Return how many opt-outs Zoho does not know yet, wait for approval, and were refused."""
	return {
		state: frappe.db.count(SUPPRESSED_ADDRESS, {"told_zoho": state})
		for state in (WAITING, NEEDS_APPROVAL, REFUSED)
	}


def turn_on() -> list[str]:
	"""Switch telling on; return the scopes that Zoho has not granted yet."""
	frappe.db.set_single_value(SETTINGS, TELL_ZOHO, 1)
	return list(missing_scopes(zoho.WRITING_SCOPES))


def start() -> None:
	"""Queue the job if something is due; a scheduled event, every five minutes, of one query, and after a clicked link."""
	if is_on() and _due(1):
		frappe.enqueue(
			f"{__name__}.run",
			queue="long",
			timeout=_JOB_SECONDS + 300,
			job_id="zoho-tell-zoho",
			deduplicate=True,
		)


def _start_quietly() -> None:
	"""Start after the commit of a click, which must not fail; what this misses, the scheduled event finds."""
	with suppress(Exception):
		start()


def run(limit: int = 5_000) -> int:
	"""Tell Zoho what is due, one address after the other, each committed with its event; return how many were told.

	Args:
		limit: at most so many calls.
	"""
	if not is_on():
		return 0
	told = 0
	with shared_lock("tell-zoho", seconds=_JOB_SECONDS, wait=0) as lock:
		if not lock:
			return 0
		try:
			client = writing_client()
			while (rows := _due(min(_BATCH, limit))) and limit > 0:
				for name, address in rows:
					limit -= 1
					told += _tell(client, name, address)
					frappe.db.commit()  # nosemgrep - what Zoho was told is known before the next call
		except (WritingStopped, ScopesMissing, NotConnected, BudgetUsedUp):
			frappe.db.rollback()  # it goes on when that has changed; Zoho Settings say so
		except zoho.AuthenticationError as error:
			frappe.db.rollback()
			frappe.log_error("Zoho: opt-outs not told", explain(error))
	return told


def _tell(client: zoho.CampaignsWriter, name: str, address: str) -> bool:
	"""Tell Zoho about one address, after looking once more whether it is still blocked."""
	objection = rules.last_objection(events.of_addresses([name]).get(name, ()))
	if objection is None or address not in suppression_list.blocked_among({address}):
		_write(address, told_zoho=NOT_NEEDED, tell_after=None)
		return False
	try:
		answer = client.do_not_mail(_as_zoho_writes(address))
	except zoho.AddressRefused as error:
		_record(address, rules.ZOHO_REFUSED, objection, {"code": error.code})
		_write(address, told_zoho=REFUSED, tell_error=explain(error), tell_after=None)
		return False
	except (zoho.Unavailable, zoho.RateLimited, zoho.MalformedAnswer) as error:
		_try_later(address, explain(error))
		return False
	_record(address, rules.TOLD_ZOHO, objection, {"code": answer.code, "message": answer.message})
	_write(address, told_zoho=TOLD, told_at=now_datetime(), tell_after=None, tell_error=None)
	return True


def _try_later(address: str, reason: str) -> None:
	attempts = cint(frappe.db.get_value(SUPPRESSED_ADDRESS, address_key(address), "tell_attempts")) + 1
	values = {"tell_attempts": attempts, "tell_error": reason}
	if attempts >= MAX_ATTEMPTS:
		_write(address, told_zoho=REFUSED, tell_after=None, **values)
	else:
		pause = _RETRY_AFTER[attempts - 1] if attempts <= len(_RETRY_AFTER) else _THEN_EVERY
		_write(address, tell_after=now_datetime() + pause, **values)


def _record(address: str, kind: str, objection: rules.Event, proof: dict) -> None:
	fact = Fact(
		address,
		kind,
		now_datetime(),
		rules.EXACT,
		"This App",
		f"{kind}\n{objection.name}",
		document=(CONSENT_EVENT, objection.name),
		user=frappe.session.user,
		proof={"endpoint": "json/contactdonotmail", **proof},
	)
	events.insert_new([fact])


def _from_zoho(facts: list[Fact]) -> bool:
	return any(fact.source == rules.FROM_ZOHO for fact in facts)


def _known_to_zoho(addresses: Collection[str]) -> set[str]:
	"""Return those of some addresses to which Zoho has mailed; telling it about strangers would hand over their data."""
	texts = [text for address in addresses for text in spellings(address)]
	rows = sql_lookups.select_in(RECIPIENT, ("email",), "email", texts)
	known = {person_address(text) for (text,) in rows}
	contacts = people_lookup.documents_with("Contact", set(addresses) - known)
	names = {name for found in contacts.values() for name in found}
	with_id = set(
		frappe.get_all(
			"Contact", {"name": ("in", sorted(names)), ZOHO_CONTACT_ID: ("is", "set")}, pluck="name"
		)
		if names
		else ()
	)
	return (known & set(addresses)) | {a for a, found in contacts.items() if found & with_id}


def _as_zoho_writes(address: str) -> str:
	"""Return the address as Zoho has it in its lists, where the domain may be in Unicode."""
	rows = sql_lookups.select_in(RECIPIENT, ("email",), "email", spellings(address))
	return next((text for (text,) in rows if person_address(text) == address), address)


def _states(addresses: Iterable[str]) -> dict[str, str | None]:
	keys = [address_key(address) for address in addresses]
	return dict(sql_lookups.select_in(SUPPRESSED_ADDRESS, ("name", "told_zoho"), "name", keys))


def _write(address: str, **values: object) -> None:
	frappe.db.set_value(SUPPRESSED_ADDRESS, address_key(address), values, update_modified=False)


def _hold_many_boxes() -> None:
	"""Have more than fifty boxes of one hour wait for a System Manager: an import may have ticked them."""
	names = _of_boxes((WAITING, NEEDS_APPROVAL), since=now_datetime() - _BOX_DELAY)
	if len(names) > _MANY_BOXES:
		frappe.db.set_value(SUPPRESSED_ADDRESS, {"name": ("in", names)}, "told_zoho", NEEDS_APPROVAL)


def _of_boxes(states: tuple[str, ...], since: datetime | None = None) -> list[str]:
	"""Return the keys of addresses that a box suppressed, whose hour is not over."""
	row, event = DocType(SUPPRESSED_ADDRESS), DocType(CONSENT_EVENT)
	query = (
		frappe.qb.from_(row)
		.inner_join(event)
		.on(event.name == row.event)
		.select(row.name)
		.where(row.told_zoho.isin(states) & event.source.isin(_BOXES))
	)
	if since:
		query = query.where((event.creation >= since) & (row.tell_after > now_datetime()))
	return query.run(pluck=True)


def _due(limit: int) -> list[tuple[str, str]]:
	row = DocType(SUPPRESSED_ADDRESS)
	return (
		frappe.qb.from_(row)
		.select(row.name, row.email)
		.where((row.told_zoho == WAITING) & (row.tell_after <= now_datetime()))
		.orderby(row.tell_after)
		.limit(limit)
		.run()
	)


def is_on() -> bool:
	"""Return whether Zoho is told about opt-outs."""
	return bool(cint(frappe.db.get_single_value(SETTINGS, TELL_ZOHO)))
