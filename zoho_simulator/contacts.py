"""The contacts of the account, their mailing lists and topics, and what was done to them.

The persons of the world are contacts from the start: active, or opted out or bounced as the campaigns' lists say. Only
contacts that something has happened to are kept in memory. An e-mail identifies a contact without case and outer spaces.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from zoho_simulator.mailings import Mailing
from zoho_simulator.people import DUPLICATE, LOOK_ALIKES, ODD_EVERY
from zoho_simulator.settings import Settings
from zoho_simulator.world import World

ACTIVE, UNSUBSCRIBED, DO_NOT_MAIL, BOUNCED, SPAM, PENDING = STATES = (
	"active",
	"unsub",
	"do-not-mail",
	"bounce",
	"spam",
	"pending",
)
CUSTOMERS = "3z" + "a" * 64
NEWSLETTER = "3z" + "b" * 64
PROSPECTS = "3z" + "c" * 64
TOPIC_NAMES = ("Marketing", "Product News", "Events", "Surveys")
# Display name, Zoho's name, type, longest value, options.
FIELDS: tuple[tuple[str, str, str, int, tuple[str, ...]], ...] = (
	("Contact Email", "contact_email", "email", 100, ()),
	("First Name", "firstname", "text", 50, ()),
	("Last Name", "lastname", "text", 50, ()),
	("Company Name", "companyname", "text", 100, ()),
	("Phone", "phone", "phone", 50, ()),
	("Job Title", "jobtitle", "text", 100, ()),
	("City", "city", "text", 100, ()),
	("Country", "country", "text", 100, ()),
	("Customer Group", "custom_1", "picklist", 20, ("Retail", "Wholesale")),
	("Customer Since", "custom_2", "date", 20, ()),
	("Remark", "custom_3", "text", 20, ()),
)
CUSTOM_FIELDS = FIELDS[-3:]
_DIGITS = re.compile(r"(\d+)(?:\+news)?@")


@dataclass
class Contact:
	"""One contact.

	Attributes:
		email: as it was first given.
		state: one of `STATES` but "pending", which is a contact in no list that waits for a confirmation.
		lists: keys of the lists the contact is in.
		pending: keys of the lists whose confirmation mail the contact has not answered.
		topics: ids of the topics the contact receives.
		fields: values by display name.
		added_at: epoch seconds (UTC).
	"""

	email: str
	state: str = ACTIVE
	lists: set[str] = field(default_factory=set)
	pending: set[str] = field(default_factory=set)
	topics: set[str] = field(default_factory=set)
	fields: dict[str, str] = field(default_factory=dict)
	added_at: int = 0

	@property
	def status(self) -> str:
		return PENDING if self.state == ACTIVE and self.pending and not self.lists else self.state

	def as_dict(self) -> dict[str, Any]:
		return {
			"email": self.email,
			"state": self.status,
			"lists": sorted(self.lists),
			"pending": sorted(self.pending),
			"topics": sorted(self.topics),
			"fields": dict(self.fields),
		}


@dataclass
class MailingList:
	"""One mailing list. A list with a sign-up form mails a confirmation to everybody who is added over the API."""

	key: str
	name: str
	signup_form: bool = False
	deleted: bool = False


class ContactBook:
	"""All contacts, lists and topics of one world. Hold `world.lock` for several steps that belong together.

	Attributes:
		lists: by key.
		confirmation_mails, resubscriptions, opt_out_mails: how often it happened, by e-mail.
		calls: how many calls of each method Zoho handled, by e-mail.
	"""

	def __init__(self, world: World, settings: Callable[[], Settings]) -> None:
		self.world = world
		self._settings = settings
		self._began = world.now
		self._changed: dict[str, Contact] = {}
		self._listed: dict[tuple[int, str, str], list[Contact | int]] = {}
		self._base: tuple[int, dict[int, str]] = (-1, {})
		self.lists = {
			key: MailingList(key, name, form)
			for key, name, form in (
				(CUSTOMERS, "Customers", False),
				(NEWSLETTER, "Newsletter", True),
				(PROSPECTS, "Prospects", False),
			)
		}
		self.confirmation_mails: Counter[str] = Counter()
		self.resubscriptions: Counter[str] = Counter()
		self.opt_out_mails: Counter[str] = Counter()
		self.calls: dict[str, Counter[str]] = {}

	@property
	def topics(self) -> dict[str, str]:
		"""The topics by id; the setting `topics` is their number."""
		return {
			str(7001 + number): name for number, name in enumerate(TOPIC_NAMES[: self._settings().topics])
		}

	# -- finding -------------------------------------------------------------------------------------------

	def find(self, email: str) -> Contact | None:
		"""Return the contact with an e-mail; None if there is none. Call `keep` after changing it."""
		key = key_of(email)
		with self.world.lock:
			if key in self._changed:
				return self._changed[key]
			person = self._person(key)
			return None if person is None else self._contact(person)

	def keep(self, contact: Contact) -> Contact:
		"""Store a new or changed contact."""
		with self.world.lock:
			self._changed[key_of(contact.email)] = contact
			self._listed.clear()
			return contact

	def new(self, email: str) -> Contact:
		"""Store and return a new contact, in no list and without topics."""
		return self.keep(Contact(email.strip(), added_at=self.world.now))

	def count(self) -> int:
		"""Return the number of contacts that count against a plan's limit: all that are active."""
		everybody = len(self.listed(CUSTOMERS, ACTIVE))
		return everybody + sum(
			each.state == ACTIVE and CUSTOMERS not in each.lists for each in self._changed.values()
		)

	def listed(self, list_key: str, *states: str) -> list[Contact | int]:
		"""Return the contacts of a list with one of these states: persons by index, and contacts."""
		with self.world.lock:
			place = (self.world.version, list_key, ",".join(states))
			found = self._listed.get(place)
			if found is None:
				self._listed = {each: rows for each, rows in self._listed.items() if each[0] == place[0]}
				found = self._listed[place] = [
					*self._persons(list_key, states),
					*self._moved(list_key, states),
				]
			return found

	def resolve(self, listed: Contact | int) -> Contact:
		"""Return the contact of an item of `listed`."""
		return self._contact(listed) if isinstance(listed, int) else listed

	def _persons(self, list_key: str, states: tuple[str, ...]) -> Iterable[int]:
		if list_key != CUSTOMERS:
			return
		world, base = self.world, self._base_states()
		moved = {person for key in self._changed if (person := self._person(key)) is not None}
		for person in range(world.population):
			if person in moved or world.is_missing(person) or world.is_erased(person):
				continue
			if person % 100 != DUPLICATE and base.get(person, ACTIVE) in states:
				yield person

	def _moved(self, list_key: str, states: tuple[str, ...]) -> Iterable[Contact]:
		return (
			contact
			for contact in self._changed.values()
			if list_key in contact.lists and contact.state in states
		)

	def _base_states(self) -> dict[int, str]:
		"""Return the states that the campaigns' lists give to persons; all others are active."""
		if self._base[0] != self.world.version:
			found: dict[int, str] = {}
			for action, state in (
				("senthardbounce", BOUNCED),
				("spamcontacts", SPAM),
				("optoutcontacts", UNSUBSCRIBED),
			):
				for campaign in self.world.campaigns:
					for mailing in campaign.mailings:
						for position in range(mailing.length(action)):
							person = mailing.person(mailing.rank_at(action, position))
							found[self.world.people.first_of(person)] = state
			self._base = (self.world.version, found)
		return self._base[1]

	def _contact(self, person: int) -> Contact:
		profile = json.loads("{" + self.world.people.profile(person) + "}")
		names = {
			"First Name": profile.get("contactfn", profile.get("firstname", "")),
			"Last Name": profile.get("contactln", profile.get("lastname", "")),
			"Company Name": profile.get("companyname", ""),
			"Phone": profile.get("phone", ""),
		}
		return Contact(
			email=profile["contactemailaddress"],
			state=self._base_states().get(person, ACTIVE),
			lists={CUSTOMERS},
			topics=set(self.topics),
			fields=names,
			added_at=self._began - 400 * 86400 - person % 86400,
		)

	def _person(self, key: str) -> int | None:
		"""Return the index of the person with an e-mail, which contains the index or a part of it."""
		found = _DIGITS.search(key)
		if not found:
			return None
		number, people = int(found[1]), self.world.people
		for person in (number, *(number * ODD_EVERY + odd for odd in range(len(LOOK_ALIKES)))):
			if person < self.world.population and people.key(person) == key:
				first = people.first_of(person)
				return None if self.world.is_erased(first) or self.world.is_missing(first) else first
		return None

	# -- what people do ------------------------------------------------------------------------------------

	def confirm(self, email: str, list_key: str = "") -> Contact:
		"""Let a person click in the confirmation mail of a list, or of all; an opted-out person is active again."""
		contact = self._known(email)
		wanted = {list_key} if list_key else set(contact.pending)
		contact.lists |= contact.pending & wanted
		contact.pending -= wanted
		contact.state = ACTIVE
		return self.keep(contact)

	def unsubscribe(self, email: str, campaign_key: str = "") -> Contact:
		"""Let a person unsubscribe by the link of a campaign, by default the last one that went to the person."""
		contact = self._known(email)
		contact.state = UNSUBSCRIBED
		contact.pending.clear()
		self.show_opt_out(email, campaign_key)
		return self.keep(contact)

	def leave_topic(self, email: str, topic_id: str, campaign_key: str = "") -> Contact:
		"""Let a person leave one topic. The setting topic_opt_outs says whether a campaign lists that as an opt-out."""
		contact = self._known(email)
		contact.topics.discard(topic_id)
		if self._settings().topic_opt_outs:
			self.show_opt_out(email, campaign_key)
		return self.keep(contact)

	def show_opt_out(self, email: str, campaign_key: str = "") -> str:
		"""List a person as opted out in a campaign. Return its key; "" if no campaign went to the person."""
		person = self._person(key_of(email))
		with self.world.lock:
			for mailing, rank in self._received(person, campaign_key):
				if mailing.opt_out(rank, self.world.now):
					states = self._base_states()
					states[self.world.people.first_of(mailing.person(rank))] = UNSUBSCRIBED
					self.world.version += 1
					self._base = (self.world.version, states)
				return mailing.key
		return ""

	def _received(self, person: int | None, campaign_key: str) -> Iterable[tuple[Mailing, int]]:
		"""Yield the mailings that reached a person, with the person's rank, the last one first."""
		sent = [] if person is None else [each for one in self.world.sent() for each in one.mailings]
		for mailing in sorted(sent, key=lambda each: -each.sent_at):
			rank = mailing.rank(person)
			if 0 <= rank < mailing.counts.delivered and campaign_key in ("", mailing.key):
				yield mailing, rank

	def _known(self, email: str) -> Contact:
		contact = self.find(email)
		if not contact:
			raise ValueError("no contact has that e-mail")
		return contact

	# -- for tests -----------------------------------------------------------------------------------------

	def set_contact(self, email: str, **values: Any) -> Contact:
		"""Create a contact, or change its `state`, `lists`, `pending`, `topics` or `fields`. Raises ValueError."""
		unknown = set(values) - {"state", "lists", "pending", "topics", "fields"}
		if unknown or values.get("state", ACTIVE) not in STATES[:-1]:
			raise ValueError("a contact has state, lists, pending, topics and fields")
		contact = self.find(email) or self.new(email)
		for name, value in values.items():
			setattr(contact, name, set(value) if name in ("lists", "pending", "topics") else value)
		return self.keep(contact)

	def add_list(self, name: str, signup_form: bool = False) -> str:
		"""Add a mailing list. Return its key."""
		key = f"3z{len(self.lists):064x}"
		self.lists[key] = MailingList(key, name, bool(signup_form))
		return key

	def delete_list(self, key: str) -> None:
		"""Delete a mailing list."""
		self.lists[key].deleted = True

	def count_call(self, method: str, email: str) -> None:
		"""Count a call of a method for an e-mail."""
		with self.world.lock:
			self.calls.setdefault(method, Counter())[key_of(email)] += 1

	def writes(self) -> dict[str, Any]:
		"""Return what writing has caused so far, by e-mail: mails, re-subscriptions, and calls per method."""
		return {
			"confirmation_mails": dict(self.confirmation_mails),
			"resubscriptions": dict(self.resubscriptions),
			"opt_out_mails": dict(self.opt_out_mails),
			"calls": {method: dict(calls) for method, calls in self.calls.items()},
		}


def key_of(email: str) -> str:
	"""Return what identifies a contact: the e-mail without outer spaces and in lower case."""
	return email.strip().lower()
