"""The framework's Desk, built from its sources with Node: `.dev/desks/<digest>/`.

Where Node or its packages cannot be had, the site works without: its HTTP API is complete, its pages have no scripts.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

from embedded.environment import say
from embedded.paths import APP, DESKS, EMBEDDED, NODE, ROOT
from embedded.state import build_folder, digest, keep_newest, lock

FRONTEND = EMBEDDED / "frontend"
OLDEST_NODE = 18
TIME_LIMIT = 300  # seconds for npm, and for the build
GET_NODE = "get it from https://nodejs.org, or with: apt install nodejs npm"


class NoDesk(Exception):
	"""The Desk cannot be built on this machine; the message says why, and what to do."""


def ensure(framework_path: Path) -> Path:
	"""Return the folder of the built Desk, building it if it is not there yet.

	Arguments:
		framework_path: the folder of the framework's app, as `bench.prepare` returns it.

	Raises:
		NoDesk: without Node, without its packages, or if the build fails.
	"""
	check_node()
	target = DESKS / digest(framework_path.parent.name, FRONTEND)
	with lock("desk", waiting=say):
		packages = build_folder(NODE / digest(*manifest()), install) / "node_modules"
		build_folder(target, lambda folder: build(folder, framework_path, packages))
		keep_newest(DESKS, 2, used=(target,))
		keep_newest(NODE, 2, used=(packages.parent,))
	return target


def manifest() -> tuple[Path, Path]:
	"""The files that say which packages are installed."""
	return FRONTEND / "package.json", FRONTEND / "package-lock.json"


def packages_folder() -> Path:
	"""Return the folder of npm's packages, which `ensure` has installed."""
	return NODE / digest(*manifest()) / "node_modules"


def check_node() -> None:
	"""Raise NoDesk unless Node and npm are there and not too old."""
	if not shutil.which("node") or not shutil.which("npm"):
		raise NoDesk(f"Node {OLDEST_NODE} or later with npm is not installed ({GET_NODE})")
	version = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()
	major = re.match(r"v(\d+)\.", version)
	if not major or int(major[1]) < OLDEST_NODE:
		raise NoDesk(f"Node is {version or 'broken'}; {OLDEST_NODE} or later is needed ({GET_NODE})")


def install(folder: Path) -> None:
	"""Install the pinned packages; no package runs a script of its own."""
	say("Installing the Desk's packages (once; about 20 seconds).")
	for path in manifest():
		shutil.copy(path, folder)
	options = ["--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund", "--loglevel=error"]
	run(["npm", "ci", *options], folder, "npm could not install the Desk's packages")


def build(folder: Path, framework_path: Path, packages: Path) -> None:
	"""Bundle the Desk, and lay out what /assets/frappe serves: bundles, packages and the framework's public files."""
	say("Building the Desk (once; about 15 seconds).")
	served = folder / "frappe"
	served.mkdir()
	command = ["node", str(FRONTEND / "build.mjs"), str(framework_path), str(packages), str(folder)]
	run(command, folder, "The Desk could not be built")
	(folder / "dist").rename(served / "dist")
	(served / "node_modules").symlink_to(packages)
	for path in (framework_path / "frappe" / "public").iterdir():
		(served / path.name).symlink_to(path)


def run(command: list[str], folder: Path, failure: str) -> None:
	"""Run a command to its end.

	Raises:
		NoDesk: if it fails or takes too long, with the end of what it printed.
	"""
	try:
		done = subprocess.run(
			command,
			cwd=folder,
			stdin=subprocess.DEVNULL,
			capture_output=True,
			text=True,
			timeout=TIME_LIMIT,
		)
	except subprocess.TimeoutExpired:
		raise NoDesk(f"{failure}: it took longer than {TIME_LIMIT} seconds") from None
	if done.returncode:
		lines = (done.stderr or done.stdout).strip().splitlines()
		telling = [line for line in lines if "error" in line.lower()] or lines
		raise NoDesk("\n  ".join([f"{failure}:", *telling[:6]]))


def mount(desk: Path, assets: Path) -> None:
	"""Have a bench's `sites/assets` serve the built Desk and the app's own public files, which stay live."""
	for name, source in (("frappe", desk / "frappe"), (APP, ROOT / APP / "public")):
		link = assets / name
		link.unlink(missing_ok=True)
		link.symlink_to(source)
	for name in ("assets.json", "assets-rtl.json"):
		shutil.copy(desk / name, assets)


def is_mounted(assets: Path) -> bool:
	"""Tell whether pages of this site have their scripts; a bench's have once `bench build` has run."""
	listed = assets / "assets.json"
	return listed.is_file() and "desk.bundle.js" in json.loads(listed.read_text() or "{}")
