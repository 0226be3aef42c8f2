"""An emptied site that is connected to a simulated Zoho, which runs without latency in a process of its own."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import frappe

# The tables that a measurement fills; they are emptied before each one.
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
	"Zoho Consent Event",
	"Zoho Suppressed Address",
	"Zoho Sync Task",
	"Zoho Sync Run Campaign",
	"Zoho Sync Run Error",
	"Zoho Sync Run",
)
ALLOWED = "zoho_benchmark"


class Testbed:
	"""The site of this process with a simulated Zoho of a given size.

	Args:
		rows: recipient rows that a complete sync stores.
		campaigns: sent campaigns; by default one for 2,000 rows, from 4 to 500.
		people: people in the rows; by default 60 for 100 rows.
		more: further options of the simulator's command.
	"""

	def __init__(
		self, rows: int, campaigns: int | None = None, people: int | None = None, **more: object
	) -> None:
		self.rows = rows
		options = {
			"port": 0,
			"recipients": rows,
			"campaigns": campaigns or max(4, min(500, rows // 2000)),
			"people": people or round(rows * 0.6),
			"seed": 1,
			**more,
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

	def __enter__(self) -> "Testbed":
		empty()
		self.connect()
		return self

	def __exit__(self, *exception: object) -> None:
		self._process.terminate()
		self._process.wait(timeout=20)

	def connect(self) -> None:
		"""Connect the site with the code of a Self Client."""
		from erpnext_zoho_integration.connection import authorization

		settings = frappe.get_doc("Zoho Settings")
		settings.update(
			{
				"client_id": "sim-client",
				"client_secret": "sim-secret",
				"calls_per_window": 10_000_000,
				"create_contacts_for": "Everyone",  # like the original app
			}
		)
		settings.save()
		frappe.db.commit()
		authorization.exchange(self.ask("code", {})["code"], "in")

	def ask(self, what: str, data: dict | None = None) -> dict:
		"""Call a control endpoint of the simulator and return its answer."""
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
	"""Connect this process to a site.

	Raises:
		SystemExit: the site_config.json does not allow to empty the site.
	"""
	os.chdir(sites_path)  # Frappe looks for logs here
	frappe.init(site, sites_path=sites_path)
	frappe.connect()
	frappe.set_user("Administrator")
	if not frappe.conf.get(ALLOWED):
		sys.exit(
			f"A benchmark deletes all Campaigns and Contacts of {site}. If that is what you want, set "
			f'"{ALLOWED}": 1 in its site_config.json.'
		)


def empty() -> None:
	"""Empty the tables that a measurement fills."""
	frappe.db.rollback()
	for doctype in TABLES:
		if frappe.db.db_type == "mariadb":
			frappe.db.sql_ddl(f"TRUNCATE TABLE `tab{doctype}`")
		else:
			frappe.db.delete(doctype)
	frappe.db.set_single_value("Zoho Settings", "method_locks", None)  # may be locked by an earlier testbed
	frappe.db.commit()
	frappe.cache.delete_keys("zoho-")
