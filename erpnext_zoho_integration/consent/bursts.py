"""Bursts: many opt-outs of one domain right after a mailing. A program that follows every link may have made them.

Points them out; `consent.back_at_zoho` finds out whether Zoho took them back. Reads only.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

import frappe
from frappe.query_builder import DocType
from frappe.utils import add_to_date, get_datetime, now_datetime

from erpnext_zoho_integration.consent import rules
from erpnext_zoho_integration.store.doctypes import CONSENT_EVENT, RECIPIENT, SUPPRESSED_ADDRESS
from erpnext_zoho_integration.store.fields import ACTION_TYPE, BACK_AT_ZOHO

_DAYS = 30
_LEAST = 10
# Of those mailed at the domain: in a large mailing, ten people of a big mail provider may opt out by themselves.
_SHARE = 0.2
# How long after the mailing a program is done, if Zoho says when, or else when the next sync notices it.
_SOON = timedelta(minutes=10)
_SOON_NOTICED = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Burst:
	"""Opt-outs that came together and still hold mail back.

	Attributes:
		campaign: name of the Campaign.
		domain: of the addresses.
		addresses: in their normal form.
		back: those that Zoho mails again, when somebody looked last.
	"""

	campaign: str
	domain: str
	addresses: frozenset[str]
	back: frozenset[str]


def find(campaign: str | None = None) -> list[Burst]:
	"""Return the bursts of the last thirty days, the largest first.

	Args:
		campaign: only those of this Campaign.
	"""
	groups: dict[tuple[str, str], dict[str, bool]] = defaultdict(dict)
	for name, email, is_back in _early_opt_outs(campaign):
		groups[name, email.rpartition("@")[2]][email] = is_back
	found = [
		Burst(
			name, domain, frozenset(people), frozenset(email for email, is_back in people.items() if is_back)
		)
		for (name, domain), people in groups.items()
		if len(people) >= _LEAST and len(people) >= _SHARE * _mailed(name, domain)
	]
	return sorted(found, key=lambda burst: (-len(burst.addresses), burst.campaign, burst.domain))


def _early_opt_outs(campaign: str | None) -> list[tuple[str, str, bool]]:
	"""Return Campaign, address, and whether Zoho mails it again, of opt-outs right after a mailing that hold mail back."""
	event, row, sent = DocType(CONSENT_EVENT), DocType(SUPPRESSED_ADDRESS), DocType("Campaign")
	query = (
		frappe.qb.from_(event)
		.inner_join(row)
		.on(row.name == event.address_key)
		.inner_join(sent)
		.on(sent.name == event.campaign)
		.select(
			event.campaign,
			event.email,
			event.happened_at,
			event.certainty,
			event.creation,
			sent.zoho_sent_time,
		)
		.select(row[BACK_AT_ZOHO])
		.where((event.event == rules.OPTED_OUT) & (event.source == rules.FROM_ZOHO) & (row.blocked == 1))
		.where(event.happened_at >= add_to_date(now_datetime(), days=-_DAYS))
	)
	if campaign:
		query = query.where(event.campaign == campaign)
	return [
		(name, email, bool(back))
		for name, email, happened_at, certainty, noticed_at, sent_at, back in query.run()
		if sent_at and _is_soon(get_datetime(sent_at), get_datetime(happened_at), certainty, noticed_at)
	]


def _is_soon(sent_at: datetime, happened_at: datetime, certainty: str, noticed_at: datetime) -> bool:
	if certainty == rules.EXACT:
		return happened_at - sent_at <= _SOON
	return get_datetime(noticed_at) - sent_at <= _SOON_NOTICED


def _mailed(campaign: str, domain: str) -> int:
	"""Return to how many addresses of a domain a campaign was sent; 0 if that is not stored."""
	filters = {"campaign": campaign, ACTION_TYPE: "Sent", "email": ("like", f"%@{domain}")}
	return frappe.db.count(RECIPIENT, filters)
