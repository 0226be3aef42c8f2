"""Comparing stored rows with Zoho's counters: the verdict, and the explanation of a difference."""

import pytest

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.sync.campaigns.reconciliation import MAX_REPAIRS, expected_of, reconcile
from erpnext_zoho_integration.sync.campaigns.sync_state import ListState


def verdict(stored: int, expected: int | None, *lists: ListState):
	return reconcile({"Opened": stored}, {"Opened": expected}, {"Opened": list(lists)})


def read(listed: int, **more: int) -> ListState:
	return ListState(counter=listed, listed=listed, **more)


@pytest.mark.parametrize("count", [0, 1, 500])
def test_as_many_rows_as_counted_are_complete(count: int) -> None:
	found = verdict(count, count, read(count))
	assert (found.name, found.reason, found.expected, found.stored) == ("Complete", None, count, count)


def test_an_action_that_zoho_does_not_count_is_no_difference() -> None:
	found = verdict(7, None)
	assert (found.name, found.expected, found.stored) == ("Complete", 0, 7)


def test_missing_addresses_and_duplicates_explain_a_difference() -> None:
	found = verdict(7, 10, read(6, skipped=1), read(4, duplicates=2))
	assert found.name == "Explained"
	assert (
		"7 stored of 10" in found.reason
		and "1 records without" in found.reason
		and "2 duplicates" in found.reason
	)


@pytest.mark.parametrize(
	("stored", "lists"),
	[
		(7, [read(7)]),
		(7, [read(7, skipped=1, duplicates=1)]),
		(0, []),
		(9, [read(9, repairs=MAX_REPAIRS - 1)]),
	],
)
def test_fewer_than_counted_without_a_reason_is_incomplete(stored: int, lists: list[ListState]) -> None:
	found = verdict(stored, 10, *lists)
	assert found.name == "Incomplete"
	assert all(part.repairable for part in found.differences)


def test_a_difference_that_reading_again_does_not_remove_is_explained() -> None:
	found = verdict(7, 10, read(7, repairs=MAX_REPAIRS))
	assert found.name == "Explained" and "fewer people" in found.reason
	one_left = verdict(7, 10, read(3, repairs=MAX_REPAIRS), read(4, repairs=0))
	assert one_left.name == "Incomplete"


def test_more_than_counted_is_explained() -> None:
	assert "more people" in verdict(12, 10, read(12)).reason
	assert "no longer lists" in verdict(12, 10, read(10)).reason
	assert verdict(12, 10, read(10)).name == "Explained"


def test_one_incomplete_action_makes_the_campaign_incomplete() -> None:
	lists = {"Opened": [read(5)], "Clicked": [read(2, skipped=1)], "Sent": [read(9)]}
	found = reconcile({"Opened": 4, "Clicked": 1, "Sent": 9}, {"Opened": 6, "Clicked": 2, "Sent": 9}, lists)
	assert found.name == "Incomplete" and len(found.reason.split("\n")) == 2
	assert (found.expected, found.stored) == (17, 14)


def test_the_counters_of_an_a_b_campaign_are_added_up() -> None:
	def report(**counters: str) -> zoho.Report:
		return zoho.Report.from_zoho({"status": "success", "campaign-reports": [counters]})

	reports = [report(opens_count="3", softbounce_count="1"), report(opens_count="4")]
	expected = expected_of(reports, ("openedcontacts", "sentsoftbounce", "spamcontacts"))
	assert (expected["Opened"], expected["Soft Bounced"], expected["Complaint"]) == (7, 1, None)
