"""Zoho Erased Person: digests by which a sync knows erased persons again; see `sync.erased`, its only writer."""

from frappe.model.document import Document


class ZohoErasedPerson(Document):
	"""Named by a keyed digest of an address or of Zoho's id; nobody can read a person out of it."""
