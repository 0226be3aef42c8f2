"""Every kind of activity changes the data as it says, and the expected figures with it."""

import pytest

from zoho_simulator import Simulator

COUNTED = {
	"opens": ("Opened", "opens_count"),
	"clicks": ("Clicked", "unique_clicks_count"),
	"opt_outs": ("Unsubscribed", "unsub_count"),
	"complaints": ("Complaint", "complaints_count"),
	"soft_to_hard": ("Hard Bounced", "hardbounce_count"),
}


@pytest.fixture
def zoho():
	return Simulator(today="2026-06-30", recipients=3000)


def by_key(zoho):
	return {each["campaign_key"]: each for each in zoho.expected()["campaigns"]}


def emails(zoho, key, label):
	return [row["email"] for row in zoho.rows(key, label)]


@pytest.mark.parametrize("kind", COUNTED)
def test_counters_grow_by_the_requested_number_and_lists_at_their_end(zoho, kind):
	label, counter = COUNTED[kind]
	before, listed = by_key(zoho), {key: emails(zoho, key, label) for key in by_key(zoho)}
	done = zoho.evolve(days=0, **{kind: 5})[kind]
	after = by_key(zoho)
	assert sum(done.values()) == 5
	assert sum(each["actions"][label]["listed"] for each in after.values()) == 5 + sum(
		each["actions"][label]["listed"] for each in before.values()
	)
	for key, campaign in after.items():
		for part in campaign["reports"]:
			grown = int(campaign["reports"][part][counter]) - int(before[key]["reports"][part][counter])
			assert grown == done.get(part, 0)
		if not campaign["child_keys"]:
			assert emails(zoho, key, label)[: len(listed[key])] == listed[key]


def test_a_soft_bounce_that_becomes_hard_leaves_the_list_of_soft_bounces(zoho):
	campaign = zoho.expected()["campaigns"][0]
	key = campaign["campaign_key"]
	soft, hard = emails(zoho, key, "Soft Bounced"), emails(zoho, key, "Hard Bounced")
	zoho.evolve(days=0, campaign=key, soft_to_hard=1)
	assert emails(zoho, key, "Soft Bounced") == soft[:-1]
	assert emails(zoho, key, "Hard Bounced") == [*hard, soft[-1]]


def test_repeated_clicks_increase_no_counter(zoho):
	def clicks():
		return sum(row["click_count"] for key in by_key(zoho) for row in zoho.rows(key, "Clicked"))

	reports, before = {key: each["reports"] for key, each in by_key(zoho).items()}, clicks()
	zoho.evolve(days=0, repeat_clicks=30)
	assert {key: each["reports"] for key, each in by_key(zoho).items()} == reports
	assert before < clicks() <= before + 30


def test_activity_can_be_limited_to_one_campaign(zoho):
	before = by_key(zoho)
	key = next(iter(before))
	zoho.evolve(days=0, campaign=key, opens=3)
	assert {each for each, campaign in by_key(zoho).items() if campaign != before[each]} == {key}
	with pytest.raises(ValueError, match="no sent campaign"):
		zoho.evolve(campaign="3zdead", opens=1)


def test_new_campaigns_go_to_known_and_new_people(zoho):
	contacts, before = zoho.contacts(), by_key(zoho)
	made = zoho.evolve(days=1, new_campaigns=2)["new_campaigns"]
	after = by_key(zoho)
	assert set(after) - set(before) == set(made) and len(made) == 2
	sent = sum(after[key]["actions"]["Sent"]["rows"] for key in made)
	assert 0 < zoho.contacts() - contacts < sent
	last = max(each["sent_time"] for each in before.values())
	assert all(after[key]["sent_time"] > last for key in made)


def test_renamed_and_deleted_campaigns(zoho):
	before = by_key(zoho)
	done = zoho.evolve(days=0, renamed=2, deleted=3)
	after = by_key(zoho)
	for key, name in done["renamed"].items():
		assert name != before[key]["campaign_name"]
		if key in after:
			assert after[key]["campaign_name"] == name
	assert set(before) - set(after) == set(done["deleted"]) and len(done["deleted"]) == 3
	gone = {each["campaign_key"] for each in zoho.expected()["not_stored"] if each["status"] == "Deleted"}
	assert gone == set(done["deleted"])


def test_erased_people_stay_listed_and_are_no_longer_stored(zoho):
	before = zoho.expected()
	ids = zoho.evolve(days=0, erased=4)["erased"]
	after = zoho.expected()
	assert len(set(ids)) == 4
	assert after["listed"] == before["listed"]
	assert after["erased"] - before["erased"] == before["rows"] - after["rows"] >= 4
	assert zoho.contacts() < 3000
	stored = {row["contact_id"] for key in by_key(zoho) for row in zoho.rows(key, "Sent")}
	assert not stored & set(ids)


def test_the_usual_activity_has_every_usual_kind(zoho):
	done = zoho.evolve(days=6)
	assert {"opens", "clicks", "repeat_clicks", "opt_outs", "soft_to_hard", "new_campaigns"} <= set(done)
	assert zoho.expected()["now"] == "2026-07-06T00:00:00Z"


def test_the_same_history_gives_the_same_data():
	def history():
		zoho = Simulator(today="2026-06-30")
		done = [zoho.evolve(), zoho.evolve(days=3, opens=9, erased=2), zoho.evolve(renamed=1, deleted=1)]
		return done, zoho.expected()

	assert history() == history()


def test_a_list_grows_no_further_than_its_recipients(zoho):
	done = zoho.evolve(days=0, opens=10**9)["opens"]
	expected = zoho.expected()
	assert 0 < sum(done.values()) < 3000
	for campaign in expected["campaigns"]:
		assert all(report["unopened"] == "0" for report in campaign["reports"].values())


@pytest.mark.parametrize("wrong", [{"opened": 1}, {"bounces": 2}])
def test_the_error_names_an_unknown_kind(zoho, wrong):
	with pytest.raises(ValueError, match=next(iter(wrong))):
		zoho.evolve(**wrong)


def test_reset_restores_the_initial_data(zoho):
	before = zoho.expected()
	zoho.evolve(days=9, deleted=2, new_campaigns=3)
	zoho.reset()
	assert zoho.expected() == before
	zoho.reset(seed=2, recipients=100)
	assert zoho.expected()["rows"] == 100
