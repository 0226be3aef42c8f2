"""The rate limiter: one budget of calls per API method, shared by all workers through Redis.

Zoho allows 500 calls of a method in five minutes and then locks it for thirty
(https://www.zoho.com/campaigns/help/developers/campaign-recipient-data.html). A rolling window below that limit never
reaches the lock, however Zoho counts its windows. Touches no `frappe` object, because fetching threads call it; `clients`
makes it from the settings.
"""

import time
import uuid
from collections.abc import Callable
from contextlib import suppress

import redis

WINDOW_SECONDS = 300.0
DEFAULT_CALLS = 400
# A worker sleeps at most this long; for longer waits the run is stored and resumed later.
PATIENCE_SECONDS = 30.0

# Returns when Zoho's lock ends if there is one. Otherwise it drops calls older than the window, then takes a place, or
# returns how long until the oldest call leaves the window. It uses Redis's clock: the clocks of several machines differ, and
# a delayed thread has an old time, so they would let one call too many through.
_TAKE = """
local lock = redis.call('GET', KEYS[2])
if lock and tonumber(lock) > tonumber(ARGV[5]) then
	return {lock, '0'}
end
local now, window, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if not now then
	local time = redis.call('TIME')
	now = tonumber(time[1]) + tonumber(time[2]) / 1000000
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
if redis.call('ZCARD', KEYS[1]) < limit then
	redis.call('ZADD', KEYS[1], now, ARGV[4])
	redis.call('PEXPIRE', KEYS[1], math.ceil(window * 1000) + 1000)
	return {'0', '0'}
end
local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return {'0', tostring(tonumber(oldest[2]) + window - now)}
"""


class BudgetUsedUp(Exception):
	"""The budget of a method is used up, or Zoho has locked it, for longer than a worker should wait.

	Attributes:
		endpoint: the method.
		seconds: how long to wait from now.
		locked: True if Zoho has locked the method.
	"""

	def __init__(self, endpoint: str, seconds: float, locked: bool = False) -> None:
		super().__init__(f"{endpoint}: {seconds:.0f} s")
		self.endpoint = endpoint
		self.seconds = seconds
		self.locked = locked


class RateLimiter:
	"""Makes callers wait until a method may be called.

	Args:
		server: a Redis client that threads may use.
		prefix: prefix of all keys; names the site.
		calls: how many calls of one method fit into a window.
		window: seconds of the window.
		locks: when each of Zoho's locks ends, in seconds since the epoch, by method, as the database has it.
		patience: the longest wait in seconds; for a longer one `BudgetUsedUp` is raised.
		sleep: waits the given seconds.
		clock: seconds since the epoch; by default Redis's for the window and this machine's for locks.
	"""

	def __init__(
		self,
		server: redis.Redis,
		prefix: str,
		*,
		calls: int = DEFAULT_CALLS,
		window: float = WINDOW_SECONDS,
		locks: dict[str, float] | None = None,
		patience: float = PATIENCE_SECONDS,
		sleep: Callable[[float], None] = time.sleep,
		clock: Callable[[], float] | None = None,
	) -> None:
		self.calls = max(1, calls)
		self.window = window
		self.locks = dict(locks or {})
		self._server = server
		self._script = server.register_script(_TAKE)
		self._prefix = prefix
		self._patience = patience
		self._sleep = sleep
		self._clock = clock or time.time
		self._own_clock = clock

	def before_call(self, endpoint: str) -> None:
		"""Wait until the method may be called; `zoho.Transport` calls this before each request.

		Raises:
			BudgetUsedUp: the wait would be longer than `patience`.
		"""
		until = self.locks.get(endpoint, 0.0)
		while True:
			locked, seconds = until - self._clock(), 0.0
			if locked <= 0:
				until, seconds = self._take(endpoint)
				locked = until - self._clock()
			if max(locked, seconds) > self._patience:
				raise BudgetUsedUp(endpoint, max(locked, seconds), locked=locked > 0)
			if locked <= 0 and seconds <= 0:
				return
			self._sleep(max(locked, seconds))

	def used(self, endpoint: str) -> int:
		"""Return how many calls of a method are in the window now."""
		try:
			return self._server.zcount(self._key(endpoint), self._clock() - self.window, "+inf")
		except redis.exceptions.RedisError:
			return 0

	def locked_until(self, endpoint: str) -> float | None:
		"""Return when Zoho's lock of a method ends, in seconds since the epoch; None if it is not locked."""
		until = self.locks.get(endpoint, 0.0)
		with suppress(redis.exceptions.RedisError):
			until = max(until, float(self._server.get(self._lock_key(endpoint)) or 0))
		return until if until > self._clock() else None

	def lock(self, endpoint: str, seconds: float) -> float:
		"""Remember for all workers that Zoho has locked a method; return the end as seconds since the epoch."""
		until = self._clock() + seconds
		self.locks[endpoint] = until
		with suppress(redis.exceptions.RedisError):  # the database stores it too
			self._server.set(self._lock_key(endpoint), until, px=max(1, int(seconds * 1000)))
		return until

	def _take(self, endpoint: str) -> tuple[float, float]:
		"""Take a place in the window if there is one.

		Returns:
			The end of Zoho's lock in seconds since the epoch, and the seconds until a place is free; 0 for no lock or wait.
		"""
		try:
			until, wait = self._script(
				keys=[self._key(endpoint), self._lock_key(endpoint)],
				args=[
					self._own_clock() if self._own_clock else "",
					self.window,
					self.calls,
					uuid.uuid4().hex,
					self._clock(),
				],
			)
		except redis.exceptions.RedisError:
			# Without Redis no other worker runs: keep the average pace.
			self._sleep(self.window / self.calls)
			return 0.0, 0.0
		return float(until), float(wait)

	def _key(self, endpoint: str) -> str:
		return f"{self._prefix}calls-{endpoint}"

	def _lock_key(self, endpoint: str) -> str:
		return f"{self._prefix}lock-{endpoint}"
