"""What came with a page of recipients, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

from frappe import _

from erpnext_zoho_integration.store import erased_people
from erpnext_zoho_integration.store.digests import PersonKey, pseudonym
from erpnext_zoho_integration.sync.mapping.pages import FetchedPage
from erpnext_zoho_integration.sync.mapping.results import Note
from erpnext_zoho_integration.sync.mapping.rows import Row, erased_row
from erpnext_zoho_integration.sync.privacy.anonymised_rows import anonymous_row


@dataclass(slots=True)
class MappedPage:
	"""A page of Zoho's records as rows, and what could not become one."""

	rows: list[Row] = field(default_factory=list)
	skipped: int = 0
	notes: list[Note] = field(default_factory=list)


@dataclass(slots=True)
class MappedBatch:
	"""Pages of one campaign that are written together.

	Attributes:
		digests: of the people, see `erased.digests_of`.
		known: what the register of erased people has of them.
		by_action: the pages, by action type; those of one action are one.
		unforgotten: people who are erased at Zoho and not here yet.
		opted_out: addresses, by key of the anonymous row.
	"""

	digests: dict[PersonKey, list[str]]
	known: erased_people.ErasedLookup
	by_action: dict[str, MappedPage] = field(default_factory=dict)
	unforgotten: set[PersonKey] = field(default_factory=set)
	opted_out: dict[str, str] = field(default_factory=dict)

	@property
	def rows(self) -> list[Row]:
		"""The rows of all pages."""
		return list(chain.from_iterable(page.rows for page in self.by_action.values()))


def map_batch(batch: Sequence[FetchedPage], identity: str, anonymous: bool = False) -> MappedBatch:
	"""Return the rows of some pages, those of erased people without the person.

	Args:
		batch: from Zoho.
		identity: of the campaign, see `campaigns.identity`.
		anonymous: keep figures only, see `retention`.
	"""
	digests = {person: each for fetched in batch for person, each in fetched.digests.items()}
	pages = MappedBatch(digests, erased_people.look_up(digests))
	for fetched in batch:
		page = pages.by_action.setdefault(fetched.action_type, MappedPage())
		_add_page(page, fetched, pages, identity, anonymous)
	return pages


def _add_page(
	read: MappedPage, fetched: FetchedPage, pages: MappedBatch, identity: str, anonymous: bool
) -> None:
	known = pages.known
	for reason in fetched.bad:
		read.skipped += 1
		read.notes.append(
			Note(_("Zoho sent a record that cannot be read: {0}").format(reason), "Recipients", True)
		)
	for person, gone, row in zip(fetched.people, fetched.gone, fetched.rows, strict=True):
		email, contact_id = person
		stand_in = known.stand_in(email, contact_id)
		if gone or stand_in:
			stand_in = stand_in or pseudonym(email or "", contact_id)
			read.rows.append(erased_row(stand_in, fetched.action_type, identity, fetched.variant))
			if not known.is_registered(email, contact_id):
				pages.unforgotten.add(person)
		elif row:
			if anonymous:
				row = anonymous_row(row, identity)
				if row.person.opted_out:
					pages.opted_out[row.key] = row.person.email
			read.rows.append(row)
		else:
			read.skipped += 1
			reason = _("it has no e-mail address") if not email else _("its e-mail address is unusable")
			read.notes.append(Note(_("Recipients not stored: {0}").format(reason), "Recipients"))
