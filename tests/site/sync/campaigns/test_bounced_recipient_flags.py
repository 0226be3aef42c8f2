"""The *Delivered* list shows exactly the people whose mail did not bounce, however their rows were stored."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import frappe

from erpnext_zoho_integration.erpnext_zoho_integration.desk.campaign import filters_of
from erpnext_zoho_integration.sync.runs import queue
from erpnext_zoho_integration.sync.runs import worker as run_worker
from tests.site.database_content import by_document, run_all
from tests.site.desk.test_desk import make_campaign, make_recipient
from tests.site.server import settle
from tests.site.syncing import RECIPIENT, answer_with, campaign_named, connect, person


@pytest.fixture
def zoho(start_simulator: Callable):
	"""A connected Zoho with two campaigns, read in small pages."""
	return connect(start_simulator(seed=1, campaigns=2, recipients=80, max_range=12), page_size=12)


def delivered(campaign: str) -> list[str]:
	return sorted(
		frappe.get_all(RECIPIENT, filters_of(campaign, "delivered"), pluck="email", limit_page_length=0)
	)


def expected(zoho, key: str) -> list[str]:
	"""Return the addresses that the simulator sent to, without those whose mail bounced and erased people."""
	emails = {
		action: {row["email"] for row in zoho.rows(key, action)}
		for action in ("Sent", "Hard Bounced", "Soft Bounced")
	}
	return sorted(emails["Sent"] - emails["Hard Bounced"] - emails["Soft Bounced"])


def check(zoho) -> int:
	bounced = 0
	for each in zoho.expected()["campaigns"]:
		campaign = campaign_named(each["campaign_key"])
		assert [email for email in delivered(campaign) if not email.startswith("erased-")] == expected(
			zoho, each["campaign_key"]
		)
		bounced += frappe.db.count(RECIPIENT, {"campaign": campaign, "action_type": "Sent", "bounced": 1})
	return bounced


@pytest.mark.parametrize("run", [run_all, by_document], ids=["bulk", "by document"])
def test_a_sync_flags_rows_whose_mail_bounced(zoho, run: Callable) -> None:
	run()
	assert check(zoho) > 0


def test_a_run_that_is_interrupted_after_every_page_flags_them_too(zoho) -> None:
	run, _created = queue.open_run("Python", None, "All")
	settle()
	slices = 1
	while run_worker.execute_slice(run, seconds=0) == "Running":
		slices += 1
	assert slices > 8
	assert check(zoho) > 0


def test_flags_follow_the_lists_of_zoho(start_simulator: Callable) -> None:
	zoho = connect(start_simulator(seed=1, campaigns=1, recipients=10))
	everyone = [person(f"{name}@example.com", n) for n, name in enumerate(("muller", "müller", "ann"))]
	answer_with(zoho, {"sentcontacts": everyone, "sentsoftbounce": everyone[:2]})
	run_all()
	campaign = frappe.get_all("Campaign", {"zoho_campaign_key": ("is", "set")}, pluck="name")[0]
	before = dict(frappe.get_all(RECIPIENT, {"action_type": "Sent"}, ["name", "modified"], as_list=True))
	assert delivered(campaign) == ["ann@example.com"]

	answer_with(zoho, {"sentcontacts": everyone, "sentsoftbounce": everyone[1:2]})
	run_all("Full")

	assert delivered(campaign) == ["ann@example.com", "muller@example.com"]
	# The flag follows from other rows, so setting it does not change `modified`.
	assert (
		dict(frappe.get_all(RECIPIENT, {"action_type": "Sent"}, ["name", "modified"], as_list=True)) == before
	)


def test_rows_that_users_create_and_delete_update_the_flags() -> None:
	campaign = make_campaign().name
	for name in "abc":
		make_recipient(campaign, f"{name}@x.test", "Sent")
	bounce = make_recipient(campaign, "a@x.test", "Soft Bounced")
	assert delivered(campaign) == ["b@x.test", "c@x.test"]
	make_recipient(campaign, "d@x.test", "Hard Bounced")
	make_recipient(campaign, "d@x.test", "Sent")
	assert delivered(campaign) == ["b@x.test", "c@x.test"]
	bounce.delete()
	assert delivered(campaign) == ["a@x.test", "b@x.test", "c@x.test"]


def test_merged_campaigns_keep_who_bounced() -> None:
	one, other = make_campaign("One").name, make_campaign("Other").name
	make_recipient(one, "a@x.test", "Sent")
	for campaign in (one, other):
		make_recipient(campaign, "b@x.test", "Sent")
	make_recipient(other, "b@x.test", "Hard Bounced")
	frappe.rename_doc("Campaign", other, one, merge=True)
	assert delivered(one) == ["a@x.test"]
