"""Connections and large requests."""

import json
from http.client import HTTPConnection, HTTPException

import pytest
import requests

from zoho_simulator import Simulator


def test_connections_are_kept_open_until_the_simulator_stops():
	zoho = Simulator(campaigns=1, recipients=10).start()
	connection = HTTPConnection("127.0.0.1", zoho.port, timeout=30)
	connection.request("GET", "/_simulator/stats")
	connection.getresponse().read()
	socket = connection.sock
	connection.request("GET", "/_simulator/expected")
	assert json.loads(connection.getresponse().read())["rows"] == 10
	assert connection.sock is socket is not None
	zoho.stop()
	with pytest.raises((ConnectionError, HTTPException)):
		connection.request("GET", "/_simulator/stats")
		connection.getresponse()
	with pytest.raises(RuntimeError, match="not running"):
		_ = zoho.url
	connection.close()


def test_a_body_that_is_too_large_is_refused():
	with Simulator(campaigns=1, recipients=10) as zoho:
		answer = requests.post(f"{zoho.url}/oauth/v2/token", data=b"x" * (1 << 21), timeout=30)
		assert answer.status_code == 413
