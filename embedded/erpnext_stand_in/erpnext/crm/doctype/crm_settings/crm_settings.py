import frappe
from frappe.model.document import Document


class CRMSettings(Document):
	def validate(self) -> None:
		"""Store the naming rule as a default value, where Campaign reads it."""
		frappe.db.set_default("campaign_naming_by", self.campaign_naming_by or "")
