"""Pages that are written together, mapped to rows; the rows of erased people do not name them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

from frappe import _

from erpnext_zoho_integration.consent import zoho_facts
from erpnext_zoho_integration.store import erased_people
from erpnext_zoho_integration.store.row_keys_and_digests import PersonKey, pseudonym
from erpnext_zoho_integration.sync.mapping.page_results import Note
from erpnext_zoho_integration.sync.mapping.recipient_pages import FetchedPage
from erpnext_zoho_integration.sync.mapping.recipient_rows import Row, erased_row
from erpnext_zoho_integration.sync.privacy.anonymised_rows import anonymous_row


@dataclass(slots=True)
class MappedPage:
	"""Rows of one action, and the records that could not become rows."""

	rows: list[Row] = field(default_factory=list)
	skipped: int = 0
	notes: list[Note] = field(default_factory=list)


@dataclass(slots=True)
class MappedBatch:
	"""Pages of one campaign that are written together.

	Attributes:
		digests: of the people, see `row_keys_and_digests.digests_of`.
		erased: the erased ones among these people, by the register.
		by_action: the rows by action type; pages of one action are one.
		newly_erased: people who are erased at Zoho and not here yet.
		identity: of the campaign, see `campaigns.identity`.
		rowless: address, action type and Zoho contact id of people whose address cannot be stored in a row.
		hidden: rows that name their person, by key of the anonymous row that is stored instead.
	"""

	digests: dict[PersonKey, list[str]]
	erased: erased_people.ErasedLookup
	identity: str
	by_action: dict[str, MappedPage] = field(default_factory=dict)
	newly_erased: set[PersonKey] = field(default_factory=set)
	hidden: dict[str, Row] = field(default_factory=dict)
	rowless: list[tuple[str, str, str | None]] = field(default_factory=list)

	@property
	def rows(self) -> list[Row]:
		"""The rows of all pages."""
		return list(chain.from_iterable(page.rows for page in self.by_action.values()))


def map_batch(pages: Sequence[FetchedPage], identity: str, anonymous: bool = False) -> MappedBatch:
	"""Return the rows of some pages, those of erased people without the person.

	Args:
		pages: from Zoho.
		identity: of the campaign, see `campaigns.identity`.
		anonymous: keep figures only, see `retention`.
	"""
	digests = {person: each for page in pages for person, each in page.digests.items()}
	batch = MappedBatch(digests, erased_people.look_up(digests), identity)
	for page in pages:
		_add_page(batch, page, identity, anonymous)
	return batch


def _add_page(batch: MappedBatch, fetched: FetchedPage, identity: str, anonymous: bool) -> None:
	page, erased = batch.by_action.setdefault(fetched.action_type, MappedPage()), batch.erased
	for reason in fetched.bad:
		page.skipped += 1
		page.notes.append(
			Note(_("Zoho sent a record that cannot be read: {0}").format(reason), "Recipients", True)
		)
	for person, gone, row in zip(fetched.people, fetched.gone, fetched.rows, strict=True):
		email, contact_id = person
		stand_in = erased.stand_in(email, contact_id)
		if gone or stand_in:
			stand_in = stand_in or pseudonym(email or "", contact_id)
			page.rows.append(erased_row(stand_in, fetched.action_type, identity, fetched.variant))
			if not erased.is_registered(email, contact_id):
				batch.newly_erased.add(person)
		elif row:
			if anonymous:
				named, row = row, anonymous_row(row, identity)
				if row.action_type in zoho_facts.EVENTS:
					batch.hidden[row.key] = named
			page.rows.append(row)
		else:
			page.skipped += 1
			if email and fetched.action_type in zoho_facts.EVENTS:
				batch.rowless.append((email, fetched.action_type, contact_id))
			reason = _("it has no e-mail address") if not email else _("its e-mail address is unusable")
			page.notes.append(Note(_("Recipients not stored: {0}").format(reason), "Recipients"))
