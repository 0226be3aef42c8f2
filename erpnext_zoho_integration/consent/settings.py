"""The settings of consent, cached: the gate asks for them with every mail."""

from dataclasses import dataclass

import frappe

from erpnext_zoho_integration.store.doctypes import MARKETING_MAIL, SETTINGS

DEFAULT_MARKETING = ("Newsletter", "Email Campaign")
_CACHE_KEY = "zoho-consent-settings"


@dataclass(frozen=True, slots=True)
class ConsentSettings:
	"""Which mail is held back.

	Attributes:
		hold_back: whether marketing mail is held back, and whether Leads and Email Group Members are marked.
		count_bounces: whether hard bounces hold mail back as well.
		marketing: DocTypes whose mails are marketing.
	"""

	hold_back: bool
	count_bounces: bool
	marketing: frozenset[str]


def consent_settings() -> ConsentSettings:
	"""Return the settings; from Redis, so that ordinary mail costs no query."""
	values = frappe.cache.get_value(_CACHE_KEY, _read)
	return ConsentSettings(bool(values[0]), bool(values[1]), frozenset(values[2]))


def forget() -> None:
	"""Have the settings read anew, now and after the commit; called when Zoho Settings were saved."""
	frappe.cache.delete_value(_CACHE_KEY)
	frappe.db.after_commit.add(lambda: frappe.cache.delete_value(_CACHE_KEY))


def _read() -> tuple[int, int, list[str]]:
	values = frappe.db.get_singles_dict(SETTINGS, cast=True)
	chosen = frappe.get_all(MARKETING_MAIL, {"parent": SETTINGS}, pluck="document_type")
	return (
		values.get("hold_back_marketing_mail") or 0,
		values.get("hold_back_after_hard_bounces") or 0,
		chosen or list(DEFAULT_MARKETING),
	)
