"""Mailings: who received a campaign and who did what, computed by arithmetic instead of stored in lists.

A mailing goes to consecutive persons. A permutation gives each person a *rank*; the rank alone says what the person did.
Ranks below `opened` opened, ranks below `clicked` also clicked, the last ranks bounced, and every 17th opted out.
Therefore any page costs time in proportion to its own length only, any person's rows are known at once, and a list grows
at its end when its counter grows, as Zoho's lists do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import gcd
from typing import NamedTuple

# Zoho's name of each list that a sync stores, and the action that the app stores.
STORED_ACTIONS = {
	"sentcontacts": "Sent",
	"openedcontacts": "Opened",
	"clickedcontacts": "Clicked",
	"senthardbounce": "Hard Bounced",
	"sentsoftbounce": "Soft Bounced",
	"optoutcontacts": "Unsubscribed",
	"spamcontacts": "Complaint",
}
ACTIONS = (*STORED_ACTIONS, "unopenedcontacts", "unsentcontacts")
# First rank and step between ranks of persons who opted out, and of persons who complained.
OPT_OUT = (3, 17)
COMPLAINT = (11, 23)


class Counts(NamedTuple):
	"""The counters of a mailing, in recipients. Replaced as a whole, so that a page shows one state."""

	sent: int = 0
	unsent: int = 0
	opened: int = 0
	clicked: int = 0
	bounced: int = 0
	hard: int = 0
	opted_out: int = 0
	complained: int = 0

	@property
	def delivered(self) -> int:
		return self.sent - self.bounced

	def room(self, name: str) -> int:
		"""Return how much the counter `name` can still grow."""
		if name == "opened":
			return self.delivered - self.opened
		if name == "clicked":
			return self.opened - self.clicked
		if name == "hard":
			return self.bounced - self.hard
		first, step = OPT_OUT if name == "opted_out" else COMPLAINT
		return max(0, (self.delivered - first + step - 1) // step) - getattr(self, name)

	def length(self, action: str) -> int:
		"""Return the number of rows in the list of `action`."""
		if action == "unopenedcontacts":
			return self.delivered - self.opened
		if action == "sentsoftbounce":
			return self.bounced - self.hard
		return getattr(self, _COUNTER[action])


_COUNTER = {
	"sentcontacts": "sent",
	"openedcontacts": "opened",
	"clickedcontacts": "clicked",
	"senthardbounce": "hard",
	"optoutcontacts": "opted_out",
	"spamcontacts": "complained",
	"unsentcontacts": "unsent",
}
_GROWING = ("openedcontacts", "clickedcontacts", "senthardbounce", "optoutcontacts", "spamcontacts")


@dataclass
class Mailing:
	"""One send to consecutive persons. A campaign has one mailing, an A/B campaign three. Times are epoch seconds (UTC).

	Args:
		key: the campaign key under which Zoho lists the mailing.
		first: index of the first person.
		population: number of persons in the account; after the last one, the mailing continues with person 0.
		sent_at: time of the send.
		counts: the counters.
		history: per counter, the count reached at a time, oldest first; times of actions are interpolated from it.
		more_clicks: per rank, the clicks added after the first sync.
		left: per rank, when somebody opted out who is not one of `counts.opted_out`; see `opt_out`.
	"""

	key: str
	first: int
	population: int
	sent_at: int
	counts: Counts
	history: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
	more_clicks: dict[int, int] = field(default_factory=dict)
	left: dict[int, int] = field(default_factory=dict)
	size: int = field(init=False)
	_factor: int = field(init=False)
	_inverse: int = field(init=False)
	_list_factor: int = field(init=False)

	def __post_init__(self) -> None:
		self.size = self.counts.sent + self.counts.unsent
		self._factor = coprime(self.size, int(self.size * 0.6180339887) | 1)
		self._inverse = pow(self._factor, -1, self.size) if self.size > 1 else 0
		self._list_factor = coprime(self.counts.sent, int(self.counts.sent * 0.7548776662) | 1)

	def person(self, rank: int) -> int:
		return (self.first + rank * self._factor % self.size) % self.population

	def rank(self, person: int) -> int:
		"""Return the rank of a person; -1 if the mailing did not go to that person."""
		offset = (person - self.first) % self.population
		if offset >= self.size or person >= self.population:
			return -1
		return offset * self._inverse % self.size

	def person_ranges(self) -> list[range]:
		"""Return the persons the mailing went to: one range, or two if it continues with person 0."""
		last = self.first + self.size
		if last <= self.population:
			return [range(self.first, last)]
		return [range(self.first, self.population), range(last - self.population)]

	@property
	def shown(self) -> Counts:
		"""The counters as Zoho's report shows them."""
		return self.counts._replace(opted_out=self.length("optoutcontacts")) if self.left else self.counts

	def length(self, action: str) -> int:
		"""Return the number of rows in the list of `action`."""
		return self.counts.length(action) + (len(self.left) if action == "optoutcontacts" else 0)

	def opt_out(self, rank: int, now: int) -> bool:
		"""Let the recipient with this rank opt out at `now`. Return False if that has happened before."""
		if self.holds("optoutcontacts", rank):
			return False
		self.left[rank] = now
		return True

	def rank_at(self, action: str, position: int, newest_first: bool = False) -> int:
		"""Return the rank of the row at `position` (from 0) of the list of `action`."""
		counts = self.counts
		if newest_first and action in _GROWING:
			position = self.length(action) - 1 - position
		if action == "optoutcontacts" and position >= counts.opted_out:
			return list(self.left)[position - counts.opted_out]
		if action in ("openedcontacts", "clickedcontacts"):
			return position
		if action == "sentcontacts":
			return position * self._list_factor % counts.sent
		if action == "senthardbounce":
			return counts.sent - 1 - position
		if action == "sentsoftbounce":
			return counts.sent - counts.bounced + position
		if action == "unopenedcontacts":
			return counts.opened + position
		if action == "unsentcontacts":
			return counts.sent + position
		first, step = OPT_OUT if action == "optoutcontacts" else COMPLAINT
		return first + step * position

	def holds(self, action: str, rank: int) -> bool:
		"""Return whether the list of `action` has the recipient with this rank."""
		counts = self.counts
		if action == "sentcontacts":
			return 0 <= rank < counts.sent
		if action == "openedcontacts":
			return 0 <= rank < counts.opened
		if action == "clickedcontacts":
			return 0 <= rank < counts.clicked
		if action == "senthardbounce":
			return counts.sent - counts.hard <= rank < counts.sent
		if action == "sentsoftbounce":
			return counts.delivered <= rank < counts.sent - counts.hard
		if action == "unopenedcontacts":
			return counts.opened <= rank < counts.delivered
		if action == "unsentcontacts":
			return rank >= counts.sent
		if action == "optoutcontacts" and rank in self.left:
			return True
		first, step = OPT_OUT if action == "optoutcontacts" else COMPLAINT
		return rank >= first and not (rank - first) % step and (rank - first) // step < counts.length(action)

	def happened_at(self, action: str, rank: int) -> int:
		"""Return when the recipient with this rank acted. Lower ranks acted earlier, except in hard bounces."""
		if action in ("sentcontacts", "sentsoftbounce"):
			return self.sent_at + rank // 200 + (40 if action == "sentsoftbounce" else 0)
		if action == "optoutcontacts" and rank in self.left:
			return self.left[rank]
		ordinal = rank
		if action == "senthardbounce":
			ordinal = self.counts.sent - 1 - rank
		elif action in ("optoutcontacts", "spamcontacts"):
			first, step = OPT_OUT if action == "optoutcontacts" else COMPLAINT
			ordinal = (rank - first) // step
		before, began = 0, self.sent_at
		for count, ended in self.history.get(_COUNTER[action], ()):
			if ordinal < count:
				share = (ordinal - before + 1) / (count - before + 1)
				return began + int((ended - began) * share * share)
			before, began = count, ended
		return began

	def grow(self, counter: str, by: int, now: int) -> int:
		"""Increase `counter` by at most `by`; the new actions happened up to `now`. Return the increase."""
		by = min(by, self.counts.room(counter))
		if by > 0:
			count = getattr(self.counts, counter) + by
			self.history.setdefault(counter, []).append((count, now))
			self.counts = self.counts._replace(**{counter: count})
			if counter == "opted_out" and self.left:  # who is counted now is not listed twice
				first, step = OPT_OUT
				counted = range(first, first + step * count, step)
				self.left = {rank: when for rank, when in self.left.items() if rank not in counted}
		return max(by, 0)

	def clicks(self, rank: int) -> int:
		"""Return how many times the recipient with this rank clicked."""
		return 1 + rank * 7 % 3 + self.more_clicks.get(rank, 0)


def coprime(size: int, factor: int) -> int:
	"""Return the smallest number from `factor` up that shares no divisor with `size`."""
	factor = max(factor, 1)
	while gcd(factor, size) > 1:
		factor += 1
	return factor
