"""Records what became known about addresses, and lets everything follow that has to, in the caller's transaction."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from erpnext_zoho_integration.consent import events, marks, queued_mail, suppression_list, tell_zoho
from erpnext_zoho_integration.consent.events import Fact
from erpnext_zoho_integration.consent.rules import OBJECTIONS
from erpnext_zoho_integration.store import erased_people


@dataclass(slots=True)
class Recorded:
	"""The news among some facts.

	Attributes:
		facts: that were not known before.
		marked: number of Contacts that were marked.
	"""

	facts: list[Fact] = field(default_factory=list)
	marked: int = 0


def record(facts: Iterable[Fact]) -> Recorded:
	"""Write facts that are not known yet; suppress the addresses, mark people, and take them out of queued mail.

	The same fact read again writes nothing. Erased people are left out: the register holds their mail back. The caller
	commits.
	"""
	new = _insert_new(list(facts))
	if not new:
		return Recorded()
	suppression_list.derive({fact.address for fact in new})
	objected = suppression_list.blocked_among({fact.address for fact in new if fact.event in OBJECTIONS})
	marked = marks.mark(objected)
	queued_mail.leave(objected)
	tell_zoho.plan([fact for fact in new if fact.address in objected])
	return Recorded(new, marked)


def mark_contacts(names: Iterable[str]) -> int:
	"""Mark Contacts that are linked to the opt-out but no longer hold its address; return how many were not marked."""
	return marks.mark_contacts(set(names))


def backfill(facts: Iterable[Fact]) -> int:
	"""Write facts of the time before events existed; marks nobody, tells Zoho nothing. Return the number of new ones."""
	new = _insert_new(list(facts))
	suppression_list.derive({fact.address for fact in new})
	return len(new)


def _insert_new(facts: list[Fact]) -> list[Fact]:
	"""Write the facts that are not known yet, those of erased people left out, and return them."""
	if not facts:
		return []
	erased = erased_people.among((fact.address, None) for fact in facts)
	return events.insert_new(fact for fact in facts if not erased.stand_in(fact.address, None))
