"""What marketing mails lost before they were sent, for System Managers; a mail that was held in doubt can be queued again.

This module alone writes Zoho Held Mail.
"""

import json
from collections.abc import Sequence

import frappe
from frappe import _
from frappe.model.document import Document

from erpnext_zoho_integration.consent import suppression_list
from erpnext_zoho_integration.consent.settings import consent_settings
from erpnext_zoho_integration.store.addresses import addresses_in_field
from erpnext_zoho_integration.store.doctypes import HELD_MAIL

SUPPRESSED, UNREADABLE = "Suppressed", "List Unreadable"
HELD_BACK, QUEUED_AGAIN = "Held Back", "Queued Again"


def note(
	reference: tuple[str | None, str | None],
	addresses: Sequence[str],
	reason: str,
	email_queue: str | None = None,
	communication: str | None = None,
) -> None:
	"""Note the addresses that a mail lost; an error here is logged and never stops the mail of others.

	Args:
		reference: DocType and name of the Newsletter or Email Campaign.
		addresses: the texts that were taken out.
		reason: `SUPPRESSED` or `UNREADABLE`.
		email_queue, communication: the mail.
	"""
	try:
		held = frappe.new_doc(HELD_MAIL)
		held.update(
			{
				"reference_doctype": reference[0],
				"reference_name": reference[1],
				"reason": reason,
				"held": len(addresses),
				"email_queue": email_queue,
				"communication": communication,
				"addresses": json.dumps(list(addresses), ensure_ascii=False),
			}
		)
		held.flags.ignore_links = True
		held.insert(ignore_permissions=True)
	except Exception:
		frappe.log_error("Zoho: addresses held back could not be noted")


def queue_again(name: str) -> int:
	"""Ask the list once more about a mail that was held because the list could not be read; send it to those it allows.

	Args:
		name: of the Zoho Held Mail.

	Returns:
		How many addresses get the mail now.

	Raises:
		frappe.ValidationError: the mail was held back for a reason that asking again does not change, or is gone.
	"""
	held = frappe.get_doc(HELD_MAIL, name, for_update=True)
	if held.reason != UNREADABLE or held.status != HELD_BACK:
		frappe.throw(
			_("Only mails that were held because the suppression list could not be read can be queued again.")
		)
	texts = json.loads(held.addresses or "[]")
	addresses = {address for text in texts for address in addresses_in_field(text)}
	blocked = suppression_list.held(addresses, consent_settings().count_bounces)
	free = [text for text in texts if not blocked.keys() & set(addresses_in_field(text))]
	if free:
		_send(held, free)
	kept = [text for text in texts if text not in free]
	held.db_set(
		{"status": QUEUED_AGAIN, "addresses": json.dumps(kept, ensure_ascii=False), "held": len(kept)}
	)
	return len(free)


def count(reference_doctype: str, reference_name: str) -> int:
	"""Return how many addresses a Newsletter or Email Campaign has lost; its Communication and its mails may both note one."""
	found = frappe.get_all(
		HELD_MAIL,
		{"reference_doctype": reference_doctype, "reference_name": reference_name},
		pluck="addresses",
	)
	return len(
		{address for texts in found for text in json.loads(texts) for address in addresses_in_field(text)}
	)


def _send(held: Document, free: list[str]) -> None:
	if not held.email_queue or not frappe.db.exists("Email Queue", held.email_queue):
		frappe.throw(
			_("The mail is no longer in the Email Queue. Send it again from {0}.").format(held.reference_name)
		)
	queued = frappe.get_doc("Email Queue", held.email_queue)
	for text in free:
		queued.append("recipients", {"recipient": text, "status": "Not Sent"})
	queued.status, queued.error = "Not Sent", None
	queued.save(ignore_permissions=True)
