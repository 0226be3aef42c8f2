"""Reads from Zoho Settings which data a sync stores, and how."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from frappe.utils import cint, get_datetime

from erpnext_zoho_integration.connection.settings import get_settings
from erpnext_zoho_integration.sync.planning.check_intervals import DEFAULT_INTERVALS

# Setting → Zoho's list. Sent comes last: by then the people who acted have their Contacts.
ACTION_SETTINGS = {
	"sync_opened": "openedcontacts",
	"sync_clicked": "clickedcontacts",
	"sync_hard_bounced": "senthardbounce",
	"sync_soft_bounced": "sentsoftbounce",
	"sync_unsubscribed": "optoutcontacts",
	"sync_complaint": "spamcontacts",
	"sync_sent": "sentcontacts",
}


@dataclass(slots=True)
class Policy:
	"""The settings of a run.

	Attributes:
		people_since: campaigns sent before this keep figures only, see `privacy.retention`; None: none do.
	"""

	actions: tuple[str, ...]
	create_for: str
	zone: ZoneInfo | None
	intervals: tuple[tuple[int, int], ...]
	full_check_days: int
	sync_from: datetime | None
	people_since: datetime | None


def read_policy() -> Policy:
	"""Return what Zoho Settings say about what is synced."""
	settings = get_settings()
	intervals = tuple((cint(row.until_age_days), cint(row.every_hours)) for row in settings.intervals)
	return Policy(
		actions=tuple(action for setting, action in ACTION_SETTINGS.items() if settings.get(setting)),
		create_for=settings.create_contacts_for or "Everyone Who Acted",
		zone=settings.zone(),
		intervals=intervals or DEFAULT_INTERVALS,
		full_check_days=cint(settings.full_check_days),
		sync_from=get_datetime(settings.sync_from) if settings.sync_from else None,
		people_since=settings.people_since(),
	)
