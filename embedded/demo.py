"""`./dev demo`: start a site and a simulated Zoho, run a first sync step by step, then keep serving."""

from __future__ import annotations

import argparse
import socket
import time

from embedded import demo_steps
from embedded.bench import TemporaryBench
from embedded.desk_build import NoDesk
from embedded.paths import ADMIN_PASSWORD
from embedded.services import HOST, free_port, python

CLIENT_ID, CLIENT_SECRET = "demo-client", "demo-secret"
PREFERRED_PORT = 8000
WORKSPACE = "/app/zoho-campaigns"


def arguments(given: list[str]) -> argparse.Namespace:
	"""Parse the command line."""
	parser = argparse.ArgumentParser(
		prog="./dev demo",
		description="Connect an ERPNext-like site to a simulated Zoho Campaigns account through the real OAuth "
		"redirects, sync all campaigns, print the report Campaign Performance, and compare the stored rows with "
		"those of the simulated Zoho. Then keep serving until Ctrl-C, with the Desk if Node is installed.",
	)
	parser.add_argument("--once", action="store_true", help="end after the comparison instead of serving")
	parser.add_argument("--campaigns", type=int, default=12, metavar="N", help="sent campaigns (default: 12)")
	parser.add_argument(
		"--recipients",
		type=int,
		default=12_345,
		metavar="M",
		help="rows that a complete sync stores, over all campaigns and actions (default: 12345)",
	)
	parser.add_argument(
		"--seed", type=int, default=1, metavar="S", help="seed of the random data (default: 1)"
	)
	parser.add_argument(
		"--port",
		type=int,
		metavar="P",
		help=f"port of the site (default: {PREFERRED_PORT}, or any free one if that is in use)",
	)
	options = parser.parse_args(given)
	if options.campaigns < 1 or options.recipients < 0:
		parser.error("at least 1 campaign and at least 0 recipients are needed")
	if options.port and not is_free(options.port):
		parser.error(f"port {options.port} is in use; choose another one or leave out --port")
	return options


def main(given: list[str]) -> int:
	"""Run the demo. Return 0 if the stored rows equal those of the simulated Zoho, else 1."""
	options = arguments(given)
	began = time.monotonic()
	with TemporaryBench() as bench:
		without_desk = "" if options.once else add_desk(bench)
		try:
			simulator_url = start_everything(bench, options)
			reconciled = run_steps(bench, simulator_url)
		except demo_steps.DemoError as error:
			print(f"\n{error}")
			print_logs(bench)
			return 1
		print(f"\nThat took {time.monotonic() - began:.0f} s.")
		if options.once or not reconciled:
			return 0 if reconciled else 1
		serve(bench, simulator_url, without_desk)
	return 0


def add_desk(bench: TemporaryBench) -> str:
	"""Add the Desk to the site. Return the reason if that is not possible, else an empty text."""
	try:
		bench.add_desk()
	except NoDesk as reason:
		return str(reason)
	return ""


def start_everything(bench: TemporaryBench, options: argparse.Namespace) -> str:
	"""Start the simulator, the site's web server, its worker and its scheduler. Return the simulator's URL."""
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
	simulator = bench.start("simulator", command, grace=2)
	bench.configure(scheduler_tick_interval=60)
	bench.configure_site(zoho_accounts_base_url=url, zoho_campaigns_base_url=url)
	bench.start_worker()
	bench.start_scheduler()
	port = options.port or (PREFERRED_PORT if is_free(PREFERRED_PORT) else free_port())
	bench.start_web(port)
	simulator.wait_for_port(simulator_port)
	return url


def run_steps(bench: TemporaryBench, simulator_url: str) -> bool:
	"""Connect, sync, report and compare, each under a heading. Return whether the stored rows equal Zoho's."""
	client = demo_steps.Client(bench.base_url)
	heading("Starting a site and a simulated Zoho")
	client.log_in("Administrator", ADMIN_PASSWORD)
	print(f"  Site       {bench.base_url}\n  Zoho       {simulator_url} (simulated)")
	heading("Connecting: the OAuth redirects that a browser follows")
	settings = demo_steps.connect(client, CLIENT_ID, CLIENT_SECRET)
	print(f"  Connected: data centre {settings.get('data_center')}, by {settings.get('connected_by')}")
	heading("Syncing all campaigns")
	finished = demo_steps.sync(client)
	erased = finished.get("rows_erased") or 0
	print(
		f"  {finished['rows_inserted'] - erased:,} rows stored, {erased:,} rows of erased people anonymised, "
		f"{finished['contacts_created']:,} contacts created, {finished['api_calls']:,} calls, "
		f"{float(finished.get('duration') or 0):.1f} s"
	)
	heading("Campaign Performance")
	print(demo_steps.report(client))
	heading("Comparing with the data of the simulated Zoho")
	return demo_steps.reconcile(client, simulator_url)


def heading(text: str) -> None:
	print(f"\n{text}\n{'-' * len(text)}", flush=True)


def serve(bench: TemporaryBench, simulator_url: str, without_desk: str) -> None:
	"""Keep all processes running until Ctrl-C."""
	log_in = f"log in as Administrator, password {ADMIN_PASSWORD}"
	if without_desk:
		print(f"\nServing the HTTP API at {bench.base_url} ({log_in}).")
		print(f"The Desk is not available: {without_desk}.")
	else:
		print(f"\nOpen {bench.base_url}{WORKSPACE} and {log_in}.")
	print(f"The simulated Zoho is at {simulator_url}. Ctrl-C stops everything.")
	try:
		while True:
			bench.check()
			time.sleep(1)
	except KeyboardInterrupt:
		print("\nStopping.")


def print_logs(bench: TemporaryBench) -> None:
	"""Print the end of each process's log."""
	for log in sorted((bench.root / "logs").glob("*.log")):
		lines = log.read_text(errors="replace").strip().splitlines()
		if lines:
			print(f"\n--- {log.name}\n" + "\n".join(lines[-15:]))


def is_free(port: int) -> bool:
	"""Return whether nothing listens on a port."""
	with socket.socket() as probe:
		probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		try:
			probe.bind((HOST, port))
			return True
		except OSError:
			return False
