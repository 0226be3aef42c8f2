"""`python -m benchmarks --rows 10000 [--json FILE]`, on the site in FRAPPE_SITES_PATH and FRAPPE_SITE."""

import argparse
import json
import os
import platform
import statistics
import sys
from collections.abc import Iterator

import frappe

from benchmarks import baseline_row_by_row, consent, measurements, parallel_workers, testbed

MOST_DOCUMENT_ROWS = 10_000  # more take too long
DUE = 20  # campaigns in the run with few due campaigns


def main() -> int:
	"""Measure, print the figures, and write them to a file if --json names one."""
	parser = argparse.ArgumentParser(
		prog="./dev bench",
		description="Measure a sync of this app against syncs that write documents and a bare upsert, in one run.",
		epilog="./dev bench --histories N runs that many random histories instead, and compares the result of "
		"incremental runs with that of a first sync.",
	)
	parser.add_argument("--rows", type=int, default=10_000, help="recipient rows of the first sync")
	parser.add_argument(
		"--document-rows",
		type=int,
		help=f"rows of the baselines that write documents; default: --rows, at most {MOST_DOCUMENT_ROWS:,}",
	)
	parser.add_argument("--campaigns", type=int, help="campaigns of these rows; default: 2,000 rows each")
	parser.add_argument("--people", type=int, help="people in these rows; default: 60 for 100 rows")
	parser.add_argument(
		"--repeat",
		type=int,
		default=1,
		help="rounds of all measurements but --pace; their medians are written",
	)
	parser.add_argument(
		"--workers", type=int, default=1, help="also measure a first sync by this many processes"
	)
	parser.add_argument(
		"--pace",
		action="store_true",
		help="also measure four processes against the shortest time that a limit of calls allows",
	)
	parser.add_argument(
		"--events",
		type=int,
		help="measure consent instead: the backfill of so many opt-outs, and the gate beside them",
	)
	parser.add_argument("--json", metavar="FILE", help="write the figures to this file")
	parser.add_argument(
		"--machine",
		default=f"{os.cpu_count()} cores",
		help="a short description of the machine, for docs/benchmarks.md",
	)
	parser.add_argument(
		"--site",
		help="a site of the bench whose sites folder is FRAPPE_SITES_PATH; default: an embedded site",
	)
	options = parser.parse_args()
	path = os.path.abspath(options.json) if options.json else None
	sites_path = os.environ.get("FRAPPE_SITES_PATH") or os.getcwd()
	testbed.connect(sites_path, options.site or os.environ["FRAPPE_SITE"])
	figures: dict = {}
	for part in measured(options):
		figures |= part
		for name, value in part.items():
			text = f"{value:>14,.3f}" if isinstance(value, float) else f"{value!s:>14}"
			print(f"{name:45} {text}", flush=True)
		if path:
			with open(path, "w") as file:
				json.dump(figures, file, indent=1)
				file.write("\n")
	return 0


def measured(options: argparse.Namespace) -> Iterator[dict]:
	"""Yield the figures part by part, since a large measurement takes long."""
	yield {"machine": options.machine, "database": frappe.db.db_type, "python": platform.python_version()}
	if options.events:
		yield consent.measure(options.events)
		return
	# Each round measures all ways one after the other: the speed of a shared machine varies.
	rounds = [one_round(options) for _number in range(options.repeat)]
	figures = {name: middle([each[name] for each in rounds]) for name in rounds[0]}
	# The peak of a process only grows, so that only its first round shows extra memory.
	figures["extra_memory_mib"] = max(each["extra_memory_mib"] for each in rounds)
	yield figures | {"rounds": options.repeat} | _ratios("engine", figures)
	if "workers_rows_per_second" in figures:
		yield _ratios("workers", figures)
	if options.pace:
		yield parallel_workers.pace(windows="rolling")
		yield parallel_workers.pace(windows="fixed")


def _ratios(who: str, figures: dict) -> dict:
	"""Return the speed of `engine` (this app) or `workers` divided by that of each other way."""
	speed = figures[f"{who}_rows_per_second"]
	others = [other for other in ("row_by_row", "document", "bare_upsert", "engine") if other != who]
	return {f"{who}_to_{other}_ratio": speed / figures[f"{other}_rows_per_second"] for other in others}


def one_round(options: argparse.Namespace) -> dict:
	"""Measure each way of a first sync once, and the runs after it."""
	most = options.document_rows or min(options.rows, MOST_DOCUMENT_ROWS)
	rows, documents = baseline_row_by_row.sync(most), measurements.per_document(most)
	figures = {
		"row_by_row_rows": rows.rows,
		"row_by_row_rows_per_second": rows.rows_per_second,
		"row_by_row_statements_per_row": rows.statements / rows.rows,
		"document_rows": documents.rows,
		"document_rows_per_second": documents.rows_per_second,
		**first_sync(options.rows, options.campaigns, options.people),
	}
	if options.workers > 1:
		figures["workers"] = options.workers
		figures["workers_rows_per_second"] = parallel_workers.rows_per_second(
			options.rows, options.workers, options.campaigns, options.people
		)
	return figures


def middle(values: list) -> object:
	"""Return the lower median of numbers, or the last of several texts."""
	return values[-1] if isinstance(values[0], str) else statistics.median_low(values)


def first_sync(rows: int, campaigns: int | None = None, people: int | None = None) -> dict:
	"""Return the figures of a first sync and of the runs after it."""
	with measurements.fresh(rows, campaigns=campaigns, people=people) as zoho:
		before = measurements.memory_mib()
		first = measurements.sync()
		memory = measurements.memory_mib() - before
		unchanged = measurements.sync("Full")
		silent = measurements.sync("All")
		nothing = measurements.sync("Due")
		measurements.make_due(DUE)
		due = measurements.sync("Due")
		page_size = int(frappe.db.get_single_value("Zoho Settings", "page_size") or 1000)
		least = measurements.least_calls(zoho, page_size)
		listed = len(zoho.ask("expected")["campaigns"])
		bare = measurements.bare_upsert(page_size)
	return {
		"rows": rows,
		"campaigns": listed,
		"page_size": page_size,
		"first_sync_status": first.status,
		"contacts_created": first.contacts,
		"engine_rows_per_second": first.rows_per_second,
		"bare_upsert_rows_per_second": bare,
		"unchanged_rows_per_second": unchanged.rows_per_second,
		"calls": first.calls,
		"calls_to_least_possible_ratio": first.calls / least,
		"statements_per_100_new_rows": 100 * first.statements / max(1, first.rows),
		"statements_per_100_unchanged_rows": 100 * unchanged.statements / max(1, unchanged.rows),
		"longest_transaction_seconds": first.longest_transaction,
		"extra_memory_mib": memory,
		"run_without_news_seconds": silent.seconds,
		"run_without_news_calls": silent.calls,
		"run_with_nothing_due_seconds": nothing.seconds,
		"run_with_nothing_due_calls": nothing.calls,
		**(
			{f"run_with_{DUE}_due_seconds": due.seconds, f"run_with_{DUE}_due_calls": due.calls}
			if listed > DUE
			else {}
		),
		"run_without_news_to_first_sync_ratio": silent.seconds / first.seconds,
	}


if __name__ == "__main__":
	sys.exit(main())
