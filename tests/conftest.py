"""What all tests share. `./dev test` runs them; see tests/site/conftest.py for the fixtures of a site."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
	# Frappe's password library; nothing of ours.
	config.addinivalue_line("filterwarnings", "ignore:'crypt' is deprecated:DeprecationWarning")
