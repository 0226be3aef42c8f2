"""Zoho Erased Person: digests by which a sync recognises erased people; written by `store.erased_people` only."""

from frappe.model.document import Document


class ZohoErasedPerson(Document):
	"""Named by a keyed digest of an address or of Zoho's id, from which nobody can recover the person."""
