"""Faults planned per endpoint and call: what goes wrong, at which call, and how."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from zoho_simulator.messages import (
	HTML_TYPE,
	Answer,
	Wire,
	error,
	json_answer,
	unauthorised,
)
from zoho_simulator.settings import REFUSALS

MAINTENANCE = (
	"<!DOCTYPE html><html><head><title>Zoho</title></head><body>"
	"<h1>Sorry for the inconvenience</h1><p>We are under maintenance.</p></body></html>"
)
# The answer is replaced, or lost: the far end does nothing, unless the fault says `after`.
REPLACING = ("status", "code", "html", "unauthorised", "body", "throttle")
LOSING = ("reset", "close", "hang", "refuse")
# The far end does its work, and the answer suffers on its way.
SPOILING = ("truncate", "cut", "garble", "slow", "empty", "headers", "xml", "delay", "edit")
# The tokens suffer first; then the request is answered.
TOKENS = ("expire", "revoke")
KINDS = (*REPLACING, *LOSING, *SPOILING, *TOKENS)


@dataclass
class Fault:
	"""One planned fault.

	Args:
		fault: what happens, one of
			status (HTTP `status`, by default 500, with `body` if given),
			code (an error envelope with `code` and `message`, HTTP 200),
			html (a maintenance page, HTTP 503),
			unauthorised (HTTP 401 and code 1007, though the token is good),
			body (`body` as it is, HTTP 200),
			throttle (as after too many calls, in the form `form`, by default the setting rate_refusal),
			reset, close (the connection, instead of an answer), hang (nothing for `seconds`, then closed),
			refuse (the port is closed for `seconds`, and with it every connection),
			truncate (the connection closes after `share` of the body), cut (it is reset there), garble (`share` of
			the body as if it were all), slow (the body takes `seconds`), empty (no body), headers (only `headers`
			added), xml (XML although JSON was asked for), delay (the answer waits `seconds`),
			edit (`put` and `drop` change the JSON answer),
			expire (all access tokens die first), revoke (all tokens die first).
		endpoint: method name ("campaignreports"), "oauth/auth", "oauth/token", "oauth/revoke", "oauth/user", or "*".
		match: parameters the call must have, such as {"action": "openedcontacts", "fromindex": "501"}.
		nth: which of the matching calls, from 1: a number or several; None: every one.
		every: each n-th matching call; 0: does not matter.
		times: how often at most; 0: without end.
		status, headers: HTTP status and further headers of whatever is answered.
		after: the far end does its work first, and only its answer is replaced or lost.
		put: values to set in the answer, by path: {"list_of_details.0.phone": null}; `+` appends to a list, and `*`
			stands for each item of it.
		drop: paths to remove from the answer.
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
		return self.after or self.fault in (*SPOILING, *TOKENS)


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
			if set(each) - allowed or "fault" not in each:
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
		"""Return the plan, with the matching calls so far (`calls`) and how often each happened (`done`)."""
		names = [each.name for each in fields(Fault)]
		with self._lock:
			return [{name: getattr(fault, name) for name in names} for fault in self._faults]


def spoil(fault: Fault, answer: Answer, uri: str) -> Answer:
	"""Return the answer as the fault leaves it. `answer` is empty if the far end did nothing."""
	if fault.fault in ("truncate", "cut", "slow", *LOSING):
		answer.wire = Wire(fault.fault, fault.share, fault.seconds)
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
	"""Return a JSON body with values set and removed, see `Fault`; one that has not what is named stays as it is."""
	payload = json.loads(body)
	for path in drop:
		for holder, name in _places(payload, path.split(".")):
			if isinstance(holder, dict):
				holder.pop(name, None)
			elif str(name).isdigit() and int(name) < len(holder):
				del holder[int(name)]
	for path, value in put.items():
		for holder, name in _places(payload, path.split(".")):
			if isinstance(holder, dict):
				holder[name] = value
			elif name == "+":
				holder.append(value)
			elif name.isdigit() and int(name) < len(holder):
				holder[int(name)] = value
	return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _places(payload: Any, path: list[str]) -> list[tuple[Any, str]]:
	"""Return the mappings and lists that a path leads to, each with the last part of the path."""
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
