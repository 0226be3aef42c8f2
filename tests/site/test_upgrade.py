"""`bench migrate` upgrades a site that used version 0.0.1; on a separate site, see the fixture `bench`.

Each step is a process, `python -m tests.site.test_upgrade STEP`, so that it imports one version of the app only; it
prints its results as the last line. ZOHO_EARLIER_ROWS sets the number of rows of the large site.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.site.earlier_version import APP, write_app

RECIPIENT = "Campaign Recipient"
LARGE = int(os.environ.get("ZOHO_EARLIER_ROWS", "3000"))
# (campaign, e-mail, action, further fields), with the duplicates that an app without a unique key stores.
ROWS = [
	(
		"Summer",
		"Ada@Example.com",
		"Opened",
		{"open_count": 2, "country": "UK", "action_date": "2026-03-02 10:00:00"},
	),
	(
		"Summer",
		"ada@example.com ",
		"Opened",
		{"open_count": 5, "city": "London", "action_date": "2026-03-03 10:00:00"},
	),
	("Summer", "ADA@EXAMPLE.COM", "Opened", {"full_name": "Ada Lovelace", "contact": "Ada"}),
	("Summer", "Ada@example.com", "Clicked", {"click_count": "3", "clicked_links": "https://example.com/"}),
	("Summer", "müller@example.com", "Opened", {}),
	("Summer", "muller@example.com", "Opened", {}),
	("Summer", "", "Opened", {"full_name": "Nobody"}),
	("Summer", "", "Opened", {"full_name": "Nobody else"}),
	("Summer", "bob@example.com", "Clicked", {"click_count": ""}),
	("Summer", "carl@example.com", "Clicked", {"click_count": "4.0"}),
	("Summer", "dora@example.com", "Clicked", {"click_count": "many"}),
	("Summer", "bob@example.com", "Hard Bounced", {}),
	("Summer", "Bob@example.com", "Sent", {}),
	("Winter", "ada@example.com", "Opened", {"open_count": 1}),
]


@pytest.fixture
def earlier_site(bench, tmp_path: Path):
	"""A bench with version 0.0.1 installed and used."""
	write_app(tmp_path)
	bench.run("uninstall-app", APP)
	environment = bench.environment()
	environment["PYTHONPATH"] = os.pathsep.join([str(tmp_path), environment["PYTHONPATH"]])
	step(bench, "install", environment=environment)
	return bench


def step(bench, *arguments: str, environment: dict | None = None) -> dict:
	done = subprocess.run(
		[sys.executable, "-m", "tests.site.test_upgrade", *arguments],
		cwd=bench.sites,
		env=environment or bench.environment(),
		capture_output=True,
		text=True,
	)
	assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
	return json.loads(done.stdout.splitlines()[-1])


def test_a_site_of_version_0_0_1_needs_only_the_migration(earlier_site, start_simulator: Callable) -> None:
	zoho = start_simulator(seed=1, campaigns=2, recipients=40, data_center="eu")
	earlier_site.configure(**zoho.site_config)
	earlier_site.run("migrate")
	seen = step(earlier_site, "look")
	rows = {(row["campaign"], row["email"], row["action_type"]): row for row in seen["rows"] if row["email"]}

	# Duplicates are merged in any spelling; similar addresses are not.
	assert len(rows) == len([row for row in seen["rows"] if row["email"]]) == 10
	assert {row["row_key"] is None for row in rows.values()} == {False}
	assert ("Summer", "müller@example.com", "Opened") in rows and (
		"Summer",
		"muller@example.com",
		"Opened",
	) in rows
	ada = rows["Summer", "ada@example.com", "Opened"]
	# No value of the merged rows is lost.
	assert (ada["open_count"], ada["country"], ada["city"]) == (5, "UK", "London")
	assert (ada["full_name"], ada["contact"], ada["action_date"]) == (
		"Ada Lovelace",
		"Ada",
		"2026-03-02 10:00:00",
	)
	# Rows without an address have no key, so they stay as they are.
	assert sorted(row["full_name"] for row in seen["rows"] if not row["email"]) == ["Nobody", "Nobody else"]
	counts = {email: row["click_count"] for (_c, email, action), row in rows.items() if action == "Clicked"}
	assert counts == {
		"ada@example.com": 3,
		"bob@example.com": 0,
		"carl@example.com": 4,
		"dora@example.com": 0,
	}
	assert rows["Summer", "bob@example.com", "Sent"]["bounced"] == 1

	settings = seen["settings"]
	assert (settings["data_center"], settings["connection_status"], settings["is_active"]) == (
		"eu",
		"Connected",
		1,
	)
	assert settings["client_id"] == "sim-client" and seen["secret"] == "sim-secret"
	assert settings["enable_schedule"] == settings["sync_sent"] == settings["sync_complaint"] == 1
	assert settings["create_contacts_for"] == "Everyone Who Acted" and seen["intervals"] == 5
	assert settings["full_check_days"] == 7
	assert seen["report"] == "Script Report" and seen["unique"] == ["row_key"]
	assert seen["campaigns"] == ["Summer", "Winter"] and seen["figures"] == 2

	# Migrating again changes nothing, and the first sync finds the existing rows.
	earlier_site.run("migrate")
	assert step(earlier_site, "look") == seen
	synced = step(earlier_site, "sync")
	assert synced["status"] == "Success" and synced["campaigns"] == ["Summer", "Winter"]
	assert synced["rows"] == zoho.expected()["rows"] + zoho.expected()["erased"] + len(seen["rows"])
	assert synced["kept"] == len(seen["rows"])


def test_a_large_site_of_version_0_0_1_keeps_one_row_for_each_address_and_action(earlier_site) -> None:
	stored = step(earlier_site, "fill-more", str(LARGE))["rows"]
	assert stored == len(ROWS) + LARGE
	wanted = {(row[1].strip().lower(), row[2]): 0 for row in map(many, range(LARGE))}
	for row in map(many, range(LARGE)):
		identity = (row[1].strip().lower(), row[2])
		wanted[identity] = max(wanted[identity], row[3]["open_count"])
	assert len(wanted) < LARGE
	earlier_site.run("migrate")
	assert step(earlier_site, "look-at-many") == sorted(
		[*identity, opens] for identity, opens in wanted.items()
	)


def test_an_interrupted_migration_can_be_continued(earlier_site) -> None:
	earlier_site.run("migrate")
	seen = step(earlier_site, "look")
	step(earlier_site, "forget-keys")
	earlier_site.run("migrate")
	assert step(earlier_site, "look") == seen


# In other processes


def connect() -> None:
	import frappe

	frappe.init(os.environ["FRAPPE_SITE"])
	frappe.connect()


def install() -> dict:
	"""Install the app that comes first in the path, which must be version 0.0.1, and fill its tables."""
	import erpnext_zoho_integration
	from embedded.service_entry import install as install_app

	assert erpnext_zoho_integration.__version__ == "0.0.1"
	install_app(APP)
	connect()
	import frappe

	frappe.db.delete(
		"Patch Log", {"patch": ("like", f"{APP}.%")}
	)  # as if no later version had been installed
	return fill()


def fill() -> dict:
	"""Store what version 0.0.1 would have stored."""
	import frappe

	settings = frappe.get_doc("Zoho Settings")
	settings.update(
		{"client_id": "sim-client", "client_secret": "sim-secret", "api_domain": "https://www.zohoapis.eu"}
	)
	settings.update({"access_token": "old", "refresh_token": "old", "is_active": 1, "code": "1000.old"})
	settings.save()
	frappe.get_doc({"doctype": "Contact", "first_name": "Ada", "zoho_contact_id": ""}).insert()
	for number, name in enumerate(("Summer", "Winter")):
		campaign = frappe.get_doc({"doctype": "Campaign", "campaign_name": name})
		campaign.update({"zoho_campaign_id": f"90{number}", "zoho_campaign_key": f"key-{number}"})
		campaign.append("campaign_analytics", {"metric": "Opens", "value": "3"})
		campaign.insert()
	return store(ROWS)


def store(stored: list[tuple]) -> dict:
	import frappe

	columns = sorted({field for row in stored for field in row[3]})
	values = []
	for number, (campaign, email, action, more) in enumerate(stored):
		name = f"{more.get('contact') or ''}-{email}-{number:02d}"
		moment = "2026-03-05 00:00:00"
		values.append(
			[name, moment, moment, campaign, email, action, *(more.get(field) for field in columns)]
		)
	quoted = ["name", "creation", "modified", "campaign", "email", "action_type", *columns]
	for start in range(0, len(values), 1000):
		insert(quoted, values[start : start + 1000])
	frappe.db.commit()
	return {"rows": frappe.db.count(RECIPIENT)}


def many(number: int) -> tuple:
	person = number if number % 10 else max(number - 9, 0)
	email = f"Person-{person}@example.com" if number % 2 else f"person-{person}@Example.com "
	return (
		"Summer",
		email,
		"Opened" if number % 3 else "Sent",
		{"open_count": number % 7, "country": "France"},
	)


def insert(columns: list[str], rows: list[list]) -> None:
	import frappe

	one = "(" + ", ".join(["%s"] * len(columns)) + ")"
	filled = [
		[
			0 if column == "open_count" and value is None else value
			for column, value in zip(columns, row, strict=True)
		]
		for row in rows
	]
	names = ", ".join(f"`{column}`" for column in columns)
	frappe.db.sql(
		f"insert into `tab{RECIPIENT}` ({names}) values {', '.join([one] * len(rows))}",
		tuple(value for row in filled for value in row),
	)


def look() -> dict:
	"""Return the state of the site after the migration."""
	connect()
	import frappe

	settings = frappe.get_doc("Zoho Settings")
	return {
		"rows": frappe.get_all(RECIPIENT, ["*"], order_by="name"),
		"settings": settings.as_dict(no_default_fields=True, no_child_table_fields=True),
		"intervals": len(settings.intervals),
		"secret": settings.get_password("client_secret"),
		"report": frappe.db.get_value("Report", "Campaign Performance", "report_type"),
		"unique": [field.fieldname for field in frappe.get_meta(RECIPIENT).fields if field.unique],
		"campaigns": frappe.get_all("Campaign", pluck="name", order_by="name"),
		"figures": frappe.db.count("Campaign Analytics"),
	}


def sync() -> dict:
	"""Connect to the simulator, give both campaigns of 0.0.1 keys that it has, and sync."""
	connect()
	import frappe

	from erpnext_zoho_integration.connection import authorization
	from erpnext_zoho_integration.erpnext_zoho_integration.api.sync import sync_all_campaigns
	from tests.site.test_install import token

	assert authorization
	token()
	client = frappe.get_attr("erpnext_zoho_integration.connection.clients.campaigns_client")()
	listed = [record for page in client.campaign_pages(status="sent") for record in page.items]
	for name, record in zip(("Summer", "Winter"), listed, strict=False):
		frappe.db.set_value(
			"Campaign", name, {"zoho_campaign_id": record.id, "zoho_campaign_key": record.key}
		)
	before = frappe.get_all(RECIPIENT, pluck="name")
	answer = sync_all_campaigns(now=True)
	return {
		"status": answer["status"],
		"rows": frappe.db.count(RECIPIENT),
		"kept": frappe.db.count(RECIPIENT, {"name": ("in", before)}),
		"campaigns": frappe.get_all(
			"Campaign", {"name": ("in", ("Summer", "Winter"))}, pluck="name", order_by="name"
		),
	}


def forget_keys() -> dict:
	"""Bring the site into the state of a migration that was interrupted between two campaigns."""
	connect()
	import frappe

	frappe.db.sql(f"update `tab{RECIPIENT}` set row_key = null where campaign = 'Summer'")
	frappe.db.delete("Patch Log", {"patch": ("like", f"{APP}.patches.%")})
	frappe.db.commit()
	return {}


def fill_more() -> dict:
	"""Store as many rows as the command line says; one in ten is a duplicate."""
	connect()
	return store([many(number) for number in range(int(sys.argv[2]))])


def look_at_many() -> list:
	"""Return address, action and opens of the rows that `fill_more` has stored."""
	connect()
	import frappe

	rows = frappe.get_all(
		RECIPIENT, {"email": ("like", "person-%")}, ["email", "action_type", "open_count", "row_key"]
	)
	assert len({row.row_key for row in rows} - {None}) == len(rows)
	return sorted([row.email, row.action_type, row.open_count] for row in rows)


STEPS = {
	"install": install,
	"look": look,
	"look-at-many": look_at_many,
	"sync": sync,
	"forget-keys": forget_keys,
	"fill-more": fill_more,
}

if __name__ == "__main__":
	print(json.dumps(STEPS[sys.argv[1]](), default=str))
