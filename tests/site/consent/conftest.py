"""What the tests of consent share as fixtures."""

from __future__ import annotations

import pytest

import frappe


@pytest.fixture
def at_once(monkeypatch) -> None:
	"""Frappe queues the mails of a newsletter in a job; in its own tests it does so at once."""
	monkeypatch.setattr(frappe.local, "flags", frappe.local.flags)
	monkeypatch.setitem(frappe.local.flags, "in_test", True)
	if hasattr(frappe, "in_test"):
		monkeypatch.setattr(frappe, "in_test", True)
