"""The command `python -m zoho_simulator`."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from dataclasses import fields

from zoho_simulator import Settings, Simulator


def make_parser() -> argparse.ArgumentParser:
	"""Return a parser with one option per field of `Settings`."""
	parser = argparse.ArgumentParser(
		prog="python -m zoho_simulator",
		description="Serve a simulated Zoho Campaigns account on 127.0.0.1 until Ctrl-C.",
	)
	parser.add_argument("--port", type=int, default=8900, help="port; 0: any free one (default: 8900)")
	parser.add_argument(
		"--ask-consent", action="store_true", help="show the consent page instead of redirecting at once"
	)
	for each in fields(Settings):
		if each.name == "auto_approve":
			continue
		default = ",".join(each.default) if isinstance(each.default, tuple) else each.default
		parser.add_argument(
			f"--{each.name.replace('_', '-')}",
			default=None,
			choices=each.metadata["choices"] or None,
			metavar=None if each.metadata["choices"] else type(each.default).__name__.upper(),
			help=f"{each.metadata['help']} (default: {default if default != '' else 'empty'})".replace(
				"%", "%%"
			),
		)
	return parser


def main(arguments: list[str] | None = None) -> int:
	"""Serve until SIGINT or SIGTERM. Return the exit code."""
	parser = make_parser()
	given = vars(parser.parse_args(arguments))
	port, ask = given.pop("port"), given.pop("ask_consent")
	options = {name: value for name, value in given.items() if value is not None}
	try:
		simulator = Simulator(**options, auto_approve=not ask).start(port)
	except (ValueError, OSError) as error:
		parser.error(str(error))
	stop = threading.Event()
	for number in (signal.SIGINT, signal.SIGTERM):
		signal.signal(number, lambda *_signal: stop.set())
	settings, expected = simulator.settings, simulator.expected()
	print(f"The simulator serves {simulator.url} (data centre {settings.data_center}).")
	print(f"{expected['sent_campaigns']} sent campaigns; a complete sync stores {expected['rows']:,} rows.\n")
	print("Add to site_config.json of your site:")
	print(json.dumps(simulator.site_config, indent=1) + "\n")
	print(
		f"Enter in Zoho Settings:\n Client ID      {settings.client_id}\n Client Secret  {settings.client_secret}\n"
	)
	print("Press Ctrl-C to stop.", flush=True)
	stop.wait()
	simulator.stop()
	return 0


if __name__ == "__main__":
	sys.exit(main())
