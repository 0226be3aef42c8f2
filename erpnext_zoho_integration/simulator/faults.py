"""Faults planned per endpoint and call: what goes wrong, at which call, and how."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from erpnext_zoho_integration.simulator.messages import HTML_TYPE, XML_TYPE, Answer, Wire, json_answer

MAINTENANCE = (
	"<!DOCTYPE html><html><head><title>Zoho</title></head><body>"
	"<h1>Sorry for the inconvenience</h1><p>We are under maintenance.</p></body></html>"
)
# Of these the far end does its work first; of the others nothing is done, unless the fault says `after`.
AFTER = ("truncate", "garble", "slow", "xml", "headers", "delay", "empty")
KINDS = (
	*("status", "code", "html", "unauthorised", "throttle", "body", "reset", "close", "hang"),
	*("expire", "revoke", *AFTER),
)


@dataclass
class Fault:
	"""One planned fault.

	Args:
		fault: status (HTTP `status`, with `body` if given), code (error envelope with `code` and `message`), html
			(a maintenance page, HTTP `status`, by default 503), unauthorised (401 and code 1007), throttle (as after
			too many calls, in the form `body`), body (`body` as it is, HTTP `status`), reset, close, hang (nothing
			for `seconds`, then closed), expire (access tokens die first), revoke (all tokens die first), truncate
			(`share` of the body, then closed), garble (`share` of the body as if it were all), slow (the body
			takes `seconds`), delay (the answer waits `seconds`), xml (XML although JSON was asked for), empty (no
			body), headers (`headers` added).
		endpoint: method name ("campaignreports"), "oauth/auth", "oauth/token", "oauth/revoke", "oauth/user", or "*".
		match: parameters the call must have, such as {"action": "openedcontacts", "fromindex": "501"}.
		nth: which of the matching calls, from 1: a number or several; none: every one.
		every: each n-th matching call.
		times: how often at most; 0: without end.
		after: the far end does its work, and only the answer is lost or replaced.
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
	code: str = "6001"
	message: str = "Error in displaying reports. Please retry after sometime."
	seconds: float = 1.0
	share: float = 0.5
	after: bool = False
	calls: int = field(default=0, init=False)
	done: int = field(default=0, init=False)

	def __post_init__(self) -> None:
		if self.fault not in KINDS:
			raise ValueError(f"unknown fault {self.fault!r}; known: {', '.join(KINDS)}")
		if not isinstance(self.body, str):
			self.body = json.dumps(self.body)
		self.match = {name: str(value) for name, value in self.match.items()}

	def due(self, endpoint: str, params: Mapping[str, str]) -> bool:
		"""Count a call if it matches, and tell whether the fault is due at it."""
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
	def lets_through(self) -> bool:
		"""Tell whether the far end handles the request before things go wrong."""
		return self.after or self.fault in (*AFTER, "expire", "revoke")


class FaultPlan:
	"""The faults planned for a simulator. The first one due at a call is the one that happens."""

	def __init__(self) -> None:
		self._lock = threading.Lock()
		self._faults: list[Fault] = []

	def plan(self, faults: Sequence[Mapping[str, Any]]) -> None:
		"""Replace the plan; calls are counted from here on. Raises ValueError for what is not a fault."""
		allowed = {each.name for each in fields(Fault) if each.init}
		planned = []
		for each in faults:
			unknown = set(each) - allowed
			if unknown or "fault" not in each:
				raise ValueError(f"a fault needs `fault` and knows {', '.join(sorted(allowed))}")
			planned.append(Fault(**each))
		with self._lock:
			self._faults = planned

	def pick(self, endpoint: str, params: Mapping[str, str]) -> Fault | None:
		"""Count the call in every fault it matches; return the first one due."""
		with self._lock:
			due = [fault for fault in self._faults if fault.due(endpoint, params)]
		return due[0] if due else None

	def as_list(self) -> list[dict[str, Any]]:
		"""Return the plan with what was counted."""
		with self._lock:
			return [
				{each.name: getattr(fault, each.name) for each in fields(Fault)} for fault in self._faults
			]


def spoil(fault: Fault, answer: Answer, uri: str) -> Answer:
	"""Return the answer as the fault leaves it. `answer` is empty if the far end did nothing."""
	answer.headers = {**answer.headers, **fault.headers}
	if fault.fault in ("reset", "close", "truncate", "slow", "hang"):
		answer.wire = Wire(fault.fault, fault.share, fault.seconds)
	elif fault.fault == "garble":
		answer.body = answer.body[: int(len(answer.body) * fault.share)]
	elif fault.fault == "empty":
		answer.body = b""
	elif fault.fault == "xml":
		answer.body, answer.content_type = b"<response><status>success</status></response>", XML_TYPE
	elif fault.fault not in ("headers", "delay", "expire", "revoke"):
		return _replaced(fault, uri)
	if fault.status:
		answer.status = fault.status
	return answer


def _replaced(fault: Fault, uri: str) -> Answer:
	if fault.fault == "code":
		envelope = {
			"status": "error",
			"code": fault.code,
			"message": fault.message,
			"uri": uri,
			"version": "1.1",
		}
		answer = json_answer(envelope, fault.status or 200)
	elif fault.fault == "unauthorised":
		envelope = {
			"message": "Unauthorized request.",
			"version": "1.1",
			"URI": uri,
			"Code": "1007",
			"status": "error",
		}
		answer = json_answer(envelope, fault.status or 401)
	elif fault.fault == "html":
		answer = Answer(fault.status or 503, (fault.body or MAINTENANCE).encode(), HTML_TYPE)
	else:  # status, body
		answer = Answer(fault.status or (200 if fault.fault == "body" else 500), fault.body.encode())
	answer.headers = dict(fault.headers)
	return answer
