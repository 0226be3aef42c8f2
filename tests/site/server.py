"""The site that the tests use, and processes around it: the embedded one, or any bench's.

With `FRAPPE_SITES_PATH=/path/to/bench/sites FRAPPE_SITE=name` in the environment and the bench's own Python, tests
use that site as it is; the app must be installed on it. `FRAPPE_ADMIN_PASSWORD` is Administrator's, if it is not "admin".
Without these variables, tests use a fresh copy of the embedded site.

While tests use a bench's site, its jobs go to separate queues and its scheduler is paused, because the bench's workers
would take part in runs that a test executes step by step. A worker of the tests runs queued jobs when asked to.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import requests

from embedded.reaper import Reaper

ROOT = Path(__file__).resolve().parents[2]
CSRF_TOKEN = re.compile(r"frappe\.csrf_token\s*=\s*\"(\w+)\"")


class TestSite:
	"""A site on disk, and the processes that serve it and run its jobs."""

	__test__ = False

	def __init__(self, sites_path: Path, name: str) -> None:
		self.sites_path, self.name = sites_path, name
		self.admin_password = os.environ.get("FRAPPE_ADMIN_PASSWORD", "admin")
		self.port = free_port()
		self.passwords: dict[str, str] = {}  # of the users that tests have made
		self.processes: list[subprocess.Popen] = []
		self._web: subprocess.Popen | None = None
		self._reaper: Reaper | None = None

	def connect(self) -> None:
		"""Change to the sites folder and connect this process to the site as Administrator."""
		import frappe

		os.chdir(self.sites_path)
		frappe.init(self.name)
		frappe.connect()

	@property
	def config_file(self) -> Path:
		return self.sites_path / self.name / "site_config.json"

	@property
	def _kept_config(self) -> Path:
		return self.config_file.with_suffix(".before-tests")

	def config(self) -> dict:
		return json.loads(self.config_file.read_text())

	def borrow_config(self, changes: dict, defaults: dict) -> None:
		"""Change site_config.json until `return_config`; if the tests are killed, the next session restores it."""
		from frappe.utils.password import get_encryption_key

		get_encryption_key()  # creates the key, so that it outlives these tests
		if self._kept_config.exists():
			self._kept_config.replace(self.config_file)
		shutil.copy2(self.config_file, self._kept_config)
		self.write_config({**defaults, **self.config(), **changes, **self.own_queues()})

	def return_config(self) -> None:
		"""Restore site_config.json."""
		self._kept_config.replace(self.config_file)

	def own_queues(self) -> dict:
		"""Return the configuration that keeps the bench's workers and scheduler away from the site."""
		return {"bench_id": f"tests-of-{self.name}", "pause_scheduler": 1}

	def write_config(self, config: dict) -> None:
		"""Replace site_config.json; this process sees it at once, others with their next request or job."""
		import frappe

		unfinished = self.config_file.with_suffix(".unfinished")
		unfinished.write_text(json.dumps(config, indent=1, sort_keys=True))
		unfinished.replace(self.config_file)
		if not hasattr(frappe.local, "conf"):  # a test of another folder has ended the connection
			return
		frappe.local.conf.clear()
		frappe.local.conf.update(frappe.get_site_config(self.sites_path, self.sites_path / self.name))

	def spawn(self, *arguments: str, **options: object) -> subprocess.Popen:
		"""Start a process of embedded/service_entry.py for this site; `close` ends it."""
		environment = {
			**os.environ,
			"FRAPPE_SITE": self.name,
			"PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
		}
		process = subprocess.Popen(
			[sys.executable, "-m", "embedded.service_entry", *arguments],
			cwd=self.sites_path,
			env=environment,
			text=True,
			start_new_session=True,
			**options,
		)
		self.processes.append(process)
		self.watch(process.pid)
		return process

	def watch(self, process_id: int) -> None:
		"""End a process and its children if this process is killed first."""
		self._reaper = self._reaper or Reaper()
		self._reaper.tell(f"+{process_id}")

	def start_web(self) -> str:
		"""Start a new web server process for the site on 127.0.0.1, and return its address."""
		if self._web:
			self._web.terminate()
			self._web.wait(timeout=20)
		self._web = process = self.spawn("web", str(self.port), stdin=subprocess.DEVNULL)
		url = f"http://127.0.0.1:{self.port}"
		deadline = time.monotonic() + 60
		while time.monotonic() < deadline and process.poll() is None:
			try:
				if requests.get(f"{url}/api/method/ping", timeout=60).ok:
					return url
			except requests.ConnectionError:
				time.sleep(0.05)
		raise RuntimeError(f"The web server did not answer at {url}")

	def start_worker(self) -> subprocess.Popen:
		"""Start a worker that runs all queued jobs for each line on its standard input."""
		return self.spawn("worker-on-demand", stdin=subprocess.PIPE, stdout=subprocess.PIPE)

	def close(self) -> None:
		"""End every process."""
		for process in reversed(self.processes):
			if process.stdin:
				process.stdin.close()  # ends a worker on demand
			else:
				process.terminate()
			try:
				process.wait(timeout=10)
			except subprocess.TimeoutExpired:
				process.kill()
				process.wait()
		if self._reaper:
			self._reaper.dismiss()


