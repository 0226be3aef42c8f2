"""Installing twice; uninstalling and installing again, on a separate site: see the fixture `bench`.

The separate site is used by another process, `python -m tests.site.test_install`, which prints its results as the last
line.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable

APP = "erpnext_zoho_integration"
MODULE = "ERPNext Zoho Integration"


def run_in_another_process(bench) -> list[dict]:
	"""Use the app on a bench, uninstall it, install and use it again; return the state after each of the three steps."""
	done = subprocess.run(
		[sys.executable, "-m", "tests.site.test_install"],
		cwd=bench.sites,
		env=bench.environment(),
		capture_output=True,
		text=True,
	)
	assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
	return json.loads(done.stdout.splitlines()[-1])


def test_uninstalling_leaves_campaigns_and_contacts_and_nothing_of_ours(
	bench, start_simulator: Callable
) -> None:
	zoho = start_simulator(seed=1, campaigns=2, recipients=40)
	bench.configure(**zoho.site_config)
	before, after, again = run_in_another_process(bench)
	assert before["rows"] == zoho.expected()["rows"] and before["campaigns"] == 2 and before["contacts"]
	assert before["jobs"] == 1 and before["secrets"]

	assert after["apps"] == ["frappe", "erpnext"]
	# The token is revoked at Zoho, so that a copy of it is useless.
	assert zoho.stats()["calls"]["oauth/revoke"] == 1
	assert after["leftovers"] == {}
	assert after["jobs"] == 0
	assert before["index"] and not after["index"]
	assert (after["campaigns"], after["contacts"]) == (before["campaigns"], before["contacts"])
	assert after["columns"] == before["columns"]
	assert after["saved"]  # Campaigns and Contacts can be saved without the app

	assert again["fields"] == before["fields"] and again["schedule"] == before["schedule"]
	assert again["rows"] == zoho.expected()["rows"]
	# The columns had stayed, so the sync has found the same Campaigns and Contacts.
	assert (again["campaigns"], again["contacts"]) == (before["campaigns"], before["contacts"])


def test_installing_twice_changes_nothing(site) -> None:
	from frappe.modules.utils import sync_customizations

	from erpnext_zoho_integration.install import after_install

	after_install()
	first = state()
	after_install()
	sync_customizations(APP)  # as a migration does with custom/*.json
	assert state() == first


def state() -> dict:
	"""Return everything that installing changes."""
	import frappe

	settings = frappe.get_doc("Zoho Settings").as_dict(no_default_fields=True)
	settings.pop("intervals", None)
	return {
		"fields": declared_fields(),
		"schedule": scheduled(),
		"settings": json.loads(frappe.as_json(settings)),
		"intervals": [
			[row.until_age_days, row.every_hours] for row in frappe.get_doc("Zoho Settings").intervals
		],
		"doctypes": sorted(frappe.get_all("DocType", {"module": MODULE}, pluck="name")),
		"setters": frappe.db.count("Property Setter"),
	}


# In the other process


def connect() -> None:
	import frappe

	frappe.init(os.environ["FRAPPE_SITE"])
	frappe.connect()


def use() -> dict:
	"""Connect to Zoho, sync, and queue an hourly run; return the state of the site."""
	connect()
	import frappe

	from erpnext_zoho_integration.erpnext_zoho_integration.api.sync import sync_all_campaigns
	from tests.site.connecting import enter_client

	enter_client()
	token()
	answer = sync_all_campaigns(now=True)
	assert answer["success"], answer
	sync_all_campaigns()
	frappe.db.commit()
	return {
		**counts(),
		"rows": frappe.db.count("Campaign Recipient", {"rtbf": 0}),
		"secrets": frappe.db.count("__Auth", {"doctype": "Zoho Settings"}),
		"fields": declared_fields(),
		"schedule": scheduled(),
	}


def token() -> None:
	"""Authorize as a browser does: the simulator consents at once and sends the code along."""
	from urllib.parse import parse_qs, urlsplit

	import requests

	from erpnext_zoho_integration.connection import authorization

	consent = requests.get(authorization.begin(), allow_redirects=False, timeout=30)
	query = parse_qs(urlsplit(consent.headers["Location"]).query)
	authorization.exchange(query["code"][0], "in")


def counts() -> dict:
	import frappe

	return {
		"index": frappe.db.has_index("tabContact Email", "zoho_address"),
		"campaigns": frappe.db.count("Campaign"),
		"contacts": frappe.db.count("Contact"),
		"jobs": queued(),
		"columns": [
			frappe.db.has_column("Campaign", "zoho_campaign_key"),
			frappe.db.has_column("Contact", "zoho_status"),
		],
	}


def queued() -> int:
	from frappe.utils.background_jobs import get_queue

	jobs = get_queue("long").get_jobs()
	return sum(str(job.kwargs.get("method")).startswith(APP) for job in jobs)


def declared_fields() -> list:
	import frappe

	fields = frappe.get_all(
		"Custom Field", {"module": MODULE}, ["name", "fieldtype", "options", "insert_after", "idx"]
	)
	return sorted([list(field.values()) for field in fields], key=str)


def scheduled() -> list:
	import frappe

	jobs = frappe.get_all(
		"Scheduled Job Type", {"method": ("like", f"{APP}.%")}, ["method", "frequency", "stopped"]
	)
	return sorted(list(job.values()) for job in jobs)


def look() -> dict:
	"""Return the state of the site after uninstalling."""
	connect()
	import frappe

	campaign = frappe.get_last_doc("Campaign")
	campaign.description = "saved without the app"
	campaign.save()
	contact = frappe.get_last_doc("Contact")
	contact.save()
	frappe.delete_doc("Contact", contact.name)
	frappe.get_doc("Log Settings").save()
	frappe.db.rollback()
	return {**counts(), "apps": frappe.get_installed_apps(), "leftovers": leftovers(), "saved": True}


def leftovers() -> dict:
	"""Return the names of rows that still mention the app, by table."""
	import frappe

	from tests.site.tables import tables

	ours = (
		"erpnext_zoho_integration",
		"ERPNext Zoho",
		"Zoho Settings",
		"Zoho Sync",
		"Zoho Campaign",
		"Zoho Deleted",
	)
	ours += ("Campaign Recipient", "Campaign Analytics", "Campaign Performance", "ZSR-", "Your Campaigns")
	# Frappe's own logs may mention the app.
	history = {
		"tabDeleted Document",
		"tabPermission Log",
		"tabError Log",
		"tabScheduled Job Log",
		"tabVersion",
	}
	found = {}
	for table in tables():
		if table in history:
			continue
		for row in frappe.db.sql(f"select * from `{table}`", as_dict=True):
			text = " ".join(str(value) for value in row.values() if value)
			if any(word in text for word in ours):
				found.setdefault(table, []).append(row.get("name") or text[:200])
	left = [table for table in tables() if any(word in table for word in ours)]
	return {**found, **({"tables": left} if left else {})}


def use_uninstall_install_use() -> list[dict]:
	from embedded.service_entry import install, uninstall

	before = use()
	uninstall(APP)
	after = look()
	install(APP)
	return [before, after, use()]


if __name__ == "__main__":
	print(json.dumps(use_uninstall_install_use(), default=str))
