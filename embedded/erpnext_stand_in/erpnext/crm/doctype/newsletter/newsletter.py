import frappe
from frappe.model.document import Document


class Newsletter(Document):
	"""As much of a newsletter as its mails need: who gets it, and one mail for each."""

	def get_recipients(self):
		groups = [row.email_group for row in self.email_group]
		filters = {"email_group": ("in", groups), "unsubscribed": 0}
		return frappe.get_all("Email Group Member", filters, pluck="email", distinct=True)

	def queue_all(self):
		frappe.sendmail(
			recipients=self.get_recipients(),
			subject=self.subject,
			message=self.message,
			reference_doctype=self.doctype,
			reference_name=self.name,
			queue_separately=True,
		)
		self.db_set("email_sent", 1)