class EmbeddedSite(TestSite):
	"""A temporary copy of the embedded site's template."""

	def __init__(self) -> None:
		from embedded.bench import TemporaryBench, put_on_path

		self.run = TemporaryBench()
		os.environ.update({key: self.run.environment()[key] for key in ("FRAPPE_BENCH_ROOT", "FRAPPE_SITE")})
		put_on_path(self.run)
		super().__init__(self.run.sites, self.run.site_path.name)

	def own_queues(self) -> dict:
		return {}  # no other workers

	def watch(self, process_id: int) -> None:
		self.run.watch(process_id)

	def close(self) -> None:
		super().close()
		self.run.close()


def free_port() -> int:
	import socket

	with socket.socket() as probe:
		probe.bind(("127.0.0.1", 0))
		return probe.getsockname()[1]


def choose() -> TestSite:
	"""Return the bench's site that the environment names, or a fresh embedded one."""
	sites_path, name = os.environ.get("FRAPPE_SITES_PATH"), os.environ.get("FRAPPE_SITE")
	if sites_path and name:
		return TestSite(Path(sites_path).resolve(), name)
	return EmbeddedSite()


class Session(requests.Session):
	"""A user's session with the site: takes paths instead of addresses, and sends the CSRF token with every request.

	Commits before each request, so that the server sees the changes of this process, and reads anew after it.
	"""

	def __init__(self, base_url: str) -> None:
		super().__init__()
		self.base_url = base_url
		self.csrf_token = ""

	def request(self, method: str, url: str, **options: object) -> requests.Response:
		options.setdefault("timeout", 120)
		headers = dict(options.pop("headers", None) or {})
		headers.setdefault("Accept", "application/json")
		if self.csrf_token:
			headers.setdefault("X-Frappe-CSRF-Token", self.csrf_token)
		settle()
		response = super().request(method, self._absolute(url), headers=headers, **options)
		settle()
		return response

	def _absolute(self, url: str) -> str:
		return url if url.startswith("http") else self.base_url + url

	def login(self, user: str, password: str) -> Session:
		"""Log in as a browser does, and take the token from the first page."""
		answer = self.post("/api/method/login", data={"usr": user, "pwd": password})
		assert answer.ok, f"{user} could not log in: {answer.status_code} {answer.text[:500]}"
		page = self.get("/app", headers={"Accept": "text/html"}).text
		token = CSRF_TOKEN.search(page)
		self.csrf_token = token[1] if token else ""
		return self

	def copy(self) -> Session:
		"""Return another browser window of the same session."""
		session = Session(self.base_url)
		session.cookies.update(self.cookies)
		session.csrf_token = self.csrf_token
		return session

	def call(self, method: str, http_method: str = "POST", /, **arguments: object) -> requests.Response:
		"""Call a whitelisted function as `frappe.call` does."""
		values = {
			key: value if isinstance(value, str) else json.dumps(value) for key, value in arguments.items()
		}
		where = "params" if http_method == "GET" else "data"
		return self.request(http_method, f"/api/method/{method}", **{where: values})


