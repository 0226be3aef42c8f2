"""A site and a Zoho to measure on: emptied before each measurement, connected, at zero latency, in its own process."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import frappe

# What a measurement fills; a site is emptied of all of it.
TABLES = (
	"Campaign Recipient",
	"Campaign Analytics",
	"Campaign",
	"Contact Email",
	"Contact Phone",
	"Contact",
	"Zoho Campaign State",
	"Zoho Deleted Campaign",
	"Zoho Erased Person",
	"Zoho Sync Task",
	"Zoho Sync Run Campaign",
	"Zoho Sync Run Error",
	"Zoho Sync Run",
)
ALLOWED = "zoho_benchmark"


class World:
	"""A site with a simulated Zoho of a certain size.

	Args:
		rows: recipient rows that a complete sync stores.
		campaigns: sent campaigns.
		people: persons behind the rows.
		knobs: further options of the simulator's command.
	"""

	def __init__(
		self, rows: int, campaigns: int | None = None, people: int | None = None, **knobs: object
	) -> None:
		self.rows = rows
		options = {
			"port": 0,
			"recipients": rows,
			"campaigns": campaigns or max(4, min(500, rows // 2000)),
			"people": people or round(rows * 0.6),
			"seed": 1,
			**knobs,
		}
		arguments = [
			part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", str(value))
		]
		command = [sys.executable, "-m", "zoho_simulator", *arguments]
		self._process = subprocess.Popen(
			command,
			stdin=subprocess.DEVNULL,
			stdout=subprocess.PIPE,
			text=True,
			cwd=Path(__file__).parents[1],
			env={**os.environ},
		)
		self.url = self._read_url()
		frappe.conf.update({"zoho_accounts_base_url": self.url, "zoho_campaigns_base_url": self.url})

	def __enter__(self) -> "World":
		empty()
		self.connect()
		return self

	def __exit__(self, *exception: object) -> None:
		self._process.terminate()
		self._process.wait(timeout=20)

	def connect(self) -> None:
		"""Connect the site as a Self Client does."""
		from erpnext_zoho_integration.connection import authorization

		settings = frappe.get_doc("Zoho Settings")
		settings.update(
			{
				"client_id": "sim-client",
				"client_secret": "sim-secret",
				"calls_per_window": 10_000_000,
				"create_contacts_for": "Everyone",  # as the original app does
			}
		)
		settings.save()
		frappe.db.commit()
		authorization.exchange(self.ask("code", {})["code"], "in")

	def ask(self, what: str, data: dict | None = None) -> dict:
		"""Ask one of the simulator's control endpoints."""
		body = None if data is None else json.dumps(data).encode()
		request = urllib.request.Request(
			f"{self.url}/_simulator/{what}", body, {"Content-Type": "application/json"}
		)
		with urllib.request.urlopen(request, timeout=120) as answer:
			return json.load(answer)

	def _read_url(self) -> str:
		deadline = time.monotonic() + 60
		for line in self._process.stdout:
			if "http://" in line:
				return "http://" + line.split("http://", 1)[1].split()[0]
			if time.monotonic() > deadline:
				break
		raise RuntimeError("the simulator did not start")


def connect(sites_path: str, site: str) -> None:
	"""Connect this process to a site that may be emptied.

	Raises:
		SystemExit: its site_config.json does not say so.
	"""
	os.chdir(sites_path)  # where Frappe looks for logs
	frappe.init(site, sites_path=sites_path)
	frappe.connect()
	frappe.set_user("Administrator")
	if not frappe.conf.get(ALLOWED):
		sys.exit(
			f"A benchmark deletes all Campaigns and Contacts of {site}. If that is what you want, set "
			f'"{ALLOWED}": 1 in its site_config.json.'
		)


def empty() -> None:
	"""Empty the site of everything that a measurement fills."""
	frappe.db.rollback()
	for doctype in TABLES:
		if frappe.db.db_type == "mariadb":
			frappe.db.sql_ddl(f"TRUNCATE TABLE `tab{doctype}`")
		else:
			frappe.db.delete(doctype)
	frappe.db.set_single_value("Zoho Settings", "method_locks", None)  # of another world
	frappe.db.commit()
	frappe.cache.delete_keys("zoho-")
