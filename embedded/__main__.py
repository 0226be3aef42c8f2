"""The commands of `./dev`, run inside the virtual environment: `python -m embedded <command> [arguments]`."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from embedded.paths import ADMIN_PASSWORD, ROOT
from embedded.virtual_environment import Missing

MOST_PROCESSES = 4  # for tests: each has its own site, and some start Chromium


def main(command: str, arguments: list[str]) -> int:
	"""Run one command and return its exit code."""
	os.chdir(ROOT)
	signal.signal(signal.SIGTERM, lambda *_signal: sys.exit(143))
	try:
		commands = {
			"demo": demo,
			"test": test,
			"faults": faults,
			"bench": bench,
			"lint": lint,
			"pictures": pictures,
			"site": site,
		}
		return commands[command](arguments)
	except Missing as missing:
		print(f"./dev {command} cannot start.\n{missing}", file=sys.stderr)
		return 3
	except KeyboardInterrupt:
		return 130


def demo(arguments: list[str]) -> int:
	"""Connect a site to a simulated Zoho, run a first sync, then serve; see embedded/demo.py."""
	from embedded.demo import main as run

	return run(arguments)


def test(arguments: list[str]) -> int:
	"""Run pytest: the tests that the arguments select in one process, or else all of tests/ in several processes."""
	processes = min((os.cpu_count() or 1) + 1, MOST_PROCESSES)  # each waits for servers a third of the time
	if all(argument.startswith("-") for argument in arguments):
		# Each process has its own site for all its test files.
		arguments = ["-n", str(processes), "--dist", "loadfile", "--no-loadscope-reorder", *arguments]
	return subprocess.call([sys.executable, "-m", "pytest", *arguments])


def faults(arguments: list[str]) -> int:
	"""Run all faults, random schedules of faults and a month of hourly runs, and write docs/reliability.md."""
	import argparse

	parser = argparse.ArgumentParser(prog="./dev faults", description=faults.__doc__)
	parser.add_argument("--schedules", type=int, default=10_000, help="random schedules of faults")
	parser.add_argument("--days", type=int, default=30, help="simulated days of hourly runs")
	options, others = parser.parse_known_args(arguments)
	os.environ |= {
		"ZOHO_ALL_FAULTS": "1",
		"ZOHO_RELIABILITY": "1",
		"ZOHO_SCHEDULES": str(options.schedules),
		"ZOHO_SOAK_DAYS": str(options.days),
	}
	return test(["tests/faults", "-q", "-p", "no:logging", *others])


def bench(arguments: list[str]) -> int:
	"""Measure on a fresh embedded site or, with --site, on a bench's site; with --histories run random histories."""
	import argparse

	from embedded.bench import TemporaryBench
	from embedded.services import python

	if arguments[:1] in (["-h"], ["--help"]):
		return subprocess.call(python("benchmarks", "--help"))
	parser = argparse.ArgumentParser(
		prog="./dev bench", add_help=False
	)  # benchmarks/__main__.py has the help
	parser.add_argument("--histories", type=int)
	parser.add_argument("--consent-histories", type=int)
	parser.add_argument("--site")
	parser.add_argument("--json")
	options, others = parser.parse_known_args(arguments)
	processes = ["-n", str(os.cpu_count() or 1), "--dist", "load"]
	if options.histories:
		os.environ["ZOHO_HISTORIES"] = str(options.histories)
		return test(["tests/site/sync/runs/test_histories.py", *processes, *others])
	if options.consent_histories:
		os.environ["ZOHO_CONSENT_HISTORIES"] = str(options.consent_histories)
		return test(["tests/site/consent/test_histories.py", *processes, *others])
	if options.json:
		others += ["--json", str(ROOT / options.json)]
	if options.site:
		return _bench_site(options.site, others)
	with TemporaryBench() as temporary:
		temporary.configure_site(zoho_benchmark=1)
		return subprocess.call(
			python("benchmarks", *others), cwd=temporary.sites, env=temporary.environment()
		)


def _bench_site(site: str, arguments: list[str]) -> int:
	"""Measure on a site of the bench in FRAPPE_SITES_PATH, with that bench's Python."""
	sites = os.environ.get("FRAPPE_SITES_PATH", "")
	python = Path(sites).absolute().parent / "env" / "bin" / "python"
	if not sites or not python.exists():
		print(
			"FRAPPE_SITES_PATH must name the sites folder of a bench, beside env/bin/python.", file=sys.stderr
		)
		return 2
	return subprocess.call([str(python), "-m", "benchmarks", "--site", site, *arguments])


def pictures(arguments: list[str]) -> int:
	"""Take the pictures in docs/pictures, or those whose names contain one of the arguments."""
	from embedded.pictures import main as take

	return take(arguments)


def site(arguments: list[str]) -> int:
	"""Open a Python console on a fresh site, or run a command in the sites folder of a fresh site.

	The site has Redis, a web server and a worker. It is deleted when the console or the command ends.
	"""
	from embedded.bench import TemporaryBench
	from embedded.services import python

	command = arguments[1:] if arguments[:1] == ["--"] else arguments
	with TemporaryBench() as temporary:
		temporary.start_web()
		temporary.start_worker()
		print(f"{temporary.base_url}  (Administrator, {ADMIN_PASSWORD})", file=sys.stderr)
		return subprocess.call(
			command or python("embedded.console"), cwd=temporary.sites, env=temporary.environment()
		)


def lint(arguments: list[str]) -> int:
	"""Check style, types, imports, names, whitelisted functions and scripts; see embedded/lint.py."""
	from embedded.lint import main as check

	return check(arguments)


if __name__ == "__main__":
	sys.exit(main(sys.argv[1], sys.argv[2:]))
