"""Requests and answers, as the socket and the servers exchange them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

JSON_TYPE = "application/json;charset=UTF-8"
HTML_TYPE = "text/html;charset=UTF-8"
XML_TYPE = "text/xml;charset=UTF-8"
SECRETS = frozenset(("code", "client_secret", "refresh_token", "access_token", "token", "state", "consent"))

# Zoho's error codes and their messages.
# ref: https://www.zoho.com/campaigns/help/developers/error-codes.html and the page of each method
MESSAGES = {
	"903": "Mandatory fields are missing.",
	"1001": "Pattern doesn't match.",
	"1002": "Extra parameter found.",
	"1004": "You have specified a wrong URL.",
	"1005": "Bad data type.",
	"1006": "Multiple entries for a key.",
	"910": "Invalid field.",
	"914": "Contact limit exceeded.",
	"2001": "Please enter correct XML(or)JSON format.",
	"2002": "List does not exist.",
	"2004": "Invalid contact email address.",
	"2005": "Group email address added.",
	"2006": "Contact is in the Do-Not-Mail registry.",
	"2007": "This email address cannot be added.",
	"2102": "Listkey is invalid.",
	"2103": "Contact does not exist.",
	"2202": "List does not exist.",
	"2302": "You cannot add contacts as you've reached the maximum limit.",
	"2401": "No mailing list has been created.",
	"2501": "Listkey is empty or invalid.",
	"2502": "Yet,There are no contacts in this list.",
	"2206": "Campaign has been deleted or does not exist.",
	"6002": "Invalid campaign key (or) campaign is not yet sent.",
	"6101": "No campaign available in this view.",
	"6301": "Invalid campaign key.",
	"6302": "No contacts found.",
	"6303": "There are no contacts in the selected mailing list.",
	"6501": "No contacts present for this criteria.",
	"6502": "Limit given is more than the maximum.",
	"6503": "Campaign has been deleted.",
}


@dataclass
class DeliveryFault:
	"""How the delivery of an answer fails.

	kind:
		"reset": the connection is reset before anything is sent.
		"close", "refuse": the connection is closed before anything is sent.
		"hang": nothing is sent for `seconds`; then the connection is closed.
		"truncate": Content-Length promises the full body, but the connection is closed after `share` of it.
		"cut": like "truncate", but the connection is reset.
		"slow": the body is sent in small pieces over `seconds`.
	"""

	kind: str
	share: float = 0.5
	seconds: float = 0.0


@dataclass
class Answer:
	"""An HTTP answer before it is sent. `delivery_fault` is None for an ordinary delivery."""

	status: int = 200
	body: bytes = b""
	content_type: str = JSON_TYPE
	headers: dict[str, str] = field(default_factory=dict)
	delivery_fault: DeliveryFault | None = None


@dataclass
class Request:
	"""A received HTTP request. `query` and `form` keep repeated names, in order; header names are lower case."""

	method: str
	path: str
	query: list[tuple[str, str]]
	headers: dict[str, str]
	body: bytes = b""

	@property
	def form(self) -> list[tuple[str, str]]:
		"""Return the fields of a form body; an empty list for any other body."""
		if "form-urlencoded" not in self.headers.get("content-type", ""):
			return []
		return parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)

	@property
	def params(self) -> dict[str, str]:
		"""Return query and form fields as one mapping; a form field wins over a query field."""
		return dict([*self.query, *self.form])

	def masked(self) -> dict[str, Any]:
		"""Return the request for the log, with every secret masked."""
		params = {name: mask(value) if name in SECRETS else value for name, value in self.params.items()}
		headers = dict(self.headers)
		if headers.get("authorization"):
			scheme, space, secret = headers["authorization"].rpartition(" ")
			headers["authorization"] = f"{scheme}{space}{mask(secret)}"
		headers.pop("cookie", None)
		return {
			"method": self.method,
			"path": self.path,
			"params": params,
			"headers": headers,
			"secrets_in_url": sorted(name for name, _value in self.query if name in SECRETS),
			"addresses_in_url": sorted(name for name, value in self.query if "@" in value),
		}


def mask(secret: str) -> str:
	"""Return a stand-in that is equal for equal secrets and does not reveal them; "" for an empty secret."""
	return f"***{hashlib.sha256(secret.encode()).hexdigest()[:8]}" if secret else ""


def json_answer(payload: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
	body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
	return Answer(status, body, JSON_TYPE, headers or {})


def html_answer(page: str, status: int = 200) -> Answer:
	return Answer(status, page.encode(), HTML_TYPE, {"Cache-Control": "no-store"})


def redirect(location: str) -> Answer:
	return Answer(302, b"", HTML_TYPE, {"Location": location, "Cache-Control": "no-store"})


def error(code: str, uri: str, message: str = "") -> dict[str, str]:
	"""Return Zoho's error envelope. `message` defaults to the one in `MESSAGES`."""
	return {
		"status": "error",
		"code": code,
		"message": message or MESSAGES[code],
		"uri": uri,
		"version": "1.1",
	}


def unauthorised(uri: str) -> dict[str, str]:
	"""Return the error envelope for a missing or dead token, or one without the scope. "URI" and "Code" are capitalised."""
	return {
		"message": "Unauthorized request.",
		"version": "1.1",
		"URI": uri,
		"Code": "1007",
		"status": "error",
	}
