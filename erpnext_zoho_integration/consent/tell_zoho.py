"""Tells Zoho about opt-outs of ERPNext: which are to be told, and when. Filled in with the client for writes."""

from collections.abc import Collection, Iterable

from erpnext_zoho_integration.consent.events import Fact


def plan(facts: Iterable[Fact]) -> None:
	pass


def cancel(addresses: Collection[str]) -> None:
	pass
