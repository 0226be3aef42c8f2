"""Privacy: forgetting a person. Thin functions over `erpnext_zoho_integration.sync.privacy.erasure`."""

import frappe

from erpnext_zoho_integration.erpnext_zoho_integration.api.access import SYSTEM_MANAGER, require
from erpnext_zoho_integration.sync.privacy import erasure


@frappe.whitelist(methods=["POST"])
def erase_person(email: str, delete_contact: bool = False) -> dict:
	"""Forget a person: their recipients become figures, and no sync brings them back. It cannot be undone.

	Args:
		email: the address, in any letter case; where somebody has several, call it for each.
		delete_contact: delete the Contacts that have the address, unless another document needs them. Otherwise they
			lose what came from Zoho, and keep name, address and opt-out.

	Returns:
		`rows` and `texts`: how many recipients and how many messages, comments and errors were changed; `contacts`,
		`deleted` and `kept`: names of Contacts.
	"""
	require(SYSTEM_MANAGER)
	return erasure.erase_person(email, delete_contact).as_dict()
