"""Consent events: what became known about an address, written once and never changed.

This module alone inserts Zoho Consent Event; `consent.erasure` takes the address and the proof out of the events of erased
people.
"""

import hashlib
import json
import secrets
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import frappe
from frappe.utils import get_datetime, now_datetime

from erpnext_zoho_integration.consent.rules import Event
from erpnext_zoho_integration.store import sql_lookups, sql_writes
from erpnext_zoho_integration.store.addresses import address_key
from erpnext_zoho_integration.store.doctypes import CONSENT_EVENT

_FIELDS = (
	"address_key",
	"email",
	"event",
	"happened_at",
	"certainty",
	"source",
	"campaign",
	"zoho_campaign_key",
	"reference_doctype",
	"reference_name",
	"user",
	"proof",
	"fact_key",
)
_COLUMNS = (*sql_writes.STANDARD_COLUMNS, *_FIELDS)
_READ = ("address_key", "event", "happened_at", "certainty", "creation", "source", "name", "campaign")


@dataclass(frozen=True, slots=True)
class Fact:
	"""Something that became known about an address.

	Attributes:
		address: in its normal form, see `addresses.person_address`.
		event: one of the kinds in `consent.rules`.
		happened_at: the earliest possible moment, in the site's time zone.
		certainty: `rules.EXACT`, `rules.NOT_BEFORE` or `rules.RECORDED`.
		source: who said it, one of the options of the field.
		origin: identifies where it was said: the key of a campaign, or a document. The same event of the same address from
			the same origin is one fact, however often it is read.
		campaign, campaign_key: the Campaign and Zoho's key of it.
		document: DocType and name of the document that says so.
		user: who said it here.
		proof: the facts as they were received, of JSON's types.
	"""

	address: str
	event: str
	happened_at: datetime
	certainty: str
	source: str
	origin: str
	campaign: str | None = None
	campaign_key: str | None = None
	document: tuple[str, str] | None = None
	user: str | None = None
	proof: Mapping[str, object] | None = None

	@property
	def key(self) -> str:
		"""The fact's own key: unique among all events."""
		text = f"{self.event}\n{self.address}\n{self.origin}"
		return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def new_among(facts: Iterable[Fact]) -> list[Fact]:
	"""Return the facts that are not known yet, each once."""
	by_key = {fact.key: fact for fact in facts}
	known = {key for (key,) in sql_lookups.select_in(CONSENT_EVENT, ("fact_key",), "fact_key", by_key)}
	return [fact for key, fact in by_key.items() if key not in known]


def insert_new(facts: Iterable[Fact]) -> list[Fact]:
	"""Write the facts that are not known yet and return them. The caller commits."""
	new = new_among(facts)
	if not new:
		return []
	now, user = now_datetime(), frappe.session.user
	# Names that grow with time: the database appends to its index instead of reading pages from all over it.
	begun = time.time_ns()
	rows = [
		(
			f"{begun + number:016x}{secrets.token_hex(2)}",
			now,
			now,
			user,
			user,
			0,
			0,
			address_key(fact.address),
			fact.address[:254],
			fact.event,
			fact.happened_at,
			fact.certainty,
			fact.source,
			fact.campaign,
			fact.campaign_key,
			*(fact.document or (None, None)),
			fact.user,
			json.dumps(fact.proof, ensure_ascii=False, default=str) if fact.proof else None,
			fact.key,
		)
		for number, fact in enumerate(new)
	]
	used = [n for n in range(len(_COLUMNS)) if any(row[n] is not None for row in rows)]
	# Another worker may write the same fact at the same time: then its row stays.
	sql_writes.upsert_rows(
		CONSENT_EVENT,
		[_COLUMNS[n] for n in used],
		[[row[n] for n in used] for row in rows],
		"fact_key",
		("fact_key",),
	)
	return new


def of_addresses(keys: Collection[str]) -> dict[str, list[Event]]:
	"""Return all events of some addresses, by the key of the address; the latest committed ones."""
	found: dict[str, list[Event]] = defaultdict(list)
	lock = sql_lookups.shared_lock()
	for key, kind, happened_at, certainty, recorded_at, source, name, campaign in sql_lookups.select_in(
		CONSENT_EVENT, _READ, "address_key", keys, lock
	):
		found[key].append(
			Event(
				kind, get_datetime(happened_at), certainty, get_datetime(recorded_at), source, name, campaign
			)
		)
	return found
