"""The life of a batch: map, match, create Contacts, write rows, update Contacts, settle their status.

Nothing is committed here: a run commits the batch with the cursor behind it. `runs.batch_writer` calls the same steps,
and commits new Contacts ahead of the rows where other workers create Contacts too.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from frappe import _

from erpnext_zoho_integration.consent.events import Fact
from erpnext_zoho_integration.consent.zoho_facts import OBJECTIONS
from erpnext_zoho_integration.store.fields import ZOHO_STATUS
from erpnext_zoho_integration.sync.contacts import contact_values, zoho_status
from erpnext_zoho_integration.sync.contacts.contact_writers import Changes, RefusedPeople
from erpnext_zoho_integration.sync.mapping.page_results import PageResult
from erpnext_zoho_integration.sync.mapping.recipient_pages import FetchedPage
from erpnext_zoho_integration.sync.mapping.recipient_rows import Person, Row
from erpnext_zoho_integration.sync.privacy import erasure
from erpnext_zoho_integration.sync.recipients import opt_outs
from erpnext_zoho_integration.sync.recipients.mapped_batch import MappedBatch, map_batch
from erpnext_zoho_integration.sync.recipients.matched_batch import MatchedBatch, match_batch
from erpnext_zoho_integration.sync.recipients.row_writers import Writers


def sync_batch(
	campaign: str, pages: Sequence[FetchedPage], identity: str, anonymous: bool, create_for: str
) -> tuple[MappedBatch, PageResult]:
	"""Write pages of one campaign and their Contacts in the caller's transaction, for `runs.single_steps`.

	A run uses `runs.batch_writer`.

	Args:
		campaign: name of the Campaign.
		pages: from Zoho.
		identity: of the campaign, see `campaigns.identity`.
		anonymous: keep figures only, see `retention`.
		create_for: for whom Contacts are created, one of `CREATE_FOR`.

	Returns:
		The mapped rows, and what became of all of them.
	"""
	writers = Writers.for_site()
	mapped = map_batch(pages, identity, anonymous)
	erase_newly_erased(mapped)
	batch = match_batch(campaign, mapped, create_for)
	total = create_contacts(batch, writers)
	for result in store_batch(batch, writers).values():
		total.add(result)
	return mapped, total


def erase_newly_erased(mapped: MappedBatch) -> None:
	"""Erase here the people whom Zoho has erased since it was last asked."""
	if mapped.newly_erased:
		mapped.erased = erasure.erase_people_erased_at_zoho(mapped.newly_erased, mapped.erased)


def create_contacts(batch: MatchedBatch, writers: Writers) -> PageResult:
	"""Create the Contacts that are missing, and link the rows stored earlier for the same people.

	Returns:
		What concerns the new Contacts alone, so that they can be committed ahead of the rows.
	"""
	if not batch.people:
		return PageResult()
	batch.created, failures = writers.contacts.create(batch.people)
	_note_refused_contacts(batch, failures)
	in_this_batch = {stored.name for _row, stored in batch.unchanged_unlinked}
	writers.links.set_contacts(
		{
			name: contact
			for email, contact in batch.created.items()
			for name, _action_type in batch.matches.waiting.get(email, ())
			if name not in in_this_batch
		}
	)
	return PageResult(contacts_created=len(batch.created))


def store_batch(batch: MatchedBatch, writers: Writers) -> dict[str, PageResult]:
	"""Write the rows, then update the Contacts that they speak of.

	Returns:
		What became of the rows, by action type.
	"""
	_note_ambiguous_contacts(batch)
	_count_known_rows(batch)
	facts = opt_outs.facts_of(batch)  # before the rows are stored
	contacts = _contacts_of_rows(batch)
	_write_rows(batch, contacts, writers)
	_link_unchanged_rows(batch, contacts, writers)
	_update_contacts(batch, contacts, writers)
	_settle_status_of_new_contacts(batch, writers)
	_record_opt_outs(batch, facts, writers)
	return batch.results


def _record_opt_outs(batch: MatchedBatch, facts: list[Fact], writers: Writers) -> None:
	"""Record the opt-outs of new rows, and mark Contacts that are linked to them though they hold another address."""
	marked = writers.consent.record(facts).marked
	objected = [row for row in batch.unlinked if row.action_type in OBJECTIONS and not row.erased]
	marked += writers.consent.mark_contacts(
		{contact for row in objected if (contact := batch.matches.by_row.get(row.email))}
	)
	for row in objected:
		if batch.matches.is_by_zoho_id_alone(row.person) and row in batch.new_unlinked:
			batch.note(
				[row.action_type],
				_(
					"{0} has opted out. The Contact {1} has the same contact id at Zoho but another address, and is not marked. Check whether it is the same person."
				).format(row.email, batch.matches.contact_of(row.person)),
				"Contacts",
			)
	next(iter(batch.results.values())).opted_out += marked


def _note_refused_contacts(batch: MatchedBatch, failures: RefusedPeople) -> None:
	"""Note why Contacts were not created; an address that ERPNext refuses is no news for an unchanged row."""
	if not failures:
		return
	actions, news = actions_by_address(batch.to_create), actions_by_address(batch.new_unlinked)
	for person, error in failures:
		unusable = isinstance(error, contact_values.UnusableAddress)
		concerned = [
			action_type
			for action_type in actions[person.email]
			if not unusable or action_type in news[person.email]
		]
		batch.note(concerned, str(error), "Contacts", is_error=not unusable)


def _note_ambiguous_contacts(batch: MatchedBatch) -> None:
	if not batch.matches.ambiguous:
		return
	actions = actions_by_address(batch.new_unlinked)
	for email, names in sorted(batch.matches.ambiguous.items()):
		batch.note(
			actions[email],
			_(
				"Several Contacts have the e-mail address {0}: {1}. The recipient is not linked; merge them."
			).format(email, ", ".join(names[:5])),
			"Contacts",
		)


def _count_known_rows(batch: MatchedBatch) -> None:
	"""Count what is known before anything is written."""
	for action_type, duplicates in batch.found.duplicates.items():
		batch.results[action_type].duplicates = duplicates
	for row, _stored in batch.found.unchanged:
		batch.results[row.action_type].unchanged += 1
	for action_type, page in batch.mapped.by_action.items():
		batch.results[action_type].erased = sum(row.erased for row in page.rows)


def _contacts_of_rows(batch: MatchedBatch) -> dict[str, str | None]:
	"""Return the Contacts of new, changed and unlinked rows, by key of the row."""
	by_zoho_id = {
		person.zoho_contact_id: batch.created[person.email]
		for person in batch.people
		if person.zoho_contact_id and person.email in batch.created
	}
	contacts = {
		row.key: batch.matches.contact_of(row.person)
		or batch.created.get(row.email)
		or by_zoho_id.get(row.person.zoho_contact_id or "")
		for row in batch.unlinked
		if not row.erased
	}
	contacts.update({row.key: stored.contact for row, stored in batch.found.changed if stored.contact})
	return contacts


def _write_rows(batch: MatchedBatch, contacts: dict[str, str | None], writers: Writers) -> None:
	new = [(row, contacts.get(row.key)) for row in batch.found.new]
	changed = [(row, stored, contacts.get(row.key)) for row, stored in batch.found.changed]
	failures = writers.recipients.write(batch.campaign, new, changed)
	refused = {row.key for row, _error in failures}
	for row, contact in new:
		result = batch.results[row.action_type]
		result.inserted += row.key not in refused
		result.linked += contact is not None
	for row, _stored, _contact in changed:
		batch.results[row.action_type].updated += row.key not in refused
	for row, error in failures:
		batch.results[row.action_type].skipped += 1
		batch.note([row.action_type], f"{row.email}: {error}", "Write", is_error=True)


def _link_unchanged_rows(batch: MatchedBatch, contacts: dict[str, str | None], writers: Writers) -> None:
	"""Link unchanged rows that had no Contact."""
	links = {
		stored.name: contact for row, stored in batch.unchanged_unlinked if (contact := contacts.get(row.key))
	}
	writers.links.set_contacts(links)
	for row, stored in batch.unchanged_unlinked:
		batch.results[row.action_type].linked += stored.name in links


def _update_contacts(batch: MatchedBatch, contacts: dict[str, str | None], writers: Writers) -> None:
	"""Take over what new and changed rows say of people who had a Contact before, one action after the other."""
	news = defaultdict(list)
	for row in (*batch.found.new, *(row for row, _stored in batch.found.changed)):
		news[row.action_type].append(row)
	writers.change_cache.invalidate_campaign(
		contact for row, _stored in batch.found.changed if (contact := contacts.get(row.key))
	)
	# A new Contact has the values of the row that it was made from. Rows of earlier actions do not change it.
	not_yet_made = {contact: batch.source_actions[email] for email, contact in batch.created.items()}
	for action_type in batch.mapped.by_action:
		made_here = {contact for contact, source in not_yet_made.items() if source == action_type}
		claims: dict[str, Row] = {}
		for row in news[action_type]:
			contact = contacts.get(row.key)
			if contact and (contact in made_here or contact not in not_yet_made):
				# If a person has several addresses, the row with the newest status counts.
				claims[contact] = (
					max(row, claims[contact], key=zoho_status.status_claim) if contact in claims else row
				)
		not_yet_made = {contact: s for contact, s in not_yet_made.items() if contact not in made_here}
		_take_over(batch, action_type, claims, made_here, writers)


def _take_over(
	batch: MatchedBatch, action_type: str, claims: dict[str, Row], made_here: set[str], writers: Writers
) -> None:
	"""Update Contacts with what the rows of an action say.

	Args:
		batch: whose rows they are.
		action_type: of these rows.
		claims: the row that counts, by Contact.
		made_here: the Contacts that were made of rows of this action.
		writers: those of the run.
	"""
	changed_claims = writers.change_cache.changed(batch.campaign, claims)
	disputed: set[str] = set()
	changes = list(
		contact_values.changes(
			{contact: row.person for contact, row in changed_claims.items() if contact not in made_here},
			of_stored_rows=True,
			disputed=disputed,
		)
	)
	refused = _change_contacts(batch, changes, lambda _person: [action_type], writers)
	# A new Contact was made of one of a person's addresses; another address may say something else.
	disputed |= {c for c in made_here & claims.keys() if claims[c].email not in batch.created}
	writers.change_cache.remember(
		[name for name, row in changed_claims.items() if row.email not in refused], disputed
	)


def _settle_status_of_new_contacts(batch: MatchedBatch, writers: Writers) -> None:
	"""Give new Contacts the status that all their rows say, those of other actions and campaigns included."""
	creatable = actions_by_address(batch.creatable) if batch.created else {}
	people = {
		batch.created[person.email]: person
		for person in batch.people
		if person.email in batch.created
		and (
			person.email in batch.matches.waiting
			or creatable[person.email][0] != batch.source_actions[person.email]
		)
	}
	status = zoho_status.last_status(people)
	changes = [
		(name, person, {ZOHO_STATUS: status[name]})
		for name, person in people.items()
		if status.get(name, person.status) != person.status
	]
	_change_contacts(batch, changes, lambda person: [batch.source_actions[person.email]], writers)
	writers.change_cache.invalidate(name for name, _person, _values in changes)


def _change_contacts(
	batch: MatchedBatch, changes: Changes, actions_of: Callable[[Person], Sequence[str]], writers: Writers
) -> set[str]:
	"""Change Contacts; note the refused changes and return the addresses of these people."""
	failures = writers.contacts.change(changes)
	for person, error in failures:
		batch.note(actions_of(person), f"{person.email}: {error}", "Contacts", is_error=True)
	return {person.email for person, _error in failures}


def actions_by_address(rows: Iterable[Row]) -> dict[str, list[str]]:
	"""Return the action types of some rows, by address."""
	found: dict[str, list[str]] = defaultdict(list)
	for row in rows:
		found[row.email].append(row.action_type)
	return found
