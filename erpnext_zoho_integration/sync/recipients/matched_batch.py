"""A mapped batch compared with the stored rows and matched with Contacts: plain data, read in a few queries."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from erpnext_zoho_integration.sync.contacts.contact_values import CREATE_FOR
from erpnext_zoho_integration.sync.contacts.matching import Matches, find_contacts
from erpnext_zoho_integration.sync.mapping.page_results import Note, PageResult
from erpnext_zoho_integration.sync.mapping.recipient_rows import Person, Row
from erpnext_zoho_integration.sync.recipients.difference import Difference, Stored, difference, stored_rows
from erpnext_zoho_integration.sync.recipients.mapped_batch import MappedBatch

MaybeStored = Callable[[str, Collection[str]], Iterable[str]]


def all_maybe_stored(_action_type: str, keys: Collection[str]) -> Collection[str]:
	"""Return all keys of an action: any of them may have a stored row."""
	return keys


@dataclass(slots=True)
class MatchedBatch:
	"""A batch, its difference from the stored rows, and the Contacts of its people.

	Attributes:
		campaign: name of the Campaign.
		mapped: the rows as Zoho lists them.
		found: these rows, sorted into new, changed and unchanged ones.
		new_unlinked: new and changed rows without a Contact.
		unchanged_unlinked: unchanged rows without a Contact; there may be one by now.
		creatable: rows whose people may get a new Contact.
		matches: the Contacts of the people in rows without a Contact.
		to_create: rows whose people have no Contact and get one.
		people: the people of whom Contacts are created, one for each of Zoho's ids.
		source_actions: for each address in `to_create`, the action type of the row that the Contact is made of.
		created: names of the new Contacts, by address; set when they are created.
		results: what became of the rows, by action type; counted while they are written.
	"""

	campaign: str
	mapped: MappedBatch
	found: Difference
	new_unlinked: list[Row]
	unchanged_unlinked: list[tuple[Row, Stored]]
	creatable: list[Row]
	matches: Matches
	to_create: list[Row]
	people: list[Person]
	source_actions: dict[str, str]
	results: dict[str, PageResult]
	created: dict[str, str] = field(default_factory=dict)

	@property
	def unlinked(self) -> list[Row]:
		"""All rows without a Contact."""
		return [*self.new_unlinked, *(row for row, _stored in self.unchanged_unlinked)]

	def note(self, actions: Iterable[str], message: str, stage: str, is_error: bool = False) -> None:
		"""Note something with the results of some action types."""
		for action_type in actions:
			self.results[action_type].notes.append(Note(message, stage, is_error))


def match_batch(
	campaign: str,
	mapped: MappedBatch,
	create_for: str,
	maybe_stored: MaybeStored = all_maybe_stored,
	find: Callable[..., Matches] = find_contacts,
) -> MatchedBatch:
	"""Compare a batch with what is stored and find the Contacts of its people. Reads only.

	Args:
		campaign: name of the Campaign.
		mapped: from `map_batch`; the people whom Zoho has erased are in the register by now.
		create_for: for whom Contacts are created, one of `CREATE_FOR`.
		maybe_stored: returns those keys of an action that may have stored rows.
		find: finds Contacts, as `matching.find_contacts` does.
	"""
	may_create = CREATE_FOR[create_for]
	keys = [
		key
		for action_type, page in mapped.by_action.items()
		for key in maybe_stored(action_type, {row.key for row in page.rows})
	]
	found = difference(mapped.rows, stored_rows(keys))
	new_unlinked = [*found.new, *(row for row, stored in found.changed if not stored.contact)]
	unchanged_unlinked = [(row, stored) for row, stored in found.unchanged if not stored.contact]
	# A Contact that somebody deleted is not created again for an unchanged row.
	creatable = [*new_unlinked, *(row for row, stored in unchanged_unlinked if not stored.contact_removed)]
	matches = find(
		[
			row.person
			for row in (*new_unlinked, *(row for row, _stored in unchanged_unlinked))
			if not row.erased
		],
		and_waiting=any(may_create(row.person) for row in creatable),
	)
	to_create = [
		row
		for row in creatable
		if not row.erased and may_create(row.person) and matches.is_unknown(row.person)
	]
	first_rows: dict[str, Row] = {}
	for row in to_create:
		first_rows.setdefault(row.email, row)
	return MatchedBatch(
		campaign=campaign,
		mapped=mapped,
		found=found,
		new_unlinked=new_unlinked,
		unchanged_unlinked=unchanged_unlinked,
		creatable=creatable,
		matches=matches,
		to_create=to_create,
		people=_one_per_zoho_id(row.person for row in first_rows.values()),
		source_actions={email: row.action_type for email, row in first_rows.items()},
		results={
			action_type: PageResult(skipped=page.skipped, notes=list(page.notes))
			for action_type, page in mapped.by_action.items()
		},
	)


def match_again(batch: MatchedBatch) -> None:
	"""Find the Contacts that other workers have created meanwhile for the people who had none."""
	again = find_contacts(batch.people, and_waiting=True)
	batch.matches = batch.matches.followed_by(again)
	batch.people = [person for person in batch.people if again.is_unknown(person)]


def _one_per_zoho_id(people: Iterable[Person]) -> list[Person]:
	"""Return the people of whom Contacts are created: two addresses with one id of Zoho are one person."""
	chosen: dict[str, Person] = {}
	for person in people:
		chosen.setdefault(person.zoho_contact_id or person.email, person)
	return list(chosen.values())
