"""What must be seen of a cell, whatever went wrong in it."""

from __future__ import annotations

import json
import re
from collections import Counter

import frappe

from tests.faults.drill import CLIENT_SECRET, TRACES, Drill
from tests.site.database_content import RUN, assert_same, pages_asked
from tests.site.syncing import RECIPIENT, duplicates, errors_of

TOKEN = re.compile(r"1000\.[0-9a-f]{32}\.[0-9a-f]{32}")
# What a person reads, or an administrator looks through.
READ = (
	*TRACES,
	RUN,
	"Zoho Sync Run Error",
	"Zoho Sync Run Campaign",
	"Zoho Campaign State",
	"Zoho Sync Task",
)

# The link to a Contact that came with another list; the mark that a later list brings; what a report says.
FOLLOWS = ("contact", "bounced", "zoho_opens_by_country")


class Oracle:
	"""Judges a run that met a fault, and the one after it.

	Args:
		drill: whose account and site.
		logged: what the program has logged since the cell began.
	"""

	def __init__(self, drill: Drill, logged: list[str]) -> None:
		self.drill, self.logged = drill, logged

	# -- what holds in every cell ----------------------------------------------------------------------------

	def nothing_wrong_is_stored(self) -> None:
		"""Whatever is stored by now is what a run without the fault stores, and nothing is there twice."""
		assert not duplicates()
		found, wanted = self.drill.content(), self.drill.wanted
		for kind in (RECIPIENT, "Campaign", "Campaign Analytics"):
			strange = Counter(_own(found[kind])) - Counter(_own(wanted[kind]))
			assert not strange, (kind, list(strange)[:3])

	def content_is_as_without_the_fault(self) -> None:
		assert_same(self.drill.wanted, self.drill.content())
		assert not duplicates()
		assert not frappe.db.exists(RUN, {"status": ("in", ("Queued", "Running", "Waiting"))})
		assert not frappe.db.count("Zoho Sync Task")

	def no_secret_is_told(self) -> None:
		"""Neither in records nor in logs, messages or addresses."""
		texts = [*self.logged, json.dumps(frappe.local.message_log, default=str)]
		for doctype in READ:
			if frappe.db.table_exists(doctype):
				texts += map(str, frappe.db.sql(f"select * from `tab{doctype}`"))
		texts += map(
			str, frappe.db.sql("select field, value from `tabSingles` where doctype='Zoho Settings'")
		)
		told = [text[:500] for text in texts if TOKEN.search(text) or CLIENT_SECRET in text]
		assert not told, told
		in_url = [each for each in self.drill.zoho.requests if each["secrets_in_url"]]
		# A browser carries the state to the consent page and back: the protocol puts it there.
		told = [
			each for each in in_url if (each["endpoint"], each["secrets_in_url"]) != ("oauth/auth", ["state"])
		]
		assert not told, told

	def little_is_fetched_again(self, allowed: int) -> None:
		"""No page of recipients is asked for more often than without the fault, but for `allowed` times in all."""
		again = Counter(pages_asked(self.drill.zoho)) - self.drill.pages
		assert sum(again.values()) <= allowed, (allowed, again)

	# -- how a run ends --------------------------------------------------------------------------------------

	def listed(self, run) -> set[tuple[str | None, str | None]]:
		"""Return what a run says is missing: (campaign key, action type), with None for all of it."""
		for error in errors_of(run):
			assert error.message and error.occurrences > 0
		return {(error.zoho_campaign_key or None, error.action_type or None) for error in errors_of(run)}

	def only_this_is_missing(self, affected: set[tuple[str | None, str | None]]) -> None:
		"""Nothing is missing but rows of the campaigns, or of their lists, that are affected."""
		self.nothing_wrong_is_stored()
		found, wanted = self.drill.content(), self.drill.wanted
		missing = Counter(_own(wanted[RECIPIENT])) - Counter(_own(found[RECIPIENT]))
		for text in missing:
			row = json.loads(text)
			key = row["campaign"]
			assert {(key, None), (key, row["action_type"])} & affected, row
		for key in self.drill.keys:
			if (key, None) not in affected:
				assert frappe.db.exists("Campaign", {"zoho_campaign_key": key})


def _own(rows: list[str]) -> list[str]:
	"""Return rows without what follows from other lists and answers, which may not be here yet."""
	found = []
	for text in rows:
		row = json.loads(text)
		found.append(json.dumps({key: row[key] for key in row if key not in FOLLOWS}, sort_keys=True))
	return found
