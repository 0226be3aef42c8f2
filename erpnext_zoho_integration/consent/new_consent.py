"""How a person lifts a block: new consent with proof, an opt-out that Zoho took back, an address that works again.

Nothing else lifts one, and nothing does so for many people at once but the release of opt-outs that Zoho itself took back.
"""

from datetime import datetime

import frappe
from frappe import _
from frappe.utils import get_datetime, now_datetime

from erpnext_zoho_integration.consent import events, marks, rules, suppression_list
from erpnext_zoho_integration.consent.events import Fact
from erpnext_zoho_integration.consent.recording import record
from erpnext_zoho_integration.store import erased_people
from erpnext_zoho_integration.store.addresses import address_key, person_address
from erpnext_zoho_integration.store.doctypes import CONSENT_EVENT, SUPPRESSED_ADDRESS

METHODS = ("Written Form", "Web Form", "E-mail", "Phone Call", "In Person")


def record_new_consent(email: str, given_at: str | datetime, method: str, text: str, file: str) -> str:
	"""Record that a person agreed to marketing mail again, and lift the block. The caller checks the role and commits.

	Nothing changes at Zoho: there only the person can subscribe again.

	Args:
		email: the address.
		given_at: when the person agreed, in the site's time zone.
		method: how, one of `METHODS`.
		text: the words the person agreed to.
		file: name or URL of the private File that proves it.

	Returns:
		The name of the event.

	Raises:
		frappe.ValidationError: something is missing, or the consent is not later than the objection.
	"""
	address = _suppressed_address(email)
	if not given_at or get_datetime(given_at) > now_datetime():
		raise frappe.throw(_("Enter when the person agreed: a moment that is not in the future."))
	moment: datetime = get_datetime(given_at)
	if method not in METHODS:
		frappe.throw(_("Choose how the person agreed."))
	if not (text or "").strip():
		frappe.throw(_("Enter the words that the person agreed to."))
	file = _require_private_file(file)
	objection = _last_objection(address)
	if objection is None:
		raise frappe.throw(_("{0} has not opted out. There is nothing to lift.").format(_shown(address)))
	if moment <= objection.latest:
		frappe.throw(
			_(
				"The consent must be later than the opt-out, which this site noticed at {0}. An earlier consent was withdrawn by it."
			).format(frappe.utils.format_datetime(objection.latest))
		)
	fact = Fact(
		address,
		rules.CONSENT_GIVEN,
		moment,
		rules.EXACT,
		"Person",
		f"consent\n{now_datetime()}",
		document=("File", file),
		user=frappe.session.user,
		proof={"method": method, "text": text.strip(), "file": file},
	)
	record([fact])
	marks.unmark({address})
	event = frappe.db.get_value(CONSENT_EVENT, {"fact_key": fact.key})
	# The file belongs to the event from now on: whoever may read the event may read it.
	frappe.db.set_value("File", file, {"attached_to_doctype": CONSENT_EVENT, "attached_to_name": event})
	return event


def record_address_works_again(email: str) -> None:
	"""Record that mail to an address arrives again: hard bounces until now no longer hold mail back.

	Raises:
		frappe.ValidationError: no hard bounce is known.
	"""
	address = _suppressed_address(email)
	if not frappe.db.get_value(SUPPRESSED_ADDRESS, address_key(address), "bounced"):
		frappe.throw(_("No hard bounce holds back mail to {0}.").format(_shown(address)))
	now = now_datetime()
	record(
		[
			Fact(
				address,
				rules.WORKS_AGAIN,
				now,
				rules.EXACT,
				"Person",
				f"works\n{now}",
				user=frappe.session.user,
			)
		]
	)


def _suppressed_address(email: str) -> str:
	"""Return the normal form of an address that is on the list."""
	address = person_address(email)
	if not address:
		frappe.throw(_("Enter the e-mail address of the person."))
	if address in erased_people.suppressed_among({address}):
		frappe.throw(
			_(
				"{0} was erased. This site no longer knows what was agreed, and sends no marketing mail there."
			).format(_shown(address))
		)
	if address not in suppression_list.held({address}):
		frappe.throw(_("{0} is not suppressed. There is nothing to lift.").format(_shown(address)))
	return address


def _last_objection(address: str) -> rules.Event | None:
	key = address_key(address)
	return rules.last_objection(events.of_addresses([key]).get(key, ()))


def _require_private_file(file: str) -> str:
	"""Return the name of the File that proves the consent; refuse one that is missing, empty or public."""
	fields = ["name", "is_private", "file_size", "is_folder"]
	found = None
	if file:
		found = frappe.db.get_value("File", file, fields, as_dict=True)
		found = found or frappe.db.get_value("File", {"file_url": file}, fields, as_dict=True)
	if not found or found.is_folder:
		raise frappe.throw(_("Attach the file that proves the consent."))
	if not found.is_private:
		frappe.throw(_("The proof is a public file, which everybody can read. Attach it as a private one."))
	if not found.file_size:
		frappe.throw(_("The attached file is empty."))
	return found.name


def _shown(address: str) -> str:
	return frappe.bold(frappe.utils.escape_html(address))
