"""Marketing mail that was queued before an opt-out: the address leaves it, unless it was sent already."""

from collections.abc import Collection

import frappe
from frappe import _
from frappe.query_builder import DocType

from erpnext_zoho_integration.consent import held_mail, marketing_mail
from erpnext_zoho_integration.consent.settings import consent_settings
from erpnext_zoho_integration.store.addresses import addresses_in_field

_UNSENT = ("Not Sent", "Partially Sent")


def leave(addresses: Collection[str]) -> None:
	"""Take addresses out of every unsent marketing mail; a mail that nobody in To is left of is held whole.

	Args:
		addresses: in their normal form, of people who objected.
	"""
	settings = consent_settings()
	if not addresses or not settings.hold_back:
		return
	for name, recipients in _waiting(addresses).items():
		queued = frappe.get_doc("Email Queue", name, for_update=True)
		if queued.status not in _UNSENT or not marketing_mail.is_marketing(
			marketing_mail.reference_of(queued)
		):
			continue
		kept = [row for row in queued.recipients if row.recipient not in recipients]
		lost = [row.recipient for row in queued.recipients if row.recipient in recipients]
		unsent = [row.recipient for row in kept if row.status == "Not Sent"]
		if not unsent or marketing_mail.nobody_in_to(queued, unsent):
			kept = [row for row in kept if row.status != "Not Sent"]
			queued.status = "Error"
			queued.error = _("Held back: everybody in To has opted out of marketing mail.")
		queued.set("recipients", kept)
		queued.save(ignore_permissions=True)
		held_mail.note(marketing_mail.reference_of(queued), lost, held_mail.SUPPRESSED, email_queue=name)


def _waiting(addresses: Collection[str]) -> dict[str, set[str]]:
	"""Return the texts of the recipients with these addresses that wait in the queue, by mail."""
	queue, recipient = DocType("Email Queue"), DocType("Email Queue Recipient")
	rows = (
		frappe.qb.from_(queue)
		.inner_join(recipient)
		.on(recipient.parent == queue.name)
		.select(queue.name, recipient.recipient)
		.where(queue.status.isin(_UNSENT) & (recipient.status == "Not Sent"))
		.run()
	)
	found: dict[str, set[str]] = {}
	for name, text in rows:
		if any(address in addresses for address in addresses_in_field(text)):
			found.setdefault(name, set()).add(text)
	return found
