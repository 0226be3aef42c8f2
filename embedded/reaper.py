"""End the processes that a `./dev` command started and delete its folder, even if that command was killed.

The reaper is a process of its own. It reads lines from its standard input: `+<session id>` when a service starts,
`-<session id>` when the service has been stopped, `rm <folder>` for a folder to delete at the end. The operating
system closes that input when the command ends, by exit, Ctrl-C, crash or kill -9; then the reaper ends the services
that are still listed and deletes the folders.
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

GRACE = 8  # seconds between the request to end and the kill


class Reaper:
	"""The pipe to a reaper process, which is started at once."""

	def __init__(self) -> None:
		self._process = subprocess.Popen(
			[sys.executable, "-m", "embedded.reaper"],
			stdin=subprocess.PIPE,
			stdout=subprocess.DEVNULL,
			stderr=subprocess.DEVNULL,
			cwd=ROOT,
			env={**os.environ, "PYTHONPATH": str(ROOT)},
			start_new_session=True,
			text=True,
		)

	def tell(self, line: str) -> None:
		"""Send one line; do nothing if the reaper has died."""
		with contextlib.suppress(BrokenPipeError, ValueError):
			self._process.stdin.write(line + "\n")
			self._process.stdin.flush()

	def dismiss(self) -> None:
		"""Close the pipe and wait until the listed services and folders are gone."""
		with contextlib.suppress(BrokenPipeError):
			self._process.stdin.close()
		self._process.wait()


def members(session: int) -> list[psutil.Process]:
	"""Return the processes of a session: a service and all that it started."""
	found = []
	for process in psutil.process_iter():
		try:
			if os.getsid(process.pid) == session:
				found.append(process)
		except (ProcessLookupError, PermissionError):
			continue
	return found


def end_session(session: int, grace: float = GRACE) -> None:
	"""Send SIGTERM to every process of a session, and SIGKILL after `grace` seconds to those still alive."""
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
	"""Read lines until the starter ends, then end its services and delete its folders."""
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
