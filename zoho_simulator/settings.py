"""Every knob of the simulator, declared once: the constructor, `set()`, the HTTP control and the command line read it."""

from __future__ import annotations

from dataclasses import Field, asdict, dataclass, field, fields, replace
from datetime import date
from typing import Any

# Domain and usual time zone of each data centre. Deliberately a table of its own: the simulator must not
# inherit a mistake of the client it tests.
DATA_CENTERS = {
	"us": ("zoho.com", "America/New_York"),
	"eu": ("zoho.eu", "Europe/Berlin"),
	"in": ("zoho.in", "Asia/Kolkata"),
	"au": ("zoho.com.au", "Australia/Sydney"),
	"jp": ("zoho.jp", "Asia/Tokyo"),
	"ca": ("zohocloud.ca", "America/Toronto"),
	"cn": ("zoho.com.cn", "Asia/Shanghai"),
	"sa": ("zoho.sa", "Asia/Riyadh"),
	"uk": ("zoho.uk", "Europe/London"),
	"ae": ("zoho.ae", "Asia/Dubai"),
}

REFUSALS = ("429", "429-retry-after", "400", "400-retry-after", "200-filter", "200-envelope")
ENDS_OF_LIST = ("6303", "6302", "6501", "text", "empty", "absent")
MAY_BE_NEGATIVE = ("seed", "other_campaigns", "skew_hours")
SHAPES = ("mixed", "list", "dict", "json", "java", "absent")


def knob(default: Any, help: str, *, data: bool = False, choices: tuple[str, ...] = ()) -> Any:
	"""Declare a knob. `data` marks those that shape the data and so need `reset()` to change."""
	return field(default=default, metadata={"help": help, "data": data, "choices": choices})


@dataclass(frozen=True)
class Settings:
	"""What a simulator is and how it behaves. Durations are simulated seconds unless the name says otherwise."""

	# The data
	seed: int = knob(1, "the same seed, sizes and today give the same data", data=True)
	campaigns: int = knob(12, "sent campaigns", data=True)
	recipients: int = knob(
		2000, "rows that a complete sync stores, over all campaigns and actions", data=True
	)
	people: int = knob(0, "persons the campaigns are sent to; 0: 62 per 100 rows", data=True)
	other_campaigns: int = knob(-1, "drafts, scheduled, paused, stopped; -1: a tenth, at least 6", data=True)
	today: str = knob("", "date (YYYY-MM-DD) the data ends at; empty: the current one, in UTC", data=True)
	data_center: str = knob("in", "data centre", data=True, choices=tuple(DATA_CENTERS))
	time_zone: str = knob("", "zone of formatted dates; empty: the data centre's usual one", data=True)

	# How Zoho answers
	latency_ms: int = knob(0, "wait before each answer, in real milliseconds")
	skew_hours: float = knob(8.0, "by how much the epochs without _gmt are ahead of UTC")
	max_range: int = knob(500, "largest page; above it, code 6502")
	list_children: bool = knob(False, "recentcampaigns also lists the children of A/B campaigns")
	status_filter: bool = knob(True, "recentcampaigns honours its status parameter")
	strict_params: bool = knob(True, "an unknown parameter is refused with code 1002")
	end_of_list: str = knob("6303", "how an empty list of recipients is told", choices=ENDS_OF_LIST)
	new_rows: str = knob("last", "where a growing list puts its new rows", choices=("last", "first"))
	event_shapes: str = knob("mixed", "form of openreports and clickreports", choices=SHAPES)
	event_dates: bool = knob(True, "bounces and opt-outs carry bouncedDate and optOutTime")
	grow_every: int = knob(0, "one more open in a campaign at every n-th page of it that is read; 0: never")

	# The accounts server
	client_id: str = knob("sim-client", "client id of the registered application")
	client_secret: str = knob("sim-secret", "its secret")
	auto_approve: bool = knob(True, "redirect at once; otherwise show the consent page")
	redirect_uris: tuple[str, ...] = knob((), "registered redirect URIs; none: any on this machine")
	code_ttl: float = knob(60.0, "life of a grant code")
	access_token_ttl: float = knob(3600.0, "life of an access token")
	token_limit: int = knob(10, "access tokens per refresh token in token_window; 0: no limit")
	token_window: float = knob(600.0, "window of token_limit")
	throttle: str = knob("200", "form of the token throttle's refusal", choices=("200", "400", "localised"))
	access_tokens_kept: int = knob(15, "valid access tokens per refresh token; one more evicts the oldest")
	refresh_tokens_kept: int = knob(20, "valid refresh tokens; one more evicts the oldest")
	legacy_expires_in: bool = knob(False, "expires_in in milliseconds with expires_in_sec, as in old answers")
	scope_status: int = knob(401, "HTTP status of code 1007 when the token lacks the scope")

	# Zoho's limits on calls (off unless asked for)
	rate_limit: int = knob(0, "calls per method in rate_window (Zoho: 500); 0: no limit")
	rate_window: float = knob(300.0, "window of rate_limit")
	rate_windows: str = knob("rolling", "kind of window", choices=("rolling", "fixed"))
	rate_lock: float = knob(1800.0, "how long a method stays locked after one call too many")
	rate_refusal: str = knob("429", "form of the refusal", choices=REFUSALS)
	lock_extends: bool = knob(False, "a call during a lock starts the lock anew")

	# The machine
	time_scale: float = knob(1.0, "simulated seconds per real second, for limits, locks and token lives")
	page_cache_mb: int = knob(16, "memory for pages already encoded")

	def __post_init__(self) -> None:
		for each in fields(self):
			value = getattr(self, each.name)
			choices = each.metadata["choices"]
			if choices and value not in choices:
				raise ValueError(f"{each.name} must be one of {', '.join(choices)}, not {value!r}")
			if each.name not in MAY_BE_NEGATIVE and isinstance(value, int | float) and value < 0:
				raise ValueError(f"{each.name} cannot be negative")
		if self.today:
			date.fromisoformat(self.today)
		if not self.time_scale:
			raise ValueError("time_scale must be more than 0")

	def changed(self, knobs: dict[str, Any]) -> Settings:
		"""Return a copy with `knobs` changed, each converted to its declared type."""
		declared = {each.name: each for each in fields(self)}
		unknown = sorted(set(knobs) - set(declared))
		if unknown:
			raise ValueError(f"unknown setting: {', '.join(unknown)}")
		return replace(self, **{name: convert(declared[name], value) for name, value in knobs.items()})

	def as_dict(self) -> dict[str, Any]:
		"""Return all knobs but the client secret."""
		return {name: value for name, value in asdict(self).items() if name != "client_secret"}

	@property
	def domain(self) -> str:
		return DATA_CENTERS[self.data_center][0]

	@property
	def zone(self) -> str:
		return self.time_zone or DATA_CENTERS[self.data_center][1]


DATA_KNOBS = frozenset(each.name for each in fields(Settings) if each.metadata["data"])


def convert(declared: Field, value: Any) -> Any:
	"""Convert `value`, as it comes from JSON or a command line, to the type of the declared knob."""
	kind = type(declared.default)
	if kind is bool:
		if isinstance(value, str):
			return value.strip().lower() in ("1", "true", "yes", "on")
		return bool(value)
	if kind is tuple:
		return tuple(value.split(",")) if isinstance(value, str) else tuple(value)
	try:
		return kind(value)
	except (TypeError, ValueError):
		raise ValueError(f"{declared.name} cannot be {value!r}") from None
