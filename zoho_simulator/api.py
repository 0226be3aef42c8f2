"""The campaigns server: /api/v1.1/<method>, from the check of the token to the answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from zoho_simulator.audience import ACTIONS, Mailing
from zoho_simulator.campaigns import OWNER, Campaign
from zoho_simulator.formats import to_xml
from zoho_simulator.limits import refusal
from zoho_simulator.messages import (
	MESSAGES,
	XML_TYPE,
	Answer,
	Request,
	error,
	json_answer,
	unauthorised,
)
from zoho_simulator.people import to_json
from zoho_simulator.recipients import RowWriter, envelope
from zoho_simulator.reports import Reporter

if TYPE_CHECKING:
	from zoho_simulator.core import Simulator

PREFIX = "/api/v1.1/"
CAMPAIGN_READ, CONTACT_READ = "ZohoCampaigns.campaign.READ", "ZohoCampaigns.contact.READ"
STATUSES = {
	"all": None,
	"all campaigns": None,
	"drafts": "Draft",
	"scheduled": "Scheduled",
	"inprogress": "In progress",
	"sent": "Sent",
	"stopped": "Stopped",
	"canceled": "Canceled",
	"tobereviewed": "To be reviewed",
	"reviewed": "Reviewed",
	"paused": "Paused",
	"intesting": "In testing",
}


class Refused(Exception):
	"""A business error: Zoho answers it with HTTP 200 and an error envelope."""

	def __init__(self, code: str, message: str = "") -> None:
		super().__init__(code)
		self.code = code
		self.message = message or MESSAGES[code]


class Method(NamedTuple):
	"""One method of the API: who answers it, the scope it needs, and the parameters it knows."""

	answer: Callable[..., Any]
	scope: str
	required: tuple[str, ...] = ()
	optional: tuple[str, ...] = ()


class CampaignsServer:
	"""Answers the calls of the Zoho Campaigns API v1.1."""

	def __init__(self, simulator: Simulator) -> None:
		self.simulator = simulator
		key, paging = "campaignkey", ("fromindex", "range")
		recipients = Method(self.recipients, CAMPAIGN_READ, (key, "action"), (*paging, "type"))
		self.methods = {
			"recentcampaigns": Method(self.recent, CAMPAIGN_READ, (), ("sort", "status", *paging)),
			"recentsentcampaigns": Method(
				self.recently_sent, CAMPAIGN_READ, (), ("limit", "version", *paging)
			),
			"campaignreports": Method(self.report, CAMPAIGN_READ, (key,)),
			"getcampaignreports": Method(self.report, CAMPAIGN_READ, (key,)),
			"getlastcampaignreport": Method(self.last_report, CAMPAIGN_READ),
			"getcampaigndetails": Method(self.details, CAMPAIGN_READ, (key, "campaigntype")),
			"getcampaignrecipientsdata": recipients,
			"getmailinglists": Method(self.mailing_lists, CONTACT_READ, (), ("sort", *paging)),
		}

	@property
	def reporter(self) -> Reporter:
		return Reporter(self.simulator.settings)

	def handle(self, request: Request) -> Answer:
		"""Answer one call. Parameters count only in the query string, for POST too."""
		name = request.path.removeprefix(PREFIX)
		uri = "/api/v1.1/" + name
		params = dict(request.query)
		as_json = params.get("resfmt") in ("JSON", "json")
		method = self.methods.get(name)
		if not method:  # told even to callers without a token
			return self.write(error("1004", uri), as_json)
		denied = self._denied(request, method)
		if denied:
			return self.write(unauthorised(uri), as_json, denied)
		settings = self.simulator.settings
		locked = self.simulator.limits.admit(name)
		if locked is not None:
			return refusal(settings.rate_refusal, locked, settings, uri)
		try:
			self._check(request, method)
			payload = method.answer(params, as_json)
		except Refused as refused:
			payload = error(refused.code, uri, refused.message)
		if isinstance(payload, Answer):
			return payload
		return self.write({"uri": uri, "version": "1.1", **payload}, as_json)

	def write(self, payload: dict[str, Any], as_json: bool, status: int = 200) -> Answer:
		return json_answer(payload, status) if as_json else Answer(status, to_xml(payload), XML_TYPE)

	def _denied(self, request: Request, method: Method) -> int:
		"""Return the HTTP status for a call whose token is missing, dead or lacks the scope; 0 if it is good."""
		scheme, _space, token = request.headers.get("authorization", "").partition(" ")
		scopes = self.simulator.accounts.scopes_of(token.strip()) if scheme == "Zoho-oauthtoken" else None
		if scopes is None:
			return 401
		family = method.scope.rpartition(".")[0]
		return 0 if {method.scope, f"{family}.ALL"} & scopes else self.simulator.settings.scope_status

	def _check(self, request: Request, method: Method) -> None:
		names = Counter(name for name, _value in request.query)
		if any(count > 1 for count in names.values()):
			raise Refused("1006")
		known = {"resfmt", *method.required, *method.optional}
		if self.simulator.settings.strict_params and set(names) - known:
			raise Refused("1002")
		params = dict(request.query)
		if any(not params.get(name) for name in method.required):
			raise Refused("903")

	def campaign(self, params: dict[str, str], deleted: str) -> tuple[Campaign, Mailing | None]:
		"""Return the campaign and mailing of a key, refusing unknown and deleted ones."""
		found = self.simulator.world.by_key.get(params["campaignkey"])
		if not found:
			raise Refused("6301")
		if found[0].deleted:
			raise Refused(deleted)
		return found

	# -- lists ---------------------------------------------------------------------------------------------

	def recent(self, params: dict[str, str], as_json: bool) -> dict[str, Any]:
		"""recentcampaigns: all campaigns of the organisation, of all users."""
		settings, world = self.simulator.settings, self.simulator.world
		first, size = paging(params, 5, settings.max_range)
		wanted = params.get("status", "all").lower()
		if wanted not in STATUSES:
			raise Refused("1001")
		status = STATUSES[wanted] if settings.status_filter else None
		listed = [
			(campaign, mailing)
			for campaign in world.oldest_first
			if not campaign.deleted and status in (None, campaign.status)
			for mailing in (None, *(campaign.mailings[1:] if settings.list_children else ()))
		]
		if params.get("sort", "desc").lower() != "asc":
			listed.reverse()
		page = listed[first - 1 : first - 1 + size]
		if not page:
			raise Refused("6101")
		asked = params.get("status", "All")
		return {
			"status": "success",
			"code": "0",
			"fromindex": first,
			"range": size,
			"total_record_count": len(listed),
			"campaign_count": len(page),
			"requestdetails": f"{{range={size}, status={asked}, fromindex={first}}}",
			"recent_campaigns": [self.reporter.listed(*each) for each in page],
		}

	def recently_sent(self, params: dict[str, str], as_json: bool) -> dict[str, Any]:
		"""recentsentcampaigns: only those of the token's owner."""
		first, size = paging({**params, "range": params.get("limit") or params.get("range", "")}, 5, 500)
		own = self._own_sent()
		if not own[first - 1 :]:
			raise Refused("6101")
		return {
			"status": "success",
			"code": "0",
			"fromindex": first,
			"range": size,
			"orderby": "CREATED",
			"total_record_count": len(own),
			"recent_sent_campaigns": [self.reporter.recently_sent(each) for each in own[first - 1 :][:size]],
		}

	def _own_sent(self) -> list[Campaign]:
		newest = reversed(self.simulator.world.oldest_first)
		return [campaign for campaign in newest if campaign.is_sent and campaign.zuid == OWNER]

	def mailing_lists(self, params: dict[str, str], as_json: bool) -> dict[str, Any]:
		"""getmailinglists: one list, of everyone."""
		first, size = paging(params, 20, self.simulator.settings.max_range)
		if first > 1:
			raise Refused("2401", "No mailing list has been created.")
		everyone = {
			"listkey": "3z" + "a" * 64,
			"listname": "Customers",
			"listdesc": "undefined",
			"noofcontacts": str(self.simulator.world.population),
			"owner": "Acme",
			"zuid": OWNER,
			"segments": {},
			"otherslist": "false",
		}
		return {
			"status": "success",
			"code": "0",
			"requestdetails": {"fromindex": first, "range": size, "total_list_count": 1, "sort": "desc"},
			"list_of_details": [everyone],
		}

	# -- one campaign --------------------------------------------------------------------------------------

	def report(self, params: dict[str, str], as_json: bool) -> dict[str, Any]:
		"""campaignreports: the counters of one key."""
		campaign, mailing = self.campaign(params, "6503")
		if not mailing:
			raise Refused("6302", "There are no details in this campaign.")
		success = {"message": "success", "status": "success", "code": "0"}
		return success | self.reporter.report(campaign, mailing)

	def last_report(self, params: dict[str, str], as_json: bool) -> dict[str, Any]:
		"""getlastcampaignreport: of the last campaign of the token's owner. Its path is named `url`."""
		own = self._own_sent()
		if not own:
			raise Refused("6302", "There are no details in this campaign.")
		blocks = {"status": "success", "code": "0", **self.reporter.last_report(own[0])}
		payload = {"url": "/getlastcampaignreport", "version": "1.1", **blocks}
		return self.write(payload, as_json)  # type: ignore[return-value]

	def details(self, params: dict[str, str], as_json: bool) -> dict[str, Any]:
		"""getcampaigndetails: with campaigntype=abtesting also the keys of an A/B campaign's children."""
		campaign, _mailing = self.campaign(params, "2206")
		asked = params["campaigntype"].lower()
		if asked not in ("normal", "abtesting"):
			raise Refused("1001")
		return {"status": "success", "code": "0", **self.reporter.details(campaign, asked)}

	def recipients(self, params: dict[str, str], as_json: bool) -> Answer | dict[str, Any]:
		"""getcampaignrecipientsdata: one page of one of the nine lists of one key."""
		settings = self.simulator.settings
		action = params["action"]
		if action not in ACTIONS:
			raise Refused("1001")
		first, size = paging(params, 20, settings.max_range)
		campaign, mailing = self.campaign(params, "6503")
		if not mailing:
			raise Refused("6002")
		self.simulator.page_read(campaign)
		with self.simulator.world.lock:  # a page shows one state of the data
			place = (self.simulator.world.version, mailing.key, action, first, size, as_json)
			body = self.simulator.pages.get(place)
			if body is None:
				writer = RowWriter(self.simulator.world, settings, campaign, mailing, action)
				body = page_body(writer, first, size, as_json)
				if body is None:
					return self._no_rows(action, first, size)
				self.simulator.pages.put(place, body)
		return Answer(200, body) if as_json else Answer(200, body, XML_TYPE)

	def _no_rows(self, action: str, first: int, size: int) -> dict[str, Any]:
		"""Tell an empty list, or a page past the end, in the form that is set."""
		form = self.simulator.settings.end_of_list
		if form == "text":
			raise Refused("2502", "Yet,There are no contacts in this list.")
		if form in ("empty", "absent"):
			payload = envelope(action, first, size)
			return payload if form == "absent" else {**payload, "list_of_details": []}
		raise Refused(form)


def page_body(writer: RowWriter, first: int, size: int, as_json: bool) -> bytes | None:
	"""Return a page of recipients ready to send, or None if it has no rows."""
	head = envelope(writer.action, first, size)
	if as_json:
		rows = writer.page(first - 1, size)
		if not rows:
			return None
		start = f'{to_json(head)[:-1]},"list_of_details":['
		# Row by row: one emoji would make a string of the whole page four times as large.
		return b"".join((start.encode(), b",".join([row.encode() for row in rows]), b"]}"))
	contacts = writer.xml_page(first - 1, size)
	if contacts == "<contacts></contacts>":
		return None
	head |= head.pop("requestdetails")
	return to_xml(head).replace(b"</response>", contacts.encode() + b"</response>")


def paging(params: dict[str, str], default: int, most: int) -> tuple[int, int]:
	"""Return first row (from 1; 0 is taken for 1) and page size."""
	try:
		first, size = int(params.get("fromindex") or 1), int(params.get("range") or default)
	except ValueError:
		raise Refused("1005") from None
	if first < 0 or size < 1:
		raise Refused("1001")
	if size > most:
		raise Refused("6502")
	return max(first, 1), size
