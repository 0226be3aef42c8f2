"""Make docs/benchmarks.md of the figures in benchmarks/results: `python -m benchmarks.page`."""

import json
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "benchmarks.md"

HEAD = """# Benchmarks

What the engine costs, always against baselines that were measured in the same run, on the same machine, database and data:
absolute figures depend on the machine, ratios less. Made by `python -m benchmarks.page` from
[`benchmarks/results`](../benchmarks/results); measure anew with `./dev bench --rows 10000 --json FILE` on the embedded
site, or on a bench whose site may be emptied (`"zoho_benchmark": 1` in its site_config.json):

```bash
FRAPPE_SITES_PATH=~/frappe-bench/sites ./dev bench --site my.site --rows 100000 --json FILE
```

- **row by row**: what version 0.0.1's description tells, and what apps of this kind do: for each recipient find or create the
  Contact, save it, find or create the row, save it, commit (`benchmarks/row_by_row.py`). All pages, the engine's client and
  page size; gravatar.com is not asked. 24 SQL statements a row, 9 of them writes.
- **per document**: the engine itself with the writers it uses where a site listens to documents: pages are compared and matched
  set-wise, and every contact and recipient that is new or changed goes through the Document API. 10 statements a row. The app
  clears the list in which Frappe notes what is being saved, page by page: left alone it grows with every new document, and
  82,000 rows took 36 minutes (38 rows/s, no more than 20 at the end) in place of 14.
- Both are measured on at most 10,000 rows by default, since they take long, and compared as rows a second.
- The rows are spread over campaigns of 2,000 (`--campaigns` for another number): then most lists are some 180 rows long, and
  those of a campaign are written together; with larger campaigns pages are full, and statements per row fewer.
- **bare upsert**: the finished recipient rows written again into the emptied table by the same multi-row statement,
  with the same indexes; nothing fetched, parsed, matched, and no contact made. The most that is possible here.
- The simulated Zoho runs in a process of its own on the same machine, without latency.
- SQL statements are those that read or write: COMMIT and START TRANSACTION, which Frappe sends to MariaDB as statements,
  are counted for none of the ways. With them, a sync of short lists without news takes about 0.9 more for 100 rows.
- **the floor of a budget** (`--pace`): four processes, 50 ms away from a Zoho that enforces its limit, scaled in time to
  50 calls of a method in six seconds; the budget is 40, the same share of the limit as by default (400 of 500 in five
  minutes). The floor is when the last call may be made at the earliest.

The million rows (of 500 campaigns, which some 57,000 people were sent) were written to a MariaDB that was started with 4 GB
(`innodb_buffer_pool_size`) and 1 GB of log (`innodb_log_file_size`): their tables and indexes have 2 GB, and with less
memory their pages are read and written back all the time. Three processes share the two cores; the time is that from the
first row to the last, the settling of the run included. Measured six times in three hours, while the engine was worked on,
that was 9,814, 10,196, 10,853, 10,654, 11,052 and 10,470 rows/s. A large account is worth some memory of the database: with
MariaDB as it comes, 128 MB and 96 MB, it was 6,277 rows/s, with a longest transaction of 0.55 s. A server that was given
its memory while it ran, or has filled it with the pages of emptied tables, was up to a tenth slower.

The machine is a shared one, whose speed differs by a fifth from minute to minute and by more from day to day, and ratios
depend on the machine too: what Python does and what the database does are not faster by the same factor. The same code
did a million rows at 6,594 to 7,785 rows/s on a day on which Python was by a third slower. Elsewhere a row of the original
app, which has as many statements as `row by row`, took 8 to 10 ms and a bare upsert did 43,000 rows/s; here it is 12 to
13 ms and 20,000, on slower days 10 to 45 ms and 6,700 to 28,000.

"""

