"""What a recipient at Zoho says about consent: plain functions."""

from datetime import datetime

from frappe.utils import now_datetime

from erpnext_zoho_integration.consent import rules
from erpnext_zoho_integration.consent.events import Fact
from erpnext_zoho_integration.store.addresses import person_address

# Action types of Campaign Recipient that say something about consent.
EVENTS = {
	"Unsubscribed": rules.OPTED_OUT,
	"Complaint": rules.COMPLAINED,
	"Hard Bounced": rules.HARD_BOUNCED,
}
OBJECTIONS = frozenset(action for action, event in EVENTS.items() if event in rules.OBJECTIONS)


def fact_of_recipient(
	email: str,
	action_type: str,
	action_date: datetime | None,
	sent_time: datetime | None,
	campaign: str,
	identity: str,
	zoho_contact_id: str | None,
) -> Fact | None:
	"""Return what one recipient says; None without an address.

	Args:
		email: as Zoho or the row has it.
		action_type: a key of `EVENTS`.
		action_date: when the person acted, in the site's zone; Zoho often does not say.
		sent_time: when the mail was sent; the person acted later.
		campaign: name of the Campaign.
		identity: Zoho's key of the campaign, or its name if it has none.
		zoho_contact_id: the person at Zoho.
	"""
	address = person_address(email)
	if not address:
		return None
	moment = action_date or sent_time
	certainty = rules.EXACT if action_date else rules.NOT_BEFORE if sent_time else rules.RECORDED
	return Fact(
		address,
		EVENTS[action_type],
		moment or now_datetime(),
		certainty,
		rules.FROM_ZOHO,
		f"Zoho\n{identity}",
		campaign=campaign,
		campaign_key=identity,
		proof={"list": action_type, "address": email, "zoho_contact_id": zoho_contact_id},
	)
