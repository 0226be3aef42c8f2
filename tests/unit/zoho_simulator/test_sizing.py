"""The data has exactly the requested size, follows from the seed, and needs little memory."""

import tracemalloc

import pytest

from tests.unit.zoho_simulator.reader import Reader
from zoho_simulator import Simulator


@pytest.mark.parametrize(
	"options", [{}, {"campaigns": 5, "recipients": 1000}, {"campaigns": 40, "recipients": 9999, "seed": 7}]
)
def test_a_complete_sync_stores_exactly_the_requested_rows(options):
	simulator = Simulator(**options)
	assert simulator.expected()["rows"] == options.get("recipients", 2000)
	assert simulator.expected()["sent_campaigns"] == options.get("campaigns", 12)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_gives_others():
	def page(seed):
		with Simulator(seed=seed, today="2026-06-30", recipients=500) as simulator:
			return [
				Reader(simulator).call("recentcampaigns", range=50),
				Reader(simulator).listed(
					simulator.expected()["campaigns"][0]["campaign_key"], "clickedcontacts"
				),
			]

	assert page(1) == page(1)
	assert page(1) != page(2)


def test_a_million_recipients_need_little_memory():
	with Simulator(campaigns=500, recipients=1_000_000, page_cache_mb=0) as simulator:
		expected = simulator.expected()
		assert expected["rows"] == 1_000_000
		assert len(expected["campaigns"]) == 500
		reader = Reader(simulator)
		tracemalloc.start()
		for campaign in expected["campaigns"][::10]:
			key = campaign["campaign_key"]
			count = campaign["actions"]["Sent"]["by_key"][key]
			page = {
				"campaignkey": key,
				"action": "sentcontacts",
				"range": 500,
				"fromindex": max(1, count - 9),
			}
			rows = reader.call("getcampaignrecipientsdata", **page)["list_of_details"]
			assert len(rows) == min(count, 10)
		peak = tracemalloc.get_traced_memory()[1]
		tracemalloc.stop()
		assert peak < 8 << 20
