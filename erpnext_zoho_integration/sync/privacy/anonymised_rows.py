"""Anonymised rows of Campaign Recipient: they keep the figures and lose the person.

A row keeps campaign, action, times, counts, country and links, and loses everything that tells who it was. A stand-in
replaces the e-mail address: the next sync recognises the row by it, and nobody is counted twice. `erasure` uses this for
one person, `retention` for all rows of an old campaign.

`recipients.row_writers` writes Campaign Recipient. This module deletes rows and inserts their anonymised successors, because
the address is also part of a row's name and key.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import frappe
from frappe.query_builder import DocType
from frappe.utils import now_datetime

from erpnext_zoho_integration.store import sql_lookups, sql_writes
from erpnext_zoho_integration.store.doctypes import RECIPIENT
from erpnext_zoho_integration.store.document_names import recipient_name, reserve_numbers
from erpnext_zoho_integration.store.fields import ACTION_DATE, ACTION_TYPE, CONTENT_HASH, ROW_KEY, SENT_TIME
from erpnext_zoho_integration.store.row_keys_and_digests import keyed_digest, row_key
from erpnext_zoho_integration.sync.mapping.recipient_rows import RECIPIENT_FIELDS, Row, content_hash
from erpnext_zoho_integration.sync.privacy import scrubbing

# Fields about the mail, not about the person. The country is kept; the city is not, since only one recipient may live there.
KEPT = (
	ACTION_TYPE,
	ACTION_DATE,
	SENT_TIME,
	"country",
	"is_optout",
	"is_spam",
	"open_count",
	"click_count",
	"variant",
)
_LOADED = ("name", "creation", "owner", "campaign", "email", "bounced", CONTENT_HASH, "url_clicks", *KEPT)
_INSERTED = (
	*sql_writes.STANDARD_COLUMNS,
	"campaign",
	"bounced",
	ROW_KEY,
	CONTENT_HASH,
	*RECIPIENT_FIELDS,
)


class Replacement(NamedTuple):
	"""A stored row and what replaces it.

	Attributes:
		stored: the row, see `load_rows`.
		values: the anonymised values, see `anonymised_values`.
		key: the new `row_key`.
		content_hash: the new content hash.
	"""

	stored: Mapping
	values: dict
	key: str
	content_hash: str


def campaign_stand_in(identity: str, email: str) -> str:
	"""Return the stand-in for a person in one campaign. It differs by campaign, so that nobody can be followed.

	Args:
		identity: of the campaign, see `campaigns.identity`.
		email: normalized.
	"""
	return f"anonymous-{keyed_digest(f'{identity} {email}')[:24]}"


def anonymised_values(values: Mapping, stand_in: str) -> dict:
	"""Return a row's values without the person; a plain function.

	Args:
		values: of the row, by fieldname.
		stand_in: replaces the e-mail address.
	"""
	links = _public_links(values.get("url_clicks"))
	kept = {field: values.get(field) or None for field in KEPT}
	counts = {
		field: int(values.get(field) or 0) for field in KEPT if field.startswith(("is_", "open_", "click_"))
	}
	return {
		**dict.fromkeys(RECIPIENT_FIELDS),
		**kept,
		**counts,
		"email": stand_in,
		"rtbf": 1,
		"clicked_links": "\n".join(link["url"] for link in links) or None,
		"url_clicks": json.dumps(links, ensure_ascii=False, sort_keys=True) if links else None,
	}


def anonymous_row(row: Row, identity: str) -> Row:
	"""Return a mapped row as an anonymised campaign stores it; a plain function.

	The person stays with the row in memory, so that an opt-out reaches the Contact, and is never stored.

	Args:
		row: the mapped row.
		identity: of the campaign, see `campaigns.identity`.
	"""
	values = anonymised_values(row.values, campaign_stand_in(identity, row.email))
	return Row(
		key=row_key(identity, values["email"], row.action_type),
		email=values["email"],
		action_type=row.action_type,
		values=values,
		content_hash=content_hash(values),
		person=row.person,
		erased=True,
	)


def public_link(url: str) -> str:
	"""Return a link without the parts that could identify a person; a plain function.

	User name, fragment and query are removed, except for `utm_…` parameters. Newsletters put addresses and tokens into
	the query; `utm_source`, `utm_campaign` and the like are the same for every recipient.
	"""
	try:
		parts = urlsplit(url)
	except ValueError:
		return url.partition("?")[0].partition("#")[0]
	query = [(name, value) for name, value in parse_qsl(parts.query) if name.startswith("utm_")]
	return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, urlencode(query), ""))


def _public_links(url_clicks: str | None) -> list[dict]:
	clicks: dict[str, int | None] = {}
	for link in json.loads(url_clicks or "[]"):
		url, count = public_link(str(link.get("url") or "")), link.get("count")
		before = clicks.get(url)
		clicks[url] = count if before is None else before + (count or 0)
	return [{"url": url, "count": count} for url, count in clicks.items() if url]


def load_rows(names: Collection[str]) -> list[frappe._dict]:
	"""Return the columns of these rows that `replace_rows` needs, in one query."""
	rows = sql_lookups.select_in(RECIPIENT, _LOADED, "name", names)
	return [frappe._dict(zip(_LOADED, row, strict=True)) for row in rows]


def load_rows_of_campaign(campaign: str, after: str, limit: int) -> list[frappe._dict]:
	"""Return the next rows of a campaign that are not anonymised yet, ordered by name.

	Args:
		campaign: name of the Campaign.
		after: name of the last row of the previous call; an empty text at first.
		limit: maximum number of rows.
	"""
	recipient = DocType(RECIPIENT)
	query = (
		frappe.qb.from_(recipient)
		.select(*[recipient[column] for column in _LOADED])
		.where((recipient.campaign == campaign) & (recipient.rtbf == 0) & (recipient.name > after))
		.orderby(recipient.name)
		.limit(limit)
	)
	return query.run(as_dict=True)


def replace_rows(replacements: Iterable[Replacement]) -> int:
	"""Replace rows by anonymised ones under new names, and repoint or delete what refers to the old names.

	A row whose new key is already in use is deleted without a successor. A row without a content hash gets none: it did
	not come from Zoho's list of its campaign, so no sync may delete it. The caller commits.

	Args:
		replacements: the rows and what replaces them.

	Returns:
		The number of rows that were replaced or deleted.
	"""
	replacements = list(replacements)
	by_key = {each.key: each for each in replacements}
	names = [each.stored["name"] for each in replacements]
	if not names:
		return 0
	taken = {key for (key,) in sql_lookups.select_in(RECIPIENT, (ROW_KEY,), ROW_KEY, by_key)}
	inserted = [each for key, each in by_key.items() if key not in taken]
	frappe.db.delete(RECIPIENT, {"name": ("in", names)})
	new_names = {}
	rows = []
	now, user = now_datetime(), frappe.session.user
	for each, number in zip(inserted, reserve_numbers(len(inserted)), strict=True):
		old, values = each.stored, each.values
		name = new_names[old["name"]] = recipient_name(None, values["email"], number)
		standard = (
			name,
			old["creation"],
			now,
			user,
			old["owner"],
			0,
			0,
			old["campaign"],
			old["bounced"] or 0,
		)
		new_hash = each.content_hash if old[CONTENT_HASH] else None
		rows.append([*standard, each.key, new_hash, *(values[field] for field in RECIPIENT_FIELDS)])
	sql_writes.insert_rows(RECIPIENT, _INSERTED, rows)
	scrubbing.repoint_links(RECIPIENT, names, new_names)
	return len(names)
