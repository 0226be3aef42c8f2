"""Bench-like folders: templates that are built once, and runs that are copies of them.

```
.dev/templates/<digest>/sites/embedded.localhost/    a site with the stand-in, or with the app too
.dev/runs/<process id>-<random>/                     one run: sites/, logs/, config/; deleted when it ends
```

A run has its own copy of the site and its own ports, so that any number of them can work side by side.
"""

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from embedded import desk, framework
from embedded.environment import say
from embedded.guard import Guard
from embedded.paths import ADMIN_PASSWORD, APP, EMBEDDED, FRAMEWORKS, ROOT, RUNS, SITE, STAND_IN, TEMPLATES
from embedded.services import Service, free_port, python, start_redis
from embedded.state import build_folder, digest, keep_newest, lock

STAND_IN_SOURCE = EMBEDDED / STAND_IN
# Parts of the app that installing it on a site does not read.
NOT_INSTALLED = ("public", "zoho", "locale")


class Bench:
	"""A folder laid out like a bench, with one site."""

	def __init__(self, root: Path, framework_path: Path) -> None:
		self.root = root
		self.sites = root / "sites"
		self.site_path = self.sites / SITE
		self.framework_path = framework_path

	@property
	def python_path(self) -> list[str]:
		"""The folders that hold frappe, erpnext and the app; the last two are the sources, so edits are live."""
		return [str(self.framework_path), str(STAND_IN_SOURCE), str(ROOT)]

	def environment(self) -> dict[str, str]:
		"""The environment variables for a process of this bench."""
		return {
			**os.environ,
			"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
			"FRAPPE_BENCH_ROOT": str(self.root),
			"FRAPPE_SITE": SITE,
			"PYTHONPATH": os.pathsep.join(self.python_path),
			"PYTHONUNBUFFERED": "1",
		}

	def lay_out(self, apps: list[str]) -> None:
		"""Make the folders of a bench and list its apps."""
		for name in ("sites/assets", "logs", "config", "apps"):
			(self.root / name).mkdir(parents=True, exist_ok=True)
		(self.sites / "assets" / "assets.json").write_text("{}")
		(self.sites / "apps.txt").write_text("".join(f"{app}\n" for app in apps))

	def configure(self, **values: object) -> None:
		"""Write sites/common_site_config.json."""
		path = self.sites / "common_site_config.json"
		config = json.loads(path.read_text()) if path.exists() else {}
		config |= {"default_site": SITE, "serve_default_site": True, **values}
		path.write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")

	def configure_site(self, **values: object) -> None:
		"""Add to the site's own site_config.json."""
		path = self.site_path / "site_config.json"
		path.write_text(json.dumps(json.loads(path.read_text()) | values, indent=1, sort_keys=True) + "\n")

	def run(self, *arguments: str) -> None:
		"""Run a process of embedded/process.py to its end.

		Raises:
			RuntimeError: with what it printed, if it fails.
		"""
		done = subprocess.run(
			python("embedded.process", *arguments),
			cwd=self.sites,
			env=self.environment(),
			stdin=subprocess.DEVNULL,
			capture_output=True,
			text=True,
		)
		if done.returncode:
			printed = [line for line in done.stdout.splitlines() if "] " not in line]  # progress bars
			raise RuntimeError(f"{' '.join(arguments)} failed:\n" + "\n".join([*printed[-20:], done.stderr]))


def prepare() -> tuple[Path, Path]:
	"""Return the framework's folder and the template with the app installed, building what is not built yet."""
	with lock("site", waiting=say):
		framework_path = framework.ensure()
		base = TEMPLATES / f"base-{digest(framework_path.parent.name, STAND_IN_SOURCE, *recipe())}"
		build_folder(base, lambda folder: build_base(folder, framework_path))
		template = TEMPLATES / f"app-{digest(base.name, *app_sources())}"
		build_folder(template, lambda folder: build_template(folder, base, framework_path))
		keep_newest(TEMPLATES, 8, used=(base, template))
		keep_newest(FRAMEWORKS, 3, used=(framework_path.parent,))
		remove_dead_runs()
	return framework_path, template


def recipe() -> list[Path]:
	"""The files that decide how a site is made."""
	return [EMBEDDED / name for name in ("bench.py", "process.py", "paths.py")]


def app_sources() -> list[Path]:
	"""The parts of the app that decide what a site looks like once it is installed."""
	return sorted(
		path
		for path in (ROOT / APP).iterdir()
		if path.name not in NOT_INSTALLED and path.name != "__pycache__"
	)


def build_base(folder: Path, framework_path: Path) -> None:
	"""Make a site with the framework and the stand-in for ERPNext."""
	say("Making a site (once; about 20 seconds).")
	bench = Bench(folder, framework_path)
	bench.lay_out(["frappe", STAND_IN])
	bench.site_path.mkdir()
	config = {
		"db_type": "sqlite",
		"db_name": "site",
		"encryption_key": encryption_key(),
		"mute_emails": 1,
		"mail_server": "127.0.0.1",
		"auto_email_id": "site@example.com",
		"allow_tests": 1,
	}
	(bench.site_path / "site_config.json").write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")
	with redis_for(bench):
		bench.run("make-site", ADMIN_PASSWORD)
		bench.run("install-app", STAND_IN)


