"""What the methods of the campaigns API have in common: their declaration, their errors and their pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from zoho_simulator.http_messages import MESSAGES, Answer

CAMPAIGN_READ = "ZohoCampaigns.campaign.READ"
CONTACT_READ = "ZohoCampaigns.contact.READ"
CONTACT_UPDATE = "ZohoCampaigns.contact.UPDATE"


class ApiError(Exception):
	"""An error that Zoho answers with HTTP 200 and an error envelope."""

	def __init__(self, code: str, message: str = "") -> None:
		super().__init__(code)
		self.code = code
		self.message = message or MESSAGES[code]


class Method(NamedTuple):
	"""One method of the API: its handler, the scope it needs, and its parameters."""

	handler: Callable[[dict[str, str], bool], Answer | dict[str, Any]]
	scope: str
	required: tuple[str, ...] = ()
	optional: tuple[str, ...] = ()
	post_only: bool = False
	format: str = "resfmt"  # the parameter that asks for JSON


def paging(params: dict[str, str], default: int, largest: int) -> tuple[int, int]:
	"""Return the first row (from 1; Zoho treats 0 as 1) and the page size. Raises ApiError."""
	try:
		first, size = int(params.get("fromindex") or 1), int(params.get("range") or default)
	except ValueError:
		raise ApiError("1005") from None
	if first < 0 or size < 1:
		raise ApiError("1001")
	if size > largest:
		raise ApiError("6502")
	return max(first, 1), size
