"""What came with a page of recipients, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from itertools import chain

from frappe import _

from erpnext_zoho_integration.sync import erased
from erpnext_zoho_integration.sync.anonymity import anonymous_row
from erpnext_zoho_integration.sync.fetch import FetchedPage
from erpnext_zoho_integration.sync.identity import pseudonym
from erpnext_zoho_integration.sync.mapping import Row, erased_row


@dataclass(slots=True)
class Note:
	"""Something about a record that the reader of the run should know."""

	message: str
	stage: str
	is_error: bool = False


@dataclass(slots=True)
class PageResult:
	"""What became of a page."""

	inserted: int = 0
	updated: int = 0
	unchanged: int = 0
	duplicates: int = 0
	skipped: int = 0
	erased: int = 0
	contacts_created: int = 0
	linked: int = 0
	opted_out: int = 0
	notes: list[Note] = field(default_factory=list)

	def add(self, other: "PageResult") -> None:
		"""Add what became of another page."""
		for counter in fields(self):
			setattr(self, counter.name, getattr(self, counter.name) + getattr(other, counter.name))


@dataclass(slots=True)
class ReadPage:
	"""A page of Zoho's records as rows, and what could not become one."""

	rows: list[Row] = field(default_factory=list)
	skipped: int = 0
	notes: list[Note] = field(default_factory=list)


@dataclass(slots=True)
class ReadPages:
	"""Pages of one campaign that are written together.

	Attributes:
		digests: of the people, see `erased.digests_of`.
		known: what the register of erased people has of them.
		by_action: the pages, by action type; those of one action are one.
		unforgotten: people who are erased at Zoho and not here yet.
		opted_out: addresses, by key of the anonymous row.
	"""

	digests: dict[erased.Person, list[str]]
	known: erased.Known
	by_action: dict[str, ReadPage] = field(default_factory=dict)
	unforgotten: set[erased.Person] = field(default_factory=set)
	opted_out: dict[str, str] = field(default_factory=dict)

	@property
	def rows(self) -> list[Row]:
		"""The rows of all pages."""
		return list(chain.from_iterable(page.rows for page in self.by_action.values()))


def read_pages(batch: Sequence[FetchedPage], identity: str, anonymous: bool = False) -> ReadPages:
	"""Return the rows of some pages, those of erased people without the person.

	Args:
		batch: from Zoho.
		identity: of the campaign, see `identity.campaign_identity`.
		anonymous: keep figures only, see `retention`.
	"""
	digests = {person: each for fetched in batch for person, each in fetched.digests.items()}
	pages = ReadPages(digests, erased.known_by(digests))
	for fetched in batch:
		page = pages.by_action.setdefault(fetched.action_type, ReadPage())
		_add_page(page, fetched, pages, identity, anonymous)
	return pages


def _add_page(read: ReadPage, fetched: FetchedPage, pages: ReadPages, identity: str, anonymous: bool) -> None:
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
