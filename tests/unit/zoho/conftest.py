"""Fixtures of the Zoho client's tests: a scripted server and a client that asks it."""

import pytest

from tests.unit.zoho.scripted_lists import make
from tests.unit.zoho.stub_server import StubServer


@pytest.fixture
def server():
	with StubServer() as server:
		yield server


@pytest.fixture
def client(server):
	return make(server)
