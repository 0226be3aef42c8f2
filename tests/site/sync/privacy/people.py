"""Ada, who is erased or anonymised in the tests of this folder, and Bob, who stays."""

from __future__ import annotations

import frappe

from tests.site.syncing import RECIPIENT, person

ADA, BOB = "ada@example.com", "bob@example.com"
# No table may contain any of this after Ada is erased. "ada" alone could be part of a digest.
TRACES_OF_ADA = ("ada@example", "Lovelace", "Analytical Engines", "1234567000000000001", "ada%40example")
FIGURES = ("action_type", "action_date", "sent_time", "country", "open_count", "click_count")


def ada(**more: object) -> dict:
	"""Return Ada's record in a list of Zoho, with every field that Zoho may fill."""
	link = "https://example.com/offer?utm_source=news&subscriber=ada%40example.com"
	clicks = [{"url": link, "clicked_time": "1790000500000"}]
	known = {
		"companyname": "Analytical Engines",
		"country": "United Kingdom",
		"city": "London",
		"urlclicks": [{"url": link, "count": 2}],
	}
	return person(ADA, 1, **{**known, "clickreports": clicks, **more})


def bob() -> dict:
	return person(BOB, 2, contactfn="Bob", contactln="Other")


def figures() -> list[tuple]:
	"""Return the figures of all recipients, which erasing and anonymising must not change."""
	rows = frappe.get_all(RECIPIENT, fields=list(FIGURES), order_by=", ".join(FIGURES))
	return [tuple(row.values()) for row in rows]
