"""Zoho Settings: the connection to Zoho, and how and what to sync."""

from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import add_to_date, cint, get_datetime, now_datetime

from erpnext_zoho_integration.connection.identity import is_copy
from erpnext_zoho_integration.connection.settings import redirect_uri, stored_secret
from erpnext_zoho_integration.connection.tokens import DISCONNECTED, revoke_quietly
from erpnext_zoho_integration.consent import settings as consent_settings
from erpnext_zoho_integration.store.fields import (
	CHECK_AT_ZOHO,
	CONNECTED_SITE,
	CONNECTION_ERROR,
	CONNECTION_STATUS,
	GRANTED_SCOPES,
	IS_ACTIVE,
	NO_TOKENS_BEFORE,
	ORGANISATION,
)

# Written by the connection and by runs, often while the form is open: saving the form must not overwrite them.
NOT_OF_THE_FORM = (
	"access_token",
	"refresh_token",
	"token_expiry",
	NO_TOKENS_BEFORE,
	"api_domain",
	GRANTED_SCOPES,
	CONNECTED_SITE,
	ORGANISATION,
	IS_ACTIVE,
	CONNECTION_STATUS,
	CONNECTION_ERROR,
	"connected_by",
	"connected_on",
	"last_sync",
	"notified_problems",
	"consent_backfill",
	CHECK_AT_ZOHO,
)


# Besides DocTypes that are submitted, such as invoices.
NEVER_MARKETING = frozenset({"User", "Notification", "Payment Request", "Dunning"})


class ZohoSettings(Document):
	"""The connection to one Zoho account; tokens are Password fields and never leave the server."""

	def onload(self) -> None:
		self.redirect_uri = redirect_uri()

	def validate(self) -> None:
		before = self.get_doc_before_save()
		if before and not self.flags.from_connection:
			self.update({fieldname: before.get(fieldname) for fieldname in NOT_OF_THE_FORM})
		self.redirect_uri = redirect_uri()
		for fieldname in ("client_id", "client_secret", "code"):
			if self.get(fieldname):
				self.set(fieldname, self.get(fieldname).strip())
		if self.account_time_zone and self.account_time_zone not in available_timezones():
			frappe.throw(
				_("{0} is not a time zone. Choose one from the list, such as Europe/Berlin.").format(
					frappe.bold(frappe.utils.escape_html(self.account_time_zone))
				)
			)
		self.refuse_other_mail()
		if before and before.client_id and before.client_id != self.client_id:
			self.end_connection(before)

	def refuse_other_mail(self) -> None:
		"""Refuse DocTypes whose mails people must get, such as invoices and password resets."""
		for row in self.marketing_mail:
			if row.document_type in NEVER_MARKETING or frappe.get_meta(row.document_type).is_submittable:
				frappe.throw(
					_("{0} cannot be marketing mail: people who opted out must still get it.").format(
						frappe.bold(_(row.document_type))
					)
				)

	def on_update(self) -> None:
		consent_settings.forget()

	def end_connection(self, before: Document) -> None:
		"""Drop the tokens, which belong to the former client, and revoke them at Zoho after the commit.

		Those of a copied site are the original's, and those of a lost encryption key unknown: they are only dropped.
		"""
		if not before.refresh_token:
			return
		token, center = stored_secret(before, "refresh_token"), before.data_center
		self.update(DISCONNECTED)
		self.connection_status = "Not Connected"
		self.connection_error = _("The Client ID was changed. Click Authorize with Zoho.")
		if token and not is_copy(before):
			frappe.db.after_commit.add(lambda: _revoke(token, center))

	def zone(self) -> ZoneInfo | None:
		"""Return the time zone of the Zoho account if it is set."""
		return ZoneInfo(self.account_time_zone) if self.account_time_zone else None

	def people_since(self) -> datetime | None:
		"""Return the time before which campaigns keep figures only, in the site's zone; None if people stay for ever."""
		months = cint(self.anonymise_after_months)
		return get_datetime(add_to_date(now_datetime(), months=-months)) if months > 0 else None


def _revoke(token: str, center: str) -> None:
	if not revoke_quietly(token, center):
		frappe.db.commit()  # nosemgrep - the Error Log; this runs after the request's own commit
