"""Maps a page of Zoho's records to rows. It runs in the fetching thread, so it touches no `frappe` object."""

from dataclasses import dataclass

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.store.row_keys_and_digests import PersonKey, digests_of
from erpnext_zoho_integration.sync.mapping.recipient_rows import Row, Times, recipient_row


@dataclass(slots=True, frozen=True)
class FetchedPage:
	"""A page of recipients, mapped as far as that needs no site.

	It does not keep Zoho's records: several pages wait to be written, and the records would take most of the memory.

	Attributes:
		action_type: such as `Opened`.
		variant: `A` or `B` for the test mails of an A/B campaign.
		listed: the number of records.
		next_index: the first index of the next page; None if this is the last one.
		bad: for each unreadable record, the reason.
		people: for each readable record, e-mail address and Zoho contact id.
		gone: for each of these people, whether Zoho has erased them.
		rows: for each of these people, the row; None if Zoho has erased them or the address is unusable. The register of
			erased people is not asked yet.
		digests: of these people, for the register of erased people.
	"""

	action_type: str
	variant: str | None
	listed: int
	next_index: int | None
	bad: list[str]
	people: list[PersonKey]
	gone: list[bool]
	rows: list[Row | None]
	digests: dict[PersonKey, list[str]]


@dataclass(slots=True, frozen=True)
class PageMapper:
	"""Maps the pages of one campaign.

	Args:
		identity: of the campaign, see `campaigns.identity.campaign_identity`.
		times: clocks of account and site.
		key: see `row_keys_and_digests.site_key`.
	"""

	identity: str
	times: Times
	key: bytes

	def page(self, action_type: str, variant: str | None, page: zoho.Page[zoho.Recipient]) -> FetchedPage:
		"""Map a page.

		Args:
			action_type: of the list.
			variant: `A` or `B` for the test mails of an A/B campaign.
			page: from Zoho.
		"""
		rows = [
			recipient_row(record, action_type, self.identity, self.times, variant)
			if not record.erased
			else None
			for record in page.items
		]
		people: list[PersonKey] = [(record.email, record.contact_id) for record in page.items]
		return FetchedPage(
			action_type,
			variant,
			len(page.raw),
			page.next_index,
			[bad.reason for bad in page.bad],
			people,
			[record.erased for record in page.items],
			rows,
			digests_of(people, self.key),
		)
