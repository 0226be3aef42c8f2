"""The command `python -m zoho_simulator` prints what a site needs, and stops at Ctrl-C."""

import json
import re
import signal
import subprocess
import sys
from dataclasses import fields

import pytest
import requests

from zoho_simulator import Settings

COMMAND = [sys.executable, "-m", "zoho_simulator"]


def read_until(process, last):
	lines = []
	for line in process.stdout:
		lines.append(line)
		if last in line:
			break
	return "".join(lines)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_the_two_keys_and_serves_until_interrupted(number):
	process = subprocess.Popen(
		[
			*COMMAND,
			*[
				"--port",
				"0",
				"--campaigns",
				"3",
				"--recipients",
				"150",
				"--data-center",
				"us",
				"--ask-consent",
			],
		],
		stdout=subprocess.PIPE,
		stderr=subprocess.PIPE,
		text=True,
	)
	try:
		printed = read_until(process, "Ctrl-C")
		keys = json.loads(re.search(r"\{.*?\}", printed, re.DOTALL).group())
		assert set(keys) == {"zoho_accounts_base_url", "zoho_campaigns_base_url"}
		assert "sim-client" in printed and "sim-secret" in printed and "150 rows" in printed
		url = keys["zoho_campaigns_base_url"]
		settings = requests.get(f"{url}/_simulator/settings", timeout=30).json()
		assert (settings["data_center"], settings["auto_approve"]) == ("us", False)
		assert requests.get(f"{url}/_simulator/expected", timeout=30).json()["rows"] == 150
		process.send_signal(number)
		assert process.wait(timeout=30) == 0
		assert process.stderr.read() == ""
	finally:
		process.kill()
		process.communicate()


@pytest.mark.parametrize(
	"arguments",
	[
		["--campaigns", "many"],
		["--data-center", "mars"],
		["--time-zone", "Mars/Olympus"],
		["--colour", "red"],
	],
)
def test_the_error_names_a_wrong_argument(arguments):
	ended = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False)
	assert ended.returncode == 2
	assert arguments[1] in ended.stderr or arguments[0] in ended.stderr
	assert "Traceback" not in ended.stderr


def test_every_setting_is_a_command_line_option():
	text = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, timeout=60, check=True).stdout
	for each in fields(Settings):
		if each.name != "auto_approve":
			assert f"--{each.name.replace('_', '-')}" in text
