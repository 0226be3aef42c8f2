"""`./dev lint`: check style, types, imports, names, whitelisted functions and the Desk's scripts.

`--audit` also looks up known vulnerabilities of the pinned packages. A check whose tools cannot be installed is
skipped with a message; with CI set in the environment it fails.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from embedded.build_cache import digest, lock
from embedded.paths import APP, DEV, EMBEDDED, ROOT
from embedded.virtual_environment import say

ESLINT = "9.39.5"
_TOOLS = EMBEDDED / "requirements-lint.txt"
_AUDIT_TOOL = EMBEDDED / "requirements-audit.txt"
# The packages that are looked up. The app's own requirements are not pinned: the bench decides on their versions.
_AUDITED = EMBEDDED / "requirements.txt"


class Skipped(Exception):
	"""This machine cannot do a check; the message says why."""


def main(arguments: list[str]) -> int:
	"""Run the checks and return 1 if one of them failed, 2 if an option is unknown.

	Args:
		arguments: `--fix` repairs style and formatting; `--audit` adds the audit of packages; with paths, only the
			style of these files is checked.
	"""
	options = {argument for argument in arguments if argument.startswith("--")}
	if unknown := options - {"--fix", "--audit"}:
		print(f"./dev lint does not know {' '.join(sorted(unknown))}", file=sys.stderr)
		return 2
	paths = [argument for argument in arguments if argument not in options]
	checks = [(style, paths or [".", "dev"], "--fix" in options)]
	if not paths:
		checks += [(types,), (imports,), (names,), (whitelisted_functions,), (scripts,)]
	if "--audit" in options:
		checks += [(audit,)]
	return max([_run(*check) for check in checks])


def style(paths: list[str], fix: bool) -> bool:
	"""Style and formatting, with ruff."""
	checked = _python("-m", "ruff", "check", *(["--fix"] if fix else []), *paths)
	return _python("-m", "ruff", "format", *([] if fix else ["--check"]), *paths) and checked


def types() -> bool:
	"""Types, with mypy and the settings in [tool.mypy] of pyproject.toml."""
	_install_tools()
	return _python("-m", "mypy")


def imports() -> bool:
	"""Imports between packages, with import-linter and the contracts in [tool.importlinter] of pyproject.toml."""
	_install_tools()
	# The command line of import-linter has no `python -m`.
	run = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
	return _python("-c", run, "--no-logo", "--cache-dir", str(DEV / "import-linter"))


def names() -> bool:
	"""Names that a comprehension shares with its module."""
	return _pytest("tests/unit/test_comprehension_names.py")


def whitelisted_functions() -> bool:
	"""Types and permission checks of whitelisted functions."""
	return _pytest("tests/unit/test_whitelisted.py")


def scripts() -> bool:
	"""The Desk's scripts, with ESLint."""
	npm = shutil.which("npm")
	if not (npm and shutil.which("node")):
		raise Skipped("Node and npm are not installed")
	folder = DEV / f"eslint-{ESLINT}"
	eslint = folder / "node_modules" / ".bin" / "eslint"
	with lock("eslint", waiting=say):
		if not eslint.exists():
			say("Installing ESLint into .dev (once).")
			command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder), f"eslint@{ESLINT}"]
			done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
			if done.returncode:
				shutil.rmtree(folder, ignore_errors=True)
				raise Skipped(f"npm could not install ESLint: {_last_line(done.stderr)}")
	return subprocess.call([str(eslint), "--config", "eslint.config.mjs", APP], cwd=ROOT) == 0


def audit() -> bool:
	"""Known vulnerabilities of the pinned packages, as listed by PyPI."""
	folder = DEV / "audit"
	_install_audit_tool(folder)
	environment = {**os.environ, "PYTHONPATH": str(folder)}
	command = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off"]
	command += ["--disable-pip", "--no-deps"]
	done = subprocess.run(
		[*command, "--requirement", str(_AUDITED)], capture_output=True, text=True, env=environment
	)
	try:
		packages = json.loads(done.stdout)["dependencies"]
	except (ValueError, KeyError):
		raise Skipped(f"PyPI did not answer: {_last_line(done.stderr)}") from None
	known = [package for package in packages if "skip_reason" not in package]
	if not known:
		raise Skipped("the package index has no data on vulnerabilities")
	vulnerable = [package for package in known if package["vulns"]]
	for package in vulnerable:
		for vulnerability in package["vulns"]:
			versions = ", ".join(vulnerability["fix_versions"]) or "no version yet"
			print(f"{package['name']} {package['version']}: {vulnerability['id']}, fixed in {versions}")
	print(f"{len(known)} of {len(packages)} packages looked up, {len(vulnerable)} vulnerable.")
	return not vulnerable


def _run(check: Callable[..., bool], *arguments: object) -> int:
	try:
		return 0 if check(*arguments) else 1
	except Skipped as reason:
		required = bool(os.environ.get("CI"))
		print(f"{check.__name__} {'FAILED' if required else 'skipped'}: {reason}", file=sys.stderr)
		return int(required)


def _install_tools() -> None:
	stamp = DEV / f"lint-{sys.version_info.minor}.digest"
	wanted = digest(_TOOLS)
	with lock("environment", waiting=say):
		if not (stamp.exists() and stamp.read_text() == wanted):
			say("Installing mypy and import-linter into .dev (once).")
			_pip_install(_TOOLS)
			stamp.write_text(wanted)


def _install_audit_tool(folder: Path) -> None:
	stamp = folder / "requirements.digest"
	if stamp.exists() and stamp.read_text() == digest(_AUDIT_TOOL):
		return
	shutil.rmtree(folder, ignore_errors=True)
	say("Installing pip-audit into .dev (once).")
	_pip_install(_AUDIT_TOOL, "--target", str(folder))
	stamp.write_text(digest(_AUDIT_TOOL))


def _pip_install(requirements: Path, *options: str) -> None:
	command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
	done = subprocess.run(
		[*command, *options, "--requirement", str(requirements)],
		capture_output=True,
		text=True,
		stdin=subprocess.DEVNULL,
	)
	if done.returncode:
		raise Skipped(f"pip could not install {requirements.name}: {_last_line(done.stderr)}")


def _pytest(test: str) -> bool:
	return _python("-m", "pytest", "-q", "-p", "no:cacheprovider", test)


def _python(*arguments: str) -> bool:
	return subprocess.call([sys.executable, *arguments], cwd=ROOT) == 0


def _last_line(text: str) -> str:
	return (text.strip().splitlines() or ["no reason given"])[-1]
