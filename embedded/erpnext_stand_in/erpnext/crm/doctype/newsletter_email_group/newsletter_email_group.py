from frappe.model.document import Document


class NewsletterEmailGroup(Document):
	pass
