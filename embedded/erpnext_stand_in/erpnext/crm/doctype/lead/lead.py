import frappe
from frappe import _
from frappe.contacts.address_and_contact import delete_contact_and_address, load_address_and_contact
from frappe.model.document import Document


class Lead(Document):
	def onload(self) -> None:
		load_address_and_contact(self)

	def validate(self) -> None:
		self.set_names()
		self.refuse_second_use_of_email()

	def before_insert(self) -> None:
		"""Create the Lead's Contact if CRM Settings says so; it is linked when the Lead has a name."""
		self.contact_doc = None
		if frappe.db.get_single_value("CRM Settings", "auto_creation_of_contact"):
			self.set_names()
			self.contact_doc = self.create_contact()

	def after_insert(self) -> None:
		if self.contact_doc:
			self.contact_doc.append("links", {"link_doctype": "Lead", "link_name": self.name})
			self.contact_doc.save()

	def on_trash(self) -> None:
		delete_contact_and_address(self.doctype, self.name)

	def set_names(self) -> None:
		parts = (self.salutation, self.first_name, self.middle_name, self.last_name)
		self.lead_name = " ".join(filter(None, parts)) if self.first_name else self.lead_name
		if not self.lead_name:
			if not self.company_name and not self.email_id:
				frappe.throw(_("A Lead requires either a person's name or an organization's name"))
			self.lead_name = self.company_name or self.email_id.split("@")[0]
		self.title = self.company_name or self.lead_name

	def refuse_second_use_of_email(self) -> None:
		if not self.email_id or frappe.db.get_single_value(
			"CRM Settings", "allow_lead_duplication_based_on_emails"
		):
			return
		if frappe.db.exists("Lead", {"email_id": self.email_id, "name": ("!=", self.name)}):
			frappe.throw(_("Email Address must be unique"), frappe.DuplicateEntryError)

	def create_contact(self) -> Document:
		contact = frappe.new_doc(
			"Contact",
			first_name=self.first_name or self.lead_name,
			last_name=self.last_name,
			salutation=self.salutation,
			gender=self.gender,
			designation=self.job_title,
			company_name=self.company_name,
		)
		if self.email_id:
			contact.append("email_ids", {"email_id": self.email_id, "is_primary": 1})
		if self.phone:
			contact.append("phone_nos", {"phone": self.phone, "is_primary_phone": 1})
		if self.mobile_no:
			contact.append("phone_nos", {"phone": self.mobile_no, "is_primary_mobile_no": 1})
		return contact.insert(ignore_permissions=True)
