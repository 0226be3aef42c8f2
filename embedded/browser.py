"""An installed Chromium, driven by Playwright's Python package, which is installed when it is first needed."""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
import sys
from pathlib import Path

from embedded.environment import Missing, pip_install, say
from embedded.paths import EMBEDDED, VENV
from embedded.state import lock

REQUIREMENTS = EMBEDDED / "requirements-browser.txt"
# As root, in a container with little shared memory, and without a graphics card: as anywhere else.
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars"]
NAMES = ("chromium", "chromium-browser", "google-chrome")


class NoBrowser(Exception):
	"""No browser can be driven on this machine; the message says why, and what to do."""


def ensure() -> str:
	"""Return the path of a Chromium, with Playwright importable.

	`CHROMIUM` in the environment names another one than that on PATH.

	Raises:
		NoBrowser: without Chromium, or without Playwright and a way to install it.
	"""
	executable = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
	if not executable or not Path(executable).exists():
		raise NoBrowser("There is no Chromium: apt install chromium, or name one in CHROMIUM")
	if not importlib.util.find_spec("playwright"):
		install()
	return executable


def install() -> None:
	"""Install Playwright in the environment of `./dev`; any other, such as a bench's, is left as it is."""
	if Path(sys.prefix).resolve() != VENV.resolve():
		raise NoBrowser(f"Playwright is not installed: pip install --requirement {REQUIREMENTS}")
	with lock("browser", waiting=say):
		say("Installing Playwright into .dev (once).")
		try:
			pip_install(REQUIREMENTS)
		except Missing as missing:
			raise NoBrowser(f"Playwright cannot be installed: {missing}") from None
	importlib.invalidate_caches()
