"""Set the keys of the recipients of version 0.0.1 and merge rows that have the same key.

Version 0.0.1 had no unique key and stored addresses as they came, so one person's action may have several rows. No row's
values are lost. The next sync compares the merged rows with Zoho; it neither duplicates nor deletes any.
"""

import frappe
from frappe.query_builder import DocType

from erpnext_zoho_integration.sync.campaigns import bounced_recipient_flags
from erpnext_zoho_integration.sync.campaigns.merging import rekey_campaign


def execute() -> None:
	recipient = DocType("Campaign Recipient")
	unkeyed = (
		frappe.qb.from_(recipient).select(recipient.campaign).distinct().where(recipient.row_key.isnull())
	)
	for (campaign,) in unkeyed.run():
		if campaign:
			rekey_campaign(campaign)
			bounced_recipient_flags.mark_campaign(campaign)
			frappe.db.commit()  # nosemgrep - an interrupted migration continues with the next campaign
