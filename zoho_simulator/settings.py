"""All options of the simulator. `Simulator()`, `set()`, `reset()`, POST /_simulator/settings and the command line use them."""

from __future__ import annotations

from dataclasses import Field, asdict, dataclass, field, fields, replace
from datetime import date
from typing import Any

from zoho_simulator.formats import find_zone

# Domain and usual time zone of each data centre. The simulator does not import the app's table, so that it does not
# repeat a mistake of the client that it tests.
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
OPTED_OUT = ("confirmation", "unchanged", "resubscribes", "2006")
BOUNCED = ("unchanged", "confirmation", "resubscribes", "2007")
LIST_GONE = ("2501", "2002", "2102", "2202", "2206")
SHAPES = ("mixed", "list", "dict", "json", "java", "absent")


def option(default: Any, help: str, *, data: bool = False, choices: tuple[str, ...] = ()) -> Any:
	"""Declare an option. `data` marks an option that shapes the data; only `reset()` can change it."""
	return field(default=default, metadata={"help": help, "data": data, "choices": choices})


@dataclass(frozen=True)
class Settings:
	"""The options of a simulator. Durations are in simulated seconds, unless the name says otherwise.

	Raises:
		ValueError: for a value that is not allowed.
	"""

	# The data
	seed: int = option(1, "the same seed, sizes and today give the same data", data=True)
	campaigns: int = option(12, "sent campaigns", data=True)
	recipients: int = option(
		2000, "rows that a complete sync stores, over all campaigns and actions", data=True
	)
	people: int = option(0, "persons who receive the campaigns; 0: 62 per 100 rows", data=True)
	other_campaigns: int = option(
		-1, "drafts, scheduled, paused and stopped campaigns; -1: a tenth, at least 6", data=True
	)
	today: str = option("", "date (YYYY-MM-DD) at which the data ends; empty: today in UTC", data=True)
	data_center: str = option("in", "data centre", data=True, choices=tuple(DATA_CENTERS))
	time_zone: str = option(
		"", "time zone of formatted dates; empty: the usual one of the data centre", data=True
	)

	# How Zoho answers
	latency_ms: int = option(0, "wait before each answer, in real milliseconds")
	skew_hours: float = option(8.0, "hours that epochs without _gmt are ahead of UTC")
	max_range: int = option(500, "largest page; a larger one gets code 6502")
	list_children: bool = option(False, "recentcampaigns also lists the children of A/B campaigns")
	status_filter: bool = option(True, "recentcampaigns honours its status parameter")
	strict_params: bool = option(True, "an unknown parameter gets code 1002")
	end_of_list: str = option("6303", "answer to an empty list of recipients", choices=ENDS_OF_LIST)
	new_rows: str = option("last", "place of new rows in a list that grows", choices=("last", "first"))
	event_shapes: str = option("mixed", "form of openreports and clickreports", choices=SHAPES)
	event_dates: bool = option(True, "bounces and opt-outs carry bouncedDate and optOutTime")
	grow_every: int = option(
		0, "add one open to a campaign at every n-th of its pages that is read; 0: never"
	)

	# Contacts: how Zoho answers where nobody has documented it
	topics: int = option(2, "topics of the account, at most 4")
	subscribe_opted_out: str = option(
		"confirmation", "listsubscribe of somebody who has opted out", choices=OPTED_OUT
	)
	subscribe_bounced: str = option("unchanged", "listsubscribe of an address that bounced", choices=BOUNCED)
	do_not_mail_unknown: str = option(
		"adds", "contactdonotmail of an unknown address", choices=("adds", "2103")
	)
	opt_out_mails: bool = option(False, "contactdonotmail mails the person")
	unread_bodies: tuple[str, ...] = option((), "methods that do not read a form body: code 903")
	xml_answers: tuple[str, ...] = option((), "methods that answer in XML although JSON was requested")
	language: str = option("english", "language of messages", choices=("english", "german"))
	unsub_lists_do_not_mail: bool = option(True, "getlistsubscribers lists Do-Not-Mail as unsub")
	api_opt_outs: bool = option(False, "optoutcontacts lists who was moved to Do-Not-Mail over the API")
	topic_opt_outs: bool = option(False, "optoutcontacts lists who left one topic")
	subscribers_max_range: int = option(
		500, "largest page of getlistsubscribers; a larger one gets code 6502"
	)
	allfields_shape: str = option("nested", "shape of contact/allfields", choices=("nested", "flat"))
	custom_values: bool = option(False, "getlistsubscribers has the values of custom fields")
	custom_dates: str = option(
		"kept", "dates of custom fields in getlistsubscribers", choices=("kept", "written")
	)
	long_values: str = option("cut", "over-long values in a write", choices=("cut", "kept", "refused"))
	other_options: str = option(
		"kept", "values in a write that a pick list does not offer", choices=("kept", "dropped")
	)
	unknown_fields: str = option("ignored", "fields in a write that do not exist", choices=("ignored", "910"))
	sole_topic: bool = option(
		False, "listsubscribe without a topic gives the only one of an account with one"
	)
	contact_limit: int = option(0, "active contacts that the plan allows; 0: no limit")
	contact_limit_code: str = option("2302", "code of one contact too many", choices=("2302", "914"))
	deleted_list_code: str = option("2501", "code of a deleted list", choices=LIST_GONE)

	# The accounts server
	client_id: str = option("sim-client", "client id of the registered application")
	client_secret: str = option("sim-secret", "client secret of the registered application")
	auto_approve: bool = option(True, "redirect at once instead of showing the consent page")
	redirect_uris: tuple[str, ...] = option((), "registered redirect URIs; empty: any on this machine")
	code_ttl: float = option(60.0, "lifetime of a grant code")
	access_token_ttl: float = option(3600.0, "lifetime of an access token")
	token_limit: int = option(10, "new access tokens per refresh token in token_window; 0: no limit")
	token_window: float = option(600.0, "window of token_limit")
	throttle: str = option(
		"200", "form of the refusal when token_limit is exceeded", choices=("200", "400", "localised")
	)
	access_tokens_kept: int = option(15, "valid access tokens per refresh token; one more evicts the oldest")
	refresh_tokens_kept: int = option(20, "valid refresh tokens; one more evicts the oldest")
	legacy_expires_in: bool = option(
		False, "expires_in in milliseconds, and expires_in_sec, as in old answers"
	)
	scope_separator: str = option(
		"space", "between the scopes of a token answer", choices=("space", "comma", "absent")
	)
	scope_status: int = option(401, "HTTP status of code 1007 when the token lacks the scope")

	# Zoho's limit on API calls (off by default)
	rate_limit: int = option(0, "calls per method in rate_window (Zoho: 500); 0: no limit")
	rate_window: float = option(300.0, "window of rate_limit")
	rate_windows: str = option("rolling", "kind of rate_window", choices=("rolling", "fixed"))
	rate_lock: float = option(1800.0, "duration of the lock after one call too many")
	rate_refusal: str = option("429", "form of the refusal when rate_limit is exceeded", choices=REFUSALS)
	lock_extends: bool = option(False, "a call during a lock restarts the lock")

	# This machine
	time_scale: float = option(
		1.0, "simulated seconds per real second, for limits, locks and lifetimes of tokens"
	)
	page_cache_mb: int = option(16, "memory for encoded pages, in MB")

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
		find_zone(self.zone)

	def changed(self, options: dict[str, Any]) -> Settings:
		"""Return a copy with changed options, each converted to its declared type. Raises ValueError."""
		declared = {each.name: each for each in fields(self)}
		unknown = sorted(set(options) - set(declared))
		if unknown:
			raise ValueError(f"unknown setting: {', '.join(unknown)}")
		return replace(self, **{name: convert(declared[name], value) for name, value in options.items()})

	def as_dict(self) -> dict[str, Any]:
		"""Return all options except the client secret."""
		return {name: value for name, value in asdict(self).items() if name != "client_secret"}

	@property
	def domain(self) -> str:
		return DATA_CENTERS[self.data_center][0]

	@property
	def zone(self) -> str:
		return self.time_zone or DATA_CENTERS[self.data_center][1]


DATA_OPTIONS = frozenset(each.name for each in fields(Settings) if each.metadata["data"])


def convert(declared: Field, value: Any) -> Any:
	"""Convert `value`, which comes from JSON or the command line, to the type of the declared option."""
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
