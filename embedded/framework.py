"""Make `.dev/frameworks/<digest>/frappe/frappe`: the published package copied, renamed, completed and repaired.

It must be a copy. Under an import alias the other name leaks, and Frappe's removal of orphans has then deleted
files inside site-packages.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from embedded import repairs
from embedded.environment import Missing, say
from embedded.paths import DOWNLOADS, EMBEDDED, FRAMEWORKS
from embedded.state import build_folder, digest

PACKAGE = "monoframe"
RENAMES = ((b"monoframe", b"frappe"), (b"Monoframe", b"Frappe"), (b"MONOFRAME", b"FRAPPE"))
REQUIREMENT = EMBEDDED / "requirements-framework.txt"
RESTORED = EMBEDDED / "restored"


def ensure() -> Path:
	"""Return the folder of the framework's app, to go on the path; call it while holding a lock."""
	target = FRAMEWORKS / digest(REQUIREMENT, RESTORED, EMBEDDED / "repairs.py", Path(__file__))
	return build_folder(target, build) / "frappe"


def build(folder: Path) -> None:
	"""Unpack, rename, complete and repair the package into `folder/frappe/frappe`, an app's folder as in a bench."""
	say("Preparing the framework (once).")
	with zipfile.ZipFile(download(REQUIREMENT, PACKAGE)) as wheel:
		wheel.extractall(folder, [name for name in wheel.namelist() if name.startswith(f"{PACKAGE}/")])
	package = folder / "frappe"
	package = folder / "frappe" / "frappe"
	package.parent.mkdir()
	(folder / PACKAGE).rename(package)
	rename(package)
	shutil.copytree(RESTORED, package, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
	repairs.apply(package)


def download(requirement: Path, name: str) -> Path:
	"""Fetch one wheel that a requirements file pins; pip checks the hash where the file gives one.

	Raises:
		Missing: if no index has it for this machine.
	"""
	for wheel in sorted(DOWNLOADS.glob(f"{name}-*.whl")):
		if is_pinned(wheel, requirement.read_text()):
			return wheel
	DOWNLOADS.mkdir(parents=True, exist_ok=True)
	command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
	command += ["--disable-pip-version-check", "--no-input", "--dest", str(DOWNLOADS)]
	if "--hash" in requirement.read_text():
		command.append("--require-hashes")
	done = subprocess.run(
		[*command, "--requirement", str(requirement)],
		capture_output=True,
		text=True,
		stdin=subprocess.DEVNULL,
	)
	found = sorted(DOWNLOADS.glob(f"{name}-*.whl"))
	if done.returncode or not found:
		raise Missing(
			f"pip could not download what {requirement.name} names:\n{done.stderr.strip()}\n"
			"A package index (PyPI or a mirror set in pip's configuration) must be reachable the first time."
		)
	return found[-1]


def is_pinned(wheel: Path, requirement: str) -> bool:
	"""Tell whether a downloaded wheel is the one that a requirements file pins."""
	name, version = wheel.name.split("-")[:2]
	if f"{name}=={version}" not in requirement:
		return False
	return "--hash" not in requirement or hashlib.sha256(wheel.read_bytes()).hexdigest() in requirement


def rename(package: Path) -> None:
	"""Replace the package's name by frappe in every text file and in every path."""
	for folder, folders, names in os.walk(package, topdown=False):
		for name in names:
			path = Path(folder) / name
			content = path.read_bytes()
			if b"\0" not in content[:8192]:
				renamed = content
				for old, new in RENAMES:
					renamed = renamed.replace(old, new)
				if renamed != content:
					path.write_bytes(renamed)
		for name in (*names, *folders):
			if PACKAGE in name:
				(Path(folder) / name).rename(Path(folder) / name.replace(PACKAGE, "frappe"))
