"""Consent Evidence: what became known about an address or in a period, with its proof; to be printed for an authority."""

import json

import frappe
from frappe import _

from erpnext_zoho_integration.consent import evidence
from erpnext_zoho_integration.erpnext_zoho_integration.report.columns import column
from erpnext_zoho_integration.erpnext_zoho_integration.roles_and_rate_limits import SYSTEM_MANAGER, require

_LIMIT = 10_000


def execute(filters: dict | None = None) -> tuple:
	"""Return columns, rows and a message.

	Args:
		filters: `email`, `from_date`, `to_date`.
	"""
	require(SYSTEM_MANAGER)
	filters = frappe._dict(filters or {})
	if filters.email:
		rows = evidence.events_of(filters.email)
	else:
		rows = evidence.events_between(filters.from_date, filters.to_date, _LIMIT)
	for row in rows:
		for field in ("event", "certainty", "source"):
			text = row[field] or ""
			row[f"{field}_text"] = _(text)
		row["proof_text"] = _proof(row["proof"])
	return get_columns(), rows, _message(rows)


def get_columns() -> list[dict]:
	"""Return the columns: who, what, when, how certain, from where, and the proof."""
	return [
		column("email", _("E-mail Address"), "Data", 220),
		column("event_text", _("Event"), "Data", 150),
		column("happened_at", _("Happened At"), "Datetime", 160),
		column("certainty_text", _("Certainty"), "Data", 100),
		column("creation", _("Recorded At"), "Datetime", 160),
		column("source_text", _("Source"), "Data", 130),
		column("campaign", _("Campaign"), "Link", 180, options="Campaign"),
		column("user", _("User"), "Link", 150, options="User"),
		column("proof_text", _("Proof"), "Data", 320),
		column("name", _("Event ID"), "Link", 180, options="Zoho Consent Event"),
	]


def _proof(text: str | None) -> str:
	"""Return the proof as one line that people can read."""
	return "; ".join(f"{key}: {value}" for key, value in json.loads(text or "{}").items() if value)


def _message(rows: list[dict]) -> str:
	if len(rows) == _LIMIT:
		return _("Only the first {0} events are shown. Choose a shorter period.").format(_LIMIT)
	return _(
		"Not Before: Zoho gives no time, so this is when the mail was sent. Recorded: when this site noticed it."
	)
