"""Settings of all tests. `./dev test` runs them; tests/site/conftest.py has the fixtures of a site."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
	# Comes from Frappe's password library.
	config.addinivalue_line("filterwarnings", "ignore:'crypt' is deprecated:DeprecationWarning")
