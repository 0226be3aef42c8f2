"""The gate in front of ERPNext's marketing mail: suppressed and erased addresses are taken out before it is queued.

Document events of Email Queue and Communication. They never raise, because an error would lose the mails of others in the
same batch, and they never fail open: if the list or the register cannot be read, the queued mail is held whole.

Up to ERPNext 15.65 an Email Campaign makes a Communication that names all addresses, later ones queue mails of their own;
both events look at what a document has, not at versions.
"""

from collections.abc import Callable
from functools import wraps

import frappe
from frappe import _
from frappe.model.document import Document

from erpnext_zoho_integration.consent import held_mail, marketing_mail, suppression_list
from erpnext_zoho_integration.consent.settings import DEFAULT_MARKETING, consent_settings
from erpnext_zoho_integration.store.addresses import addresses_in_field

_HELD = "zoho_held"  # in the flags of a document: addresses and reason, until it has a name


def _never_raises(hold: Callable[[Document], None]) -> Callable:
	"""Make a function a document event that holds the mail whole if anything goes wrong."""

	def decorate(event: Callable[[Document], None]) -> Callable[..., None]:
		@wraps(event)
		def guarded(document: Document, method: str | None = None) -> None:
			try:
				event(document)
			except Exception:
				try:
					frappe.log_error("Zoho: a marketing mail was held back")
				finally:
					hold(document)

		return guarded

	return decorate


def _hold_queued(queued: Document) -> None:
	"""Hold a mail of the queue whole, unless it is certainly no marketing mail."""
	try:
		marketing = marketing_mail.is_marketing(marketing_mail.reference_of(queued))
	except Exception:
		marketing = not queued.reference_doctype or queued.reference_doctype in DEFAULT_MARKETING
	if marketing:
		_empty(queued, [row.recipient for row in queued.recipients], held_mail.UNREADABLE)


def _leave_communication(communication: Document) -> None:
	"""Leave a Communication as it is: each of its mails is held when it is queued, and only there it can be queued again."""


@_never_raises(_hold_queued)
def before_queueing(queued: Document) -> None:
	"""Take suppressed addresses out of a marketing mail; Email Queue's event `before_insert`."""
	if not marketing_mail.is_marketing(marketing_mail.reference_of(queued)):
		return
	texts = [row.recipient for row in queued.recipients]
	lost = _lost(texts)
	if not lost:
		return
	kept = [row for row in queued.recipients if not _names(row.recipient, lost)]
	if not kept or marketing_mail.nobody_in_to(queued, [row.recipient for row in kept]):
		_empty(queued, texts, held_mail.SUPPRESSED, sorted(lost))
		return
	queued.set("recipients", kept)
	queued.show_as_cc = _without(queued.show_as_cc, lost, ",")
	queued.flags[_HELD] = sorted(lost), held_mail.SUPPRESSED


def after_queueing(queued: Document, method: str | None = None) -> None:
	"""Note what a marketing mail lost, now that it has a name; Email Queue's event `after_insert`."""
	if held := queued.flags.pop(_HELD, None):
		addresses, reason = held
		held_mail.note(
			marketing_mail.reference_of(queued), addresses, reason, queued.name, queued.communication
		)


@_never_raises(_leave_communication)
def before_communication(communication: Document) -> None:
	"""Take suppressed addresses out of a marketing mail; Communication's event `before_insert`."""
	if not _is_mail(communication) or not marketing_mail.is_marketing(_reference(communication)):
		return
	lost = _lost([communication.recipients, communication.cc, communication.bcc])
	if not lost:
		return
	texts = {field: _without(communication.get(field), lost) for field in ("recipients", "cc", "bcc")}
	if not texts["recipients"]:
		_empty_communication(communication, sorted(lost))
		return
	communication.update(texts)
	communication.flags[_HELD] = sorted(lost), held_mail.SUPPRESSED


def after_communication(communication: Document, method: str | None = None) -> None:
	"""Note what a marketing mail lost and what it refers to; Communication's event `after_insert`."""
	marketing_mail.note_communication(communication)
	if held := communication.flags.pop(_HELD, None):
		addresses, reason = held
		held_mail.note(_reference(communication), addresses, reason, communication=communication.name)


def _reference(communication: Document) -> tuple[str | None, str | None]:
	return communication.reference_doctype, communication.reference_name


def _is_mail(communication: Document) -> bool:
	return communication.sent_or_received == "Sent" and communication.communication_medium in (
		None,
		"",
		"Email",
	)


def _lost(texts: list[str | None]) -> set[str]:
	"""Return the addresses in these texts that may not be mailed, in their normal form."""
	addresses = {address for text in texts for address in addresses_in_field(text)}
	return set(suppression_list.held(addresses, consent_settings().count_bounces))


def _names(text: str, lost: set[str]) -> bool:
	return not lost.isdisjoint(addresses_in_field(text))


def _without(text: str | None, lost: set[str], separator: str = ", ") -> str:
	"""Return a list of addresses without those that may not be mailed; the others keep their names."""
	return separator.join(part for part in frappe.utils.split_emails(text or "") if not _names(part, lost))


def _empty(queued: Document, texts: list[str], reason: str, lost: list[str] | None = None) -> None:
	queued.set("recipients", [])
	queued.status = "Error"
	queued.error = (
		_("Held back: the suppression list could not be read. A System Manager can queue this mail again.")
		if reason == held_mail.UNREADABLE
		else _("Held back: everybody in To has opted out of marketing mail.")
	)
	queued.flags[_HELD] = (texts if reason == held_mail.UNREADABLE else lost or texts), reason


def _empty_communication(communication: Document, lost: list[str]) -> None:
	communication.update({"recipients": "", "cc": "", "bcc": "", "delivery_status": "Recipient Unsubscribed"})
	communication.flags[_HELD] = lost, held_mail.SUPPRESSED
