"""The fault matrix as data: what can go wrong, at which stage of a sync, and how it must end.

A cell is one fault at one stage. It has the outcome that its test demands, or the reason why it does not apply.
docs/reliability.md shows all cells; a test compares.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

# Stage → what happens in it.
STAGES = {
	"authorise": "the code of a consent is exchanged for tokens",
	"refresh": "an access token has expired; a new one is requested",
	"list": "Zoho's list of sent campaigns is read and the run is planned",
	"A/B keys": "the keys of an A/B campaign's test mails are read",
	"report": "the figures of a campaign are read and stored",
	"recipients": "a page of recipients is read and compared with what is stored",
	"match": "the Contacts of a page are looked up",
	"write": "the rows and Contacts of a page are written",
	"checkpoint": "the cursor behind the page is written and everything is committed",
	"finish": "the run adds up its numbers and ends",
}
CALLS = ("authorise", "refresh", "list", "A/B keys", "report", "recipients")
# The keys of test mails are read like reports: by the same client, with the same errors.
LIKE_A_REPORT = ("A/B keys",)
DATABASE = ("match", "write", "checkpoint", "finish")

# Outcome → what the test demands. tests/faults/oracle.py has what every cell demands besides.
OUTCOMES = {
	"recovers": "the same run ends with Success",
	"listed": "the run ends Partial and lists exactly what is missing; the next run stores it",
	"waits": "the run waits without a worker and continues by itself when the wait is over",
	"taken up": "the worker is lost; the next worker continues from the cursor, and the run ends with Success",
	"cancelled": "the run ends Cancelled after the current page; the next run stores the rest",
	"stops": "the run ends Failed or Partial and gives the reason; once that is solved, the next run stores the rest",
	"refused": "the site is not connected and the user is told why; authorising again connects it",
	"blank": "the value stays empty and the rest of the record is stored; once Zoho gives the value, it is stored",
	"told": "the record is left out and the run says so; once Zoho corrects it, it is stored",
	"ends": "the worker ends without an error, and nothing is left of the run; the next run, or the app installed again,"
	" stores the rest",
	"kept": "a user's change stays, and everything else is as without it",
}


@dataclass(frozen=True)
class Cell:
	"""One fault at one stage.

	Attributes:
		group: heading in docs/reliability.md; decides which test runs the cell.
		fault: what goes wrong.
		stage: one of `STAGES`, or the field whose value is bad.
		outcome: one of `OUTCOMES`; empty if the cell does not apply.
		reason: why the cell does not apply.
		plan: the fault, for the simulator's `plan`; the stage adds endpoint and match.
		affected: what the run reports as missing: "campaign", "list", "run", or nothing.
		rare: only `./dev faults` runs the cell; `./dev test` runs a similar one.
		more: further values for the test of the group.
	"""

	group: str
	fault: str
	stage: str
	outcome: str = ""
	reason: str = ""
	plan: Mapping[str, Any] = field(default_factory=dict, hash=False)
	affected: str = ""
	rare: bool = False
	more: Mapping[str, Any] = field(default_factory=dict, hash=False)

	@property
	def id(self) -> str:
		return f"{self.stage}: {self.fault}"

	@property
	def applicable(self) -> bool:
		return bool(self.outcome)


def row(
	group: str,
	fault: str,
	outcomes: Mapping[str, str],
	otherwise: str,
	plan: Mapping[str, Any] | None = None,
	affected: Mapping[str, str] | None = None,
	rare: Collection[str] = (),
	**more: Any,
) -> list[Cell]:
	"""Return the cells of a fault, one for each stage.

	Args:
		outcomes: by stage.
		otherwise: why the fault cannot happen at the other stages.
		plan: see `Cell`.
		affected: by stage, see `Cell`.
		rare: the stages at which the cell is rare, see `Cell`.
		more: see `Cell`.
	"""
	return [
		Cell(
			group,
			fault,
			stage,
			outcome=outcomes.get(stage, ""),
			reason="" if stage in outcomes else otherwise,
			plan=plan or {},
			affected=(affected or {}).get(stage, ""),
			rare=stage in rare,
			more=more,
		)
		for stage in STAGES
	]


NO_CALL = "no call to Zoho is made here"
NO_TOKEN_CALL = "the accounts server answers in another way, see the rows about tokens"

# What a run reports as missing if the fault stays for ever.
LOST = {
	"list": "run",
	"refresh": "run",
	"A/B keys": "campaign",
	"report": "campaign",
	"recipients": "campaign",
}
SKIPPED = {**LOST, "recipients": "list"}


def _for_all(outcome: str, **others: str) -> dict[str, str]:
	return {
		**dict.fromkeys(CALLS, outcome),
		**{key.replace("_", " "): value for key, value in others.items()},
	}


ONCE = _for_all("recovers", authorise="refused")
FOR_EVER = {
	"authorise": "refused",
	"refresh": "stops",
	"list": "stops",
	"A/B keys": "listed",
	"report": "listed",
	"recipients": "listed",
}


def passing(
	group: str, name: str, *, skipped: bool = False, rare: Collection[str] = LIKE_A_REPORT, **plan: Any
) -> list[Cell]:
	"""Return the cells of a temporary fault: once, and for ever.

	Args:
		group: see `Cell`.
		name: of the fault.
		skipped: True if the run skips one list (an unreadable answer) rather than the campaign (no answer).
		rare: the stages at which the cell is rare.
		plan: see `Cell`.
	"""
	affected = SKIPPED if skipped else LOST
	return [
		*row(group, f"{name}, once", ONCE, NO_CALL, {**plan, "times": 1}, rare=rare),
		*row(
			group,
			f"{name}, for ever",
			FOR_EVER,
			NO_CALL,
			plan,
			affected,
			rare={*rare, "authorise", "refresh"} if rare else (),
		),
	]


def transport() -> Iterable[Cell]:
	group = "On the way"
	closed = {"fault": "refuse"}
	yield from row(
		group,
		"connection refused for a moment",
		_for_all("recovers"),
		NO_CALL,
		{**closed, "seconds": 0.05, "times": 1},
	)
	yield from row(
		group,
		"connection refused for ever",
		{**FOR_EVER, "A/B keys": "stops", "report": "stops", "recipients": "stops"},
		NO_CALL,
		{**closed, "seconds": 600, "times": 1},
		{**LOST, "A/B keys": "from here", "report": "from here", "recipients": "from here"},
	)
	yield from passing(group, "reset before the answer", rare=(), fault="reset")
	yield from passing(group, "reset in mid-body", fault="cut")
	yield from passing(group, "closed without an answer", rare=CALLS, fault="close")
	yield from passing(group, "no answer within the time-out", fault="hang", seconds=0.4)
	yield from passing(group, "an answer that drips in too slowly", fault="slow", seconds=0.9)
	yield from passing(group, "the answer breaks off", fault="truncate")
	yield from row(
		group,
		"the answer comes late, but comes",
		_for_all("recovers"),
		NO_CALL,
		{"fault": "delay", "seconds": 0.1},
	)
	yield from row(
		group,
		"answered, and the answer lost",
		ONCE,
		NO_CALL,
		{"fault": "reset", "after": True, "times": 1},
	)


API = ("list", "A/B keys", "report", "recipients")
API_ONCE = dict.fromkeys(API, "recovers")
API_FOR_EVER = {stage: FOR_EVER[stage] for stage in API}
API_STOPS = dict.fromkeys(API, "stops")
API_WAITS = dict.fromkeys(API, "waits")
# What a run reports as missing if an error stops it: the campaign at which the error happened.
STOPPED = {"list": "run", "refresh": "run", **dict.fromkeys(API[1:], "campaign")}
HTML = {"Content-Type": "text/html"}
LOGIN = "<html><body><form>Proxy: log in</form></body></html>"
XML_ERROR = '<?xml version="1.0" ?><response uri="/api" version="1.1"><code>{}</code><status>error</status></response>'


def answers() -> Iterable[Cell]:
	group = "What comes back is no data"
	yield from passing(group, "half a body as if it were all", skipped=True, rare=(), fault="garble")
	yield from passing(group, "not JSON", skipped=True, fault="body", body="Hello, this is no JSON.")
	yield from passing(group, "JSON, but a list", skipped=True, rare=CALLS, fault="body", body="[1, 2, 3]")
	yield from passing(group, "no body", fault="empty")
	yield from passing(group, "a proxy's web page with HTTP 200", fault="body", body=LOGIN, headers=HTML)
	yield from passing(group, "a web page with HTTP 502", fault="html", status=502)
	yield from passing(
		group,
		"a redirect to a log-in page",
		skipped=True,
		rare=CALLS,
		fault="status",
		status=302,
		headers={"Location": "https://x.test/"},
	)
	yield from passing(
		group,
		"compressed, says the header, and is not",
		fault="headers",
		headers={"Content-Encoding": "gzip"},
	)
	no_xml = {"reason": "the accounts server knows no XML"}
	yield from api_row(group, "XML instead of JSON, once", API_ONCE, {"fault": "xml", "times": 1}, **no_xml)
	yield from api_row(
		group, "XML instead of JSON, for ever", API_FOR_EVER, {"fault": "xml"}, SKIPPED, **no_xml
	)
	yield from api_row(
		group,
		"XML with an error, once",
		API_ONCE,
		{"fault": "body", "body": XML_ERROR.format("6001"), "times": 1},
		**no_xml,
	)
	yield from row(
		group,
		"JSON under another content type",
		_for_all("recovers"),
		NO_CALL,
		{"fault": "headers", "headers": {"Content-Type": "text/plain; charset=latin-1"}},
	)


def api_row(
	group: str,
	fault: str,
	outcomes: Mapping[str, str],
	plan: Mapping[str, Any],
	affected: Mapping[str, str] | None = None,
	reason: str = NO_TOKEN_CALL,
	rare: Collection[str] = LIKE_A_REPORT,
	**more: Any,
) -> list[Cell]:
	"""Return the cells of a fault that only the API can have, not the accounts server."""
	cells = row(group, fault, outcomes, NO_CALL, plan, affected, rare, **more)
	return [
		Cell(**{**cell.__dict__, "reason": reason})
		if cell.stage in ("authorise", "refresh") and not cell.outcome
		else cell
		for cell in cells
	]


def statuses() -> Iterable[Cell]:
	group = "HTTP statuses"
	yield from api_row(group, "401, once", API_ONCE, {"fault": "unauthorised", "times": 1})
	yield from api_row(group, "401, for ever", API_STOPS, {"fault": "unauthorised"}, STOPPED)
	yield from api_row(
		group, "401 without a body, once", API_ONCE, {"fault": "status", "status": 401, "times": 1}
	)
	for status, name in ((403, "403"), (404, "404"), (410, "410")):
		yield from api_row(
			group, f"{name}, once", API_STOPS, {"fault": "status", "status": status, "times": 1}, STOPPED
		)
	for status in (408, 500, 502, 503, 504):
		yield from passing(
			group,
			str(status),
			rare=CALLS if status in (502, 503, 504) else LIKE_A_REPORT,
			fault="status",
			status=status,
		)
	yield from passing(
		group,
		"503 with Retry-After of 3 seconds",
		rare=CALLS,
		fault="status",
		status=503,
		headers={"Retry-After": "3"},
	)
	yield from api_row(
		group,
		"503 with Retry-After of an hour",
		API_FOR_EVER,
		{"fault": "status", "status": 503, "headers": {"Retry-After": "3600"}, "times": 1},
		LOST,
	)
	yield from api_row(
		group, "429 without Retry-After", API_WAITS, {"fault": "status", "status": 429, "times": 1}
	)
	yield from api_row(
		group,
		"429 with Retry-After of 7 seconds",
		API_ONCE,
		{"fault": "status", "status": 429, "headers": {"Retry-After": "7"}, "times": 1},
	)
	yield from api_row(
		group,
		"429 with Retry-After of ten minutes, as a date",
		API_WAITS,
		{"fault": "status", "status": 429, "headers": {"Retry-After": "{date}"}, "times": 1},
	)


def codes() -> Iterable[Cell]:
	group = "Error codes in HTTP 200"

	def refusal(code: str, message: str = "", **plan: Any) -> dict[str, Any]:
		return {"fault": "code", "code": code, "message": message or f"Error {code}.", **plan}

	yield from api_row(group, "1007 (token), once", API_ONCE, refusal("1007", times=1))
	yield from api_row(group, "1007 (token), for ever", API_STOPS, refusal("1007"), STOPPED)
	yield from api_row(group, "6001 (try again later), once", API_ONCE, refusal("6001", times=1))
	yield from api_row(group, "6001 (try again later), for ever", API_FOR_EVER, refusal("6001"), LOST)
	gone = {"A/B keys": "listed", "report": "listed", "recipients": "listed"}
	for code, name in (("6503", "deleted"), ("2206", "deleted or unknown"), ("6002", "not sent")):
		yield from api_row(
			group, f"{code} ({name})", {**gone, "list": "stops"}, refusal(code, "Campaign not there."), LOST
		)
	yield from api_row(group, "9999 (unknown)", API_FOR_EVER, refusal("9999"), SKIPPED)
	yield from api_row(group, "901 (account)", API_STOPS, refusal("901"), STOPPED)
	yield from api_row(group, "6304 (rights)", API_STOPS, refusal("6304"), STOPPED)
	yield from api_row(group, "1004 (wrong address)", API_STOPS, refusal("1004"), STOPPED)
	yield from api_row(
		group,
		"6502 (page too large)",
		{"list": "recovers", "recipients": "recovers"},
		refusal("6502", times=1),
		reason="no page is asked for here",
		smaller_pages=True,
	)
	for form in ("429", "429-retry-after", "400", "400-retry-after", "200-filter", "200-envelope"):
		yield from api_row(
			"The lock of 30 minutes",
			f"as {FORMS[form]}",
			API_WAITS,
			{"fault": "throttle", "form": form, "times": 1},
			rare=API if form.endswith("retry-after") else LIKE_A_REPORT,
		)


FORMS = {
	"429": "HTTP 429",
	"429-retry-after": "HTTP 429 with Retry-After",
	"400": "HTTP 400 with URL_ROLLING_THROTTLES_LIMIT_EXCEEDED",
	"400-retry-after": "the same with Retry-After",
	"200-filter": "the same body in HTTP 200",
	"200-envelope": "an error envelope in HTTP 200",
}


def tokens() -> Iterable[Cell]:
	group = "Tokens and rights"
	both, once = {"authorise": "refused", "refresh": "stops"}, {"authorise": "refused", "refresh": "recovers"}
	no_token = "no token is asked for here"
	run = {"refresh": "run"}

	def said(body: Any, **plan: Any) -> dict[str, Any]:
		return {"fault": "body", "body": body, **plan}

	busy = {
		"error": "Access Denied",
		"status": "failure",
		"error_description": "You have made too many requests continuously.",
	}
	local = {
		"error": "Zugriff verweigert",
		"status": "failure",
		"error_description": "Zu viele Anfragen hintereinander.",
	}
	for name, plan in (
		("throttled, in HTTP 200", said(busy)),
		("throttled, in HTTP 400", said(busy, status=400)),
		("throttled, in another language", said(local)),
		("throttled, HTTP 429", {"fault": "status", "status": 429}),
		("consent revoked", said({"error": "invalid_code"})),
		("wrong client secret", said({"error": "invalid_client_secret"})),
		("client unknown in this data centre", said({"error": "invalid_client"})),
		("wrong redirect URI", said({"error": "invalid_redirect_uri"})),
		("401", {"fault": "status", "status": 401}),
		("403", {"fault": "status", "status": 403}),
		("404", {"fault": "status", "status": 404}),
	):
		yield from row(
			group, name, both, no_token, {**plan, "times": 1} if name.startswith("thro") else plan, run
		)
	yield from row(
		group, "an error nobody knows, once", once, no_token, said({"error": "general_error"}, times=1)
	)
	yield from row(group, "an answer without a token, once", once, no_token, said({"scope": "x"}, times=1))
	fine = {"authorise": "recovers", "refresh": "recovers"}
	for name, change in (
		("life in milliseconds", {"put": {"expires_in": 3600000}}),
		("life of zero", {"put": {"expires_in": 0}}),
		("negative life", {"put": {"expires_in": -5}}),
		("life as a word", {"put": {"expires_in": "soon"}}),
		("no life", {"drop": ["expires_in"]}),
		("no gateway named", {"drop": ["api_domain"]}),
		("unknown keys", {"put": {"surprise": {"a": [1]}}}),
	):
		yield from row(group, f"token answer with {name}", fine, no_token, {"fault": "edit", **change})
	yield from row(
		group,
		"no refresh token given",
		{"authorise": "refused"},
		"only a consent gives one",
		{"fault": "edit", "drop": ["refresh_token"]},
		fresh=True,
	)
	yield from api_row(
		group, "all access tokens expire", API_ONCE, {"fault": "expire", "times": 1}, reason=no_token
	)
	yield from api_row(
		group, "consent withdrawn", API_STOPS, {"fault": "revoke", "times": 1}, STOPPED, reason=no_token
	)
	yield from api_row(
		group,
		"scope missing",
		{"list": "stops"},
		{"fault": "delay", "seconds": 0},
		STOPPED,
		reason="every call is refused alike; the list is the first one",
		scope="ZohoCampaigns.contact.READ",
	)


def selected(cells: Iterable[Cell]) -> list[Cell]:
	"""Return the cells that this session runs: all that apply, rare ones only in `./dev faults`."""
	everything = bool(os.environ.get("ZOHO_ALL_FAULTS"))
	return [cell for cell in cells if cell.applicable and (everything or not cell.rare)]


def calls() -> list[Cell]:
	"""Return the cells whose fault happens at a call to Zoho."""
	return [*transport(), *answers(), *statuses(), *codes(), *tokens()]


def matrix() -> list[Cell]:
	"""Return every cell."""
	from tests.faults.matrix_data import data
	from tests.faults.matrix_site import site

	cells = [*calls(), *data(), *site()]
	order = list(dict.fromkeys(cell.group for cell in cells))
	return sorted(cells, key=lambda cell: order.index(cell.group))
