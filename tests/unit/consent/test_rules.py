"""What the events of one address mean, without a site."""

from datetime import datetime, timedelta

import pytest

from erpnext_zoho_integration.consent import rules
from erpnext_zoho_integration.consent.rules import Event, suppression

NOON = datetime(2026, 5, 3, 12)


def event(
	kind: str,
	hours: float = 0,
	certainty: str = rules.EXACT,
	recorded: float | None = None,
	source: str = "Zoho",
):
	happened = NOON + timedelta(hours=hours)
	recorded_at = NOON + timedelta(hours=hours if recorded is None else recorded)
	return Event(kind, happened, certainty, recorded_at, source, f"{kind}{hours}")


def blocked(*events: Event) -> bool:
	found = suppression(events)
	return bool(found and found.blocked)


def test_nothing_known_holds_nothing_back() -> None:
	assert suppression([]) is None
	assert suppression([event(rules.TOLD_ZOHO), event(rules.ADDED_TO_LIST), event(rules.ERASED)]) is None


@pytest.mark.parametrize("objection", sorted(rules.OBJECTIONS))
def test_an_objection_blocks_until_later_consent(objection: str) -> None:
	assert blocked(event(objection))
	assert blocked(event(objection), event(rules.CONSENT_GIVEN, -1))
	assert blocked(event(objection), event(rules.CONSENT_GIVEN, 0)), "in doubt the objection is the later one"
	assert not blocked(event(objection), event(rules.CONSENT_GIVEN, 1))
	assert blocked(event(objection), event(rules.CONSENT_GIVEN, 1), event(objection, 2))


@pytest.mark.parametrize("certainty", [rules.NOT_BEFORE, rules.RECORDED])
def test_an_objection_of_unknown_time_may_have_come_until_it_was_recorded(certainty: str) -> None:
	late = event(rules.OPTED_OUT, 0, certainty, recorded=48)
	assert blocked(late, event(rules.CONSENT_GIVEN, 24))
	assert not blocked(late, event(rules.CONSENT_GIVEN, 49))


def test_zoho_takes_back_only_what_came_from_zoho() -> None:
	withdrawn = event(rules.WITHDRAWN, 1)
	assert not blocked(event(rules.OPTED_OUT), withdrawn)
	assert blocked(event(rules.OPTED_OUT, source="Contact"), withdrawn)
	assert blocked(event(rules.COMPLAINED), withdrawn)
	assert blocked(event(rules.OPTED_OUT), withdrawn, event(rules.OPTED_OUT, 2))


def test_a_hard_bounce_only_holds_mail_back() -> None:
	found = suppression([event(rules.HARD_BOUNCED)])
	assert found and found.bounced and not found.blocked
	assert suppression([event(rules.HARD_BOUNCED), event(rules.WORKS_AGAIN, 1)]) is None
	assert suppression([event(rules.HARD_BOUNCED), event(rules.CONSENT_GIVEN, 1)]), "consent mends no mailbox"
	assert suppression([event(rules.HARD_BOUNCED), event(rules.WORKS_AGAIN, 1), event(rules.HARD_BOUNCED, 2)])


def test_the_reason_shown_is_the_first_objection_that_holds() -> None:
	found = suppression(
		[event(rules.HARD_BOUNCED, -5), event(rules.COMPLAINED, 3), event(rules.OPTED_OUT, 1)]
	)
	assert found and found.cause.kind == rules.OPTED_OUT
	found = suppression([event(rules.OPTED_OUT), event(rules.CONSENT_GIVEN, 1), event(rules.COMPLAINED, 2)])
	assert found and found.cause.kind == rules.COMPLAINED