_PACE = "pace_{}_elapsed_to_floor_ratio"
ROWS = (
	("machine", "machine", "{}"),
	("rows of a first sync", "rows", "{:,.0f}"),
	("rounds, whose medians these are", "rounds", "{}"),
	("rows of the two baselines", "document_rows", "{:,.0f}"),
	("rows/s, row by row", "row_by_row_rows_per_second", "{:,.0f}"),
	("rows/s, per document", "document_rows_per_second", "{:,.0f}"),
	("rows/s, engine", "engine_rows_per_second", "{:,.0f}"),
	("rows/s, bare upsert", "bare_upsert_rows_per_second", "{:,.0f}"),
	("**engine against row by row**", "engine_to_row_by_row_ratio", "**{:.1f} ×**"),
	("engine against per document", "engine_to_document_ratio", "{:.1f} ×"),
	("**engine against bare upsert**", "engine_to_bare_upsert_ratio", "**{:.0%}**"),
	("calls against the fewest possible", "calls_to_least_possible_ratio", "{:.3f}"),
	("SQL statements per 100 new rows", "statements_per_100_new_rows", "{:.1f}"),
	("SQL statements per 100 unchanged rows", "statements_per_100_unchanged_rows", "{:.1f}"),
	("longest transaction, ms", "longest_transaction_seconds", "{:,.0f}"),
	("extra memory of the first sync, MiB", "extra_memory_mib", "{:.0f}"),
	("run without news, all counters checked, s", "run_without_news_seconds", "{:.2f}"),
	("… and its calls", "run_without_news_calls", "{}"),
	("run with nothing due, s", "run_with_nothing_due_seconds", "{:.2f}"),
	("run with 20 campaigns due, s", "run_with_20_due_seconds", "{:.2f}"),
	("… and its calls: list, reports, those of A/B tests", "run_with_20_due_calls", "{}"),
	("processes that share a first sync", "workers", "{}"),
	("rows/s, these together", "workers_rows_per_second", "{:,.0f}"),
	("**these against row by row**", "workers_to_row_by_row_ratio", "**{:.1f} ×**"),
	("these against per document", "workers_to_document_ratio", "{:.1f} ×"),
	("these against bare upsert", "workers_to_bare_upsert_ratio", "{:.0%}"),
	(
		"four processes against the floor of a budget, Zoho's window rolling",
		_PACE.format("rolling"),
		"{:.2f}",
	),
	("… Zoho's window fixed", _PACE.format("fixed"), "{:.2f}"),
	("… calls that Zoho refused", "pace_rolling_refused", "{}"),
)


def main() -> None:
	"""Write the page."""
	results = sorted(
		(json.loads(path.read_text()) for path in RESULTS.glob("*.json")),
		key=lambda figures: [figures[name] for name in ("database", "rows", "campaigns", "contacts_created")],
	)
	names = [
		f"{figures['database']}, {figures['rows']:,} rows, {figures['campaigns']} campaigns, "
		f"{figures['contacts_created']:,} contacts"
		for figures in results
	]
	lines = [
		f"| | {' | '.join(names)} |",
		f"|---|{'---:|' * len(results)}",
	]
	for label, key, form in ROWS:
		if any(key in figures for figures in results):
			cells = [form.format(_scaled(key, figures[key])) if key in figures else "" for figures in results]
			lines.append(f"| {label} | {' | '.join(cells)} |")
	PAGE.write_text(HEAD + "\n".join(lines) + "\n\n" + chart(names, results))


def chart(names: list[str], results: list[dict]) -> str:
	"""Return rows a second as a chart of text, the longest bar of each size being its bare upsert."""
	lines = ["```text", "rows a second, each size against its own bare upsert", ""]
	for name, figures in zip(names, results, strict=True):
		whole = figures["bare_upsert_rows_per_second"]
		lines.append(name)
		for label, key in (
			("row by row", "row_by_row_rows_per_second"),
			("per document", "document_rows_per_second"),
			("engine", "engine_rows_per_second"),
			(f"{figures.get('workers')} engines", "workers_rows_per_second"),
			("bare upsert", "bare_upsert_rows_per_second"),
		):
			if key not in figures:
				continue
			bar = "█" * max(1, round(60 * figures[key] / whole))
			lines.append(f"  {label:12} {bar} {figures[key]:,.0f}")
		lines.append("")
	return "\n".join([*lines[:-1], "```", ""])


def _scaled(key: str, value: float) -> float:
	return value * 1000 if key == "longest_transaction_seconds" else value


if __name__ == "__main__":
	main()
