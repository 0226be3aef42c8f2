"""Results of tests that take hours or need a bench: kept in results.json by the sessions that run them.

docs/reliability.md is made from them and from the results of the session that writes the page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path

from tests.faults import worst_faults

FILE = Path(__file__).with_name("results.json")
_SEED = re.compile(r"test_a_schedule_of_faults\[(\d+)\]")
_TEST = re.compile(r"test_bench\.py::(test_\w+)(?:\[(.+)\])?")


def store_schedules(results: Mapping[str, str]) -> None:
	"""Add the seeds that passed and failed to those of earlier sessions."""
	new = {int(match[1]): result for node, result in results.items() if (match := _SEED.search(node))}
	if not new:
		return
	before = _read().get("schedules", {})
	passed = _seeds(before.get("passed", [])) - set(new)
	failed = set(before.get("failed", [])) - set(new)
	passed |= {seed for seed, result in new.items() if result == "passed"}
	failed |= {seed for seed, result in new.items() if result == "failed"}
	_write("schedules", {"passed": _ranges(passed), "failed": sorted(failed)})


def store_month(results: Mapping[str, str], figures: Mapping[str, object]) -> None:
	"""Store how the month ended, and its figures."""
	for node, result in results.items():
		if "test_a_month" in node:
			_write("month", {"result": result, **figures})


def store_bench(results: Mapping[str, str]) -> None:
	"""Add what ran on a bench to the results of earlier sessions, with the versions of this one."""
	from importlib import import_module

	from tests.faults.servers import servers_of_session

	names = (_title(node) for node in results)
	versions = {name: import_module(name).__version__ for name in ("frappe", "erpnext")}
	played = {name: result for name, result in zip(names, results.values(), strict=True) if name}
	before = _read().get("bench", {}).get("played", {})
	_write("bench", {"versions": {**versions, **servers_of_session().versions()}, "played": before | played})


def bench() -> Iterable[str]:
	"""Return the page's section about the bench."""
	found = _read().get("bench")
	if not found:
		return
	wanted = {*worst_faults.CELLS, *worst_faults.PROCESSES.values()}
	played = {
		name: result
		for name, result in found["played"].items()
		if name.partition(" (")[0] in wanted or name in wanted
	}
	processes = sorted(name for name in played if name not in worst_faults.CELLS)
	versions = found["versions"]
	yield "\n## The worst of them on a real bench\n\n"
	yield (
		f"Played on a bench with Frappe {versions['frappe']}, ERPNext {versions['erpnext']}, MariaDB {versions['MariaDB']} and"
		f" Redis {versions['Redis']}: {list(played.values()).count('passed')} passed,"
		f" {list(played.values()).count('failed')} failed. With real workers, servers and signals, on servers of the tests'"
		" own:\n\n"
	)
	yield "| fault | |\n| --- | --- |\n"
	for name in processes:
		yield f"| {name} | {_sign(played[name])} |\n"
	yield "\nAnd these cells of the tables above, in one process on MariaDB:\n\n"
	yield "| fault | stage | |\n| --- | --- | --- |\n"
	for name in sorted(set(played) - set(processes)):
		_group, fault, stage = name.split(" | ")
		yield f"| {fault} | {stage} | {_sign(played[name])} |\n"
	yield (
		"\n`FRAPPE_SITES_PATH=/path/to/bench/sites FRAPPE_SITE=name /path/to/bench/env/bin/python -m tests.faults.bench` plays"
		" them again: it copies the site's database onto a MariaDB and a Redis of its own, so that it can kill them; nothing"
		" happens to the bench. MariaDB's and Redis's programs must be in the PATH, the app must be installed on the site.\n"
	)


def schedules() -> Iterable[str]:
	"""Return the page's section about random schedules."""
	found = _read().get("schedules")
	if not found:
		return
	passed, failed = len(_seeds(found["passed"])), found["failed"]
	yield "\n## Random schedules\n\n"
	yield (
		"Each draws from its seed one to three runs, the first with three to eight faults, several of them at once, and ends"
		" with a run without any; what is stored then must be what it is without faults.\n\n"
	)
	yield f"{passed + len(failed):,} were played, {passed:,} passed"
	yield f"; these failed: {', '.join(map(str, failed))}.\n" if failed else ".\n"


def month() -> Iterable[str]:
	"""Return the page's section about the month."""
	found = _read().get("month")
	if not found:
		return
	yield "\n## A month of hourly runs\n\n"
	if "ended" not in found:
		yield f"The month has {found['result']}.\n"
		return
	ended, then, end = found["ended"], found["then"], found["end"]
	runs = ", ".join(f"{number:,} {status}" for status, number in sorted(ended.items(), reverse=True))
	rate, among = "faults on the way and an account that changes", ""
	if "calls" in found:  # older results have no number of calls
		rate = "an account that changes, and one of each hundred calls gone wrong"
		among = f" in {found['calls']:,} calls"
	yield (
		f"{found['days']} simulated days with a run every hour, {rate}:"
		f" {sum(ended.values()):,} runs ({runs}) met {found['faults']:,} faults{among}. The month has {found['result']}: at its end the"
		" site holds as many campaigns, figures and recipients as a fresh one reads at once, and nothing twice. Records of runs are cleared after a week.\n\n"
	)
	yield f"| | after {found['days'] // 3} days | after {found['days']} days |\n| --- | ---: | ---: |\n"
	for name in then:
		one, other = ((value[name] // 1024 if name == "memory" else value[name]) for value in (then, end))
		yield f"| {name}{', MiB at most' if name == 'memory' else ''} | {one:,} | {other:,} |\n"


def _title(node: str) -> str | None:
	"""Return the name of a result in the table, or None if it does not belong to the worst faults."""
	if node in worst_faults.CELLS:
		return node
	match = _TEST.search(node)
	if not match or match[1] not in worst_faults.PROCESSES:
		return None
	variant = f" ({', '.join(match[2].split('-'))})" if match[2] else ""
	return worst_faults.PROCESSES[match[1]] + variant


def _sign(result: str) -> str:
	return {"passed": "✓", "failed": "✗"}[result]


def _seeds(ranges: Iterable[list[int]]) -> set[int]:
	return {seed for first, last in ranges for seed in range(first, last + 1)}


def _ranges(seeds: Iterable[int]) -> list[list[int]]:
	found = []
	for _offset, members in groupby(enumerate(sorted(seeds)), lambda pair: pair[1] - pair[0]):
		run = [seed for _place, seed in members]
		found.append([run[0], run[-1]])
	return found


def _read() -> dict:
	return json.loads(FILE.read_text()) if FILE.exists() else {}


def _write(part: str, found: Mapping[str, object]) -> None:
	FILE.write_text(
		json.dumps(_read() | {part: found}, indent="\t", sort_keys=True, ensure_ascii=False) + "\n"
	)
