"""Build the scripts and styles of the Desk from the framework's sources, with Node: `.dev/desks/<digest>/`.

Without Node or its packages the site still works: its HTTP API is complete, but its pages have no scripts.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

from embedded.build_cache import build_folder, digest, keep_newest, lock
from embedded.paths import APP, DESKS, EMBEDDED, NODE, ROOT
from embedded.virtual_environment import say

FRONTEND = EMBEDDED / "frontend"
OLDEST_NODE = 18
TIME_LIMIT = 300  # seconds, for npm and for the build each
GET_NODE = "get it from https://nodejs.org, or with: apt install nodejs npm"


class NoDesk(Exception):
	"""The Desk cannot be built on this machine; the message says why, and what to do."""


def ensure(framework_path: Path) -> Path:
	"""Return the folder of the built Desk, building it if needed.

	Args:
		framework_path: the folder of the framework's app, as `bench.prepare` returns it.

	Raises:
		NoDesk: Node or its packages are missing, or the build failed.
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
	"""Return the files that pin npm's packages."""
	return FRONTEND / "package.json", FRONTEND / "package-lock.json"


def packages_folder() -> Path:
	"""Return the folder of npm's packages, which `ensure` installs."""
	return NODE / digest(*manifest()) / "node_modules"


def check_node() -> None:
	"""Raise NoDesk if Node or npm is missing or too old."""
	if not shutil.which("node") or not shutil.which("npm"):
		raise NoDesk(f"Node {OLDEST_NODE} or later with npm is not installed ({GET_NODE})")
	version = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()
	major = re.match(r"v(\d+)\.", version)
	if not major or int(major[1]) < OLDEST_NODE:
		raise NoDesk(f"Node is {version or 'broken'}; {OLDEST_NODE} or later is needed ({GET_NODE})")


def install(folder: Path) -> None:
	"""Install the pinned packages, without running their install scripts."""
	say("Installing the Desk's packages (once; about 20 seconds).")
	for path in manifest():
		shutil.copy(path, folder)
	options = ["--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund", "--loglevel=error"]
	run(["npm", "ci", *options], folder, "npm could not install the Desk's packages")


def build(folder: Path, framework_path: Path, packages: Path) -> None:
	"""Fill the folder behind /assets/frappe: the bundles, npm's packages, the framework's public files."""
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
	"""Run a command and wait for it.

	Raises:
		NoDesk: the command failed or took too long; the message has its first errors.
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
	"""Link the built Desk and the app's own public files into a bench's `sites/assets`."""
	for name, source in (("frappe", desk / "frappe"), (APP, ROOT / APP / "public")):
		link = assets / name
		link.unlink(missing_ok=True)
		link.symlink_to(source)
	for name in ("assets.json", "assets-rtl.json"):
		shutil.copy(desk / name, assets)


def is_mounted(assets: Path) -> bool:
	"""Return whether the site's pages have scripts; on a real bench, whether `bench build` has run."""
	listed = assets / "assets.json"
	return listed.is_file() and "desk.bundle.js" in json.loads(listed.read_text() or "{}")
