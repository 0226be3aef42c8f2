"""A MariaDB and a Redis for one test session, with a copy of a bench's site: tests may kill, empty and stop them.

`python -m tests.faults.bench` starts them; the environment variable `ZOHO_FAULTS_SERVERS` names their folder.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from embedded.reaper import Reaper, end_session
from embedded.services import HOST, free_port

PROGRAMS = ("mariadbd", "mariadb-install-db", "mariadb-dump", "mariadb", "redis-server")
# The default is 50 seconds.
LOCK_WAIT_SECONDS = 3
_START_SECONDS = 60
_OPTIONS = (
	"--character-set-server=utf8mb4",
	"--collation-server=utf8mb4_unicode_ci",
	"--skip-name-resolve",
	f"--innodb-lock-wait-timeout={LOCK_WAIT_SECONDS}",
	"--innodb-flush-log-at-trx-commit=1",
	"--max-allowed-packet=64M",
)


class Servers:
	"""The servers and their folder.

	Args:
		folder: holds their data, `ports.json`, a file with the process id of each, and `sites`.
	"""

	def __init__(self, folder: Path) -> None:
		self.folder = folder
		self._reaper = Reaper()

	@property
	def sites(self) -> Path:
		return self.folder / "sites"

	@property
	def ports(self) -> dict[str, int]:
		return json.loads((self.folder / "ports.json").read_text())

	# -- copying the site ----------------------------------------------------------------------------------------------

	def make(self, sites: Path, site: str) -> None:
		"""Copy a site of a bench, and start the servers.

		Args:
			sites: the bench's folder of sites.
			site: name of the site, which has the app.
		"""
		for name in ("db", "redis_cache", "redis_queue", "logs", "config"):
			(self.folder / name).mkdir(parents=True)
		ports = {name: free_port() for name in ("mariadb", "redis_cache", "redis_queue")}
		(self.folder / "ports.json").write_text(json.dumps(ports))
		self._copy_folder(sites, site, ports)
		self._install_database()
		for name in ports:
			self.start(name)
		config = {**_read(sites / "common_site_config.json"), **_read(sites / site / "site_config.json")}
		self._copy_database(config)

	def _copy_folder(self, sites: Path, site: str, ports: dict[str, int]) -> None:
		target = self.sites / site
		for name in ("logs", "locks", "private/files", "private/backups", "public/files"):
			(target / name).mkdir(parents=True)
		shutil.copy2(sites / "apps.txt", self.sites)
		(self.sites / "assets").symlink_to(sites / "assets")
		addresses = {name: f"redis://{HOST}:{ports[name]}" for name in ("redis_cache", "redis_queue")}
		common = _read(sites / "common_site_config.json") | addresses
		common |= {"redis_socketio": addresses["redis_cache"], "bench_id": f"tests-of-{site}"}
		own = {"db_host": HOST, "db_port": ports["mariadb"]}
		for settings in (common, settings_of_site := _read(sites / site / "site_config.json")):
			settings |= own
			settings.pop("db_socket", None)
		_write(self.sites / "common_site_config.json", common)
		_write(target / "site_config.json", settings_of_site)

	def _install_database(self) -> None:
		subprocess.run(
			[
				"mariadb-install-db",
				"--no-defaults",
				f"--datadir={self.folder / 'db'}",
				"--auth-root-authentication-method=normal",
				"--skip-test-db",
				*_user(),
			],
			check=True,
			capture_output=True,
		)

	def _copy_database(self, config: dict) -> None:
		name, password = config["db_name"], config["db_password"]
		user = config.get("db_user") or name
		self.execute(
			f"create database `{name}`",
			f"create user '{user}'@'%' identified by '{password}'",
			f"grant all on `{name}`.* to '{user}'@'%'",
		)
		dump = subprocess.Popen(
			[
				"mariadb-dump",
				"--no-defaults",
				f"--host={config.get('db_host') or HOST}",
				f"--port={config.get('db_port') or 3306}",
				f"--user={user}",
				"--single-transaction",
				"--no-tablespaces",
				name,
			],
			stdout=subprocess.PIPE,
			env={**os.environ, "MYSQL_PWD": password},
		)
		load = [
			"mariadb",
			"--no-defaults",
			f"--host={HOST}",
			f"--port={self.ports['mariadb']}",
			"--user=root",
			name,
		]
		subprocess.run(load, stdin=dump.stdout, check=True)
		if dump.wait():
			raise RuntimeError("The bench's database could not be read")

	# -- starting and stopping --------------------------------------------------------------------------------

	def start(self, name: str) -> None:
		"""Start a server on its port, and wait until it answers."""
		port = self.ports[name]
		if name == "mariadb":
			command = ["mariadbd", "--no-defaults", f"--datadir={self.folder / 'db'}", f"--port={port}"]
			command += [f"--bind-address={HOST}", f"--socket={self.folder / 'db.sock'}", *_OPTIONS, *_user()]
		else:
			command = ["redis-server", "--bind", HOST, "--port", str(port), "--dir", str(self.folder / name)]
			command += ["--save", "", "--appendonly", "no"]
		with open(self.folder / "logs" / f"{name}.log", "ab") as log:
			process = subprocess.Popen(
				command,
				stdin=subprocess.DEVNULL,
				stdout=log,
				stderr=subprocess.STDOUT,
				start_new_session=True,
			)
		self._reaper.tell(f"+{process.pid}")
		self._pid_file(name).write_text(str(process.pid))
		deadline = time.monotonic() + _START_SECONDS
		while not self._answers(name):
			if time.monotonic() > deadline or process.poll() is not None:
				raise RuntimeError(f"{name} does not answer; see {self.folder / 'logs'}")
			time.sleep(0.05)

	def stop(self, name: str, number: int = signal.SIGTERM) -> None:
		"""End a server with a signal (`SIGKILL`: a crash), and wait until it is gone."""
		pid = int(self._pid_file(name).read_text())
		with contextlib.suppress(ProcessLookupError):
			os.kill(pid, number)
			while not _is_gone(pid):
				time.sleep(0.02)
		self._pid_file(name).unlink()

	def execute(self, *statements: str) -> list[tuple]:
		"""Send statements to MariaDB as its root, and return the rows of the last one."""
		with self.connection() as connection, connection.cursor() as cursor:
			for statement in statements:
				cursor.execute(statement)
			return list(cursor.fetchall())

	@contextlib.contextmanager
	def connection(self, database: str | None = None) -> Iterator:
		"""Open another connection to MariaDB, as root."""
		import pymysql

		connection = pymysql.connect(host=HOST, port=self.ports["mariadb"], user="root", database=database)
		try:
			yield connection
		finally:
			with contextlib.suppress(pymysql.Error):
				connection.close()

	def versions(self) -> dict[str, str]:
		import redis

		mariadb = self.execute("select version()")[0][0].partition("-")[0]
		return {
			"MariaDB": mariadb,
			"Redis": redis.Redis(HOST, self.ports["redis_cache"]).info()["redis_version"],
		}

	def hand_back(self) -> None:
		"""Leave the servers, also those started by this process, to the process that made the folder."""
		for name in self.ports:
			if self._pid_file(name).exists():
				self._reaper.tell(f"-{self._pid_file(name).read_text()}")
		self._reaper.dismiss()

	def close(self) -> None:
		"""End the servers, and delete the folder."""
		for name in self.ports:
			if self._pid_file(name).exists():
				end_session(int(self._pid_file(name).read_text()))
		self._reaper.dismiss()
		shutil.rmtree(self.folder, ignore_errors=True)

	def _pid_file(self, name: str) -> Path:
		return self.folder / f"{name}.pid"

	def _answers(self, name: str) -> bool:
		import pymysql
		import redis

		try:
			if name == "mariadb":
				self.execute("select 1")
			else:
				redis.Redis(HOST, self.ports[name]).ping()
		except (pymysql.Error, redis.RedisError):
			return False
		return True


def servers_of_session() -> Servers:
	"""Return the servers that `ZOHO_FAULTS_SERVERS` names."""
	return Servers(Path(os.environ["ZOHO_FAULTS_SERVERS"]))


def _is_gone(pid: int) -> bool:
	"""Return whether a process has ended; reap it if this process started it."""
	with contextlib.suppress(ChildProcessError):
		os.waitpid(pid, os.WNOHANG)
	try:
		return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
	except FileNotFoundError:
		return True


def _user() -> list[str]:
	"""Return the option without which MariaDB refuses to run as root."""
	return ["--user=root"] if getpass.getuser() == "root" else []


def _read(path: Path) -> dict:
	return json.loads(path.read_text())


def _write(path: Path, config: dict) -> None:
	path.write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")
