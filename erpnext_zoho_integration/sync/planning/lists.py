"""Which lists of a campaign are read: those that may have news, together with the other lists of their action."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.sync.campaigns import reconciliation
from erpnext_zoho_integration.sync.campaigns.state import CampaignState, Cursor, ListState
from erpnext_zoho_integration.sync.fetch.reports import Source


@dataclass(slots=True, frozen=True)
class CountedList:
	"""A list of recipients.

	Attributes:
		source: whose.
		action: Zoho's name of it.
		counter: how long it is by Zoho's report; None where that does not say.
	"""

	source: Source
	action: str
	counter: int | None

	@property
	def id(self) -> str:
		return f"{self.source.key}|{self.action}"


def counted(
	actions: Iterable[str], sources: list[Source], reports: list[zoho.Report | None]
) -> list[CountedList]:
	"""Return the lists of a campaign, action by action.

	Args:
		actions: Zoho's names of those that are synced.
		sources: the keys of the campaign.
		reports: the report of each key.
	"""
	return [
		CountedList(source, action, report.expected(action) if report else None)
		for action in actions
		for source, report in zip(sources, reports, strict=True)
	]


def wanted(lists: list[CountedList], state: CampaignState, full: bool) -> list[CountedList]:
	"""Return the lists that are to be read, in the order in which they are.

	An A/B campaign has several lists of an action. If one of them has news, all are read: only who has seen all keys of an
	action can count its duplicates, and tell which stored rows are listed no longer.

	Args:
		lists: all of the campaign.
		state: of the campaign, with the position of this sync.
		full: read every list again.
	"""
	position, found = state.position, []
	assert position is not None
	for action, members in groupby(lists, lambda each: each.action):
		left = [each for each in members if each.id not in position.done]
		if action in position.done:
			continue
		if any(each.id == position.list_id or _has_news(each, state, full) for each in left):
			found += [each for each in left if each.id == position.list_id or not is_empty(each, state)]
	return found


def is_empty(one: CountedList, state: CampaignState) -> bool:
	"""Return whether nobody is in a list, and nobody was when it was read last."""
	known = state.lists.get(one.id)
	return one.counter == 0 and not (known and known.listed)


def done_before(left_off: Cursor, lists: list[CountedList], state: CampaignState) -> list[str] | None:
	"""Return which lists of the action at which another run has left off need not be read again.

	Returns:
		Their ids; None if the counter of one has moved meanwhile: then what that run has seen does not count.
	"""
	_source, _, action = (left_off.list_id or "").rpartition("|")
	done = [each for each in lists if each.action == action and each.id in left_off.done]
	if any(state.lists.get(each.id, ListState()).counter != each.counter for each in done):
		return None
	return [each.id for each in done]


def _has_news(one: CountedList, state: CampaignState, full: bool) -> bool:
	"""Return whether a list may hold what is not stored: its counter has moved, or not all it counted is here."""
	known = state.lists.get(one.id)
	if is_empty(one, state):
		return False
	if full or known is None or known.failed or one.counter is None or known.counter != one.counter:
		return True
	if known.repairs >= reconciliation.MAX_REPAIRS:
		return False
	return bool(known.repeated) or (state.needs_repair and (known.listed < one.counter or known.uncounted))
