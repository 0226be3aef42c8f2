"""What the events of one address mean: plain functions, without site.

- An objection (Opted Out, Complained) holds until a later Consent Given. If it is not known when the person objected, the
  latest possible moment counts: when this site noticed it. In doubt the objection is the later one.
- Opt-out Withdrawn at Zoho, which a person records, lifts opt-outs that came from Zoho, and nothing else.
- A hard bounce holds until a later Address Works Again. It marks nobody: the person did not object.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

OPTED_OUT, COMPLAINED, HARD_BOUNCED = "Opted Out", "Complained", "Hard Bounced"
CONSENT_GIVEN, WITHDRAWN, WORKS_AGAIN = "Consent Given", "Opt-out Withdrawn at Zoho", "Address Works Again"
ADDED_TO_LIST, TOLD_ZOHO, ZOHO_REFUSED, ERASED = "Added to List", "Told Zoho", "Zoho Refused", "Erased"
OBJECTIONS = frozenset({OPTED_OUT, COMPLAINED})

EXACT, NOT_BEFORE, RECORDED = "Exact", "Not Before", "Recorded"
FROM_ZOHO = "Zoho"


@dataclass(frozen=True, slots=True)
class Event:
	"""What the rules need of a stored event.

	Attributes:
		kind: such as `OPTED_OUT`.
		happened_at: the earliest possible moment, in the site's time zone.
		certainty: `EXACT`, `NOT_BEFORE` or `RECORDED`.
		recorded_at: when this site wrote the event.
		source: such as `FROM_ZOHO`.
		name: of the event.
		campaign: name of the Campaign, if it came from one.
	"""

	kind: str
	happened_at: datetime
	certainty: str
	recorded_at: datetime
	source: str
	name: str
	campaign: str | None = None

	@property
	def latest(self) -> datetime:
		"""The latest moment at which it can have happened."""
		return self.happened_at if self.certainty == EXACT else max(self.happened_at, self.recorded_at)


@dataclass(frozen=True, slots=True)
class Suppression:
	"""Why an address gets no marketing mail.

	Attributes:
		blocked: the person objected.
		bounced: mail to the address bounced for good.
		cause: the event that is shown as the reason: the first objection that holds, else the first bounce.
	"""

	blocked: bool
	bounced: bool
	cause: Event


def suppression(events: Iterable[Event]) -> Suppression | None:
	"""Return what the events of one address add up to; None if nothing holds mail back."""
	events = list(events)
	objections = [e for e in events if e.kind in OBJECTIONS and not _lifted(e, events)]
	bounces = [e for e in events if e.kind == HARD_BOUNCED and not _answered(e, events, WORKS_AGAIN)]
	if not objections and not bounces:
		return None
	cause = min(objections or bounces, key=lambda event: (event.happened_at, event.recorded_at, event.name))
	return Suppression(bool(objections), bool(bounces), cause)


def last_objection(events: Iterable[Event]) -> Event | None:
	"""Return the objection that can have happened last."""
	return max((e for e in events if e.kind in OBJECTIONS), key=lambda event: event.latest, default=None)


def _lifted(objection: Event, events: list[Event]) -> bool:
	if _answered(objection, events, CONSENT_GIVEN):
		return True
	withdrawable = objection.kind == OPTED_OUT and objection.source == FROM_ZOHO
	return withdrawable and _answered(objection, events, WITHDRAWN)


def _answered(event: Event, events: list[Event], kind: str) -> bool:
	return any(answer.kind == kind and answer.happened_at > event.latest for answer in events)
