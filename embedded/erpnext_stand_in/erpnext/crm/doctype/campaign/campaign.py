import frappe
from frappe.model.document import Document
from frappe.model.naming import set_name_by_naming_series


class Campaign(Document):
	def autoname(self) -> None:
		"""Name by series if CRM Settings says so, else by the campaign's name."""
		if frappe.defaults.get_global_default("campaign_naming_by") == "Naming Series":
			set_name_by_naming_series(self)
		else:
			self.name = self.campaign_name

	def after_insert(self) -> None:
		self.write_utm_campaign()

	def on_change(self) -> None:
		self.write_utm_campaign()

	def write_utm_campaign(self) -> None:
		"""Update the UTM Campaign of the same name at every change, like ERPNext 16."""
		if frappe.db.exists("UTM Campaign", self.campaign_name):
			utm = frappe.get_doc("UTM Campaign", self.campaign_name)
		else:
			utm = frappe.new_doc("UTM Campaign", name=self.campaign_name)
		utm.campaign_description = self.description
		utm.save(ignore_permissions=True)
