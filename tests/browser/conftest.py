"""Chromium on the Desk of the site that tests/site uses.

Needed are Playwright's Python package, a Chromium (`CHROMIUM=/path` names another than the one on PATH), and a site
whose Desk has been built: a bench's, named by FRAPPE_SITES_PATH and FRAPPE_SITE. Otherwise these tests are skipped
and say which of it is missing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from tests.site.conftest import (  # noqa: F401 - fixtures
	clean_slate,
	make_user,
	passwords,
	singles,
	site,
	web,
	worker,
)

LOOPBACK = ("127.0.0.1", "localhost")
SIZES = {"desktop": (1400, 1000), "phone": (390, 844)}


@pytest.fixture(scope="session")
def chromium(site) -> Iterator:  # noqa: F811
	"""A running Chromium."""
	playwright = pytest.importorskip(
		"playwright.sync_api", reason="Playwright is not installed: pip install playwright"
	)
	executable = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
	if not executable:
		pytest.skip("There is no Chromium: apt install chromium, or name one in CHROMIUM")
	if not list((site.sites_path / "assets/frappe/dist/js").glob("desk.bundle.*.js")):
		pytest.skip(
			"This site's Desk has not been built: name a bench's site in FRAPPE_SITES_PATH, FRAPPE_SITE"
		)
	with playwright.sync_playwright() as driver:
		browser = driver.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
		yield browser
		browser.close()


@pytest.fixture
def desk(chromium, web) -> Iterator[Callable]:  # noqa: F811
	"""`desk(user, size="desktop")` returns a page of a logged-in user.

	What the page may not do fails the test: errors in the console, and requests that leave this machine.
	`page.faults` lists them; a test that provokes one removes it.
	"""
	contexts, pages = [], []

	def open_desk(user: str = "Administrator", size: str = "desktop"):
		session = web.session(user)
		width, height = SIZES[size]
		context = chromium.new_context(base_url=web.base_url, viewport={"width": width, "height": height})
		context.set_default_timeout(60_000)
		context.add_cookies(
			[{"name": c.name, "value": c.value, "url": web.base_url} for c in session.cookies if c.value]
		)
		page = context.new_page()
		page.faults = []
		page.on("pageerror", lambda error: page.faults.append(str(error)))
		page.on("console", lambda message: _note_console(page, message))
		page.on("request", lambda request: _note_request(page, request))
		contexts.append(context)
		pages.append(page)
		return page

	yield open_desk
	faults = [fault for page in pages for fault in page.faults]
	for context in contexts:
		context.close()
	assert not faults


def _note_console(page, message) -> None:
	# Without a socket.io server the Desk says so; it polls then.
	if message.type == "error" and "socket.io" not in f"{message.text} {message.location}":
		page.faults.append(message.text)


def _note_request(page, request) -> None:
	host = urlsplit(request.url).hostname
	if host and host not in LOOPBACK and not host.endswith(".localhost"):
		page.faults.append(f"request to {request.url}")
