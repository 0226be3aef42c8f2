"""Finds people who opted out and whom Zoho mails again; a person decides whether to release them, with Zoho's row as proof.

A contact counts as back only if some list of Zoho has it as active and none as unsubscribed. Subscribed Again means that
the contact joined a list with a sign-up form after the opt-out, which Zoho asks people to confirm by mail.

This module writes the columns of Zoho Suppressed Address about that.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import frappe
from frappe import _
from frappe.query_builder import DocType
from frappe.utils import get_datetime, get_system_timezone, now_datetime

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection.clients import campaigns_client
from erpnext_zoho_integration.connection.error_messages import explain
from erpnext_zoho_integration.connection.settings import get_settings
from erpnext_zoho_integration.connection.writing import missing_scopes
from erpnext_zoho_integration.consent import bursts, marks, rules, suppression_list
from erpnext_zoho_integration.consent.events import Fact
from erpnext_zoho_integration.consent.recording import record
from erpnext_zoho_integration.shared_locks import shared_lock
from erpnext_zoho_integration.store.addresses import address_key, person_address
from erpnext_zoho_integration.store.doctypes import CONSENT_EVENT, SETTINGS, SUPPRESSED_ADDRESS
from erpnext_zoho_integration.store.fields import BACK_AT_ZOHO, CHECK_AT_ZOHO

ACTIVE_AGAIN, SUBSCRIBED_AGAIN = "Active Again", "Subscribed Again"
_JOB_SECONDS = 1_200
# A large account needs several windows of calls.
_PATIENCE_SECONDS = 320


@dataclass(frozen=True, slots=True)
class Found:
	"""A contact that is active in a list of Zoho.

	Attributes:
		state: `ACTIVE_AGAIN` or `SUBSCRIBED_AGAIN`.
		proof: the list and Zoho's row.
	"""

	state: str
	proof: Mapping[str, object]


def start() -> list[str]:
	"""Queue a look at Zoho's lists; return the scopes that Zoho has not granted yet, for which nothing is queued."""
	frappe.db.set_single_value(SETTINGS, CHECK_AT_ZOHO, 1)
	missing = list(missing_scopes(zoho.LIST_SCOPES))
	if not missing:
		frappe.enqueue(
			f"{__name__}.check",
			queue="long",
			timeout=_JOB_SECONDS + 300,
			job_id="zoho-check-at-zoho",
			deduplicate=True,
			enqueue_after_commit=True,
			user=frappe.session.user,
		)
	return missing


def check(user: str | None = None) -> int:
	"""Read Zoho's lists to the end, and note who is back; return how many. Commits.

	Args:
		user: hears how it ended.
	"""
	with shared_lock("check-at-zoho", seconds=_JOB_SECONDS, wait=0) as lock:
		if not lock:
			return 0
		try:
			found = _read_lists(_candidates())
		except (zoho.ZohoError, frappe.ValidationError) as error:
			frappe.db.rollback()
			frappe.clear_last_message()
			_tell(user, explain(error) if isinstance(error, zoho.ZohoError) else str(error))
			return 0
		_note(found)
		_tell(user, _("Opted out and active at Zoho again: {0}").format(len(found)))
	return len(found)


def release_burst(campaign: str, domain: str) -> int:
	"""Release those of a burst whom Zoho mails again; return how many. The caller checks the role and commits.

	Raises:
		frappe.ValidationError: Zoho has taken back none of these opt-outs, when somebody looked last.
	"""
	back = {a for burst in bursts.find(campaign) if burst.domain == domain for a in burst.back}
	if not back:
		frappe.throw(_("None of them is active at Zoho again. Click Check at Zoho first."))
	return _release(back)


def release(email: str) -> None:
	"""Release one person whom Zoho mails again. The caller checks the role and commits.

	Raises:
		frappe.ValidationError: the person is not active at Zoho again, or something else than an opt-out at Zoho holds.
	"""
	address = person_address(email)
	if not frappe.db.get_value(SUPPRESSED_ADDRESS, address_key(address), BACK_AT_ZOHO):
		frappe.throw(
			_("This person is not active at Zoho again. Click Check at Zoho in Zoho Settings first.")
		)
	if not _release({address}):
		frappe.throw(
			_(
				"The person also complained or opted out here. Only Record New Consent on the person's form lifts that."
			)
		)


def counts() -> dict[str, int]:
	"""Return how many suppressed addresses are back at Zoho, by state."""
	return {
		state: frappe.db.count(SUPPRESSED_ADDRESS, {BACK_AT_ZOHO: state})
		for state in (ACTIVE_AGAIN, SUBSCRIBED_AGAIN)
	}


