"""What `./dev` runs inside the virtual environment: `python -m embedded <command> [arguments]`."""

import os
import subprocess
import sys

from embedded.paths import ROOT


def main(command: str, arguments: list[str]) -> int:
	"""Run one command and return its exit code."""
	os.chdir(ROOT)
	return {"test": test, "lint": lint}[command](arguments)


def test(arguments: list[str]) -> int:
	"""Run pytest with the arguments; all of tests/ without any."""
	return subprocess.call([sys.executable, "-m", "pytest", *arguments])


def lint(arguments: list[str]) -> int:
	"""Run ruff's checks and its formatter; `--fix` changes files, otherwise they only report."""
	fix = "--fix" in arguments
	paths = [argument for argument in arguments if argument != "--fix"] or [".", "dev"]
	ruff = [sys.executable, "-m", "ruff"]
	checked = subprocess.call([*ruff, "check", *(["--fix"] if fix else []), *paths])
	formatted = subprocess.call([*ruff, "format", *([] if fix else ["--check"]), *paths])
	return checked or formatted


if __name__ == "__main__":
	sys.exit(main(sys.argv[1], sys.argv[2:]))
