"""What `./dev` runs inside the virtual environment: `python -m embedded <command> [arguments]`."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from embedded.environment import Missing
from embedded.paths import ADMIN_PASSWORD, ROOT

MOST_PROCESSES = 4  # for tests: each has a site of its own, some have Chromium


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
	"""Tell the story of a first sync, then serve."""
	from embedded.demo import main as tell

	return tell(arguments)


def test(arguments: list[str]) -> int:
	"""Run pytest with the arguments: all of tests/, in several processes, or what they select, in one."""
	processes = min((os.cpu_count() or 1) + 1, MOST_PROCESSES)  # each waits for servers a third of its time
	if all(argument.startswith("-") for argument in arguments):
		# Each process has a site, and keeps it from one folder of tests to the next.
		arguments = ["-n", str(processes), "--dist", "loadfile", "--no-loadscope-reorder", *arguments]
	return subprocess.call([sys.executable, "-m", "pytest", *arguments])


def faults(arguments: list[str]) -> int:
	"""Play every fault, random schedules of them and a month of hourly runs, and write docs/reliability.md."""
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
	"""Measure on a fresh embedded site or, with --site, on one of a bench; with --histories play random ones."""
	import argparse

	from embedded.bench import Run
	from embedded.services import python

	if arguments[:1] in (["-h"], ["--help"]):
		return subprocess.call(python("benchmarks", "--help"))
	parser = argparse.ArgumentParser(prog="./dev bench", add_help=False)  # help is that of the measurements
	parser.add_argument("--histories", type=int)
	parser.add_argument("--site")
	parser.add_argument("--json")
	options, others = parser.parse_known_args(arguments)
	if options.histories:
		os.environ["ZOHO_HISTORIES"] = str(options.histories)
		processes = ["-n", str(os.cpu_count() or 1), "--dist", "load"]
		return test(["tests/site/sync/runs/test_histories.py", *processes, *others])
	if options.json:
		others += ["--json", str(ROOT / options.json)]
	if options.site:
		return _bench_site(options.site, others)
	with Run() as run:
		run.configure_site(zoho_benchmark=1)
		return subprocess.call(python("benchmarks", *others), cwd=run.sites, env=run.environment())


def _bench_site(site: str, arguments: list[str]) -> int:
	"""Measure on a site of the bench that FRAPPE_SITES_PATH names, with that bench's Python."""
	sites = os.environ.get("FRAPPE_SITES_PATH", "")
	python = Path(sites).absolute().parent / "env" / "bin" / "python"
	if not sites or not python.exists():
		print(
			"FRAPPE_SITES_PATH must name the sites folder of a bench, beside env/bin/python.", file=sys.stderr
		)
		return 2
	return subprocess.call([str(python), "-m", "benchmarks", "--site", site, *arguments])


def pictures(arguments: list[str]) -> int:
	"""Remake docs/pictures, or those whose names contain one of the arguments."""
	from embedded.pictures import main as make

	return make(arguments)


def site(arguments: list[str]) -> int:
	"""Open a Python console connected to a fresh site, or run a command with a fresh site around it.

	The site has Redis, a web server and a worker; it is gone when the console or the command ends.
	"""
	from embedded.bench import Run
	from embedded.services import python

	command = arguments[1:] if arguments[:1] == ["--"] else arguments
	with Run() as run:
		run.start_web()
		run.start_worker()
		print(f"{run.base_url}  (Administrator, {ADMIN_PASSWORD})", file=sys.stderr)
		return subprocess.call(command or python("embedded.console"), cwd=run.sites, env=run.environment())


def lint(arguments: list[str]) -> int:
	"""Check style, types, open functions and scripts; see embedded/lint.py."""
	from embedded.lint import main as check

	return check(arguments)


if __name__ == "__main__":
	sys.exit(main(sys.argv[1], sys.argv[2:]))