def _candidates() -> dict[str, datetime]:
	"""Return since when each person is suppressed whom an opt-out at Zoho suppresses, by address."""
	row, event = DocType(SUPPRESSED_ADDRESS), DocType(CONSENT_EVENT)
	query = (
		frappe.qb.from_(row)
		.inner_join(event)
		.on(event.name == row.event)
		.select(row.email, row.since)
		.where((event.event == rules.OPTED_OUT) & (event.source == rules.FROM_ZOHO))
	)
	return {email: get_datetime(since) for email, since in query.run()}


def _read_lists(candidates: dict[str, datetime]) -> dict[str, Found]:
	"""Return which candidates Zoho mails again, by address. Nothing is known unless every list was read to its end."""
	client = campaigns_client(patience=_PATIENCE_SECONDS)
	clock = _measure_clock(client)
	lists = [each for page in client.mailing_list_pages() for each in page.items]
	addresses = {person_address(row.email) for each in lists for row in _subscribers(client, each, "unsub")}
	wanted = {address: since for address, since in candidates.items() if address not in addresses}
	found: dict[str, Found] = {}
	for each in lists:
		for row in _subscribers(client, each, "active"):
			address = person_address(row.email)
			if address not in wanted:
				continue
			added = _at_site(clock.at(row.added))
			again = bool(each.has_signup_form and added and added > wanted[address])
			if again or address not in found:
				proof = {"list": each.name, "list_key": each.key, "address": row.email, "added": added}
				found[address] = Found(SUBSCRIBED_AGAIN if again else ACTIVE_AGAIN, proof)
	return found


def _subscribers(
	client: zoho.CampaignsClient, mailing_list: zoho.MailingList, status: str
) -> Iterator[zoho.Subscriber]:
	"""Yield the contacts of a list with this status, all of them.

	Raises:
		zoho.MalformedAnswer: Zoho lists fewer than it counts.
	"""
	count = 0
	for page in client.subscriber_pages(mailing_list.key, status):
		count += len(page.items)
		yield from page.items
	if count < client.subscriber_count(mailing_list.key, status):
		raise zoho.MalformedAnswer("fewer contacts than counted", endpoint="getlistsubscribers")


def _measure_clock(client: zoho.CampaignsClient) -> zoho.Clock:
	page = next(iter(client.campaign_pages(status="sent")), None)
	zone = get_settings().zone()
	return zoho.Clock.measure(page.items if page else [], zone=zone, candidates=[get_system_timezone()])


def _at_site(moment: datetime | None) -> datetime | None:
	"""Return a moment as the site stores it."""
	return moment.astimezone(ZoneInfo(get_system_timezone())).replace(tzinfo=None) if moment else None


def _note(found: dict[str, Found]) -> None:
	frappe.db.set_value(
		SUPPRESSED_ADDRESS, {BACK_AT_ZOHO: ("is", "set")}, {BACK_AT_ZOHO: None, "zoho_row": None}
	)
	now = now_datetime()
	for address, each in found.items():
		values = {
			BACK_AT_ZOHO: each.state,
			"back_seen_at": now,
			"zoho_row": json.dumps(each.proof, ensure_ascii=False, default=str),
		}
		frappe.db.set_value(SUPPRESSED_ADDRESS, address_key(address), values, update_modified=False)
	frappe.db.commit()  # nosemgrep - a job of its own


def _release(addresses: Collection[str]) -> int:
	"""Write that Zoho took back these opt-outs, with its rows as proof; return how many may be mailed again."""
	fields = ["name", "email", "campaign", "event", "back_seen_at", "zoho_row"]
	keys = [address_key(address) for address in addresses]
	rows = frappe.get_all(SUPPRESSED_ADDRESS, {"name": ("in", keys), BACK_AT_ZOHO: ("is", "set")}, fields)
	facts = [
		Fact(
			row.email,
			rules.WITHDRAWN,
			get_datetime(row.back_seen_at),
			rules.EXACT,
			rules.FROM_ZOHO,
			f"withdrawn\n{row.event}",
			campaign=row.campaign,
			document=(CONSENT_EVENT, row.event),
			user=frappe.session.user,
			proof=frappe.parse_json(row.zoho_row),
		)
		for row in rows
	]
	record(facts)
	free = {row.email for row in rows} - suppression_list.blocked_among({row.email for row in rows})
	marks.unmark(free)
	return len(free)


def _tell(user: str | None, text: str) -> None:
	"""Tell who asked how it ended."""
	if not user:
		return
	log = frappe.new_doc("Notification Log")
	log.update(
		{
			"type": "Alert",
			"for_user": user,
			"from_user": "Administrator",
			"subject": text,
			"document_type": SETTINGS,
			"document_name": SETTINGS,
		}
	)
	log.insert(ignore_permissions=True)
	frappe.db.commit()  # nosemgrep - a job of its own
