"""The worst faults, which also run on a real bench: see tests/faults/bench.py."""

from __future__ import annotations

# Cells of the matrix, by `reliability_page.key`, that need no killed process: the tests' own process runs them on MariaDB.
CELLS = frozenset(
	{
		"On the way | reset in mid-body, for ever | recipients",
		"On the way | no answer within the time-out, once | recipients",
		"HTTP statuses | 401, for ever | report",
		"The lock of 30 minutes | as HTTP 400 with URL_ROLLING_THROTTLES_LIMIT_EXCEEDED | recipients",
		"Tokens and rights | consent withdrawn | recipients",
		"Tokens and rights | throttled, in another language | refresh",
		"Lists that move or lie | a row is on two pages, and another one on none | recipients",
		"Bad values | recipient: contactfn | recipients",
		"Database | disk full, once | write",
		"Database | disk full, for ever | write",
		"Database | deadlock, once | checkpoint",
		"Workers and Redis | Redis emptied | checkpoint",
		"People in mid-run | the Campaign is merged into a hand-made one | checkpoint",
		"People in mid-run | two Contacts are merged | recipients",
		"People in mid-run | the site is disconnected | report",
		"People in mid-run | the run is cancelled | recipients",
		"The run is taken away | its record is deleted | recipients",
		"At once, and clocks | the button of the same Campaign | checkpoint",
		"Summer time | summer time begins in mid-run | recipients",
		"Summer time | summer time ends when a worker is lost | write",
	}
)

# Faults of real servers and workers: test of tests/faults/test_bench.py → name in docs/reliability.md.
PROCESSES = {
	"test_its_connection_is_killed_in_mid_page": "KILL CONNECTION in mid-page",
	"test_mariadb_goes_and_comes_back_in_mid_page": "MariaDB goes and comes back in mid-page",
	"test_a_deadlock_in_mid_page": "a deadlock with another connection in mid-page",
	"test_a_lock_that_is_not_given_in_time": "a lock that another connection does not give back in time",
	"test_kill_9_in_mid_page": "kill -9 in mid-page",
	"test_a_worker_that_is_asked_to_end_ends_its_page_and_its_run": "a worker is asked to end in mid-page",
	"test_the_time_of_a_job_is_up_while_it_waits_for_the_database": "the time of a job is up while it waits for MariaDB",
	"test_two_workers_at_one_run": "two workers at one run",
	"test_one_of_two_workers_is_killed": "one of two workers is killed in mid-page",
	"test_the_scheduler_and_the_button_at_once": "the scheduler and the button at once",
	"test_redis_is_restarted_in_mid_page": "Redis is killed and started again, empty, in mid-page",
	"test_redis_stays_away_until_the_run_has_ended": "Redis is killed in mid-page and stays away",
	"test_the_app_is_uninstalled_in_mid_run": "the app is uninstalled in mid-run",
}
