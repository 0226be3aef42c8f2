"""Build folders in `.dev/` once: named by a digest of their inputs, under a lock, complete or not at all."""

import contextlib
import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from embedded.paths import DEV

IGNORED_FOLDERS = frozenset({"__pycache__", ".pytest_cache", "node_modules"})


def digest(*parts: str | Path) -> str:
	"""Return a digest of texts, files and folders as 16 hexadecimal digits.

	A file counts with its relative path and its bytes. Compiled Python and caches do not count.
	"""
	total = hashlib.sha256()
	for part in parts:
		if isinstance(part, str):
			total.update(b"text\0" + part.encode())
			continue
		for file in sorted(files_below(part)):
			total.update(b"file\0" + str(file.relative_to(part.parent)).encode() + b"\0")
			total.update(hashlib.sha256(file.read_bytes()).digest())
	return total.hexdigest()[:16]


def files_below(path: Path) -> Iterator[Path]:
	"""Yield the file itself, or every file below a folder."""
	if path.is_file():
		yield path
		return
	for folder, folders, names in os.walk(path):
		folders[:] = [name for name in folders if name not in IGNORED_FOLDERS]
		for name in names:
			if not name.endswith((".pyc", ".swp", "~")):
				yield Path(folder) / name


@contextlib.contextmanager
def lock(name: str, waiting: Callable[[str], None] | None = None) -> Iterator[None]:
	"""Hold the lock `.dev/<name>.lock`. The operating system releases it if the process dies.

	Args:
		name: the name of the thing to build, also for messages.
		waiting: called with a message if another process holds the lock.
	"""
	DEV.mkdir(exist_ok=True)
	with open(DEV / f"{name}.lock", "w") as file:
		try:
			fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
		except BlockingIOError:
			if waiting:
				waiting(f"Another ./dev is preparing the {name}; waiting for it.")
			fcntl.flock(file, fcntl.LOCK_EX)
		yield


def build_folder(target: Path, build: Callable[[Path], None]) -> Path:
	"""Make the folder `target` with `build(folder)` unless it exists. A failed build leaves nothing behind.

	Call it while holding a lock.

	Returns:
		`target`; its modification time is now, for `keep_newest`.
	"""
	if target.exists():
		os.utime(target)
		return target
	unfinished = target.with_name(target.name + ".unfinished")
	shutil.rmtree(unfinished, ignore_errors=True)
	unfinished.mkdir(parents=True)
	try:
		build(unfinished)
	except BaseException:
		shutil.rmtree(unfinished, ignore_errors=True)
		raise
	os.replace(unfinished, target)
	return target


def keep_newest(folder: Path, count: int, used: Iterable[Path] = ()) -> None:
	"""Delete all folders in `folder` but the `count` most recently used ones and those in `used`."""
	if not folder.is_dir():
		return
	built = [path for path in folder.iterdir() if path.is_dir() and not path.name.endswith(".unfinished")]
	built.sort(key=lambda path: path.stat().st_mtime, reverse=True)
	for path in built[count:]:
		if path not in set(used):
			shutil.rmtree(path, ignore_errors=True)
