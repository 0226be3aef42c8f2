"""Pages that are written together: matched, compared, written. Nothing is committed here; the runner does, with its account."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cached_property

from frappe import _

from erpnext_zoho_integration.sync.contacts import linking, matching
from erpnext_zoho_integration.sync.contacts import status as contact_status
from erpnext_zoho_integration.sync.contacts import updates as contact_updates
from erpnext_zoho_integration.sync.contacts.matching import find_contacts
from erpnext_zoho_integration.sync.contacts.updates import CREATE_FOR
from erpnext_zoho_integration.sync.contacts.writers import Changes
from erpnext_zoho_integration.sync.mapping.results import Note, PageResult
from erpnext_zoho_integration.sync.mapping.rows import Person, Row
from erpnext_zoho_integration.sync.privacy import erasure
from erpnext_zoho_integration.sync.recipients import difference
from erpnext_zoho_integration.sync.recipients.mapped_batch import MappedBatch
from erpnext_zoho_integration.sync.recipients.writers import Writers

MaybeStored = Callable[[str, Collection[str]], Iterable[str]]


def store_pages(campaign: str, pages: MappedBatch, create_for: str) -> PageResult:
	"""Write pages of one campaign, and the contacts they speak of, as the site needs it (`writers.Writers.for_site`).

	Args:
		campaign: name of the Campaign.
		pages: from `read_pages`.
		create_for: for whom contacts are created, one of `CREATE_FOR`.
	"""
	matched = MatchedBatch(campaign, pages, create_for, Writers.for_site())
	total = matched.create_contacts()
	for result in matched.store().values():
		total.add(result)
	return total


def _opt_outs_of_figures(pages: MappedBatch) -> int:
	"""Mark the Contacts of people who have newly opted out of a campaign that keeps figures only."""
	if not pages.opted_out:
		return 0
	stored = difference.stored_rows(pages.opted_out)
	emails = [email for key, email in pages.opted_out.items() if key not in stored]
	return linking.opt_out(set(matching.contacts_of(emails).values()))


class MatchedBatch:
	"""Pages compared with what is stored, and matched with Contacts; then contacts are created, then rows written.

	Args:
		campaign: name of the Campaign.
		pages: from `read_pages`.
		create_for: for whom contacts are created, one of `CREATE_FOR`.
		writers: those of the run.
		maybe_stored: returns those of the keys of an action of which there may be rows.

	Attributes:
		wanted: people of whom `create_contacts` will make Contacts.
	"""

	def __init__(
		self,
		campaign: str,
		pages: MappedBatch,
		create_for: str,
		writers: Writers,
		maybe_stored: MaybeStored = lambda _action_type, keys: keys,
	) -> None:
		if pages.unforgotten:
			pages.known = erasure.erase_people_erased_at_zoho(pages.unforgotten, pages.known)
		self.campaign = campaign
		self.pages = pages
		self.may_create = CREATE_FOR[create_for]
		self.writers = writers
		self.results = {
			action_type: PageResult(skipped=page.skipped, notes=list(page.notes))
			for action_type, page in pages.by_action.items()
		}
		self.created: dict[str, str] = {}  # e-mail address → Contact
		stored = difference.stored_rows(
			key
			for action_type, page in pages.by_action.items()
			for key in maybe_stored(action_type, {row.key for row in page.rows})
		)
		self.found = difference.difference(pages.rows, stored)
		self.fresh, self.loose = _without_contact(self.found)
		# A contact that somebody deleted is not created again for an unchanged row.
		creatable = [*self.fresh, *(row for row, old in self.loose if not old.contact_removed)]
		self.matches = find_contacts(
			[row.person for row in self._contactless() if not row.erased],
			and_waiting=any(self.may_create(row.person) for row in creatable),
		)
		self._asking = list(filter(self._is_wanted, creatable))
		wanted: dict[str, Row] = {}
		for row in self._asking:
			wanted.setdefault(row.email, row)
		self.wanted = _one_per_zoho_id({email: row.person for email, row in wanted.items()})
		self.creators = {email: row.action_type for email, row in wanted.items()}
		self._creatable = creatable

	# By address, the action types of rows: most pages are written without a need of them.

	@cached_property
	def told(self) -> dict[str, list[str]]:
		"""Of new and changed rows."""
		return _actions_of(self.fresh)

	@cached_property
	def asked_for(self) -> dict[str, list[str]]:
		"""Of the rows that are to have a new Contact."""
		return _actions_of(self._asking)

	@cached_property
	def creatable(self) -> dict[str, list[str]]:
		"""Of the rows that may have a new Contact."""
		return _actions_of(self._creatable)

	def match_again(self) -> None:
		"""Find the Contacts that others have made meanwhile for those who had none."""
		again = find_contacts(self.wanted, and_waiting=True)
		self.matches = self.matches.followed_by(again)
		self.wanted = [person for person in self.wanted if again.is_unknown(person)]

	def create_contacts(self) -> PageResult:
		"""Create the wanted Contacts and link what is stored of them already.

		Returns:
			What concerns the new Contacts alone, so that they may be committed ahead of the rows.
		"""
		if not self.wanted:
			return PageResult()
		self.created, failures = self.writers.contacts.create(self.wanted)
		for person, error in failures:
			refused = isinstance(error, contact_updates.UnusableAddress)
			told = self.told.get(person.email, ())
			actions = [action for action in self.asked_for[person.email] if not refused or action in told]
			self._note(actions, str(error), "Contacts", is_error=not refused)
		on_these_pages = {old.name for _row, old in self.loose}
		linking.link_found(
			(contact, name, action_type)
			for email, contact in self.created.items()
			for name, action_type in self.matches.waiting.get(email, ())
			if name not in on_these_pages
		)
		opted_out = sum(person.opted_out for person in self.wanted if person.email in self.created)
		return PageResult(contacts_created=len(self.created), opted_out=opted_out)

	def store(self) -> dict[str, PageResult]:
		"""Write the rows, and what they say of people who have a Contact.

		Returns:
			What became of the pages, by action type.
		"""
		found = self.found
		self._tell_ambiguous()
		self._count()
		opted_out = _opt_outs_of_figures(self.pages)
		contact_of = self._contacts()
		contact_of.update({row.key: old.contact for row, old in found.changed if old.contact})
		links = {old.name: contact for row, old in self.loose if (contact := contact_of.get(row.key))}
		self._write(contact_of)
		linking.set_contacts(links)
		for row, old in self.loose:
			self.results[row.action_type].linked += old.name in links
		self._change_contacts(contact_of)
		opted_out += linking.opt_out(
			{links[old.name] for row, old in self.loose if row.person.opted_out and old.name in links}
		)
		self._settle_status()
		next(iter(self.results.values())).opted_out += opted_out
		return self.results

	def _contactless(self) -> list[Row]:
		"""Return the rows that are linked to nobody yet."""
		return [*self.fresh, *(row for row, _old in self.loose)]

	def _count(self) -> None:
		for action_type, duplicates in self.found.duplicates.items():
			self.results[action_type].duplicates = duplicates
		for row, _old in self.found.unchanged:
			self.results[row.action_type].unchanged += 1
		for action_type, page in self.pages.by_action.items():
			self.results[action_type].erased = sum(row.erased for row in page.rows)

	def _is_wanted(self, row: Row) -> bool:
		return not row.erased and self.may_create(row.person) and self.matches.is_unknown(row.person)

	def _contacts(self) -> dict[str, str | None]:
		"""Return the Contacts of rows that had none, by key of the row."""
		by_zoho_id = {
			person.zoho_contact_id: self.created[person.email]
			for person in self.wanted
			if person.zoho_contact_id and person.email in self.created
		}
		return {
			row.key: self.matches.contact_of(row.person)
			or self.created.get(row.email)
			or by_zoho_id.get(row.person.zoho_contact_id or "")
			for row in self._contactless()
			if not row.erased
		}

	def _write(self, contact_of: dict[str, str | None]) -> None:
		found = self.found
		new = [(row, contact_of.get(row.key)) for row in found.new]
		changed = [(row, old, contact_of.get(row.key)) for row, old in found.changed]
		failures = self.writers.recipients.write(self.campaign, new, changed)
		refused = {row.key for row, _error in failures}
		for row, contact in new:
			result = self.results[row.action_type]
			result.inserted += row.key not in refused
			result.linked += contact is not None
		for row, _old, _contact in changed:
			self.results[row.action_type].updated += row.key not in refused
		for row, error in failures:
			self.results[row.action_type].skipped += 1
			self._note([row.action_type], f"{row.email}: {error}", "Write", is_error=True)

	def _change_contacts(self, contact_of: dict[str, str | None]) -> None:
		"""Take over what new and changed rows say of people who had a Contact before, one page after the other."""
		heard = defaultdict(list)
		for row in (*self.found.new, *(row for row, _old in self.found.changed)):
			heard[row.action_type].append(row)
		self.writers.change_cache.invalidate_campaign(
			contact for row, _old in self.found.changed if (contact := contact_of.get(row.key))
		)
		# A Contact that is new says what the page says that it was made of; what pages before that one say is not asked.
		unmade = {self.created[email]: self.creators[email] for email in self.created}
		for action_type in self.pages.by_action:
			own = {contact for contact, creator in unmade.items() if creator == action_type}
			said: dict[str, Row] = {}
			for row in heard[action_type]:
				contact = contact_of.get(row.key)
				if contact and (contact in own or contact not in unmade):
					# Of several addresses of somebody, the one that may have the last word.
					said[contact] = (
						max(row, said[contact], key=contact_status.status_claim) if contact in said else row
					)
			unmade = {contact: creator for contact, creator in unmade.items() if contact not in own}
			self._take_over(action_type, said, own)

	def _take_over(self, action_type: str, said: dict[str, Row], own: set[str]) -> None:
		"""Change Contacts as the rows of a page say.

		Args:
			action_type: of the page.
			said: its rows, by Contact.
			own: the Contacts that were made of its rows.
		"""
		news = self.writers.change_cache.changed(self.campaign, said)
		disputed: set[str] = set()
		changes = list(
			contact_updates.changes(
				{contact: row.person for contact, row in news.items() if contact not in own},
				of_stored_rows=True,
				disputed=disputed,
			)
		)
		refused = self._change(changes, lambda _person: [action_type])
		self.results[action_type].opted_out += sum(
			values.get("unsubscribed", 0) for _name, person, values in changes if person.email not in refused
		)
		# A new Contact has what one of a person's addresses says; it need not agree with what another one does.
		disputed |= {contact for contact in own & said.keys() if said[contact].email not in self.created}
		self.writers.change_cache.remember(
			[name for name, row in news.items() if row.email not in refused], disputed
		)

	def _settle_status(self) -> None:
		"""Give new Contacts the status that all their rows say, those of other lists and campaigns included."""
		people = {
			self.created[person.email]: person
			for person in self.wanted
			if person.email in self.created and self._is_spoken_of_elsewhere(person.email)
		}
		status = contact_status.last_status(people)
		changes = [
			(name, person, {"zoho_status": status[name]})
			for name, person in people.items()
			if status.get(name, person.status) != person.status
		]
		self._change(changes, lambda person: [self.creators[person.email]])
		self.writers.change_cache.invalidate(name for name, _person, _values in changes)

	def _is_spoken_of_elsewhere(self, email: str) -> bool:
		"""Return whether rows speak of somebody that the Contact was not made of."""
		return email in self.matches.waiting or self.creatable[email][0] != self.creators[email]

	def _change(self, changes: Changes, actions_of: Callable[[Person], Sequence[str]]) -> set[str]:
		"""Change Contacts; return the addresses of those that were refused, which the run lists."""
		failures = self.writers.contacts.change(changes)
		for person, error in failures:
			self._note(actions_of(person), f"{person.email}: {error}", "Contacts", is_error=True)
		return {person.email for person, _error in failures}

	def _tell_ambiguous(self) -> None:
		for email, names in sorted(self.matches.ambiguous.items()):
			self._note(
				self.told.get(email, ()),
				_(
					"Several Contacts have the e-mail address {0}: {1}. The recipient is not linked; merge them."
				).format(email, ", ".join(names[:5])),
				"Contacts",
			)

	def _note(self, actions: Iterable[str], message: str, stage: str, is_error: bool = False) -> None:
		"""Note something with the pages that it concerns."""
		for action_type in actions:
			self.results[action_type].notes.append(Note(message, stage, is_error))


def _actions_of(rows: Iterable[Row]) -> dict[str, list[str]]:
	"""Return the action types of some rows, by address."""
	found: dict[str, list[str]] = defaultdict(list)
	for row in rows:
		found[row.email].append(row.action_type)
	return found


def _without_contact(found: difference.Difference) -> tuple[list[Row], list[tuple[Row, difference.Stored]]]:
	"""Return the new and changed rows that have no contact, and the unchanged ones: there may be one by now."""
	fresh = [*found.new, *(row for row, old in found.changed if not old.contact)]
	return fresh, [(row, old) for row, old in found.unchanged if not old.contact]


def _one_per_zoho_id(people: dict[str, Person]) -> list[Person]:
	"""Return the people of whom contacts are made: two addresses under one id of Zoho are one person."""
	chosen: dict[str, Person] = {}
	for email, person in people.items():
		chosen.setdefault(person.zoho_contact_id or email, person)
	return list(chosen.values())
