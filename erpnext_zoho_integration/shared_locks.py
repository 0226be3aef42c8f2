"""Short locks shared by all workers of a site, on all its machines."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import redis
from redis.lock import Lock

import frappe

# It ran out, or Redis has gone: either way the lock is no longer ours, see `shared_lock`.
_LOST = (redis.exceptions.LockError, redis.exceptions.ConnectionError)


class Held:
	"""The lock that a block holds: false if somebody else has it. It can be extended."""

	def __init__(self, lock: Lock | None = None, held: bool = True) -> None:
		self._lock = lock
		self._held = held

	def __bool__(self) -> bool:
		return self._held

	def extend(self) -> None:
		"""Start the lock's time anew; call it now and then in a long block."""
		if self._held and self._lock:
			with suppress(*_LOST):
				self._lock.reacquire()

	def release(self) -> None:
		if self._held and self._lock:
			with suppress(*_LOST):
				self._lock.release()


@contextmanager
def shared_lock(name: str, *, seconds: int, wait: float, poll: float = 0.1) -> Iterator[Held]:
	"""Hold a lock in Redis while the block runs.

	Without Redis the block runs unlocked: what these locks protect stays correct without them (the database has
	unique keys), it only costs more calls.

	Args:
		name: name of the lock; the site is added.
		seconds: after how long Redis drops it, unless it is kept.
		wait: how long to wait for another holder, in seconds.
		poll: how often to look whether it is free, in seconds.

	Yields:
		A `Held`, which is false if somebody else has the lock.
	"""
	lock = frappe.cache.lock(lock_name(name), timeout=seconds, blocking_timeout=wait, sleep=poll)
	try:
		held = Held(lock, lock.acquire(blocking=wait > 0))
	except redis.exceptions.ConnectionError:
		held = Held()
	try:
		yield held
	finally:
		held.release()


def lock_name(name: str) -> str:
	"""Return the key in Redis: of this site only, and outliving `frappe.clear_cache()` (see hooks.py)."""
	return frappe.cache.make_key(f"zoho-lock-{name}").decode()
