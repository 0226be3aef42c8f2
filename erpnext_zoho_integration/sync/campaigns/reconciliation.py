"""Compares the stored rows of a campaign with Zoho's counters, and explains differences."""

from dataclasses import dataclass

import frappe
from frappe import _
from frappe.query_builder import DocType
from frappe.query_builder.functions import Count
from frappe.utils import now_datetime

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.store.doctypes import RECIPIENT
from erpnext_zoho_integration.sync.campaigns.sync_state import ListState

# If Zoho lists fewer people than it counts, reading the list again does not help. A changed counter starts anew.
MAX_REPAIRS = 2


@dataclass(slots=True)
class Difference:
	"""An action type whose stored rows differ in number from Zoho's counter.

	Attributes:
		action_type: such as `Opened`.
		expected: Zoho's counter.
		stored: number of stored rows.
		explained_by: a translated sentence, or None if nothing explains the difference.
		repairable: whether reading the list again may help.
	"""

	action_type: str
	expected: int
	stored: int
	explained_by: str | None
	repairable: bool = False


@dataclass(slots=True)
class Verdict:
	"""The result of comparing one campaign.

	Attributes:
		expected: sum of Zoho's counters.
		stored: number of stored rows.
		differences: the action types that differ.
	"""

	expected: int
	stored: int
	differences: list[Difference]

	@property
	def name(self) -> str:
		"""Return `Complete`, `Explained` or `Incomplete`."""
		if any(d.explained_by is None for d in self.differences):
			return "Incomplete"
		return "Explained" if self.differences else "Complete"

	@property
	def reason(self) -> str | None:
		"""Return the differences as translated sentences."""
		lines = [
			_("{0}: {1} stored of {2}. {3}").format(
				_(d.action_type),
				d.stored,
				d.expected,
				d.explained_by or _("The next sync fetches the rest."),
			)
			for d in self.differences
		]
		return "\n".join(lines) or None

	def fields(self) -> dict:
		"""Return the verdict as fields of Zoho Campaign State."""
		return {
			"verdict": self.name,
			"verdict_reason": self.reason,
			"reconciled_at": now_datetime(),
			"expected_rows": self.expected,
			"stored_rows": self.stored,
		}


def reconcile(
	stored: dict[str, int], expected: dict[str, int | None], lists: dict[str, list[ListState]]
) -> Verdict:
	"""Compare stored rows with counters and explain differences; a plain function.

	Args:
		stored: number of rows by action type.
		expected: Zoho's counter by action type; None if the report has none.
		lists: the lists of each action type, as they were read.
	"""
	differences = []
	for action_type, count in expected.items():
		have = stored.get(action_type, 0)
		if count is None or have == count:
			continue
		read = lists.get(action_type, [])
		reason = _explain(have, count, read)
		repairable = reason is None
		if repairable and read and all(part.repairs >= MAX_REPAIRS for part in read):
			reason = _("Zoho's list has fewer people than its counter says.")
		differences.append(Difference(action_type, count, have, reason, repairable))
	known = [count for count in expected.values() if count is not None]
	return Verdict(sum(known), sum(stored.get(action, 0) for action in expected), differences)


def count_stored(campaign: str) -> dict[str, int]:
	"""Return the number of stored rows of a campaign by action type, in one query."""
	recipient = DocType(RECIPIENT)
	query = (
		frappe.qb.from_(recipient)
		.select(recipient.action_type, Count(recipient.name))
		.where(recipient.campaign == campaign)
		.groupby(recipient.action_type)
	)
	return dict(query.run())


def expected_of(reports: list[zoho.Report], actions: tuple[str, ...]) -> dict[str, int | None]:
	"""Return Zoho's counters by action type, added up over the reports of an A/B campaign's variants."""
	expected: dict[str, int | None] = {}
	for action in actions:
		counts = [count for report in reports if (count := report.expected(action)) is not None]
		expected[zoho.ACTION_TYPES[action]] = sum(counts) if counts else None
	return expected


def _explain(have: int, count: int, read: list[ListState]) -> str | None:
	"""Return a translated sentence that explains a difference, or None."""
	skipped, duplicates = sum(part.skipped for part in read), sum(part.duplicates for part in read)
	listed = sum(part.listed for part in read)
	if any(part.repeated and part.repairs < MAX_REPAIRS for part in read):
		return None
	if have + skipped + duplicates == count and skipped + duplicates:
		return _("{0} records without a usable address and {1} duplicates were not stored.").format(
			skipped, duplicates
		)
	if listed > count:
		return _("Zoho's list has more people than its counter says.")
	if have > count:
		return _("Zoho no longer lists all of them; their rows are kept.")
	if listed == count and have + skipped + duplicates >= count:
		return _(
			"Everything that Zoho lists is stored; duplicates changed their position while the list was read."
		)
	return None
