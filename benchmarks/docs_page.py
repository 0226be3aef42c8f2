"""Write the figures of benchmarks/results into docs/benchmarks.md: `python -m benchmarks.docs_page`.

The text around the figures is written by hand; two comments in the page mark where the figures begin and end.
"""

import json
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN = "<!-- Figures: python -m benchmarks.docs_page writes this part. -->\n"
END = "<!-- End of the figures. -->\n"

_PACE = "pace_{}_elapsed_to_floor_ratio"
ROWS = (
	("machine", "machine", "{}"),
	("rows of the first sync", "rows", "{:,.0f}"),
	("rounds; the figures are their medians", "rounds", "{}"),
	("rows of the first two baselines", "document_rows", "{:,.0f}"),
	("rows/s, row by row", "row_by_row_rows_per_second", "{:,.0f}"),
	("rows/s, per document", "document_rows_per_second", "{:,.0f}"),
	("rows/s, this app", "engine_rows_per_second", "{:,.0f}"),
	("rows/s, bare upsert", "bare_upsert_rows_per_second", "{:,.0f}"),
	("**this app against row by row**", "engine_to_row_by_row_ratio", "**{:.1f} ×**"),
	("this app against per document", "engine_to_document_ratio", "{:.1f} ×"),
	("**this app against bare upsert**", "engine_to_bare_upsert_ratio", "**{:.0%}**"),
	("calls against the smallest possible number", "calls_to_least_possible_ratio", "{:.3f}"),
	("SQL statements per 100 new rows", "statements_per_100_new_rows", "{:.1f}"),
	("SQL statements per 100 unchanged rows", "statements_per_100_unchanged_rows", "{:.1f}"),
	("longest transaction, ms", "longest_transaction_seconds", "{:,.0f}"),
	("extra memory of the first sync, MiB", "extra_memory_mib", "{:.0f}"),
	("run that finds no changes, all counters checked, s", "run_without_news_seconds", "{:.2f}"),
	("… its calls", "run_without_news_calls", "{}"),
	("run with no campaign due, s", "run_with_nothing_due_seconds", "{:.2f}"),
	("run with 20 campaigns due, s", "run_with_20_due_seconds", "{:.2f}"),
	("… its calls: list, reports, reports of A/B tests", "run_with_20_due_calls", "{}"),
	("processes that share the first sync", "workers", "{}"),
	("rows/s, together", "workers_rows_per_second", "{:,.0f}"),
	("**together against row by row**", "workers_to_row_by_row_ratio", "**{:.1f} ×**"),
	("together against per document", "workers_to_document_ratio", "{:.1f} ×"),
	("together against bare upsert", "workers_to_bare_upsert_ratio", "{:.0%}"),
	(
		"four processes against the shortest time that the limit allows, rolling windows",
		_PACE.format("rolling"),
		"{:.2f}",
	),
	("… fixed windows", _PACE.format("fixed"), "{:.2f}"),
	("… calls refused by Zoho", "pace_rolling_refused", "{}"),
)


def main() -> None:
	"""Replace the figures in the page."""
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
	page = PAGE.read_text()
	before, after = page[: page.index(BEGIN) + len(BEGIN)], page[page.index(END) :]
	PAGE.write_text(before + "\n" + "\n".join(lines) + "\n\n" + chart(names, results) + "\n" + after)


def chart(names: list[str], results: list[dict]) -> str:
	"""Return a text chart of rows a second; in each group the bare upsert has the longest bar."""
	lines = ["```text", "rows a second; in each group the bare upsert has the longest bar", ""]
	for name, figures in zip(names, results, strict=True):
		whole = figures["bare_upsert_rows_per_second"]
		lines.append(name)
		for label, key in (
			("row by row", "row_by_row_rows_per_second"),
			("per document", "document_rows_per_second"),
			("this app", "engine_rows_per_second"),
			(f"{figures.get('workers')} processes", "workers_rows_per_second"),
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
