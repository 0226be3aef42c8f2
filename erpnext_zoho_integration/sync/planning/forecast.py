"""Estimates calls, minutes and rows of a run before it is started. Reads only; a few calls to Zoho."""

from dataclasses import asdict, dataclass

from erpnext_zoho_integration import zoho
from erpnext_zoho_integration.connection.zoho_rate_limit import BudgetUsedUp
from erpnext_zoho_integration.sync.campaigns import sync_state
from erpnext_zoho_integration.sync.fetch.zoho_session import ZohoSession, open_session
from erpnext_zoho_integration.sync.planning import due_campaigns, sync_settings

# The reports of this many campaigns are read; the others are taken to be like them.
_SAMPLES = 10
# Rows a second that a worker writes at the least, as `./dev bench` shows on a bench.
_ROWS_PER_SECOND = 2000
# From this many calls on, a run is worth a question before it starts.
LARGE_CALLS = 200
# The counters of people who did something, for whom contacts are made by default; clickers are openers too.
_ACTED = ("openedcontacts", "senthardbounce", "sentsoftbounce", "optoutcontacts", "spamcontacts")


@dataclass(slots=True)
class Forecast:
	"""The forecast of a run over all campaigns.

	Attributes:
		campaigns: sent campaigns that would be checked.
		new_campaigns: those that have never been synced.
		rows: records to be read, about.
		calls: calls to Zoho, about.
		minutes: at the pace of the settings, about.
		contacts: Contacts that would be created, at most.
		exact: whether every report was read for it.
		large: whether to ask before starting.
	"""

	campaigns: int = 0
	new_campaigns: int = 0
	rows: int = 0
	calls: int = 0
	minutes: int = 0
	contacts: int = 0
	exact: bool = True
	large: bool = False

	def as_dict(self) -> dict:
		return asdict(self)


def forecast_all(mode: str = "All") -> Forecast:
	"""Return the forecast of a run over all campaigns.

	Campaigns that were synced before cost one call each, unless their counters have moved, which nobody knows yet.

	Args:
		mode: `Due`, `All` or `Full`.

	Raises:
		zoho.ZohoError: Zoho did not answer.
	"""
	session = open_session()
	try:
		policy, known = sync_settings.read_policy(), sync_state.load()
		made = due_campaigns.plan_all(session.client, policy, mode)
		fresh = [record for record in made.records if mode == "Full" or record.key not in known]
		sampled = [session.client.report(record.key) for record in fresh[:_SAMPLES]]
		return _reckon(session, policy, made, len(fresh), sampled)
	except (BudgetUsedUp, zoho.RateLimited):
		return Forecast(exact=False)  # the run itself will wait; not to know is no reason not to start it
	finally:
		session.close()


def minutes(rows: int, waiting: float) -> int:
	"""Return how many minutes it takes to read so many rows, with so many seconds of waiting for the budget of calls."""
	return round((waiting + rows / _ROWS_PER_SECOND) / 60 + 0.5)


def _reckon(
	session: ZohoSession,
	policy: sync_settings.Policy,
	made: due_campaigns.Plan,
	fresh: int,
	sampled: list[zoho.Report],
) -> Forecast:
	share = fresh / len(sampled) if sampled else 0
	lists = [report.expected(action) or 0 for report in sampled for action in policy.actions]
	rows = round(sum(lists) * share)
	pages = round(sum(-(-count // session.page_size) for count in lists) * share)
	acted = sum(report.expected(action) or 0 for report in sampled for action in _ACTED)
	everyone = sum(report.expected("sentcontacts") or 0 for report in sampled)
	contacts = {"Everyone": everyone, "Nobody": 0}.get(policy.create_for, acted)
	list_pages = -(-made.total // session.client.page_size)
	result = Forecast(
		campaigns=len(made.due),
		new_campaigns=fresh,
		rows=rows,
		calls=list_pages + len(made.due) + pages,
		contacts=round(contacts * share),
		exact=fresh == len(sampled),
	)
	windows = (max(pages, len(made.due)) - 1) // session.limiter.calls
	result.minutes = minutes(rows, windows * session.limiter.window)
	result.large = result.calls >= LARGE_CALLS
	return result
