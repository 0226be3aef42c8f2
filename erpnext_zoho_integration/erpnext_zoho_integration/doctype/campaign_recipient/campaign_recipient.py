"""Campaign Recipient: one action of one person in one campaign."""

import frappe
from frappe import _
from frappe.model.document import Document

from erpnext_zoho_integration.store.addresses import normalize_email
from erpnext_zoho_integration.store.doctypes import RECIPIENT
from erpnext_zoho_integration.store.document_names import recipient_name, reserve_numbers
from erpnext_zoho_integration.store.fields import ACTION_DATE, ACTION_TYPE, ROW_KEY
from erpnext_zoho_integration.store.row_keys_and_digests import row_key
from erpnext_zoho_integration.sync.campaigns import bounced_recipient_flags
from erpnext_zoho_integration.sync.campaigns.identity import campaign_identity
from erpnext_zoho_integration.sync.contacts.matching import contact_of


class CampaignRecipient(Document):
	"""One row per campaign, e-mail address and action type.

	`row_key` compares the address exactly: the database's own comparison treats müller@ and muller@ as equal.
	"""

	def autoname(self) -> None:
		self.email = normalize_email(self.email)
		self.name = recipient_name(self.contact, self.email, reserve_numbers(1)[0])

	def before_insert(self) -> None:
		if not self.flags.from_zoho:
			self.email = normalize_email(self.email)
			self.link_contact()

	def before_save(self) -> None:
		"""Link the Contact with this address and set the row key; a sync has done both already."""
		if self.flags.from_zoho:
			return
		self.email = normalize_email(self.email)
		self.link_contact()
		self.row_key = row_key(campaign_identity(self.campaign), self.email, self.action_type)
		self.refuse_second_row()

	def on_update(self) -> None:
		"""Update the bounced flag of this person; a sync updates all flags at its end."""
		if not self.flags.from_zoho:
			bounced_recipient_flags.mark_person(self.campaign, self.email)

	def after_delete(self) -> None:
		bounced_recipient_flags.mark_person(self.campaign, self.email)

	def link_contact(self) -> None:
		if not self.contact and self.email and not self.rtbf:
			self.contact = contact_of(self.email)

	def refuse_second_row(self) -> None:
		other = frappe.db.get_value(RECIPIENT, {ROW_KEY: self.row_key}, "name")
		if other and other != self.name:
			frappe.throw(
				_("{0} already has a recipient {1} with the action {2}: {3}").format(
					frappe.bold(frappe.utils.escape_html(self.campaign)),
					frappe.bold(frappe.utils.escape_html(self.email)),
					frappe.bold(_(self.action_type)),
					frappe.bold(frappe.utils.escape_html(other)),
				),
				frappe.DuplicateEntryError,
			)


def on_doctype_update() -> None:
	"""Add the indexes that lists and reports need, both in the order of the list: the latest action first.

	One serves the recipients behind a number of a Campaign, the other the list of all recipients. Both cover every column
	that is counted by and have the same length: if either gives the order, MariaDB chooses the index with fewer columns.
	"""
	frappe.db.add_index(
		RECIPIENT, ["campaign", ACTION_TYPE, ACTION_DATE, "name", "bounced"], "campaign_people"
	)
	frappe.db.add_index(RECIPIENT, [ACTION_DATE, "name", ACTION_TYPE, "campaign", "bounced"], "latest_people")
