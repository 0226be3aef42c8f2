"""Earlier opt-outs: what was known before events existed becomes events and the list. Marks nobody, tells Zoho nothing.

Runs as a job after installing and migrating, in slices that are committed with their cursor, so that it can be killed and
resumed. `Zoho Settings.consent_backfill` holds the cursor.
"""

import json
import time

from pypika.queries import QueryBuilder

import frappe
from frappe.query_builder import DocType
from frappe.utils import get_datetime

from erpnext_zoho_integration.consent import missed_opt_outs, recording
from erpnext_zoho_integration.consent.events import Fact
from erpnext_zoho_integration.consent.zoho_facts import EVENTS, fact_of_recipient
from erpnext_zoho_integration.store.doctypes import RECIPIENT, SETTINGS
from erpnext_zoho_integration.store.fields import ACTION_DATE, ACTION_TYPE, SENT_TIME, ZOHO_CAMPAIGN_KEY

_SLICE = 1_000
_SLICE_SECONDS = 1_200  # RQ kills jobs in `long` after 25 minutes
_FIELD = "consent_backfill"
_JOB = "zoho-consent-backfill"


def queue() -> None:
	"""Queue the job, unless the backfill is complete."""
	if not is_complete():
		frappe.enqueue(
			f"{__name__}.run",
			queue="long",
			timeout=_SLICE_SECONDS + 300,
			job_id=_JOB,
			deduplicate=True,
			enqueue_after_commit=True,
		)


def is_complete() -> bool:
	"""Return whether all earlier opt-outs are events by now."""
	return bool(_progress().get("complete"))


def run(seconds: float = _SLICE_SECONDS) -> int:
	"""Go on with the backfill for some time, and queue the rest; return the number of new events. Commits slices.

	Args:
		seconds: after how long it ends, at the next slice.
	"""
	deadline, written = time.monotonic() + seconds, 0
	progress = _progress()
	while not progress.get("complete"):
		if time.monotonic() > deadline:
			queue()
			frappe.db.commit()  # nosemgrep - queues the rest
			break
		if progress.get("rows_done"):
			written += sum(map(recording.backfill, missed_opt_outs.missed()))
			progress = {**progress, "complete": True}
		else:
			names, new = _slice(progress.get("after", ""))
			written += new
			progress = {"after": names[-1]} if names else {"rows_done": True}
		_store(progress)
		frappe.db.commit()  # nosemgrep - a slice with its cursor
	return written


def record_campaign(campaign: str) -> None:
	"""Write the events of one campaign's rows, before the rows lose their people. The caller commits."""
	row = DocType(RECIPIENT)
	recording.backfill(_facts(_rows().where(row.campaign == campaign).run(as_dict=True)))


def _slice(after: str) -> tuple[list[str], int]:
	"""Write the events of the next rows; return the rows' names and the number of new events."""
	row = DocType(RECIPIENT)
	rows = _rows().where(row.name > after).orderby(row.name).limit(_SLICE).run(as_dict=True)
	return [each.name for each in rows], recording.backfill(_facts(rows))


def _rows() -> QueryBuilder:
	row = DocType(RECIPIENT)
	columns = (row.name, row.email, row[ACTION_TYPE], row[ACTION_DATE], row[SENT_TIME], row.campaign)
	query = frappe.qb.from_(row).select(*columns, row.zoho_contact_id)
	return query.where(row[ACTION_TYPE].isin(sorted(EVENTS)) & (row.rtbf == 0))


def _facts(rows: list[frappe._dict]) -> list[Fact]:
	names = sorted({row.campaign for row in rows})
	fields = ["name", ZOHO_CAMPAIGN_KEY]
	keys = dict(frappe.get_all("Campaign", {"name": ("in", names)}, fields, as_list=True)) if names else {}
	facts = [
		fact_of_recipient(
			row.email,
			row[ACTION_TYPE],
			row[ACTION_DATE] and get_datetime(row[ACTION_DATE]),
			row[SENT_TIME] and get_datetime(row[SENT_TIME]),
			row.campaign,
			keys.get(row.campaign) or row.campaign,
			row.zoho_contact_id,
		)
		for row in rows
	]
	return [fact for fact in facts if fact]


def _progress() -> dict:
	return json.loads(frappe.db.get_single_value(SETTINGS, _FIELD, cache=False) or "{}")


def _store(progress: dict) -> None:
	frappe.db.set_single_value(SETTINGS, _FIELD, json.dumps(progress), update_modified=False)
