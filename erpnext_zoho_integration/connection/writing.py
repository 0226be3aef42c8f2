"""Decides whether this site may write to Zoho, and makes the only client that can.

`Stop All Writing to Zoho` in Zoho Settings and `zoho_read_only` in site_config.json hold back everything at once: both are
read again before each request, in a running job too. Each feature asks for the scopes it needs; if Zoho has not granted
them, that feature waits for another authorization and nothing else stops.
"""

from collections.abc import Iterable
from functools import partial

import frappe
from frappe import _
from frappe.utils import cint

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection.clients import make_rate_limiter, remember_lock
from erpnext_zoho_integration.connection.errors import ScopesMissing, WritingStopped
from erpnext_zoho_integration.connection.settings import campaigns_url
from erpnext_zoho_integration.connection.tokens import TokenSource
from erpnext_zoho_integration.store.doctypes import SETTINGS
from erpnext_zoho_integration.store.fields import GRANTED_SCOPES, STOP_WRITING

READ_ONLY = "zoho_read_only"


def writing_client(
	needed: Iterable[str] = zoho.WRITING_SCOPES, *, patience: float | None = None
) -> zoho.CampaignsWriter:
	"""Return a client that may write to the connected account.

	It keeps the budget of calls, remembers Zoho's locks for all workers, and asks `require_writing` before every request
	that writes. Therefore **a write commits before each of its requests**: use the client between two units of work, and
	only in the thread that owns the database connection.

	Args:
		needed: the scopes of the feature.
		patience: how many seconds a call waits for its budget, see `connection.zoho_rate_limit`.

	Raises:
		WritingStopped: writing is stopped; a write may raise it too, later.
		ScopesMissing: somebody has to authorize again for this feature.
		BudgetUsedUp: by a call, if it would have to wait for longer.
	"""
	require_writing()
	require_scopes(needed)
	limiter, source = make_rate_limiter(patience=patience), TokenSource()
	return zoho.CampaignsWriter(
		campaigns_url(),
		source.current,
		zoho.Transport(before_call=limiter.before_call, on_limit=partial(remember_lock, limiter)),
		may_write=_require_writing_now,
		refresh=source.renew,
	)


def require_writing() -> None:
	"""Raise `WritingStopped` if writing to Zoho is stopped.

	Reads the file and the database, not a cache. Within a transaction, a database shows what was stored when it began.
	"""
	if frappe.get_site_config().get(READ_ONLY):
		raise WritingStopped(_("Writing to Zoho is stopped in site_config.json ({0}).").format(READ_ONLY))
	if cint(frappe.db.get_single_value(SETTINGS, STOP_WRITING, cache=False)):
		raise WritingStopped(_("Writing to Zoho is stopped. Zoho Settings has the switch for it."))


def require_scopes(needed: Iterable[str]) -> None:
	"""Raise `ScopesMissing` if Zoho has not granted all of these scopes."""
	missing = missing_scopes(needed)
	if missing:
		raise ScopesMissing(
			_(
				"Zoho has not allowed this yet ({0}). Open Zoho Settings and click Authorize with Zoho again. Everything else works as before."
			).format(", ".join(missing)),
			missing,
		)


def missing_scopes(needed: Iterable[str]) -> tuple[str, ...]:
	"""Return those of the needed scopes that Zoho has not granted at the last authorization.

	A connection of an earlier version has stored none; it was granted the scope for reading.
	"""
	granted = frappe.db.get_single_value(SETTINGS, GRANTED_SCOPES, cache=False)
	return zoho.scopes_lacking(granted or " ".join(zoho.READING_SCOPES), needed)


def _require_writing_now() -> None:
	frappe.db.commit()  # nosemgrep - a new snapshot, to see a switch set meanwhile; what follows cannot be rolled back
	require_writing()
