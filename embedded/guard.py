"""End what a `./dev` process started once that process is gone, however it went.

Runs as a process of its own and reads its standard input: `+<session id>` when a service starts, `-<session id>`
when it has been stopped, `rm <folder>` for what is to be deleted. The system closes that input when the
starter ends, by exit, Ctrl-C, crash or kill -9; what is still listed then is ended.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from embedded.paths import ROOT, RUNS

GRACE = 8  # seconds between asking and killing


class Guard:
	"""The starter's end of the pipe."""

	def __init__(self) -> None:
		self._process = subprocess.Popen(
			[sys.executable, "-m", "embedded.guard"],
			stdin=subprocess.PIPE,
			stdout=subprocess.DEVNULL,
			stderr=subprocess.DEVNULL,
			cwd=ROOT,
			env={**os.environ, "PYTHONPATH": str(ROOT)},
			start_new_session=True,
			text=True,
		)

	def tell(self, line: str) -> None:
		"""Send one line; a guard that died already is no reason to fail."""
		with contextlib.suppress(BrokenPipeError, ValueError):
			self._process.stdin.write(line + "\n")
			self._process.stdin.flush()

	def dismiss(self) -> None:
		"""Close the pipe and wait until everything listed is gone."""
		with contextlib.suppress(BrokenPipeError):
			self._process.stdin.close()
		self._process.wait()


def members(session: int) -> list[psutil.Process]:
	"""List the processes of a session: a service and whatever it started."""
	found = []
	for process in psutil.process_iter():
		try:
			if os.getsid(process.pid) == session:
				found.append(process)
		except (ProcessLookupError, PermissionError):
			continue
	return found


def end_session(session: int, grace: float = GRACE) -> None:
	"""Ask every process of a session to end, and kill those that have not after `grace` seconds."""
	for process in members(session):
		send(process, signal.SIGTERM)
	deadline = time.monotonic() + grace
	while time.monotonic() < deadline and any(alive(process) for process in members(session)):
		time.sleep(0.05)
	for process in members(session):
		send(process, signal.SIGKILL)


def alive(process: psutil.Process) -> bool:
	try:
		return process.status() != psutil.STATUS_ZOMBIE
	except psutil.NoSuchProcess:
		return False


def send(process: psutil.Process, number: int) -> None:
	with contextlib.suppress(psutil.NoSuchProcess):
		process.send_signal(number)


def watch() -> None:
	"""Follow the starter until its end, then clean up after it."""
	for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
		signal.signal(number, signal.SIG_IGN)
	sessions: list[int] = []
	folders: list[Path] = []
	for line in sys.stdin:
		line = line.strip()
		if line.startswith("+"):
			sessions.append(int(line[1:]))
		elif line.startswith("-") and int(line[1:]) in sessions:
			sessions.remove(int(line[1:]))
		elif line.startswith("rm "):
			folders.append(Path(line[3:]))
	for session in reversed(sessions):
		end_session(session)
	for folder in folders:
		if RUNS in folder.parents:
			shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
	watch()
