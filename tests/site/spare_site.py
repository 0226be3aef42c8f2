"""A second site of a real bench, for tests that uninstall the app; it is restored after each of them.

`FRAPPE_SPARE_SITE` names it. Frappe, ERPNext and the app are installed on it, and it has never been connected.
`SpareSite` has the same methods as `embedded.bench.TemporaryBench`, which those tests use without a bench.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.site.server import ROOT, TestSite


class SpareSite:
	"""The site, for one test: a context manager.

	Args:
		site: the one that all other tests use, on the same bench.
		name: of the spare site.
	"""

	def __init__(self, site: TestSite, name: str) -> None:
		self.sites, self.name = site.sites_path, name
		self._config_file = self.sites / name / "site_config.json"
		self._dump = self._config_file.with_name("before-tests.sql")

	def __enter__(self) -> SpareSite:
		self._before = self._config_file.read_text()
		common = json.loads((self.sites / "common_site_config.json").read_text())
		config = common | json.loads(self._before)
		self._database = config["db_name"]
		self._server = [
			f"--host={config.get('db_host') or '127.0.0.1'}",
			f"--port={config.get('db_port') or 3306}",
			f"--user={self._database}",
		]
		self._password = config["db_password"]
		self._client("mariadb-dump", "--single-transaction", f"--result-file={self._dump}", self._database)
		# Keeps the bench's own workers and its scheduler away.
		self.configure(bench_id=f"tests-of-{self.name}", pause_scheduler=1, mute_emails=1)
		return self

	def __exit__(self, *exception: object) -> None:
		self._client(
			"mariadb",
			f"--execute=drop database `{self._database}`; "
			f"create database `{self._database}` character set utf8mb4 collate utf8mb4_unicode_ci",
		)
		with self._dump.open() as dump:
			self._client("mariadb", self._database, stdin=dump)
		self._dump.unlink()
		self._python("-m", "tests.site.spare_site")
		self._config_file.write_text(self._before)

	def environment(self) -> dict[str, str]:
		"""Return the environment variables for a process of this site."""
		return {**os.environ, "FRAPPE_SITE": self.name, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}

	def configure(self, **values: object) -> None:
		"""Add to the site's configuration."""
		config = json.loads(self._config_file.read_text()) | values
		self._config_file.write_text(json.dumps(config, indent=1, sort_keys=True))

	def run(self, *arguments: str) -> None:
		"""Run a process of embedded/service_entry.py to its end.

		Raises:
			RuntimeError: with what it printed, if it fails.
		"""
		self._python("-m", "embedded.service_entry", *arguments)

	def _python(self, *arguments: str) -> None:
		done = subprocess.run(
			[sys.executable, *arguments],
			cwd=self.sites,
			env=self.environment(),
			stdin=subprocess.DEVNULL,
			capture_output=True,
			text=True,
		)
		if done.returncode:
			raise RuntimeError(f"{' '.join(arguments)} failed:\n{done.stdout[-2000:]}\n{done.stderr}")

	def _client(self, program: str, *arguments: str, **options: object) -> None:
		environment = {**os.environ, "MYSQL_PWD": self._password}
		subprocess.run([program, *self._server, *arguments], env=environment, check=True, **options)


def forget() -> None:
	"""Delete the caches and queued jobs of the site `FRAPPE_SITE` from Redis."""
	import frappe
	from frappe.utils.background_jobs import get_queue, get_queues_timeout

	frappe.init(os.environ["FRAPPE_SITE"])
	frappe.connect()
	frappe.clear_cache()
	for name in get_queues_timeout():
		get_queue(name).empty()
	frappe.destroy()


if __name__ == "__main__":
	forget()
