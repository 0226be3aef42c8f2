"""Lifts blocks, queues held mail again, and shows the evidence. Thin functions over `consent`."""

import frappe

from erpnext_zoho_integration.consent import back_at_zoho, evidence, held_mail, new_consent, upgrade
from erpnext_zoho_integration.consent import tell_zoho as telling
from erpnext_zoho_integration.erpnext_zoho_integration.roles_and_rate_limits import SYSTEM_MANAGER, require


@frappe.whitelist(methods=["POST"])
def record_consent(email: str, given_at: str, method: str, text: str, file: str) -> str:
	"""Record that a person agreed to marketing mail again, and lift the block here; nothing changes at Zoho.

	Args:
		email: the address.
		given_at: when the person agreed, in the site's time zone.
		method: how, one of `new_consent.METHODS`.
		text: the words that the person agreed to.
		file: name of a private File that proves it.

	Returns:
		The name of the Zoho Consent Event.
	"""
	require(SYSTEM_MANAGER)
	return new_consent.record_new_consent(email, given_at, method, text, file)


@frappe.whitelist(methods=["POST"])
def record_address_works_again(email: str) -> None:
	"""Record that mail to an address arrives again: a hard bounce no longer holds mail back.

	Args:
		email: the address.
	"""
	require(SYSTEM_MANAGER)
	new_consent.record_address_works_again(email)


@frappe.whitelist(methods=["POST"])
def queue_again(held: str) -> int:
	"""Ask the suppression list again about a mail that was held because the list could not be read.

	Args:
		held: name of the Zoho Held Mail.

	Returns:
		How many addresses get the mail now.
	"""
	require(SYSTEM_MANAGER)
	return held_mail.queue_again(held)


@frappe.whitelist(methods=["POST"])
def hold_back_marketing_mail() -> dict:
	"""Turn the gate on and mark the people whom it concerns, in a background job; return what it concerns.

	Returns:
		See `upgrade.impact`.
	"""
	require(SYSTEM_MANAGER)
	return upgrade.turn_on()


@frappe.whitelist(methods=["POST"])
def tell_zoho() -> dict:
	"""Tell Zoho from now on about opt-outs of ERPNext; it cannot be undone there.

	Returns:
		`missing_scopes`: what Zoho has not granted yet; somebody has to authorize again first.
	"""
	require(SYSTEM_MANAGER)
	return {"missing_scopes": telling.turn_on()}


@frappe.whitelist(methods=["POST"])
def approve_telling() -> int:
	"""Let Zoho be told about many boxes that were ticked at once; return how many.

	More than fifty in an hour wait for this.
	"""
	require(SYSTEM_MANAGER)
	return telling.approve()


@frappe.whitelist(methods=["POST"])
def check_at_zoho() -> dict:
	"""Look in a background job who opted out and is active in Zoho's mailing lists again; releases nobody.

	Returns:
		`missing_scopes`: what Zoho has not granted yet; somebody has to authorize again first.
	"""
	require(SYSTEM_MANAGER)
	return {"missing_scopes": back_at_zoho.start()}


@frappe.whitelist(methods=["POST"])
def release_burst(campaign: str, domain: str) -> int:
	"""Record for those of a burst who are active at Zoho again that Zoho took their opt-outs back; return how many.

	Args:
		campaign: name of the Campaign after which they opted out.
		domain: of their addresses.
	"""
	require(SYSTEM_MANAGER)
	return back_at_zoho.release_burst(campaign, domain)


@frappe.whitelist(methods=["POST"])
def release(email: str) -> None:
	"""Record for one person who is active at Zoho again that Zoho took the opt-out back.

	Args:
		email: the address.
	"""
	require(SYSTEM_MANAGER)
	back_at_zoho.release(email)


@frappe.whitelist(methods=["GET", "POST"])
def consent_evidence(email: str) -> list[dict]:
	"""Return all events of an address, the oldest first, with their proof.

	Args:
		email: the address, in any form.
	"""
	require(SYSTEM_MANAGER)
	return evidence.events_of(email)
