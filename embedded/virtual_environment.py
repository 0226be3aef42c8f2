"""Make the virtual environment in `.dev/` with the Python that started `./dev`: standard library only."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from embedded.build_cache import digest, lock
from embedded.paths import DEV, EMBEDDED, VENV, VENV_PYTHON

REQUIREMENTS = EMBEDDED / "requirements.txt"
OLDEST_PYTHON = (3, 10)
DISK_NEEDED = 1_000_000_000  # bytes: 300 MB of packages, the rest for the framework, sites and their copies


class Missing(Exception):
	"""This machine lacks something that is needed; the message says what, and how to get it."""


def ensure() -> Path:
	"""Return the path of the environment's Python, with the pinned packages installed.

	Raises:
		Missing: Python is too old, the disk is too full, or pip is missing or cannot install the packages.
	"""
	if sys.version_info < OLDEST_PYTHON:
		raise Missing(
			f"Python {'.'.join(map(str, OLDEST_PYTHON))} or later is needed; this is {sys.version.split()[0]}.\n"
			"Run ./dev with a newer one, for example: python3.12 ./dev test"
		)
	stamp = VENV / "requirements.digest"
	wanted = digest(REQUIREMENTS)
	if _is_current(stamp, wanted):
		return VENV_PYTHON
	with lock("environment", waiting=say):
		if not _is_current(stamp, wanted):
			_check_disk()
			if not _works(VENV_PYTHON):
				_create()
			say("Installing Python packages into .dev (once; about a minute).")
			pip_install(REQUIREMENTS)
			stamp.write_text(wanted)
	return VENV_PYTHON


def say(text: str) -> None:
	"""Print a progress message to stderr."""
	print(text, file=sys.stderr, flush=True)


def _is_current(stamp: Path, wanted: str) -> bool:
	return stamp.is_file() and stamp.read_text() == wanted and VENV_PYTHON.exists()


def _works(python: Path) -> bool:
	if not python.exists():
		return False
	return subprocess.run([str(python), "-m", "pip", "--version"], capture_output=True).returncode == 0


def _check_disk() -> None:
	free = shutil.disk_usage(DEV).free
	if free < DISK_NEEDED:
		raise Missing(
			f"{DEV} needs about {DISK_NEEDED // 1_000_000:,} MB of disk space; {free // 1_000_000:,} MB are free."
		)


def _create() -> None:
	"""Make the environment with venv, or with virtualenv if the system's Python has no ensurepip."""
	shutil.rmtree(VENV, ignore_errors=True)
	say(f"Creating a virtual environment in {VENV.relative_to(DEV.parent)}.")
	made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True)
	if made.returncode == 0 and _works(VENV_PYTHON):
		return
	shutil.rmtree(VENV, ignore_errors=True)
	tools = DEV / "tools"
	fetched = subprocess.run(
		[sys.executable, "-m", "pip", "install", "--quiet", "--target", str(tools), "virtualenv"],
		capture_output=True,
		text=True,
	)
	if fetched.returncode == 0:
		environment = {**os.environ, "PYTHONPATH": str(tools)}
		made = subprocess.run(
			[sys.executable, "-m", "virtualenv", "--quiet", str(VENV)],
			capture_output=True,
			text=True,
			env=environment,
		)
	if not _works(VENV_PYTHON):
		raise Missing(
			"A virtual environment could not be created:\n"
			f"{_last_lines(made.stderr or made.stdout)}\n"
			"Install Python's venv and pip (Debian and Ubuntu: apt install python3-venv python3-pip) and try again."
		)


def pip_install(requirements: Path) -> None:
	"""Install the packages of a requirements file into the environment.

	Raises:
		Missing: pip failed; the message has the end of its output.
	"""
	command = [
		str(VENV_PYTHON),
		"-m",
		"pip",
		"install",
		"--requirement",
		str(requirements),
		"--quiet",
		"--disable-pip-version-check",
		"--no-input",
	]
	done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
	if done.returncode:
		raise Missing(
			f"pip could not install the packages in {requirements.relative_to(DEV.parent)}:\n"
			f"{_last_lines(done.stderr)}\n"
			"A package index (PyPI or a mirror set in pip's configuration) must be reachable the first time."
		)


def _last_lines(text: str, count: int = 12) -> str:
	return "\n".join("  " + line for line in text.strip().splitlines()[-count:])
