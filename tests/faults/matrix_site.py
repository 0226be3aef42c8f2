"""Faults on the site: database, Redis, workers, people, clocks."""

from __future__ import annotations

from collections.abc import Iterable

from tests.faults.matrix import NO_CALL, STAGES, Cell, row

# Stages that read or write the site's database, and how a run ends if that fails once.
NO_STATEMENT = "nothing is written or read here"
_RETRIED = {"recipients": "recovers", "match": "recovers", "write": "recovers"}
DATABASE_ONCE = {
	"authorise": "refused",
	"refresh": "stops",
	"list": "stops",
	"report": "listed",
	**_RETRIED,
	"checkpoint": "listed",
	"finish": "taken up",
}
DATABASE_FOR_EVER = {"recipients": "stops", "match": "stops", "write": "stops"}
LISTED = {"refresh": "run", "list": "run", "report": "campaign", "checkpoint": "campaign"}
EVERYWHERE = dict.fromkeys(STAGES, "taken up")
BETWEEN_CALLS = "nobody can act here: what is done is one transaction of the page"
MOMENTS = ("list", "report", "recipients", "checkpoint", "finish")


def database() -> Iterable[Cell]:
	group = "Database"
	for kind in ("deadlock", "lock wait time-out", "disk full"):
		# Figures that lost a race with another worker are saved again.
		once = DATABASE_ONCE if kind == "disk full" else {**DATABASE_ONCE, "report": "recovers"}
		yield from row(group, f"{kind}, once", once, NO_STATEMENT, affected=LISTED, error=kind)
	for kind in ("deadlock", "lock wait time-out", "disk full"):
		yield from row(
			group,
			f"{kind}, for ever",
			DATABASE_FOR_EVER,
			"the first failure decides, as above",
			affected=dict.fromkeys(DATABASE_FOR_EVER, "all"),
			rare=DATABASE_FOR_EVER if kind == "lock wait time-out" else (),
			error=kind,
			times=0,
		)
	lost = {**dict.fromkeys(DATABASE_ONCE, "taken up"), "authorise": "refused"}
	yield from row(group, "connection lost", lost, NO_STATEMENT, error="connection lost")


def workers() -> Iterable[Cell]:
	group = "Workers and Redis"
	stages = {
		stage: outcome for stage, outcome in EVERYWHERE.items() if stage not in ("authorise", "A/B keys")
	}
	other = "no worker is at it: somebody's request is"
	yield from row(group, "killed (kill -9)", stages, other, signal="SIGKILL", slow=True)
	timeout = dict.fromkeys(stages, "recovers") | {"finish": "taken up"}
	yield from row(group, "worker's time is up", timeout, other, error="time-out", affected={})
	calls = dict.fromkeys(("refresh", "list", "report", "recipients", "checkpoint", "finish"), "recovers")
	for name, kind, authorise in (
		("Redis gone from here on", "gone", "refused"),
		("Redis gone for a moment", "moment", "recovers"),
		("Redis emptied", "emptied", "refused"),
		("cache cleared", "cleared", "recovers"),
	):
		outcomes = {"authorise": authorise, **calls}
		yield from row(group, name, outcomes, "nothing is asked of Redis here", redis=kind)


