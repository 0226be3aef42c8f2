import frappe
from frappe.contacts.address_and_contact import delete_contact_and_address, load_address_and_contact
from frappe.model.document import Document
from frappe.model.naming import append_number_if_name_exists, set_name_by_naming_series


class Customer(Document):
	def autoname(self) -> None:
		"""Name by series if that is the default, else by the customer's name, with a number if that exists."""
		if frappe.defaults.get_global_default("cust_master_name") == "Naming Series":
			set_name_by_naming_series(self)
		else:
			self.name = append_number_if_name_exists("Customer", self.customer_name, separator=" - ")

	def onload(self) -> None:
		load_address_and_contact(self)

	def on_trash(self) -> None:
		if self.customer_primary_contact:
			self.db_set("customer_primary_contact", None)
		delete_contact_and_address("Customer", self.name)
