import frappe
from frappe.model.document import Document


class EmailCampaign(Document):
	"""As much of an e-mail campaign as its mails need; the tests send them in the three ways of ERPNext's versions."""

	def addresses(self):
		if self.email_campaign_for == "Email Group":
			return frappe.get_all("Email Group Member", {"email_group": self.recipient}, pluck="email")
		return [frappe.db.get_value(self.email_campaign_for, self.recipient, "email_id")]
