"""Measure the speed of a sync against baselines that are measured in the same run: `./dev bench`.

__main__: the command line, and which figures are measured
measurements: a sync of this app, the same by documents, and a bare upsert; counts statements and transactions
baseline_row_by_row: a sync written in the simplest way, one document at a time
parallel_workers: a run that several processes share, also against a limit of calls
testbed: an emptied site that is connected to a simulated Zoho
docs_page: writes the figures in results/ into docs/benchmarks.md
"""
