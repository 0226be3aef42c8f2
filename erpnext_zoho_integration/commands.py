"""`bench --site SITE zoho-sync`: the sync that the button starts, with a progress bar and an exit code.
`bench --site SITE zoho-consent`: compares the suppression list with the events.

bench imports this file before every command of every app. So it imports the rooms of the sync inside the functions that
need them: a `bench migrate` does not load them.
"""

import subprocess
import sys

import click

import frappe
from frappe.commands import pass_context

from erpnext_zoho_integration.store.doctypes import SYNC_RUN

# By status of the run; also in the command's help.
EXIT_CODES = {"Success": 0, "Failed": 1, "Partial": 2, "Cancelled": 3}
ALREADY_RUNNING = 4


@click.command("zoho-sync")
@click.option("--campaign", help="Name of one Campaign; by default all Campaigns.")
@click.option("--full", is_flag=True, help="Read every list again, even if Zoho's counters have not changed.")
@click.option("--workers", type=click.IntRange(1, 32), default=1, help="Processes that share the run.")
@click.option("--dry-run", is_flag=True, help="Write nothing; print what a sync would change and its calls.")
@pass_context
def zoho_sync(context, campaign: str | None, full: bool, workers: int, dry_run: bool) -> None:
	"""Sync Zoho Campaigns.

	Exit code: 0 everything synced, 1 failed, 2 partial (errors are listed), 3 cancelled, 4 a sync is already under way.
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
	from erpnext_zoho_integration.connection.error_messages import explain
	from erpnext_zoho_integration.sync.runs import queue
	from erpnext_zoho_integration.sync.runs import worker as run_worker
	from erpnext_zoho_integration.zoho import ZohoError

	try:
		queue.require_connection()
	except (ZohoError, frappe.ValidationError) as error:
		click.secho(explain(error) if isinstance(error, ZohoError) else str(error), fg="red", err=True)
		return EXIT_CODES["Failed"]
	run, created = queue.open_run("Command Line", campaign, "Full" if campaign else mode, workers)
	frappe.db.commit()  # nosemgrep - other processes must see the run
	if not created:
		click.secho(f"A sync is already under way: {run}", fg="yellow", err=True)
		return ALREADY_RUNNING
	others = [_start_worker(site, run) for _number in range(workers - 1)]
	with click.progressbar(length=1, label=run, show_pos=False, show_eta=True) as bar:
		status = run_worker.execute(run, progress=lambda numbers: _update_bar(bar, numbers))
		bar.update(max(0, bar.length - bar.pos))
	for other in others:
		other.wait()
	return _print_result(run, status)


def _update_bar(bar, numbers: dict) -> None:
	done = sum(
		numbers[n]
		for n in ("rows_inserted", "rows_updated", "rows_unchanged", "rows_skipped", "rows_duplicate")
	)
	bar.length = max(numbers["rows_expected"], done, 1)
	bar.update(max(0, done - bar.pos))


def _print_result(run: str, status: str) -> int:
	"""Print a run's message and errors; return the exit code."""
	document = frappe.get_doc(SYNC_RUN, run)
	click.secho(f"{status}: {document.message}", fg="green" if status == "Success" else "yellow")
	for error in document.errors:
		if error.severity == "Error":
			where = " / ".join(part for part in (error.campaign_name, error.stage, error.action_type) if part)
			click.echo(
				f"  {where}: {error.message}"
				+ (f" ({error.occurrences} times)" if error.occurrences > 1 else "")
			)
	return EXIT_CODES.get(status, EXIT_CODES["Failed"])


def _start_worker(site: str, run: str) -> subprocess.Popen:
	"""Start another process that works on the run, see `_work_on`."""
	command = [sys.executable, "-m", "erpnext_zoho_integration.commands", site, run]
	return subprocess.Popen(command)


def _work_on(run: str) -> None:
	"""Execute tasks of a run that another process has opened."""
	from erpnext_zoho_integration.sync.runs import worker as run_worker

	run_worker.execute(run)


def _dry_run(mode: str, campaign: str | None) -> int:
	from erpnext_zoho_integration.connection.error_messages import explain
	from erpnext_zoho_integration.sync.runs.dry_run import DryRun
	from erpnext_zoho_integration.zoho import ZohoError

	run, code = DryRun.for_site(mode, campaign), 0
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


@click.command("zoho-consent")
@click.option(
	"--verify", is_flag=True, help="Compare the suppression list with the events; name what differs."
)
@click.option("--rebuild", is_flag=True, help="Make the suppression list anew from the events.")
@pass_context
def zoho_consent(context, verify: bool, rebuild: bool) -> None:
	"""Check or rebuild the suppression list. Exit code: 0 equal, 2 something differs."""
	from erpnext_zoho_integration.consent import suppression_list

	code = 0
	for site in context.sites:
		frappe.init(site)
		frappe.connect()
		try:
			if rebuild:
				click.echo(f"{site}: {suppression_list.rebuild()} suppressed addresses")
			if verify or not rebuild:
				differences = list(suppression_list.differences())
				for difference in differences:
					click.secho(difference, fg="red")
				click.echo(f"{site}: {len(differences)} differences")
				code = 2 if differences else code
		finally:
			frappe.destroy()
	sys.exit(code)


commands = [zoho_sync, zoho_consent]

if __name__ == "__main__":
	site_name, run_name = sys.argv[1:3]
	frappe.init(site_name)
	frappe.connect()
	frappe.set_user("Administrator")
	_work_on(run_name)
