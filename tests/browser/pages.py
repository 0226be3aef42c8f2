"""What the browser's tests share: data to look at, ways to it, and what is asked of a page."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from urllib.parse import urlsplit

import pytest

import frappe

from embedded import desk_build
from tests.site.connecting import enter_client
from tests.site.desk.test_desk import figures, make_campaign, make_recipient

SETTINGS = ("Zoho Settings", "Zoho Settings")
IMPACTS = ("serious", "critical")
# Nothing has been asked for, frozen or announced as being loaded for 300 ms since this call began.
QUIET = """call => {
	const busy = window.frappe?.request?.ajax_count
		|| document.querySelector(".freeze-message-container, #freeze.in")
		|| [...document.querySelectorAll(".list-count")].some(
			count => count.checkVisibility() && count.innerText.trim().endsWith("...")
		);
	if (busy || window.settling?.call !== call) window.settling = { call, since: performance.now() };
	return performance.now() - window.settling.since > 300;
}"""
calls = count()


def spring_campaign() -> str:
	"""Make a campaign of four people with every kind of figure, and return its name."""
	campaign = make_campaign("Spring offer", **figures(Complaints=1, Emails_Sent=5, Delivered=4))
	for letter in "abcde":
		make_recipient(campaign.name, f"{letter}@x.test", "Sent")
	make_recipient(campaign.name, "a@x.test", "Opened", action_date="2026-03-02 08:00:00", country="Norway")
	make_recipient(campaign.name, "b@x.test", "Opened", action_date="2026-03-03 08:00:00", country="India")
	make_recipient(
		campaign.name,
		"a@x.test",
		"Clicked",
		action_date="2026-03-02 09:00:00",
		country="Norway",
		clicked_links="https://x.test/offer",
		url_clicks=frappe.as_json([{"url": "https://x.test/offer", "count": 3}]),
	)
	make_recipient(campaign.name, "e@x.test", "Hard Bounced")
	make_recipient(campaign.name, "b@x.test", "Unsubscribed")
	make_recipient(campaign.name, "c@x.test", "Complaint")
	frappe.db.commit()
	return campaign.name


def make_contact(email: str = "a@x.test", first_name: str = "Ann") -> str:
	"""Insert a Contact with this address and return its name."""
	contact = frappe.get_doc(
		{"doctype": "Contact", "first_name": first_name, "email_ids": [{"email_id": email, "is_primary": 1}]}
	)
	return contact.insert().name


def forget_connection(**values: object) -> None:
	"""Have a site that nobody has connected yet; `values` are fields of Zoho Settings."""
	enter_client(client_id="", client_secret="", **values)
	frappe.db.set_single_value("Zoho Settings", {"is_active": 0, "connection_status": "Not Connected"})
	frappe.db.commit()


def route(doctype: str, name: str = "") -> str:
	"""Return the path of a form, or of a list."""
	return urlsplit(frappe.utils.get_url_to_form(doctype, name)).path.rstrip("/")


def report(name: str) -> str:
	"""Return the path of a report."""
	return f"{route('Campaign').rpartition('/')[0]}/query-report/{name}"


def workspace() -> str:
	"""Return the path of our workspace."""
	return f"{route('Campaign').rpartition('/')[0]}/zoho-campaigns"


def settled(page) -> None:
	"""Wait until the page has asked for all it wants and has drawn it, however slow the machine is.

	The browser's own idle network is reached once per document, also when scripts are merely slow to ask for more.
	"""
	page.wait_for_load_state("networkidle")
	page.wait_for_function(QUIET, arg=next(calls), polling=50)


def expect_rows(page, number: int) -> None:
	"""Wait until the list that is shown has this many rows."""
	page.wait_for_function(
		"number => [...document.querySelectorAll('.list-row')].filter(row => row.checkVisibility()).length === number",
		arg=number,
	)


def expect_text(page, text: str | object) -> None:
	"""Wait until the text, or what matches the pattern, is visible somewhere."""
	page.get_by_text(text).locator("visible=true").first.wait_for()


def shown(page, text: str) -> bool:
	"""Tell whether the text is visible somewhere now."""
	return page.get_by_text(text).locator("visible=true").count() > 0


def visible_text(page) -> str:
	"""Return the text of the page's content, without the sidebar and the bar above."""
	return page.evaluate(
		"""() => [...document.querySelectorAll(".page-body, .modal-body")]
			.filter(element => element.checkVisibility()).map(element => element.innerText).join("\\n")"""
	)


def counting(clicks: list) -> Callable:
	"""Return a `click(locator)` that counts in `clicks`."""

	def click(locator) -> None:
		clicks.append(str(locator))
		locator.click()

	return click


def findings(page, within: str, without: str) -> list[str]:
	"""Return what axe-core calls serious or critical in the elements that a selector names, but for others in them."""
	script = desk_build.packages_folder() / "axe-core" / "axe.min.js"
	if not script.exists():
		pytest.skip("axe-core is not installed: run these tests with ./dev once")
	page.add_script_tag(path=str(script))
	violations = page.evaluate(
		"""async ([within, without]) => {
			const find = selector => [...document.querySelectorAll(selector)].filter(each => each.checkVisibility());
			const include = find(within);
			if (!include.length) throw new Error(`Nothing is shown of ${within}`);
			return (await axe.run({ include, exclude: find(without) }, { resultTypes: ["violations"] })).violations;
		}""",
		[within, without],
	)
	return [
		f"{found['id']}: {found['help']}: {node['html'][:200]}"
		for found in violations
		if found["impact"] in IMPACTS
		for node in found["nodes"]
	]


def overflow(page) -> list[str]:
	"""Return the elements of the page's content that reach beyond the window's sides and cannot be scrolled to.

	On a phone, version 15 keeps the sidebar there until it is called.
	"""
	return page.evaluate(
		"""() => [...document.querySelectorAll(".page-body *")].filter(element => {
			const { left, right, width } = element.getBoundingClientRect();
			if (!width || !element.checkVisibility() || (left >= -1 && right <= innerWidth + 1)) return false;
			if (element.closest(".overlay-sidebar")) return false;
			for (let parent = element.parentElement; parent; parent = parent.parentElement) {
				if (getComputedStyle(parent).overflowX !== "visible") return false;
			}
			return true;
		}).map(element => element.outerHTML.slice(0, 200))"""
	)
