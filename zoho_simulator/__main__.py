"""The command line: `python -m zoho_simulator`."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from dataclasses import fields

from zoho_simulator import Settings, Simulator


def parser() -> argparse.ArgumentParser:
	"""Return the parser: one option per knob, named after it."""
	made = argparse.ArgumentParser(
		prog="python -m zoho_simulator",
		description="Serve a simulated Zoho Campaigns account on 127.0.0.1 until Ctrl-C.",
	)
	made.add_argument("--port", type=int, default=8900, help="port; 0 takes any free one (default: 8900)")
	made.add_argument(
		"--ask-consent", action="store_true", help="show the consent page instead of accepting at once"
	)
	for each in fields(Settings):
		if each.name == "auto_approve":
			continue
		default = ",".join(each.default) if isinstance(each.default, tuple) else each.default
		made.add_argument(
			f"--{each.name.replace('_', '-')}",
			default=None,
			choices=each.metadata["choices"] or None,
			metavar=None if each.metadata["choices"] else type(each.default).__name__.upper(),
			help=f"{each.metadata['help']} (default: {default if default != '' else 'empty'})".replace(
				"%", "%%"
			),
		)
	return made


def main(arguments: list[str] | None = None) -> int:
	"""Serve until interrupted. Returns the exit code."""
	made = parser()
	given = vars(made.parse_args(arguments))
	port, ask = given.pop("port"), given.pop("ask_consent")
	knobs = {name: value for name, value in given.items() if value is not None}
	try:
		simulator = Simulator(**knobs, auto_approve=not ask).start(port)
	except (ValueError, OSError) as wrong:
		made.error(str(wrong))
	stop = threading.Event()
	for number in (signal.SIGINT, signal.SIGTERM):
		signal.signal(number, lambda *_signal: stop.set())
	settings, truth = simulator.settings, simulator.truth()
	print(f"A Zoho on this machine: {simulator.url}  (data centre {settings.data_center})")
	print(f"{truth['sent_campaigns']} sent campaigns; a complete sync stores {truth['rows']:,} rows.\n")
	print("In site_config.json of your site:")
	print(json.dumps(simulator.site_config, indent=1) + "\n")
	print(
		f"In Zoho Settings:\n Client ID      {settings.client_id}\n Client Secret  {settings.client_secret}\n"
	)
	print("Ctrl-C stops it.", flush=True)
	stop.wait()
	simulator.stop()
	return 0


if __name__ == "__main__":
	sys.exit(main())