# Name of a user in tests → roles; None: not logged in.
ROLES: dict[str, tuple[str, ...] | None] = {
	"Guest": None,
	"nobody": (),
	"Sales User": ("Sales User",),
	"Sales Manager": ("Sales Manager",),
	"Sales Master Manager": ("Sales Master Manager",),
	"System Manager": ("System Manager",),
}


class Web:
	"""The site's web server."""

	def __init__(self, site: TestSite, base_url: str, passwords: dict[str, str]) -> None:
		self.site, self.base_url, self._passwords = site, base_url, passwords
		self._logged_in: dict[str, Session] = {}

	def session(self, user: str = "Guest", *, fresh: bool = False) -> Session:
		"""Return a session of a user of `make_user`, of Administrator, or of nobody.

		A user logs in once and is reused; `fresh` logs in anew, for tests that end the session.
		"""
		if user == "Guest":
			return Session(self.base_url)
		if fresh or user not in self._logged_in:
			password = self.site.admin_password if user == "Administrator" else self._passwords[user]
			session = Session(self.base_url).login(user, password)
			if fresh:
				return session
			self._logged_in[user] = session
		return self._logged_in[user].copy()


def settle() -> None:
	"""Commit, and drop cached values, so that this process sees what others have committed."""
	import frappe

	frappe.db.commit()
	frappe.db.rollback()
	frappe.db.value_cache.clear()
	frappe.local.cache = {}
	frappe.local.role_permissions = {}
	if hasattr(frappe.local, "request_cache"):
		frappe.local.request_cache.clear()
	for name in ("system_settings", "website_settings", "doc_events_hooks"):
		if hasattr(frappe.local, name):
			delattr(frappe.local, name)


class Worker:
	"""Runs the site's queued jobs."""

	def __init__(self, site: TestSite) -> None:
		self._site = site
		self._process: subprocess.Popen | None = None

	def run_jobs(self) -> list[str]:
		"""Run all queued jobs, and those that they queue, to their end.

		Return the tracebacks of those that failed.
		"""
		settle()
		failed_before = set(self._failed())
		self._process = self._process or self._site.start_worker()
		self._process.stdin.write("run\n")
		self._process.stdin.flush()
		if self._process.stdout.readline().strip() != "done":
			raise RuntimeError("The worker ended")
		settle()
		return [reason for job_id, reason in self._failed().items() if job_id not in failed_before]

	def discard_jobs(self) -> None:
		"""Delete the site's queued and failed jobs."""
		from rq.exceptions import NoSuchJobError

		for queue in self._queues():
			for job in queue.get_jobs():
				if self._is_ours(job.id):
					with suppress(NoSuchJobError):  # it ended meanwhile
						job.delete()
			for job_id in queue.failed_job_registry.get_job_ids():
				if self._is_ours(job_id):
					with suppress(NoSuchJobError):
						queue.failed_job_registry.remove(job_id, delete_job=True)

	@staticmethod
	def _queues() -> list:
		from frappe.utils.background_jobs import get_queue, get_queues_timeout

		return [get_queue(name) for name in get_queues_timeout()]

	def _is_ours(self, job_id: str) -> bool:
		return job_id.startswith(f"{self._site.name}||") or job_id.startswith(f"{self._site.name}::")

	def _failed(self) -> dict[str, str]:
		from rq.job import Job

		failed = {}
		for queue in self._queues():
			ids = [job_id for job_id in queue.failed_job_registry.get_job_ids() if self._is_ours(job_id)]
			for job in Job.fetch_many(ids, connection=queue.connection):
				result = job.latest_result() if job else None
				if result:
					failed[job.id] = result.exc_string or ""
		return failed
