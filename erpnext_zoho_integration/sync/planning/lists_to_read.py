"""Which lists of a campaign are read: those that may have changed, and the other lists of their action."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.sync.campaigns import reconciliation
from erpnext_zoho_integration.sync.campaigns.sync_state import CampaignState, Cursor, ListState
from erpnext_zoho_integration.sync.fetch.reports import Source


@dataclass(slots=True, frozen=True)
class CountedList:
	"""A list of recipients.

	Attributes:
		source: the key of the campaign or variant that it belongs to.
		action: Zoho's name of it.
		counter: its length in Zoho's report; None if the report does not say.
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
	"""Return the lists to read, in that order.

	An A/B campaign has several lists of an action. If one of them may have changed, all are read: only with all keys of an
	action can its duplicates be counted, and stored rows be found that Zoho no longer lists.

	Args:
		lists: all of the campaign.
		state: of the campaign, with the cursor of this sync.
		full: read every list again.
	"""
	cursor, found = state.cursor, []
	assert cursor is not None
	for action, members in groupby(lists, lambda each: each.action):
		left = [each for each in members if each.id not in cursor.done]
		if action in cursor.done:
			continue
		if any(each.id == cursor.list_id or _has_news(each, state, full) for each in left):
			found += [each for each in left if each.id == cursor.list_id or not is_empty(each, state)]
	return found


def is_empty(one: CountedList, state: CampaignState) -> bool:
	"""Return whether a list is empty, and was empty when it was read last."""
	known = state.lists.get(one.id)
	return one.counter == 0 and not (known and known.listed)


def done_before(left_off: Cursor, lists: list[CountedList], state: CampaignState) -> list[str] | None:
	"""Return which lists need not be read again of the action that another run was reading when it ended.

	Returns:
		Their ids; None if the counter of one has changed since: then nothing that run has seen can be used.
	"""
	_source, _, action = (left_off.list_id or "").rpartition("|")
	done = [each for each in lists if each.action == action and each.id in left_off.done]
	if any(state.lists.get(each.id, ListState()).counter != each.counter for each in done):
		return None
	return [each.id for each in done]


def _has_news(one: CountedList, state: CampaignState, full: bool) -> bool:
	"""Return whether a list may have rows that are not stored: its counter has changed, or rows are missing."""
	known = state.lists.get(one.id)
	if is_empty(one, state):
		return False
	if full or known is None or known.failed or one.counter is None or known.counter != one.counter:
		return True
	if known.repairs >= reconciliation.MAX_REPAIRS:
		return False
	return bool(known.repeated) or (state.needs_repair and (known.listed < one.counter or known.uncounted))
