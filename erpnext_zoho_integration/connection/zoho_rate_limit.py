"""The rate limiter: one budget of calls per API method, shared by all workers through Redis.

Zoho allows 500 calls of a method in five minutes and then locks it for thirty
(https://www.zoho.com/campaigns/help/developers/campaign-recipient-data.html). Rolling windows below its limits never
reach the lock, however Zoho counts its own. Touches no `frappe` object, because fetching threads call it; `clients`
makes it from the settings.
"""

import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import chain

import redis

WINDOW_SECONDS = 300.0
DEFAULT_CALLS = 400
# A worker sleeps at most this long; for longer waits the run is stored and resumed later.
PATIENCE_SECONDS = 30.0

# Windows of the methods that have limits of their own: seconds and calls, the shortest window first. The numbers are 80 % of
# Zoho's 500 a minute, 12,500 an hour and 75,000 a day
# (https://www.zoho.com/campaigns/help/developers/contact-subscribe.html). All other methods share `calls` and `window`.
WINDOWS: Mapping[str, tuple[tuple[float, int], ...]] = {
	"json/listsubscribe": ((60.0, 400), (3600.0, 10_000), (86_400.0, 60_000)),
}
# A long window is counted in so many parts, plus the one that has begun. Then no window of its length, wherever it
# begins, has more calls than allowed, and its counters stay few.
PARTS = 60

# Returns when Zoho's lock ends if there is one. Otherwise it takes a place in every window, or in none and returns how long
# until all have one. The calls of the shortest window are a sorted set, those of the others counters. It uses Redis's clock:
# the clocks of several machines differ, and a delayed thread has an old time, so they would let one call too many through.
_TAKE = """
local lock = redis.call('GET', KEYS[2])
if lock and tonumber(lock) > tonumber(ARGV[2]) then
	return {lock, '0'}
end
local now, parts = tonumber(ARGV[1]), tonumber(ARGV[4])
if not now then
	local time = redis.call('TIME')
	now = tonumber(time[1]) + tonumber(time[2]) / 1000000
end
local wait = 0
local window, limit = tonumber(ARGV[5]), tonumber(ARGV[6])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
if redis.call('ZCARD', KEYS[1]) >= limit then
	local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
	wait = math.max(0.001, tonumber(oldest[2]) + window - now)
end
for key = 3, #KEYS do
	local length = tonumber(ARGV[2 * key + 1]) / parts
	local current, oldest, total = math.floor(now / length), nil, 0
	local counters = redis.call('HGETALL', KEYS[key])
	for field = 1, #counters, 2 do
		local part = tonumber(counters[field])
		if part < current - parts then
			redis.call('HDEL', KEYS[key], counters[field])
		else
			total = total + tonumber(counters[field + 1])
			oldest = math.min(oldest or part, part)
		end
	end
	if total >= tonumber(ARGV[2 * key + 2]) then
		wait = math.max(wait, 0.001, (oldest + parts + 1) * length - now)
	end
end
if wait > 0 then
	return {'0', tostring(wait)}
end
redis.call('ZADD', KEYS[1], now, ARGV[3])
redis.call('PEXPIRE', KEYS[1], math.ceil(window * 1000) + 1000)
for key = 3, #KEYS do
	local length = tonumber(ARGV[2 * key + 1]) / parts
	redis.call('HINCRBY', KEYS[key], string.format('%d', math.floor(now / length)), 1)
	redis.call('PEXPIRE', KEYS[key], math.ceil((parts + 1) * length * 1000) + 1000)
end
return {'0', '0'}
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
		calls: how many calls of one method fit into a window, unless `windows` has the method.
		window: seconds of the window. Another length than `WINDOW_SECONDS` scales `windows` too.
		windows: the windows of the methods that have limits of their own, see `WINDOWS`.
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
		windows: Mapping[str, tuple[tuple[float, int], ...]] = WINDOWS,
	) -> None:
		self.calls = max(1, calls)
		self.window = window
		self.locks = dict(locks or {})
		self._windows = windows
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
		"""Return how many calls of a method are in its shortest window now."""
		seconds, _calls = self._windows_of(endpoint)[0]
		try:
			return self._server.zcount(self._key(endpoint), self._clock() - seconds, "+inf")
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
		"""Take a place in every window of a method if all have one.

		Returns:
			The end of Zoho's lock in seconds since the epoch, and the seconds until a place is free; 0 for no lock or wait.
		"""
		windows = self._windows_of(endpoint)
		counters = [f"{self._key(endpoint)}-{seconds:g}" for seconds, _calls in windows[1:]]
		try:
			until, wait = self._script(
				keys=[self._key(endpoint), self._lock_key(endpoint), *counters],
				args=[
					self._own_clock() if self._own_clock else "",
					self._clock(),
					uuid.uuid4().hex,
					PARTS,
					*chain.from_iterable(windows),
				],
			)
		except redis.exceptions.RedisError:
			# Without Redis no other worker runs: keep the average pace.
			self._sleep(max(seconds / calls for seconds, calls in windows))
			return 0.0, 0.0
		return float(until), float(wait)

	def _windows_of(self, endpoint: str) -> list[tuple[float, int]]:
		"""Return the windows of a method, seconds and calls, the shortest first."""
		scale = self.window / WINDOW_SECONDS
		own = [(seconds * scale, calls) for seconds, calls in self._windows.get(endpoint, ())]
		return own or [(self.window, self.calls)]

	def _key(self, endpoint: str) -> str:
		return f"{self._prefix}calls-{endpoint}"

	def _lock_key(self, endpoint: str) -> str:
		return f"{self._prefix}lock-{endpoint}"
