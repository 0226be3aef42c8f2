"""What passes between the socket and the simulated servers."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

JSON_TYPE = "application/json;charset=UTF-8"
HTML_TYPE = "text/html;charset=UTF-8"
XML_TYPE = "text/xml;charset=UTF-8"
SECRETS = frozenset(
	("code", "client_secret", "refresh_token", "access_token", "token", "code_verifier", "state", "consent")
)


# Zoho's code of each refusal, and its text
MESSAGES = {
	"903": "Mandatory fields are missing.",
	"1001": "Pattern doesn't match.",
	"1002": "Extra parameter found.",
	"1004": "You have specified a wrong URL.",
	"1005": "Bad data type.",
	"1006": "Multiple entries for a key.",
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
class Answer:
	"""An answer, before it is written to the socket."""

	status: int = 200
	body: bytes = b""
	content_type: str = JSON_TYPE
	headers: dict[str, str] = field(default_factory=dict)
	wire: Wire | None = None


@dataclass
class Wire:
	"""How an answer goes wrong on its way.

	kind: "reset" (connection reset before anything is sent), "close" (closed without a word), "refuse" (alike, for a
	port that is closed now), "truncate" (full Content-Length, `share` of the body, then closed), "cut" (then reset),
	"slow" (the body in small pieces over `seconds`).
	"""

	kind: str
	share: float = 0.5
	seconds: float = 0.0


@dataclass
class Request:
	"""A request received. `query` and `form` keep repeated names, in order."""

	method: str
	path: str
	query: list[tuple[str, str]]
	headers: dict[str, str]
	body: bytes = b""

	@property
	def form(self) -> list[tuple[str, str]]:
		"""Return the fields of a form body, and none for any other body."""
		if "form-urlencoded" not in self.headers.get("content-type", ""):
			return []
		return parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)

	@property
	def params(self) -> dict[str, str]:
		"""Return query and form fields as one mapping."""
		return dict([*self.query, *self.form])

	def record(self) -> dict[str, Any]:
		"""Return what may be kept of the request: secrets are replaced by a mark that tells them apart."""
		params = {name: mark(value) if name in SECRETS else value for name, value in self.params.items()}
		headers = dict(self.headers)
		if headers.get("authorization"):
			scheme, space, secret = headers["authorization"].rpartition(" ")
			headers["authorization"] = f"{scheme}{space}{mark(secret)}"
		headers.pop("cookie", None)
		in_query = sorted(name for name, _value in self.query if name in SECRETS)
		return {
			"method": self.method,
			"path": self.path,
			"params": params,
			"headers": headers,
			"secrets_in_url": in_query,
		}


def mark(secret: str) -> str:
	"""Return a stand-in for a secret: the same for the same secret, and useless to whoever reads it."""
	return f"***{hashlib.sha256(secret.encode()).hexdigest()[:8]}" if secret else ""


def json_answer(payload: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
	body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
	return Answer(status, body, JSON_TYPE, headers or {})


def html_answer(page: str, status: int = 200) -> Answer:
	return Answer(status, page.encode(), HTML_TYPE, {"Cache-Control": "no-store"})


def redirect(location: str) -> Answer:
	return Answer(302, b"", HTML_TYPE, {"Location": location, "Cache-Control": "no-store"})


def error(code: str, uri: str, message: str = "") -> dict[str, str]:
	return {
		"status": "error",
		"code": code,
		"message": message or MESSAGES[code],
		"uri": uri,
		"version": "1.1",
	}


def unauthorised(uri: str) -> dict[str, str]:
	"""Return what a missing token, a dead one and one without the scope all get: note the capital letters."""
	return {
		"message": "Unauthorized request.",
		"version": "1.1",
		"URI": uri,
		"Code": "1007",
		"status": "error",
	}
