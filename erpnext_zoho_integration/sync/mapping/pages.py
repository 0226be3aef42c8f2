"""A page of Zoho's records, mapped to rows; used in the fetching thread, so nothing here touches the site."""

from dataclasses import dataclass

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.store.digests import PersonKey, digests_of
from erpnext_zoho_integration.sync.mapping.rows import Row, Times, recipient_row


@dataclass(slots=True, frozen=True)
class FetchedPage:
	"""A page of recipients with where it came from, and all that can be told of it without the site.

	Zoho's records are not in it: several pages wait for being written, and these take most of the memory.

	Attributes:
		listed: how many records it had.
		next_index: where the list goes on; None if this is its last page.
		bad: why a record could not be read, of each of those.
		people: address and Zoho's contact id of every other one.
		gone: whether Zoho has erased the person, of each.
		rows: the row of each, as if nobody were erased; None where it cannot have one.
		digests: of the people, for the register of erased ones.
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
	"""How the records of one campaign are read; used in the fetching thread, so it touches no `frappe` object.

	Args:
		identity: of the campaign, see `campaigns.identity`.
		times: clocks of account and site.
		key: of the site's digests.
	"""

	identity: str
	times: Times
	key: bytes

	def page(self, action_type: str, variant: str | None, page: zoho.Page[zoho.Recipient]) -> FetchedPage:
		"""Return a page with its records as rows."""
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
