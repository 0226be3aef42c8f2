"""A shim for tools that still read setup.py: everything is declared in pyproject.toml."""

from setuptools import setup

setup(name="erpnext_zoho_integration")
