"""The test oracle of the fault matrix: what must hold in every cell, whatever went wrong."""

from __future__ import annotations

import json
import re
from collections import Counter

import frappe

from tests.faults.harness import CLIENT_SECRET, LOG_DOCTYPES, Harness
from tests.site.database_content import RUN, assert_same, pages_asked
from tests.site.syncing import RECIPIENT, duplicates, errors_of

TOKEN = re.compile(r"1000\.[0-9a-f]{32}\.[0-9a-f]{32}")
# Records that people read: none of them may hold a secret.
READABLE_DOCTYPES = (
	*LOG_DOCTYPES,
	RUN,
	"Zoho Sync Run Error",
	"Zoho Sync Run Campaign",
	"Zoho Campaign State",
	"Zoho Sync Task",
)

# Columns filled by other lists or by the report, which may not have been read yet.
FILLED_LATER = ("contact", "bounced", "zoho_opens_by_country")


class Oracle:
	"""Checks a run that met a fault, and the run after it.

	Args:
		harness: the account and the site.
		logged: log messages since the cell began; more are appended while it runs.
	"""

	def __init__(self, harness: Harness, logged: list[str]) -> None:
		self.harness, self.logged = harness, logged

	# -- checks for every cell ----------------------------------------------------------------------------

	def nothing_wrong_is_stored(self) -> None:
		"""Check that each row stored so far is one that a run without the fault stores, and that none is there twice."""
		assert not duplicates()
		found, wanted = self.harness.content(), self.harness.expected_content
		for kind in (RECIPIENT, "Campaign", "Campaign Analytics"):
			unexpected = Counter(_stripped(found[kind])) - Counter(_stripped(wanted[kind]))
			assert not unexpected, (kind, list(unexpected)[:3])

	def content_is_as_expected(self) -> None:
		"""Check that the database holds what it holds after a run without the fault, and that no run is under way."""
		assert_same(self.harness.expected_content, self.harness.content())
		assert not duplicates()
		assert not frappe.db.exists(RUN, {"status": ("in", ("Queued", "Running", "Waiting"))})
		assert not frappe.db.count("Zoho Sync Task")

	def no_secret_leaked(self) -> None:
		"""Check that no token and no secret is in a record, a log, a message or an address."""
		texts = [*self.logged, json.dumps(frappe.local.message_log, default=str)]
		for doctype in READABLE_DOCTYPES:
			if frappe.db.table_exists(doctype):
				texts += map(str, frappe.db.sql(f"select * from `tab{doctype}`"))
		texts += map(
			str, frappe.db.sql("select field, value from `tabSingles` where doctype='Zoho Settings'")
		)
		leaked = [text[:500] for text in texts if TOKEN.search(text) or CLIENT_SECRET in text]
		assert not leaked, leaked
		in_url = [each for each in self.harness.zoho.requests if each["secrets_in_url"]]
		# OAuth puts the state into the address of the consent page.
		leaked = [
			each for each in in_url if (each["endpoint"], each["secrets_in_url"]) != ("oauth/auth", ["state"])
		]
		assert not leaked, leaked

	def few_pages_are_fetched_again(self, allowed: int) -> None:
		"""Check that at most `allowed` more pages of recipients were asked for than without the fault."""
		again = Counter(pages_asked(self.harness.zoho)) - self.harness.expected_pages
		assert sum(again.values()) <= allowed, (allowed, again)

	# -- what a run reports --------------------------------------------------------------------------------------

	def reported_missing(self, run) -> set[tuple[str | None, str | None]]:
		"""Return what a run reports as missing: (campaign key, action type); None stands for all of them."""
		for error in errors_of(run):
			assert error.message and error.occurrences > 0
		return {(error.zoho_campaign_key or None, error.action_type or None) for error in errors_of(run)}

	def nothing_else_is_missing(self, affected: set[tuple[str | None, str | None]]) -> None:
		"""Check that only rows of the affected campaigns, or of their affected lists, are missing."""
		self.nothing_wrong_is_stored()
		found, wanted = self.harness.content(), self.harness.expected_content
		missing = Counter(_stripped(wanted[RECIPIENT])) - Counter(_stripped(found[RECIPIENT]))
		for text in missing:
			row = json.loads(text)
			key = row["campaign"]
			assert {(key, None), (key, row["action_type"])} & affected, row
		for key in self.harness.campaign_keys:
			if (key, None) not in affected:
				assert frappe.db.exists("Campaign", {"zoho_campaign_key": key})


def _stripped(rows: list[str]) -> list[str]:
	"""Return rows without the columns of `FILLED_LATER`."""
	found = []
	for text in rows:
		row = json.loads(text)
		found.append(json.dumps({key: row[key] for key in row if key not in FILLED_LATER}, sort_keys=True))
	return found
