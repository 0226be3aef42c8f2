"""Erases people. Thin functions over `sync.privacy.erasure`."""

import frappe

from erpnext_zoho_integration.erpnext_zoho_integration.roles_and_rate_limits import SYSTEM_MANAGER, require
from erpnext_zoho_integration.sync.privacy import erasure


@frappe.whitelist(methods=["POST"])
def erase_person(email: str, delete_contact: bool = False) -> dict:
	"""Erase a person: anonymise their recipients and keep syncs from bringing them back. It cannot be undone.

	Args:
		email: the address, in any letter case; call it once for each address of the person.
		delete_contact: delete the Contacts that have the address, unless another document needs them. Otherwise they
			lose what came from Zoho, and keep name, address and opt-out.

	Returns:
		`rows` and `texts`: how many recipients and how many messages, comments and errors were changed; `contacts`,
		`deleted` and `kept`: names of Contacts.
	"""
	require(SYSTEM_MANAGER)
	return erasure.erase_person(email, delete_contact).as_dict()