def people() -> Iterable[Cell]:
	group = "People in mid-run"
	moments = dict.fromkeys(MOMENTS, "recovers")
	for what in (
		"the Campaign is edited",
		"the Campaign is renamed",
		"a Contact is edited",
		"a Contact is renamed",
		"a bystander is renamed",
	):
		yield from row(group, what, moments, BETWEEN_CALLS, act=what)
	for what in (
		"the Campaign is deleted",
		"the Campaign is merged into a hand-made one",
		"a Contact is deleted",
		"two Contacts are merged",
	):
		kept = dict.fromkeys(("report", "recipients", "checkpoint", "finish"), "kept")
		yield from row(group, what, kept, BETWEEN_CALLS, act=what)
	for what in ("edited", "renamed"):
		new = f"the Campaign that is new here is {what}"
		only = "only right after it has been saved"
		yield from row(
			group, new, {"recipients": "recovers"}, only, act=f"the Campaign is {what}", first=True
		)
	new = "the Campaign that is new here is deleted"
	yield from row(group, new, {"recipients": "kept"}, only, act="the Campaign is deleted", first=True)
	off = {"list": "recovers", "report": "recovers", "recipients": "recovers", "checkpoint": "recovers"}
	yield from row(group, "the schedule is switched off", off, NO_CALL, act="the schedule is switched off")
	gone = {"report": "stops", "recipients": "stops", "list": "stops"}
	ends = "the rest needs no token"
	yield from row(group, "the site is disconnected", gone, ends, act="the site is disconnected", affected={})
	cancelled = dict.fromkeys(("list", "report", "recipients", "checkpoint"), "cancelled")
	yield from row(group, "the run is cancelled", cancelled, BETWEEN_CALLS, act="the run is cancelled")


def departures() -> Iterable[Cell]:
	group = "The run is taken away"
	moments = dict.fromkeys(MOMENTS, "ends")
	rare = ("report", "checkpoint", "finish")
	yield from row(group, "its record is deleted", moments, BETWEEN_CALLS, rare=rare, act="delete")
	yield from row(group, "the app is uninstalled", moments, BETWEEN_CALLS, rare=MOMENTS, act="uninstall")
	for what in ("between two slices", "while it waits"):
		yield from row(
			group,
			f"the app is uninstalled {what}",
			{"recipients": "ends"},
			"a run that nobody works on is the same at every stage",
			rare=("recipients",),
			act=f"uninstall {what}",
		)


def clocks() -> Iterable[Cell]:
	group = "At once, and clocks"
	moments = dict.fromkeys(MOMENTS, "recovers")
	yield from row(group, "the scheduler starts the same run", moments, BETWEEN_CALLS, act="schedule")
	yield from row(group, "the button of the same Campaign", moments, BETWEEN_CALLS, act="button")
	for hours, name in ((-5, "five hours back"), (5, "five hours on")):
		yield from row(
			group,
			f"the clock jumps {name}",
			moments,
			BETWEEN_CALLS,
			rare=MOMENTS if hours > 0 else ("list", "report", "finish"),
			clock=hours,
		)


def summer_time() -> Iterable[Cell]:
	group = "Summer time"
	for season, hours in (("begins", 1), ("ends", -1)):

		def when(what: str, outcomes: dict[str, str], otherwise: str, **more: object) -> list[Cell]:
			name = f"summer time {season} {what}"  # noqa: B023 - called in this turn
			return row(group, name, outcomes, otherwise, hours=hours, **more)  # noqa: B023

		moments = dict.fromkeys(MOMENTS, "recovers")
		rare = MOMENTS if hours < 0 else [stage for stage in MOMENTS if stage != "recipients"]
		yield from when("in mid-run", moments, BETWEEN_CALLS, play="mid-run", rare=rare)
		yield from when(
			"when a worker is lost",
			{"write": "taken up"},
			"what is said of a worker's life is the same at every stage",
			play="lost",
		)
		yield from when(
			"while the run waits",
			{"recipients": "waits"},
			"a wait is written down alike at every stage",
			play="waiting",
		)
		yield from when(
			"while a token lives", {"refresh": "recovers"}, "no token is asked for here", play="token"
		)
		yield from when(
			"between two runs",
			{"list": "recovers"},
			"what is due is decided when the list is read",
			play="due",
		)
		yield from when(
			"before somebody asks how old the last sync is",
			{"finish": "recovers"},
			"the time of the end is what counts",
			play="stale",
		)
	yield from row(
		group,
		"a mail that left in the hour that comes twice, or right before and after the one that is skipped",
		{"recipients": "recovers"},
		"the stage reads no such time",
		play="times",
		hours=0,
	)


def site() -> list[Cell]:
	"""Return all of these cells."""
	return [*database(), *workers(), *people(), *departures(), *clocks(), *summer_time()]
