"""Planned faults: which calls fail, and how."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from zoho_simulator.http_messages import (
	HTML_TYPE,
	Answer,
	DeliveryFault,
	error,
	json_answer,
	unauthorised,
)
from zoho_simulator.settings import REFUSALS

MAINTENANCE = (
	"<!DOCTYPE html><html><head><title>Zoho</title></head><body>"
	"<h1>Sorry for the inconvenience</h1><p>We are under maintenance.</p></body></html>"
)
# The answer is replaced or lost. Without `after`, the server does not handle the request.
REPLACING = ("status", "code", "html", "unauthorised", "body", "throttle")
LOSING = ("reset", "close", "hang", "refuse")
# The server handles the request; then its answer is changed, delayed or partly lost.
CHANGING = ("truncate", "cut", "garble", "slow", "empty", "headers", "xml", "delay", "edit")
# Tokens die; then the server handles the request.
TOKENS = ("expire", "revoke")
KINDS = (*REPLACING, *LOSING, *CHANGING, *TOKENS)


@dataclass
class Fault:
	"""One planned fault.

	Args:
		fault: the kind of the fault:
			status: HTTP `status`, by default 500, with `body`.
			code: an error envelope with `code` and `message`, HTTP 200.
			html: a maintenance page, HTTP 503.
			unauthorised: HTTP 401 and code 1007, although the token is good.
			body: `body` as the answer, HTTP 200.
			throttle: a refusal for too many calls, in the form `form`, by default the setting rate_refusal.
			reset, close: the connection is reset or closed instead of an answer.
			hang: nothing for `seconds`, then the connection is closed.
			refuse: the port and every connection are closed for `seconds`.
			truncate, cut: the connection is closed or reset after `share` of the body.
			garble: the first `share` of the body, as if it were the whole body.
			slow: the body takes `seconds`.
			empty: no body.
			headers: only adds `headers`.
			xml: XML although JSON was requested.
			delay: the server waits for `seconds` before it handles the request.
			edit: `put` and `drop` change the JSON answer.
			expire, revoke: all access tokens die first, or all tokens.
		endpoint: method name ("campaignreports"), "oauth/auth", "oauth/token", "oauth/revoke", or "*" for any.
		match: parameters that the call must have, such as {"action": "openedcontacts", "fromindex": "501"}.
		nth: number or numbers of the matching calls that fail, from 1; None: all.
		every: only every n-th matching call fails; 0: no restriction.
		times: largest number of failures; 0: no limit.
		status, headers: HTTP status and additional headers of any answer.
		after: the server handles the request before its answer is replaced or lost.
		put: values to set in the answer, by path: {"list_of_details.0.phone": null}. In a path, `+` appends to a list and
			`*` stands for each item of a list.
		drop: paths to remove from the answer.

	Raises:
		ValueError: for an unknown kind or form.
	"""

	fault: str
	endpoint: str = "*"
	match: dict[str, str] = field(default_factory=dict)
	nth: int | Sequence[int] | None = None
	every: int = 0
	times: int = 0
	status: int = 0
	headers: dict[str, str] = field(default_factory=dict)
	body: str = ""
	form: str = ""
	code: str = "6001"
	message: str = "Error in displaying reports. Please retry after sometime."
	seconds: float = 1.0
	share: float = 0.5
	after: bool = False
	put: dict[str, Any] = field(default_factory=dict)
	drop: Sequence[str] = ()
	calls: int = field(default=0, init=False)
	done: int = field(default=0, init=False)

	def __post_init__(self) -> None:
		if self.fault not in KINDS:
			raise ValueError(f"unknown fault {self.fault!r}; known: {', '.join(KINDS)}")
		if self.form and self.form not in REFUSALS:
			raise ValueError(f"unknown form {self.form!r}; known: {', '.join(REFUSALS)}")
		if not isinstance(self.body, str):
			self.body = json.dumps(self.body)
		self.match = {name: str(value) for name, value in self.match.items()}

	def is_due(self, endpoint: str, params: Mapping[str, str]) -> bool:
		"""Count a call if it matches. Return whether it must fail."""
		if self.endpoint not in ("*", endpoint):
			return False
		if any(params.get(name) != value for name, value in self.match.items()):
			return False
		self.calls += 1
		if self.times and self.done >= self.times:
			return False
		if self.nth is not None:
			chosen = (self.nth,) if isinstance(self.nth, int) else self.nth
			if self.calls not in chosen:
				return False
		if self.every and self.calls % self.every:
			return False
		self.done += 1
		return True

	@property
	def needs_answer(self) -> bool:
		"""Return whether the server handles the request."""
		return self.after or self.fault in (*CHANGING, *TOKENS)


class FaultPlan:
	"""The planned faults of a simulator. If several are due at a call, the first one happens."""

	def __init__(self) -> None:
		self._lock = threading.Lock()
		self._faults: list[Fault] = []

	def plan(self, faults: Sequence[Mapping[str, Any]]) -> None:
		"""Replace the plan and count calls from 0. Raises ValueError for a wrong fault."""
		allowed = {each.name for each in fields(Fault) if each.init}
		planned = []
		for each in faults:
			if set(each) - allowed or "fault" not in each:
				raise ValueError(f"a fault needs `fault`; its fields are {', '.join(sorted(allowed))}")
			planned.append(Fault(**each))
		with self._lock:
			self._faults = planned

	def pick(self, endpoint: str, params: Mapping[str, str]) -> Fault | None:
		"""Count the call in every fault that it matches. Return the first fault that is due."""
		with self._lock:
			due = [fault for fault in self._faults if fault.is_due(endpoint, params)]
		return due[0] if due else None

	def as_list(self) -> list[dict[str, Any]]:
		"""Return the plan, each fault with its matching calls so far (`calls`) and its failures (`done`)."""
		names = [each.name for each in fields(Fault)]
		with self._lock:
			return [{name: getattr(fault, name) for name in names} for fault in self._faults]


def apply_fault(fault: Fault, answer: Answer, uri: str) -> Answer:
	"""Return the answer after the fault. `answer` is empty if the server did not handle the request."""
	if fault.fault in ("truncate", "cut", "slow", *LOSING):
		answer.delivery_fault = DeliveryFault(fault.fault, fault.share, fault.seconds)
	elif fault.fault == "garble":
		answer.body = answer.body[: int(len(answer.body) * fault.share)]
	elif fault.fault == "empty":
		answer.body = b""
	elif fault.fault == "edit":
		answer.body = edit(answer.body, fault.put, fault.drop)
	elif fault.fault == "code":
		answer = json_answer(error(fault.code, uri, fault.message))
	elif fault.fault == "unauthorised":
		answer = json_answer(unauthorised(uri), 401)
	elif fault.fault == "html":
		answer = Answer(503, (fault.body or MAINTENANCE).encode(), HTML_TYPE)
	elif fault.fault in ("status", "body"):
		answer = Answer(500 if fault.fault == "status" else 200, fault.body.encode())
	answer.status = fault.status or answer.status
	headers = {**answer.headers, **fault.headers}
	answer.content_type = headers.pop("Content-Type", answer.content_type)
	answer.headers = headers
	return answer


def edit(body: bytes, put: Mapping[str, Any], drop: Sequence[str]) -> bytes:
	"""Return a JSON body with values set and removed, see `Fault`. Paths that the body lacks are ignored."""
	payload = json.loads(body)
	for path in drop:
		for holder, name in _holders(payload, path.split(".")):
			if isinstance(holder, dict):
				holder.pop(name, None)
			elif str(name).isdigit() and int(name) < len(holder):
				del holder[int(name)]
	for path, value in put.items():
		for holder, name in _holders(payload, path.split(".")):
			if isinstance(holder, dict):
				holder[name] = value
			elif name == "+":
				holder.append(value)
			elif name.isdigit() and int(name) < len(holder):
				holder[int(name)] = value
	return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _holders(payload: Any, path: list[str]) -> list[tuple[Any, str]]:
	"""Return the objects and lists that hold the values at a path, each with the last part of the path."""
	holders = [payload]
	for part in path[:-1]:
		found = []
		for holder in holders:
			if isinstance(holder, dict):
				found.append(holder.get(part))
			elif isinstance(holder, list) and part == "*":
				found += holder
			elif isinstance(holder, list) and part.isdigit() and int(part) < len(holder):
				found.append(holder[int(part)])
		holders = [each for each in found if isinstance(each, dict | list)]
	return [(holder, path[-1]) for holder in holders]
