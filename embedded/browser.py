"""Find an installed Chromium, and install Playwright, which drives it, the first time it is needed."""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
import sys
from pathlib import Path

from embedded.build_cache import lock
from embedded.paths import EMBEDDED, VENV
from embedded.virtual_environment import Missing, pip_install, say

REQUIREMENTS = EMBEDDED / "requirements-browser.txt"
# These let Chromium run as root, in a container with little shared memory, and without a graphics card.
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars"]
NAMES = ("chromium", "chromium-browser", "google-chrome")


class NoBrowser(Exception):
	"""This machine has no usable browser; the message says why, and what to do."""


def ensure() -> str:
	"""Return the path of Chromium, and make sure that Playwright can be imported.

	The environment variable `CHROMIUM` names another Chromium than the one on PATH.

	Raises:
		NoBrowser: Chromium is missing, or Playwright is missing and cannot be installed.
	"""
	executable = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
	if not executable or not Path(executable).exists():
		raise NoBrowser("Chromium is not installed: apt install chromium, or set CHROMIUM to its path")
	if not importlib.util.find_spec("playwright"):
		install()
	return executable


def install() -> None:
	"""Install Playwright, but only in the environment of `./dev`, never in a bench's."""
	if Path(sys.prefix).resolve() != VENV.resolve():
		raise NoBrowser(f"Playwright is not installed: pip install --requirement {REQUIREMENTS}")
	with lock("browser", waiting=say):
		say("Installing Playwright into .dev (once).")
		try:
			pip_install(REQUIREMENTS)
		except Missing as missing:
			raise NoBrowser(f"Playwright cannot be installed: {missing}") from None
	importlib.invalidate_caches()