def build_template(folder: Path, base: Path, framework_path: Path) -> None:
	"""Install the app on a copy of the base site."""
	say("Installing the app on the site.")
	shutil.copytree(base, folder, dirs_exist_ok=True)
	bench = Bench(folder, framework_path)
	bench.lay_out(["frappe", STAND_IN, APP])
	with redis_for(bench):
		bench.run("install-app", APP)


@contextlib.contextmanager
def redis_for(bench: Bench) -> Iterator[Service]:
	"""Run Redis for a bench that is being built."""
	guard = Guard()
	try:
		redis, port = start_redis(bench.root / "config", guard)
		try:
			bench.configure(**redis_config(port))
			yield redis
		finally:
			redis.stop()
	finally:
		guard.dismiss()


def redis_config(port: int) -> dict[str, str]:
	"""One server serves as both: the cache in its database 0, the queue in 1."""
	return {"redis_cache": f"redis://127.0.0.1:{port}/0", "redis_queue": f"redis://127.0.0.1:{port}/1"}


def encryption_key() -> str:
	from cryptography.fernet import Fernet

	return Fernet.generate_key().decode()


class Run(Bench):
	"""A bench of its own for one process: a copy of the template, with Redis running.

	Use it as a context manager, or call `close()`. The guard ends everything and deletes the folder even if this
	process is killed.
	"""

	def __init__(self) -> None:
		framework_path, template = prepare()
		root = RUNS / f"{os.getpid()}-{secrets.token_hex(3)}"
		super().__init__(root, framework_path)
		self._guard = Guard()
		self._guard.tell(f"rm {root}")
		self._services: list[Service] = []
		try:
			shutil.copytree(template, root, symlinks=True)
			redis, redis_port = start_redis(root / "config", self._guard)
			self._services.append(redis)
			self.web_port = free_port()
			# There is no socket.io server: the Desk is told not to look for one, and asks for progress now and then.
			self.configure(webserver_port=self.web_port, disable_async=1, **redis_config(redis_port))
		except BaseException:
			self.close()
			raise

	def __enter__(self) -> "Run":
		return self

	def __exit__(self, *exception: object) -> None:
		self.close()

	@property
	def base_url(self) -> str:
		"""The web server's address."""
		return f"http://127.0.0.1:{self.web_port}"

	def add_desk(self) -> None:
		"""Give the site's pages their scripts and styles, building them first if need be.

		Raises:
			desk.NoDesk: where they cannot be built.
		"""
		desk.mount(desk.ensure(self.framework_path), self.sites / "assets")

	def start(self, name: str, command: list[str], **options: float) -> Service:
		"""Start any process of this bench, with its output in logs/<name>.log."""
		service = Service(
			name,
			command,
			self._guard,
			log=self.root / "logs" / f"{name}.log",
			cwd=self.sites,
			environment=self.environment(),
			**options,
		)
		self._services.append(service)
		return service

	def start_web(self, port: int | None = None) -> Service:
		"""Start the web server and wait until it answers."""
		if port:
			self.web_port = port
			self.configure(webserver_port=port)
		self.configure_site(host_name=self.base_url)
		service = self.start("web", python("embedded.process", "web", str(self.web_port)), grace=2)
		service.wait_for_http(f"{self.base_url}/api/method/ping")
		return service

	def start_worker(self) -> Service:
		"""Start a worker for all queues."""
		return self.start("worker", python("embedded.process", "worker"))

	def start_scheduler(self) -> Service:
		"""Start the process that queues due scheduled jobs."""
		return self.start("scheduler", python("embedded.process", "scheduler"), grace=2)

	def watch(self, process_id: int) -> None:
		"""Have the guard end this process, and whatever it starts, if this one dies first."""
		self._guard.tell(f"+{process_id}")

	def check(self) -> None:
		"""Raise RuntimeError, with the end of its log, if a process has ended."""
		for service in self._services:
			service.check()

	def stop(self, service: Service) -> None:
		"""Stop one process."""
		service.stop()
		self._services.remove(service)

	def close(self) -> None:
		"""Stop every process, last one first, and delete the folder."""
		for service in reversed(self._services):
			service.stop()
		self._services.clear()
		self._guard.dismiss()


def remove_dead_runs() -> None:
	"""Delete the folders of runs whose process and guard are both gone (after a power cut, say)."""
	for folder in RUNS.iterdir() if RUNS.is_dir() else ():
		with contextlib.suppress(ValueError, ProcessLookupError, PermissionError):
			os.kill(int(folder.name.split("-")[0]), 0)
			continue
		shutil.rmtree(folder, ignore_errors=True)


def put_on_path(bench: Bench) -> None:
	"""Make `import frappe` find the framework's copy in this process."""
	for path in reversed(bench.python_path):
		if path not in sys.path:
			sys.path.insert(0, path)
