"""`bench --site SITE zoho-sync`: the same sync as the button's, with a progress bar and an honest exit code."""

import subprocess
import sys

import click

import frappe
from frappe.commands import pass_context

from erpnext_zoho_integration.store.doctypes import SYNC_RUN

# What the shell gets: see the command's help.
EXIT_CODES = {"Success": 0, "Failed": 1, "Partial": 2, "Cancelled": 3}
ALREADY_RUNNING = 4


@click.command("zoho-sync")
@click.option("--campaign", help="Name of one Campaign; by default all of them.")
@click.option("--full", is_flag=True, help="Read every list again, whatever Zoho's counters say.")
@click.option("--workers", type=click.IntRange(1, 32), default=1, help="Processes that share the run.")
@click.option("--dry-run", is_flag=True, help="Write nothing; print what would be done and what it costs.")
@pass_context
def zoho_sync(context, campaign: str | None, full: bool, workers: int, dry_run: bool) -> None:
	"""Sync Zoho Campaigns.

	Exit code: 0 all synced, 1 failed, 2 partly (the errors are listed), 3 cancelled, 4 a sync is already under way.
	"""
	code = 0
	for site in context.sites:
		frappe.init(site)
		frappe.connect()
		try:
			frappe.set_user("Administrator")
			mode = "Full" if full else "All"
			if dry_run:
				code = max(code, _dry_run(mode, campaign))
			else:
				code = max(code, _sync(site, mode, campaign, workers))
		finally:
			frappe.destroy()
	sys.exit(code)


def _sync(site: str, mode: str, campaign: str | None, workers: int) -> int:
	from erpnext_zoho_integration.connection.messages import explain
	from erpnext_zoho_integration.sync.runs import queue
	from erpnext_zoho_integration.sync.runs import worker as run_worker
	from erpnext_zoho_integration.zoho import ZohoError

	try:
		queue.require_connection()
	except (ZohoError, frappe.ValidationError) as error:
		click.secho(explain(error) if isinstance(error, ZohoError) else str(error), fg="red", err=True)
		return EXIT_CODES["Failed"]
	run, created = queue.open_run("Command Line", campaign, "Full" if campaign else mode, workers)
	frappe.db.commit()  # nosemgrep - the run, before other processes join it
	if not created:
		click.secho(f"A sync is already under way: {run}", fg="yellow", err=True)
		return ALREADY_RUNNING
	others = [_child(site, run) for _number in range(workers - 1)]
	with click.progressbar(length=1, label=run, show_pos=False, show_eta=True) as bar:
		status = run_worker.execute(run, progress=lambda numbers: _show(bar, numbers))
		bar.update(max(0, bar.length - bar.pos))
	for other in others:
		other.wait()
	return _report(SYNC_RUN, run, status)


def _show(bar, numbers: dict) -> None:
	done = sum(
		numbers[n]
		for n in ("rows_inserted", "rows_updated", "rows_unchanged", "rows_skipped", "rows_duplicate")
	)
	bar.length = max(numbers["rows_expected"], done, 1)
	bar.update(max(0, done - bar.pos))


def _report(doctype: str, run: str, status: str) -> int:
	document = frappe.get_doc(doctype, run)
	click.secho(f"{status}: {document.message}", fg="green" if status == "Success" else "yellow")
	for error in document.errors:
		if error.severity == "Error":
			where = " / ".join(part for part in (error.campaign_name, error.stage, error.action_type) if part)
			click.echo(
				f"  {where}: {error.message}"
				+ (f" ({error.occurrences} times)" if error.occurrences > 1 else "")
			)
	return EXIT_CODES.get(status, EXIT_CODES["Failed"])


def _child(site: str, run: str) -> subprocess.Popen:
	"""Start another process that takes tasks of the run."""
	command = [sys.executable, "-m", "erpnext_zoho_integration.commands", site, run]
	return subprocess.Popen(command)


def _join(run: str) -> None:
	from erpnext_zoho_integration.sync.runs import worker as run_worker

	run_worker.execute(run)


def _dry_run(mode: str, campaign: str | None) -> int:
	from erpnext_zoho_integration.connection.messages import explain
	from erpnext_zoho_integration.sync.runs.dry_run import DryRun
	from erpnext_zoho_integration.zoho import ZohoError

	run, code = DryRun(mode, campaign), 0
	try:
		for preview in run.previews():
			name = preview.campaign or f"{preview.campaign_name} (new)"
			click.echo(
				f"{name}: {preview.inserted} created, {preview.updated} updated, {preview.unchanged} unchanged,"
				f" {preview.skipped} skipped; {preview.contacts} new contacts, {preview.linked} linked;"
				f" {preview.calls} calls"
			)
			for reason, times in preview.reasons.items():
				click.echo(f"  {reason} ({times} times)")
			if preview.error:
				click.secho(f"  {preview.error}", fg="red")
				code = EXIT_CODES["Partial"]
	except (ZohoError, frappe.ValidationError) as error:
		click.secho(explain(error) if isinstance(error, ZohoError) else str(error), fg="red", err=True)
		return EXIT_CODES["Failed"]
	click.echo(f"{run.calls} calls to Zoho; nothing was written.")
	return code


commands = [zoho_sync]

if __name__ == "__main__":
	site_name, run_name = sys.argv[1:3]
	frappe.init(site_name)
	frappe.connect()
	frappe.set_user("Administrator")
	_join(run_name)
