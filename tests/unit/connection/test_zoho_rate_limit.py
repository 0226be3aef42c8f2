"""Zoho's limit of calls, kept by threads and processes together through a real Redis, in time that is scaled."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

redis = pytest.importorskip("redis")

from erpnext_zoho_integration.connection.zoho_rate_limit import (  # noqa: E402
	PARTS,
	WINDOWS,
	BudgetUsedUp,
	RateLimiter,
)

ROOT = Path(__file__).resolve().parents[3]
UNPACKED = ROOT / ".dev" / "redis" / "server"
START_SECONDS = 30


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
	"""The port of a Redis of this module's own."""
	program = str(UNPACKED) if UNPACKED.exists() else shutil.which("redis-server")
	if not program:
		pytest.skip("no Redis: `./dev test` unpacks one into .dev/redis, or install redis-server")
	with socket.socket() as probe:
		probe.bind(("127.0.0.1", 0))
		port = probe.getsockname()[1]
	folder = str(tmp_path_factory.mktemp("redis"))
	arguments = [
		"--bind",
		"127.0.0.1",
		"--port",
		str(port),
		"--dir",
		folder,
		"--save",
		"",
		"--appendonly",
		"no",
	]
	process = subprocess.Popen([program, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
	try:
		wait_for(port, process)
		yield port
	finally:
		process.terminate()
		process.wait(timeout=10)


def wait_for(port: int, process: subprocess.Popen) -> None:
	deadline = time.monotonic() + START_SECONDS
	while process.poll() is None and time.monotonic() < deadline:
		try:
			socket.create_connection(("127.0.0.1", port), timeout=1).close()
			return
		except OSError:
			time.sleep(0.02)
	raise RuntimeError("Redis did not start")


@pytest.fixture
def client(server: int) -> Iterator[redis.Redis]:
	with redis.Redis(port=server) as connection:
		connection.flushall()
		yield connection


class Time:
	"""A clock that only sleeping moves."""

	def __init__(self) -> None:
		self.now = 1_000_000.0
		self.slept: list[float] = []

	def sleep(self, seconds: float) -> None:
		self.slept.append(seconds)
		self.now += seconds

	def __call__(self) -> float:
		return self.now


@pytest.fixture
def clock() -> Time:
	return Time()


@pytest.fixture
def make_limiter(client: redis.Redis, clock: Time) -> Callable[..., RateLimiter]:
	def make(**options: object) -> RateLimiter:
		return RateLimiter(client, "site|", **{"clock": clock, "sleep": clock.sleep, **options})

	return make


def fullest(moments: list[float], window: float) -> int:
	"""Return the most calls in any window, however it lies."""
	moments = sorted(moments)
	return max(sum(start <= other < start + window for other in moments) for start in moments)


def test_as_many_calls_as_fit_and_not_one_more_in_any_window(make_limiter: Callable, clock: Time) -> None:
	limiter = make_limiter(calls=5, window=10.0, patience=10.0)
	moments = []
	for nth in range(23):
		clock.now += nth % 3
		limiter.before_call("report")
		moments.append(clock.now)
	assert fullest(moments, 10.0) == 5
	assert max(clock.slept) <= 10.0
	assert limiter.used("report") == 5
	assert moments[-1] - moments[0] < 50  # and no slower than the budget asks for


def test_each_method_has_its_own_budget(make_limiter: Callable, clock: Time) -> None:
	limiter = make_limiter(calls=2, window=10.0)
	for endpoint in ("report", "list", "report", "list"):
		limiter.before_call(endpoint)
	assert clock.slept == []
	assert limiter.used("report") == limiter.used("list") == 2


def test_sites_do_not_spend_each_other_s_budget(client, make_limiter: Callable, clock: Time) -> None:
	make_limiter(calls=1, window=10.0).before_call("report")
	RateLimiter(client, "other|", calls=1, window=10.0, clock=clock, sleep=clock.sleep).before_call("report")
	assert clock.slept == []


def test_a_short_wait_is_waited_and_a_long_one_lets_the_worker_go(
	make_limiter: Callable, clock: Time
) -> None:
	make_limiter(calls=1, window=300.0).before_call("report")
	patient, busy = (
		make_limiter(calls=1, window=300.0, patience=300.0),
		make_limiter(calls=1, window=300.0, patience=30.0),
	)
	clock.now += 100
	with pytest.raises(BudgetUsedUp) as paused:
		busy.before_call("report")
	assert (paused.value.endpoint, paused.value.locked) == ("report", False)
	assert paused.value.seconds == pytest.approx(200, abs=0.1)
	assert clock.slept == []
	clock.now += 171
	busy.before_call("report")
	assert sum(clock.slept) == pytest.approx(29, abs=0.1)
	patient.before_call("report")
	assert sum(clock.slept) == pytest.approx(329, abs=0.2)


def test_who_did_not_get_a_place_has_taken_none(make_limiter: Callable, clock: Time) -> None:
	limiter = make_limiter(calls=1, window=300.0, patience=0.0)
	limiter.before_call("report")
	for _nth in range(5):
		with pytest.raises(BudgetUsedUp):
			limiter.before_call("report")
	assert limiter.used("report") == 1
	clock.now += 300
	limiter.before_call("report")


def test_a_lock_is_known_to_all_workers_and_to_those_that_start_later(
	make_limiter: Callable, clock: Time
) -> None:
	first, second = make_limiter(), make_limiter()
	until = first.lock("report", 1800.0)
	assert until == clock.now + 1800
	for limiter in (first, second, make_limiter()):
		with pytest.raises(BudgetUsedUp) as paused:
			limiter.before_call("report")
		assert paused.value.locked and paused.value.seconds == pytest.approx(1800)
		limiter.before_call("list")
	clock.now += 1790
	second.before_call("report")  # the last seconds are waited for
	assert clock.slept == [pytest.approx(10)]
	first.before_call("report")
	assert len(clock.slept) == 1


def test_a_lock_outlives_redis(make_limiter: Callable, client: redis.Redis, clock: Time) -> None:
	until = make_limiter().lock("report", 1800.0)
	client.flushall()
	make_limiter().before_call("report")
	with pytest.raises(BudgetUsedUp) as paused:
		make_limiter(locks={"report": until}).before_call("report")  # as the database remembers it
	assert paused.value.locked


def test_without_redis_the_average_pace_is_kept(clock: Time) -> None:
	with socket.socket() as probe:
		probe.bind(("127.0.0.1", 0))
		nobody = redis.Redis(port=probe.getsockname()[1])
	limiter = RateLimiter(nobody, "site|", calls=400, window=300.0, clock=clock, sleep=clock.sleep)
	started = clock.now
	for _nth in range(4):
		limiter.before_call("report")
	assert clock.now - started == pytest.approx(4 * 300 / 400)
	assert limiter.used("report") == 0
	until = limiter.lock("report", 60.0)
	assert until == clock.now + 60
	with pytest.raises(BudgetUsedUp):
		limiter.before_call("report")


def test_a_redis_that_fails_otherwise_is_no_reason_to_call_at_full_speed(
	make_limiter: Callable, client: redis.Redis, clock: Time
) -> None:
	client.set("site|calls-report", "not a window")
	limiter = make_limiter(calls=400, window=300.0)
	for _nth in range(4):
		limiter.before_call("report")
	assert sum(clock.slept) == pytest.approx(4 * 300 / 400)


# -- methods with limits of their own --------------------------------------------------------------------------

SUBSCRIBE = "json/listsubscribe"
SMALL = {SUBSCRIBE: ((6.0, 4), (60.0, 20), (600.0, 70))}


def test_the_windows_are_four_fifths_of_zohos() -> None:
	zohos = {60: 500, 3600: 12_500, 86_400: 75_000}
	assert dict(WINDOWS[SUBSCRIBE]) == {seconds: calls * 8 // 10 for seconds, calls in zohos.items()}


@pytest.mark.parametrize("seed", range(6))
def test_no_window_of_any_length_is_exceeded_wherever_it_begins(
	seed: int, make_limiter: Callable, clock: Time
) -> None:
	random = Random(seed)
	limiters = [make_limiter(windows=SMALL, patience=float("inf")) for _worker in range(3)]
	clock.now += random.random() * 1000
	moments = []
	pace = random.choice([0.0, 1.0, 8.0])
	for _nth in range(400):
		if random.random() < 0.02:  # a pause, then all at once
			clock.now += random.random() * 700
		clock.now += random.random() * pace
		random.choice(limiters).before_call(SUBSCRIBE)
		moments.append(clock.now)
	for seconds, calls in SMALL[SUBSCRIBE]:
		assert fullest(moments, seconds) <= calls
	# Counting in parts costs at most one part in each window.
	assert moments[-1] - moments[0] < 400 * (600 + 2 * 600 / PARTS) / 70 + 20 * 700


def test_the_real_windows_hold_and_few_counters_are_kept(
	make_limiter: Callable, client: redis.Redis, clock: Time
) -> None:
	limiter = make_limiter(patience=float("inf"))
	began = clock.now
	for _nth in range(10_001):
		limiter.before_call(SUBSCRIBE)
	assert 3600 <= clock.now - began <= 3600 + 60 + 1  # the hour is full after 10,000
	stored = list(client.keys("site|*"))
	assert sum(client.zcard(key) for key in stored if client.type(key) == b"zset") <= 400
	assert all(client.hlen(key) <= PARTS + 1 for key in stored if client.type(key) == b"hash")


def test_a_full_day_lets_the_worker_go_and_says_for_how_long(make_limiter: Callable, clock: Time) -> None:
	windows = {SUBSCRIBE: ((60.0, 400), (86_400.0, 3))}
	limiter = make_limiter(windows=windows, patience=30.0)
	for _nth in range(3):
		limiter.before_call(SUBSCRIBE)
	with pytest.raises(BudgetUsedUp) as paused:
		limiter.before_call(SUBSCRIBE)
	assert not paused.value.locked and 86_400 <= paused.value.seconds <= 86_400 * (1 + 1 / PARTS)
	clock.now += paused.value.seconds
	limiter.before_call(SUBSCRIBE)
	assert limiter.used(SUBSCRIBE) == 1


def test_who_waits_for_one_window_takes_no_place_in_the_others(make_limiter: Callable, clock: Time) -> None:
	limiter = make_limiter(windows={SUBSCRIBE: ((60.0, 1), (3600.0, 2))}, patience=0.0)
	limiter.before_call(SUBSCRIBE)
	for _nth in range(5):
		with pytest.raises(BudgetUsedUp):
			limiter.before_call(SUBSCRIBE)
	clock.now += 60
	limiter.before_call(SUBSCRIBE)


def test_other_methods_keep_the_one_window(make_limiter: Callable, clock: Time) -> None:
	limiter = make_limiter(calls=3, window=10.0, patience=10.0)
	for _nth in range(6):
		limiter.before_call("json/contactdonotmail")
	assert sum(clock.slept) == pytest.approx(10.0, abs=0.1)


def test_scaled_time_scales_all_windows(make_limiter: Callable, clock: Time) -> None:
	limiter = make_limiter(window=3.0, patience=float("inf"))  # a hundredth
	for _nth in range(401):
		limiter.before_call(SUBSCRIBE)
	assert sum(clock.slept) == pytest.approx(0.6, abs=0.01)


def test_without_redis_the_slowest_pace_of_all_windows_is_kept(clock: Time) -> None:
	with socket.socket() as probe:
		probe.bind(("127.0.0.1", 0))
		nobody = redis.Redis(port=probe.getsockname()[1])
	RateLimiter(nobody, "site|", clock=clock, sleep=clock.sleep).before_call(SUBSCRIBE)
	assert sum(clock.slept) == pytest.approx(86_400 / 60_000)


_PROCESS = """
import sys, threading
import redis
from erpnext_zoho_integration.connection.zoho_rate_limit import RateLimiter

port, calls, window, threads, each = map(float, sys.argv[1:])
server = redis.Redis(port=int(port))
limiter = RateLimiter(server, "site|", calls=int(calls), window=window)

def work():
	for _nth in range(int(each)):
		limiter.before_call("report")
		server.rpush("moments", ".".join("%06d" % part for part in server.time()))

workers = [threading.Thread(target=work) for _nth in range(int(threads))]
[worker.start() for worker in workers]
[worker.join() for worker in workers]
"""


def test_two_processes_of_four_threads_together_never_exceed_a_window(
	server: int, client: redis.Redis
) -> None:
	window, calls, threads, each = 0.4, 20, 4, 10
	arguments = [str(server), str(calls), str(window), str(threads), str(each)]
	environment = {**os.environ, "PYTHONPATH": str(ROOT)}
	processes = [
		subprocess.Popen([sys.executable, "-c", _PROCESS, *arguments], env=environment) for _nth in range(2)
	]
	assert [process.wait(timeout=60) for process in processes] == [0, 0]
	moments = [float(moment) for moment in client.lrange("moments", 0, -1)]
	assert len(moments) == 2 * threads * each
	# What leaves the limiter comes a moment later to the far end: two calls may be that much nearer to each other.
	scores = [score for _member, score in client.zrange("site|calls-report", 0, -1, withscores=True)]
	assert fullest(scores, window) <= calls
	assert max(moments) - min(moments) >= (len(moments) / calls - 1) * window * 0.9


def test_threads_share_a_keeper(client: redis.Redis) -> None:
	limiter = RateLimiter(client, "site|", calls=10, window=0.3)
	given: list[float] = []

	def work() -> None:
		for _nth in range(10):
			limiter.before_call("report")
			given.append(time.time())

	workers = [threading.Thread(target=work) for _nth in range(4)]
	for worker in workers:
		worker.start()
	for worker in workers:
		worker.join(timeout=60)
	assert len(given) == 40
	assert max(given) - min(given) >= 3 * 0.3 * 0.95
