"""What is left of a row when its person goes: the figure. Used where somebody is erased, and where time has passed.

A row keeps campaign, action, times, counts, country and links, and loses everything that says who it was. A stand-in
takes the place of the address, so that the row is found again and nothing is counted twice.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import frappe
from frappe.query_builder import DocType
from frappe.utils import now_datetime

from erpnext_zoho_integration.store import sql_lookups, sql_writes
from erpnext_zoho_integration.store.digests import keyed_digest, row_key
from erpnext_zoho_integration.store.doctypes import RECIPIENT
from erpnext_zoho_integration.store.names import recipient_name, reserve_numbers
from erpnext_zoho_integration.sync.mapping.rows import RECIPIENT_FIELDS, Row, content_hash
from erpnext_zoho_integration.sync.privacy import scrubbing

# What speaks of the mail and not of the person. A country is kept; a town may have one inhabitant in a list.
KEPT = (
	"action_type",
	"action_date",
	"sent_time",
	"country",
	"is_optout",
	"is_spam",
	"open_count",
	"click_count",
	"variant",
)
_STORED = ("name", "creation", "owner", "campaign", "email", "bounced", "content_hash", "url_clicks", *KEPT)


def campaign_stand_in(identity: str, email: str) -> str:
	"""Return the stand-in for a person in one campaign: another one in each, so that nobody can be followed.

	Args:
		identity: of the campaign, see `campaigns.identity`.
		email: normalized.
	"""
	return f"anonymous-{keyed_digest(f'{identity} {email}')[:24]}"


def figure(values: Mapping, stand_in: str) -> dict:
	"""Return what is kept of a row's values, with a stand-in for the address; a plain function."""
	links = _links(values.get("url_clicks"))
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
	"""Return the row that a record leaves in a campaign whose time has passed; a plain function.

	The person stays with it in memory, for an opt-out, and is never stored.
	"""
	values = figure(row.values, campaign_stand_in(identity, row.email))
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
	"""Return a link without what could lead back to a person: everything behind `?` and `#` but `utm_…`.

	Newsletters put addresses and tokens there; `utm_source`, `utm_campaign` and the like are the same for everybody.
	"""
	try:
		parts = urlsplit(url)
	except ValueError:
		return url.partition("?")[0].partition("#")[0]
	query = [(name, value) for name, value in parse_qsl(parts.query) if name.startswith("utm_")]
	return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, urlencode(query), ""))


def _links(url_clicks: str | None) -> list[dict]:
	clicks: dict[str, int | None] = {}
	for link in json.loads(url_clicks or "[]"):
		url, count = public_link(str(link.get("url") or "")), link.get("count")
		before = clicks.get(url)
		clicks[url] = count if before is None else before + (count or 0)
	return [{"url": url, "count": count} for url, count in clicks.items() if url]


def stored(names: Collection[str]) -> list[frappe._dict]:
	"""Return what `replace` needs of these rows, in one query."""
	rows = sql_lookups.select_in(RECIPIENT, _STORED, "name", names)
	return [frappe._dict(zip(_STORED, row, strict=True)) for row in rows]


def stored_of_campaign(campaign: str, after: str, limit: int) -> list[frappe._dict]:
	"""Return the next rows of a campaign that still name a person, by name."""
	recipient = DocType(RECIPIENT)
	query = (
		frappe.qb.from_(recipient)
		.select(*[recipient[column] for column in _STORED])
		.where((recipient.campaign == campaign) & (recipient.rtbf == 0) & (recipient.name > after))
		.orderby(recipient.name)
		.limit(limit)
	)
	return query.run(as_dict=True)


def replace(rows: Iterable[tuple[Mapping, dict, str, str]]) -> int:
	"""Put figures in the place of rows, under new names, with whatever else in the database names the old ones.

	A row whose place is taken already only goes. One that did not come from Zoho's list of its campaign gets no content
	hash, as before: no sync removes it. The caller commits.

	Args:
		rows: of each the stored row (see `stored`), the values of its figure, its key and its content hash.

	Returns:
		The number of rows that are gone.
	"""
	rows = list(rows)
	chosen = {key: (old, values, key, digest) for old, values, key, digest in rows}
	names = [old["name"] for old, *_rest in rows]
	if not names:
		return 0
	taken = {key for (key,) in sql_lookups.select_in(RECIPIENT, ("row_key",), "row_key", chosen)}
	fresh = [each for key, each in chosen.items() if key not in taken]
	frappe.db.delete(RECIPIENT, {"name": ("in", names)})
	new_names = {}
	written = []
	now, user = now_datetime(), frappe.session.user
	for (old, values, key, digest), number in zip(fresh, reserve_numbers(len(fresh)), strict=True):
		name = new_names[old["name"]] = recipient_name(None, values["email"], number)
		fixed = (name, old["creation"], now, user, old["owner"], 0, 0, old["campaign"], old["bounced"] or 0)
		kept_digest = digest if old["content_hash"] else None
		written.append([*fixed, key, kept_digest, *(values[field] for field in RECIPIENT_FIELDS)])
	sql_writes.insert_rows(RECIPIENT, _WRITTEN, written)
	scrubbing.repoint_links(RECIPIENT, names, new_names)
	return len(names)


_WRITTEN = (*sql_writes.STANDARD_COLUMNS, "campaign", "bounced", "row_key", "content_hash", *RECIPIENT_FIELDS)
