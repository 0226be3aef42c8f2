"""Benches with one site: templates that are built once, and temporary benches that are copies of a template.

```
.dev/templates/base-<digest>/            a bench whose site has the framework and the stand-in for ERPNext
.dev/templates/app-<digest>/             the same with the app installed
.dev/runs/<process id>-<random>/         a temporary bench: sites/, logs/, config/; deleted when its command ends
```

A temporary bench has its own site and its own ports, so that any number of them can run side by side.
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

from embedded import desk_build, framework
from embedded.build_cache import build_folder, digest, keep_newest, lock
from embedded.paths import (
	ADMIN_PASSWORD,
	APP,
	EMBEDDED,
	FRAMEWORKS,
	ROOT,
	RUNS,
	SITE,
	STAND_IN,
	STAND_IN_SOURCE,
	TEMPLATES,
)
from embedded.reaper import Reaper
from embedded.services import Service, free_port, python, start_redis
from embedded.virtual_environment import say

# Folders of the app that its installation on a site does not read.
NOT_INSTALLED = ("public", "zoho", "locale")


class Bench:
	"""A bench's folder with one site.

	Args:
		root: the bench's folder.
		framework_path: the folder that holds the package `frappe`.
	"""

	def __init__(self, root: Path, framework_path: Path) -> None:
		self.root = root
		self.sites = root / "sites"
		self.site_path = self.sites / SITE
		self.framework_path = framework_path

	@property
	def python_path(self) -> list[str]:
		"""The folders of frappe, erpnext and the app for `sys.path`: the latter two are sources, so edits take effect."""
		return [str(self.framework_path), str(STAND_IN_SOURCE), str(ROOT)]

	def environment(self) -> dict[str, str]:
		"""Return the environment variables for a process of this bench."""
		return {
			**os.environ,
			"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
			"FRAPPE_BENCH_ROOT": str(self.root),
			"FRAPPE_SITE": SITE,
			"PYTHONPATH": os.pathsep.join(self.python_path),
			"PYTHONUNBUFFERED": "1",
		}

	def lay_out(self, apps: list[str]) -> None:
		"""Create the folders of a bench and write the list of its apps."""
		for name in ("sites/assets", "logs", "config", "apps"):
			(self.root / name).mkdir(parents=True, exist_ok=True)
		(self.sites / "assets" / "assets.json").write_text("{}")
		(self.sites / "apps.txt").write_text("".join(f"{app}\n" for app in apps))

	def configure(self, **values: object) -> None:
		"""Add values to sites/common_site_config.json."""
		path = self.sites / "common_site_config.json"
		config = json.loads(path.read_text()) if path.exists() else {}
		config |= {"default_site": SITE, "serve_default_site": True, **values}
		path.write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")

	def configure_site(self, **values: object) -> None:
		"""Add values to the site's site_config.json."""
		path = self.site_path / "site_config.json"
		path.write_text(json.dumps(json.loads(path.read_text()) | values, indent=1, sort_keys=True) + "\n")

	def run(self, *arguments: str) -> None:
		"""Run a command of embedded/service_entry.py and wait for it.

		Raises:
			RuntimeError: the command failed; the message has its output.
		"""
		done = subprocess.run(
			python("embedded.service_entry", *arguments),
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
	"""Return the framework's folder and the template with the app, building those that do not exist yet."""
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
	"""Return the files that decide how a site is made."""
	return [EMBEDDED / name for name in ("bench.py", "service_entry.py", "paths.py")]


def app_sources() -> list[Path]:
	"""Return the files of the app that decide what its installation leaves on a site."""
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
	"""Run Redis while a template is built."""
	reaper = Reaper()
	try:
		redis, port = start_redis(bench.root / "config", reaper)
		try:
			bench.configure(**redis_config(port))
			yield redis
		finally:
			redis.stop()
	finally:
		reaper.dismiss()


def redis_config(port: int) -> dict[str, str]:
	"""Return the configuration of one server for both: the cache in its database 0, the queue in 1."""
	return {"redis_cache": f"redis://127.0.0.1:{port}/0", "redis_queue": f"redis://127.0.0.1:{port}/1"}


def encryption_key() -> str:
	from cryptography.fernet import Fernet

	return Fernet.generate_key().decode()


class TemporaryBench(Bench):
	"""A copy of the template with Redis running, for one process.

	Use it as a context manager, or call `close()`. The reaper ends its processes and deletes its folder even if this
	process is killed.
	"""

	def __init__(self) -> None:
		framework_path, template = prepare()
		root = RUNS / f"{os.getpid()}-{secrets.token_hex(3)}"
		super().__init__(root, framework_path)
		self._reaper = Reaper()
		self._reaper.tell(f"rm {root}")
		self._services: list[Service] = []
		try:
			shutil.copytree(template, root, symlinks=True)
			redis, redis_port = start_redis(root / "config", self._reaper)
			self._services.append(redis)
			self.web_port = free_port()
			# There is no socket.io server. With disable_async the Desk does not look for one, and polls for progress.
			self.configure(webserver_port=self.web_port, disable_async=1, **redis_config(redis_port))
		except BaseException:
			self.close()
			raise

	def __enter__(self) -> "TemporaryBench":
		return self

	def __exit__(self, *exception: object) -> None:
		self.close()

	@property
	def base_url(self) -> str:
		"""The URL of the web server."""
		return f"http://127.0.0.1:{self.web_port}"

	def add_desk(self) -> None:
		"""Give the site's pages their scripts and styles, building them if needed.

		Raises:
			desk_build.NoDesk: they cannot be built.
		"""
		desk_build.mount(desk_build.ensure(self.framework_path), self.sites / "assets")

	def start(self, name: str, command: list[str], **options: float) -> Service:
		"""Start a process of this bench, with its output in logs/<name>.log."""
		service = Service(
			name,
			command,
			self._reaper,
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
		service = self.start("web", python("embedded.service_entry", "web", str(self.web_port)), grace=2)
		service.wait_for_http(f"{self.base_url}/api/method/ping")
		return service

	def start_worker(self) -> Service:
		"""Start a worker for all queues."""
		return self.start("worker", python("embedded.service_entry", "worker"))

	def start_scheduler(self) -> Service:
		"""Start the process that queues due scheduled jobs."""
		return self.start("scheduler", python("embedded.service_entry", "scheduler"), grace=2)

	def watch(self, process_id: int) -> None:
		"""Let the reaper end a process, with all that it starts, if this one dies first."""
		self._reaper.tell(f"+{process_id}")

	def check(self) -> None:
		"""Raise RuntimeError, with the end of the log, if a process has ended."""
		for service in self._services:
			service.check()

	def stop(self, service: Service) -> None:
		"""Stop one process."""
		service.stop()
		self._services.remove(service)

	def close(self) -> None:
		"""Stop all processes, the last one first, and delete the folder."""
		for service in reversed(self._services):
			service.stop()
		self._services.clear()
		self._reaper.dismiss()


def remove_dead_runs() -> None:
	"""Delete the folders of temporary benches whose process and reaper are both gone, as after a power cut."""
	for folder in RUNS.iterdir() if RUNS.is_dir() else ():
		with contextlib.suppress(ValueError, ProcessLookupError, PermissionError):
			os.kill(int(folder.name.split("-")[0]), 0)
			continue
		shutil.rmtree(folder, ignore_errors=True)


def put_on_path(bench: Bench) -> None:
	"""Make `import frappe` find the copy of the framework in this process."""
	for path in reversed(bench.python_path):
		if path not in sys.path:
			sys.path.insert(0, path)
