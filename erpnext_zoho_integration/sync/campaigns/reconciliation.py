"""Reconciliation: what is stored of a campaign against Zoho's own counters, and what explains a difference."""

from dataclasses import dataclass

import frappe
from frappe import _
from frappe.query_builder import DocType
from frappe.query_builder.functions import Count
from frappe.utils import now_datetime

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.store.doctypes import RECIPIENT
from erpnext_zoho_integration.sync.campaigns.state import ListState

# Reading again does not help where Zoho lists fewer than it counts; the next movement of the counter tries anew.
MAX_REPAIRS = 2


@dataclass(slots=True)
class Difference:
	"""One action type whose stored rows are not as many as Zoho counts."""

	action_type: str
	expected: int
	stored: int
	explained_by: str | None
	repairable: bool = False


@dataclass(slots=True)
class Verdict:
	"""The result for one campaign."""

	expected: int
	stored: int
	differences: list[Difference]

	@property
	def name(self) -> str:
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
				d.explained_by or _("The rest is fetched at the next run."),
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
	"""Compare and explain; a plain function.

	Args:
		stored: distinct rows by action type.
		expected: Zoho's counters by action type; None where the report does not say.
		lists: what was read of each action type's lists.
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
	"""Return Zoho's counters by action type, added up over the reports of an A/B campaign."""
	expected: dict[str, int | None] = {}
	for action in actions:
		counts = [count for report in reports if (count := report.expected(action)) is not None]
		expected[zoho.ACTION_TYPES[action]] = sum(counts) if counts else None
	return expected


def _explain(have: int, count: int, read: list[ListState]) -> str | None:
	"""Return what explains a difference, or None if nothing does."""
	skipped, duplicates = sum(part.skipped for part in read), sum(part.duplicates for part in read)
	listed = sum(part.listed for part in read)
	if any(part.repeated and part.repairs < MAX_REPAIRS for part in read):
		return None
	if have + skipped + duplicates == count and skipped + duplicates:
		return _("{0} without a usable address and {1} duplicates are not rows of their own.").format(
			skipped, duplicates
		)
	if listed > count:
		return _("Zoho's list has more people than its counter says.")
	if have > count:
		return _("Zoho no longer lists all of them; they are kept.")
	if listed == count and have + skipped + duplicates >= count:
		return _("Everything that Zoho lists is stored; duplicates moved while it was read.")
	return None
