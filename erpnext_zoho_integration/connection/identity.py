"""Whether this is still the site, the key and the organisation that the connection was made with.

A restored copy of a site must not sync by itself, let alone revoke the original's tokens; another encryption key does not
recognise erased people; another organisation has other people under the same ids. Each is noticed before anything is
synced, refreshed, written or revoked, everything pauses, and a System Manager decides in Zoho Settings.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

import frappe
from frappe import _
from frappe.model.document import Document

from erpnext_zoho_integration.connection.errors import ConnectionPaused
from erpnext_zoho_integration.store import erased_people
from erpnext_zoho_integration.store.doctypes import DELETED_CAMPAIGN, SETTINGS
from erpnext_zoho_integration.store.fields import CONNECTED_SITE, ORGANISATION, ZOHO_CAMPAIGN_KEY

COPY, OTHER_KEY, OTHER_ORGANISATION = "Copy", "Other Key", "Other Organisation"
# Values of the field `organisation`: to be compared at the next sync, or found to be another one.
TO_COMPARE, ANOTHER = "To Compare", "Another"


@dataclass(frozen=True, slots=True)
class Pause:
	"""Why everything pauses.

	Attributes:
		kind: `COPY`, `OTHER_KEY` or `OTHER_ORGANISATION`.
		text: a translated sentence that says what happened and what to do.
	"""

	kind: str
	text: str


def this_site() -> str:
	"""Return what identifies this site: its name and its host, as JSON."""
	host = urlsplit(str(frappe.conf.get("host_name") or "")).hostname or frappe.local.site
	return json.dumps({"site": frappe.local.site, "host": host})


def is_copy(settings: Document) -> bool:
	"""Return whether the tokens were made on another site than this one."""
	made_on = settings.get(CONNECTED_SITE)
	return bool(made_on) and made_on != this_site()


def pause(settings: Document) -> Pause | None:
	"""Return why the connection pauses; None if it is this site's own."""
	if is_copy(settings):
		made_on = json.loads(settings.get(CONNECTED_SITE))
		return Pause(
			COPY,
			_(
				"This connection was made on {0} ({1}). If this is a copy, click Disconnect: the original keeps its connection. If the site has moved, click Go On."
			).format(made_on["site"], made_on["host"]),
		)
	if not erased_people.is_readable():
		return Pause(
			OTHER_KEY,
			_(
				"The encryption key of this site has changed. With the new one, {0} erased people are not recognised and a sync would bring them back. Restore the key in site_config.json. Only if it is lost, click Go On, enter the Client Secret and authorize again."
			).format(erased_people.count()),
		)
	if settings.get(ORGANISATION) == ANOTHER:
		return Pause(
			OTHER_ORGANISATION,
			_(
				"The connected Zoho account has none of the campaigns that were synced before: it seems to be another organisation. If that is wrong, authorize with the former account. If it is right, click Go On: campaigns stay, and the contact ids of the former organisation are cleared."
			),
		)
	return None


def require_own(settings: Document) -> None:
	"""Raise `ConnectionPaused` unless the connection is this site's own."""
	if found := pause(settings):
		raise ConnectionPaused(found.text)


def go_on(settings: Document) -> str | None:
	"""Answer the question of a pause: the site has moved, the key is lost, the organisation is another one.

	Returns:
		The kind of the pause that ended; None if there was none.
	"""
	found = pause(settings)
	if found is None:
		return None
	if found.kind == COPY:
		_write({CONNECTED_SITE: this_site()})
	elif found.kind == OTHER_KEY:
		erased_people.accept_key()
	else:
		_write({ORGANISATION: None})
	return found.kind


def after_authorizing() -> dict[str, object]:
	"""Return the fields of Zoho Settings that a new authorization sets; note the encryption key."""
	erased_people.note_key()
	return {CONNECTED_SITE: this_site(), ORGANISATION: TO_COMPARE if _known_keys() else None}


def compare_organisation(listed: Collection[str]) -> None:
	"""Compare, once after an authorization, the campaigns of the account with those that were synced before.

	Zoho's API names no organisation; that it lists none of the known campaigns is the most certain sign.

	Args:
		listed: the campaign keys that Zoho lists.

	Raises:
		ConnectionPaused: none of them is known, although campaigns were synced before.
	"""
	settings = frappe.get_doc(SETTINGS)
	if settings.get(ORGANISATION) != TO_COMPARE or not listed:
		return
	known = _known_keys()
	another = bool(known) and known.isdisjoint(listed)
	_write({ORGANISATION: ANOTHER if another else None})
	frappe.db.commit()  # nosemgrep - what follows may be an error, which rolls back
	if another:
		require_own(frappe.get_doc(SETTINGS))


def note_identity() -> None:
	"""Note site and key of a connection that was made before this was noted; called at migrate."""
	settings = frappe.get_doc(SETTINGS)
	if settings.is_active and not settings.get(CONNECTED_SITE):
		_write({CONNECTED_SITE: this_site()})
	erased_people.note_key()


def _known_keys() -> set[str]:
	keys = frappe.get_all("Campaign", {ZOHO_CAMPAIGN_KEY: ("is", "set")}, pluck=ZOHO_CAMPAIGN_KEY)
	return {*keys, *frappe.get_all(DELETED_CAMPAIGN, pluck=ZOHO_CAMPAIGN_KEY)}


def _write(values: dict[str, object]) -> None:
	frappe.db.set_single_value(SETTINGS, values, update_modified=False)
