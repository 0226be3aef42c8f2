"""Give the recipients of version 0.0.1 the keys by which they are found, and fold those that stand for the same row.

It had no unique key and compared addresses as they came, so one person's action can be there several times. Nothing that
any of the rows knew is lost; the next sync compares them with Zoho and neither doubles nor removes any.
"""

import frappe
from frappe.query_builder import DocType

from erpnext_zoho_integration.sync.campaigns import bounces
from erpnext_zoho_integration.sync.campaigns.merging import rekey_campaign


def execute() -> None:
	recipient = DocType("Campaign Recipient")
	unkeyed = (
		frappe.qb.from_(recipient).select(recipient.campaign).distinct().where(recipient.row_key.isnull())
	)
	for (campaign,) in unkeyed.run():
		if campaign:
			rekey_campaign(campaign)
			bounces.mark_campaign(campaign)
			frappe.db.commit()  # nosemgrep - campaign by campaign; a migration that breaks off goes on here
