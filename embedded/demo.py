"""`./dev demo`: a site with everything around it, and the story of a first sync."""

from __future__ import annotations

import argparse
import socket
import time

from embedded import story
from embedded.bench import Run
from embedded.desk import NoDesk
from embedded.paths import ADMIN_PASSWORD
from embedded.services import HOST, free_port, python

CLIENT_ID, CLIENT_SECRET = "demo-client", "demo-secret"
PREFERRED_PORT = 8000
WORKSPACE = "/app/zoho-campaigns"


def arguments(given: list[str]) -> argparse.Namespace:
	"""Read the command line."""
	parser = argparse.ArgumentParser(
		prog="./dev demo",
		description="Connect an ERPNext-like site to a simulated Zoho Campaigns account through the real OAuth "
		"redirects, sync every campaign, print the report Campaign Performance, and compare what is stored with "
		"what the simulated Zoho holds. Then keep serving, with the Desk where Node is installed, until Ctrl-C.",
	)
	parser.add_argument("--once", action="store_true", help="end after the story instead of serving")
	parser.add_argument("--campaigns", type=int, default=12, metavar="N", help="sent campaigns (default: 12)")
	parser.add_argument(
		"--recipients",
		type=int,
		default=12_345,
		metavar="M",
		help="rows that a complete sync stores, over all campaigns and actions (default: 12345)",
	)
	parser.add_argument(
		"--seed", type=int, default=1, metavar="S", help="another seed, other data (default: 1)"
	)
	parser.add_argument(
		"--port",
		type=int,
		metavar="P",
		help=f"the site's port (default: {PREFERRED_PORT}, or any if that is taken)",
	)
	options = parser.parse_args(given)
	if options.campaigns < 1 or options.recipients < 0:
		parser.error("there must be a campaign at least, and no fewer than 0 recipients")
	if options.port and not is_free(options.port):
		parser.error(f"port {options.port} is taken; choose another one or leave --port away")
	return options


def main(given: list[str]) -> int:
	"""Run the demo. Return 0 if everything stored is true, 1 if not."""
	options = arguments(given)
	began = time.monotonic()
	with Run() as run:
		without_desk = "" if options.once else add_desk(run)
		try:
			simulator_url = start_everything(run, options)
			reconciled = tell(run, simulator_url)
		except story.StoryError as error:
			print(f"\n{error}")
			print_logs(run)
			return 1
		print(f"\nThat took {time.monotonic() - began:.0f} s.")
		if options.once or not reconciled:
			return 0 if reconciled else 1
		serve(run, simulator_url, without_desk)
	return 0


def add_desk(run: Run) -> str:
	"""Give the site its Desk. Return why it has none, or nothing."""
	try:
		run.add_desk()
	except NoDesk as reason:
		return str(reason)
	return ""


def start_everything(run: Run, options: argparse.Namespace) -> str:
	"""Start the simulator, the site's web server, its worker and its scheduler. Return the simulator's address."""
	simulator_port = free_port()
	url = f"http://{HOST}:{simulator_port}"
	command = python("zoho_simulator", "--port", str(simulator_port), "--ask-consent")
	for name, value in (
		("campaigns", options.campaigns),
		("recipients", options.recipients),
		("seed", options.seed),
		("client-id", CLIENT_ID),
		("client-secret", CLIENT_SECRET),
	):
		command += [f"--{name}", str(value)]
	simulator = run.start("simulator", command, grace=2)
	run.configure(scheduler_tick_interval=60)
	run.configure_site(zoho_accounts_base_url=url, zoho_campaigns_base_url=url)
	run.start_worker()
	run.start_scheduler()
	port = options.port or (PREFERRED_PORT if is_free(PREFERRED_PORT) else free_port())
	run.start_web(port)
	simulator.wait_for_port(simulator_port)
	return url


def tell(run: Run, simulator_url: str) -> bool:
	"""Tell the story, heading by heading. Return whether everything stored is true."""
	client = story.Client(run.base_url)
	heading("A site, and a Zoho to connect it to")
	client.log_in("Administrator", ADMIN_PASSWORD)
	print(f"  Site       {run.base_url}\n  Zoho       {simulator_url} (simulated)")
	heading("Connecting, through the redirects that a browser follows")
	settings = story.connect(client, CLIENT_ID, CLIENT_SECRET)
	print(f"  Connected: data centre {settings.get('data_center')}, by {settings.get('connected_by')}")
	heading("Syncing all campaigns")
	finished = story.sync(client)
	erased = finished.get("rows_erased") or 0
	print(
		f"  {finished['rows_inserted'] - erased:,} rows stored and {erased:,} of erased people without their names, "
		f"{finished['contacts_created']:,} contacts created, {finished['api_calls']:,} calls, "
		f"{float(finished.get('duration') or 0):.1f} s"
	)
	heading("Campaign Performance")
	print(story.report(client))
	heading("Comparing with what the simulated Zoho holds")
	return story.reconcile(client, simulator_url)


def heading(text: str) -> None:
	print(f"\n{text}\n{'-' * len(text)}", flush=True)


def serve(run: Run, simulator_url: str, without_desk: str) -> None:
	"""Keep everything running until Ctrl-C."""
	log_in = f"log in as Administrator, password {ADMIN_PASSWORD}"
	if without_desk:
		print(f"\nServing the HTTP API at {run.base_url} ({log_in}).")
		print(f"There is no Desk to look at: {without_desk}.")
	else:
		print(f"\nOpen {run.base_url}{WORKSPACE} and {log_in}.")
	print(f"The simulated Zoho is at {simulator_url}. Ctrl-C ends it and leaves nothing running.")
	try:
		while True:
			run.check()
			time.sleep(1)
	except KeyboardInterrupt:
		print("\nEnding.")


def print_logs(run: Run) -> None:
	"""Print the end of what the processes have written, to find out what went wrong."""
	for log in sorted((run.root / "logs").glob("*.log")):
		lines = log.read_text(errors="replace").strip().splitlines()
		if lines:
			print(f"\n--- {log.name}\n" + "\n".join(lines[-15:]))


def is_free(port: int) -> bool:
	"""Tell whether nothing listens on a port."""
	with socket.socket() as probe:
		probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		try:
			probe.bind((HOST, port))
			return True
		except OSError:
			return False
