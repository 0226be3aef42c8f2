"""Chromium on the Desk of the site that tests/site uses.

Needed are an installed Chromium and a site whose Desk is built: the embedded one, which needs Node for that, or a
bench's, named by FRAPPE_SITES_PATH and FRAPPE_SITE. Otherwise these tests are skipped and say what is missing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from embedded import browser
from embedded.desk_build import NoDesk, is_mounted
from tests.site.conftest import (  # noqa: F401 - fixtures
	clean_slate,
	make_user,
	passwords,
	run_jobs,
	simulator,
	singles,
	site,
	start_simulator,
	web,
	worker,
)

LOOPBACK = ("127.0.0.1", "localhost")
SIZES = {"desktop": (1400, 1000), "phone": (390, 844)}
# On a bench without a socket.io server the Desk says so; it polls then. What could not be loaded is an answer's fault.
# A chart of Frappe's that is drawn on a page just left has no width.
HARMLESS = re.compile(
	r"socket\.io|Failed to load resource|<rect> attribute width: A negative value is not valid"
)
# Frappe's reports draw a new chart without ending the one before, which is told when its place changes its width and
# removes what is no longer there.
HARMLESS_ERROR = re.compile(r"removeChild.*boundDrawFn", re.DOTALL)
FORMATS = {"date_format": "yyyy-mm-dd", "time_format": "HH:mm:ss", "number_format": "#,###.##"}
PATIENCE = 60_000  # milliseconds; a machine may be slow


@pytest.fixture(scope="session")
def chromium(site) -> Iterator:  # noqa: F811
	"""A running Chromium, and a site with its Desk."""
	try:
		executable = browser.ensure()
		give_desk(site)
	except (browser.NoBrowser, NoDesk) as reason:
		pytest.skip(str(reason))
	from playwright.sync_api import Error, sync_playwright

	with sync_playwright() as driver:
		try:
			running = driver.chromium.launch(executable_path=executable, args=browser.ARGUMENTS)
		except Error as error:
			pytest.skip(f"{executable} does not start: {error.message}")
		yield running
		running.close()


def give_desk(site) -> None:  # noqa: F811
	"""Build the embedded site's Desk; a bench's must be there."""
	import frappe

	if hasattr(site, "run"):
		site.run.add_desk()
		frappe.client_cache.delete_value("assets_json", shared=True)
	elif not is_mounted(site.sites_path / "assets"):
		raise NoDesk("This bench's Desk has not been built: bench build")


@pytest.fixture(scope="session")
def formats(site) -> Iterator[None]:  # noqa: F811
	"""Have the site write dates and numbers as one that nobody has set up; a bench's may be set up for any country."""
	import frappe

	before = {name: frappe.db.get_default(name) for name in FORMATS}
	set_formats(site, FORMATS)
	yield
	set_formats(site, before)


def set_formats(site, formats: dict) -> None:  # noqa: F811
	import frappe

	os.chdir(site.sites_path)  # clearing a cache reads a file there
	for name, value in formats.items():
		frappe.db.set_default(name, value)
	frappe.db.commit()


@pytest.fixture(scope="session")
def contexts(chromium, web, formats) -> Iterator[dict]:  # noqa: F811
	"""One browser profile for each user and size, so that scripts are loaded once."""
	opened: dict = {}
	yield opened
	for context in opened.values():
		context.close()


@pytest.fixture
def desk(chromium, contexts, web) -> Iterator[Callable]:  # noqa: F811
	"""`desk(user, size="desktop", dark=False)` returns a page of a logged-in user.

	What the page may not do fails the test: errors in the console, and requests that leave this machine.
	`page.faults` lists them; a test that provokes one removes it.
	"""
	pages = []

	def open_desk(user: str = "Administrator", size: str = "desktop", dark: bool = False):
		key = (user, size, dark)
		if key not in contexts:
			contexts[key] = open_context(chromium, web, *key)
		page = contexts[key].new_page()
		watch(page)
		pages.append(page)
		return page

	yield open_desk
	faults = [fault for page in pages for fault in page.faults]
	for page in pages:
		page.close()
	assert not faults


def open_context(chromium, web, user: str, size: str, dark: bool):  # noqa: F811
	"""Open a browser profile in which the user is logged in."""
	give_all_of_the_desk(user)
	width, height = SIZES[size]
	context = chromium.new_context(
		base_url=web.base_url,
		viewport={"width": width, "height": height},
		color_scheme="dark" if dark else "light",
		reduced_motion="reduce",
	)
	context.set_default_timeout(PATIENCE)
	context.add_cookies(
		[
			{"name": c.name, "value": c.value, "url": web.base_url}
			for c in web.session(user).cookies
			if c.value
		]
	)
	return context


def give_all_of_the_desk(user: str) -> None:
	"""Show timeline, sidebar and search to a user; version 16 has that per user, off for those made in bulk."""
	import frappe
	from frappe.core.doctype.user import user as users

	if shown := getattr(users, "desk_properties", ()):
		frappe.db.set_value("User", user, dict.fromkeys(shown, 1))
		frappe.db.commit()
		frappe.clear_cache(user=user)


def watch(page) -> None:
	"""Collect in `page.faults` what the page may not do."""
	page.faults = []
	page.on("pageerror", lambda error: note_error(page, error))
	page.on("console", lambda message: note_console(page, message))
	page.on("request", lambda request: note_request(page, request))
	page.on("response", lambda answer: note_answer(page, answer))


def note_error(page, error) -> None:
	if not HARMLESS_ERROR.search(error.stack or ""):
		page.faults.append(f"on {page.url}: {error.stack or error}")


def note_console(page, message) -> None:
	if message.type == "error" and not HARMLESS.search(message.text):
		page.faults.append(message.text)


def note_request(page, request) -> None:
	host = urlsplit(request.url).hostname
	if host and host not in LOOPBACK and not host.endswith(".localhost"):
		page.faults.append(f"request to {request.url}")


def note_answer(page, answer) -> None:
	if answer.status >= 400 and "socket.io" not in answer.url:
		page.faults.append(f"{answer.status} from {answer.url}")
