"""`./dev lint`: style and formatting, types, functions that are open to the outside, the Desk's scripts.

`--audit` also asks for known weaknesses of the pinned packages. What this machine lacks is told and left out; in
continuous integration nothing may be left out.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from embedded.environment import say
from embedded.paths import DEV, EMBEDDED, ROOT
from embedded.state import digest, lock

APP = "erpnext_zoho_integration"
ESLINT = "9.39.5"
_TOOLS = EMBEDDED / "requirements-lint.txt"
_AUDIT = EMBEDDED / "requirements-audit.txt"
# What is asked for weaknesses. What the app itself needs is unpinned: there, the bench decides.
_AUDITED = EMBEDDED / "requirements.txt"


class LeftOut(Exception):
	"""A check that this machine cannot do; the message says why."""


def main(arguments: list[str]) -> int:
	"""Run the checks and return 1 if one of them found something.

	Args:
		arguments: `--fix` repairs style and formatting; `--audit` adds the audit of packages; paths restrict ruff to
			them, and leave out everything else.
	"""
	options = {argument for argument in arguments if argument.startswith("--")}
	if unknown := options - {"--fix", "--audit"}:
		print(f"./dev lint does not know {' '.join(sorted(unknown))}", file=sys.stderr)
		return 2
	paths = [argument for argument in arguments if argument not in options]
	checks = [(style, paths or [".", "dev"], "--fix" in options)]
	if not paths:
		checks += [(types,), (open_functions,), (scripts,)]
	if "--audit" in options:
		checks += [(audit,)]
	return max([_run(*check) for check in checks])


def style(paths: list[str], fix: bool) -> bool:
	"""Ruff's checks and its formatter."""
	checked = _python("ruff", "check", *(["--fix"] if fix else []), *paths)
	return _python("ruff", "format", *([] if fix else ["--check"]), *paths) and checked


def types() -> bool:
	"""Types in zoho/ and sync/, as [tool.mypy] of pyproject.toml has it."""
	_install_tools()
	return _python("mypy")


def open_functions() -> bool:
	"""Whitelisted functions are typed and ask for a permission."""
	return _python("pytest", "-q", "-p", "no:cacheprovider", "tests/unit/test_whitelisted.py")


def scripts() -> bool:
	"""ESLint, for the scripts of the Desk."""
	npm = shutil.which("npm")
	if not (npm and shutil.which("node")):
		raise LeftOut("Node and npm are not installed")
	folder = DEV / f"eslint-{ESLINT}"
	eslint = folder / "node_modules" / ".bin" / "eslint"
	with lock("eslint", waiting=say):
		if not eslint.exists():
			say("Installing ESLint into .dev (once).")
			command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder), f"eslint@{ESLINT}"]
			done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
			if done.returncode:
				shutil.rmtree(folder, ignore_errors=True)
				raise LeftOut(f"npm could not install ESLint: {_last_line(done.stderr)}")
	return subprocess.call([str(eslint), "--config", "eslint.config.mjs", APP], cwd=ROOT) == 0


def audit() -> bool:
	"""Known weaknesses of the pinned packages, as PyPI tells them."""
	folder = DEV / "audit"
	_install_audit(folder)
	environment = {**os.environ, "PYTHONPATH": str(folder)}
	command = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off"]
	command += ["--disable-pip", "--no-deps"]
	done = subprocess.run(
		[*command, "--requirement", str(_AUDITED)], capture_output=True, text=True, env=environment
	)
	try:
		packages = json.loads(done.stdout)["dependencies"]
	except (ValueError, KeyError):
		raise LeftOut(f"PyPI could not be asked: {_last_line(done.stderr)}") from None
	asked = [package for package in packages if "skip_reason" not in package]
	if not asked:
		raise LeftOut("the package index knows nothing of weaknesses")
	weak = [package for package in asked if package["vulns"]]
	for package in weak:
		for weakness in package["vulns"]:
			versions = ", ".join(weakness["fix_versions"]) or "no version yet"
			print(f"{package['name']} {package['version']}: {weakness['id']}, mended in {versions}")
	print(f"{len(asked)} of {len(packages)} packages looked up, {len(weak)} weak.")
	return not weak


def _run(check: Callable[..., bool], *arguments: object) -> int:
	try:
		return 0 if check(*arguments) else 1
	except LeftOut as reason:
		must = bool(os.environ.get("CI"))
		word = "FAILED" if must else "left out"
		print(f"{check.__doc__.splitlines()[0]} {word}: {reason}", file=sys.stderr)
		return int(must)


def _install_tools() -> None:
	stamp = DEV / f"lint-{sys.version_info.minor}.digest"
	wanted = digest(_TOOLS)
	with lock("environment", waiting=say):
		if not (stamp.exists() and stamp.read_text() == wanted):
			say("Installing what checks types into .dev (once).")
			_pip_install(_TOOLS)
			stamp.write_text(wanted)


def _install_audit(folder: Path) -> None:
	stamp = folder / "requirements.digest"
	if stamp.exists() and stamp.read_text() == digest(_AUDIT):
		return
	shutil.rmtree(folder, ignore_errors=True)
	say("Installing pip-audit into .dev (once).")
	_pip_install(_AUDIT, "--target", str(folder))
	stamp.write_text(digest(_AUDIT))


def _pip_install(requirements: Path, *options: str) -> None:
	command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
	done = subprocess.run(
		[*command, *options, "--requirement", str(requirements)],
		capture_output=True,
		text=True,
		stdin=subprocess.DEVNULL,
	)
	if done.returncode:
		raise LeftOut(f"pip could not install {requirements.name}: {_last_line(done.stderr)}")


def _python(module: str, *arguments: str) -> bool:
	return subprocess.call([sys.executable, "-m", module, *arguments], cwd=ROOT) == 0


def _last_line(text: str) -> str:
	return (text.strip().splitlines() or ["no reason given"])[-1]
