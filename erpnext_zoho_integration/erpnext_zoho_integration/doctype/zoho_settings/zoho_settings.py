"""Zoho Settings: the connection to Zoho and what is synced over it."""

from zoneinfo import ZoneInfo, available_timezones

import frappe
from frappe import _
from frappe.model.document import Document

from erpnext_zoho_integration.connection.clients import redirect_uri
from erpnext_zoho_integration.connection.tokens import wipe_tokens


class ZohoSettings(Document):
	"""One connection to one Zoho account; tokens are Password fields and never leave the server."""

	def onload(self) -> None:
		self.redirect_uri = redirect_uri()

	def validate(self) -> None:
		self.redirect_uri = redirect_uri()
		for fieldname in ("client_id", "client_secret", "code"):
			if self.get(fieldname):
				self.set(fieldname, self.get(fieldname).strip())
		if self.account_time_zone and self.account_time_zone not in available_timezones():
			frappe.throw(
				_("{0} is not a time zone. Choose one of the list, such as Europe/Berlin.").format(
					frappe.bold(frappe.utils.escape_html(self.account_time_zone))
				)
			)

	def on_update(self) -> None:
		before = self.get_doc_before_save()
		if before and before.client_id and before.client_id != self.client_id and before.is_active:
			# The tokens belong to the client that got them.
			wipe_tokens("Not Connected", _("The Client ID was changed. Click Authorize with Zoho."))

	def zone(self) -> ZoneInfo | None:
		"""Return the time zone of the Zoho account, if somebody has said so."""
		return ZoneInfo(self.account_time_zone) if self.account_time_zone else None
