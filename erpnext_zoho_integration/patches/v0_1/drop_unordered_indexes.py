"""Drop the indexes that `Campaign Recipient` had before those in the order of its list, which serve all they did."""

from erpnext_zoho_integration.store.indexes import drop_index

INDEXES = ("campaign_action_type_bounced_index", "action_type_action_date_index")


def execute() -> None:
	for index in INDEXES:
		drop_index("Campaign Recipient", index)
