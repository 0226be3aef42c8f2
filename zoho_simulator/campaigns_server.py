"""The campaigns server: Zoho Campaigns API v1.1.

ref: https://www.zoho.com/campaigns/help/developers/
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from zoho_simulator.account import Account
from zoho_simulator.campaigns import OWNER, Campaign
from zoho_simulator.formats import to_xml
from zoho_simulator.http_messages import (
	MESSAGES,
	XML_TYPE,
	Answer,
	Request,
	error,
	json_answer,
	unauthorised,
)
from zoho_simulator.mailings import ACTIONS, Mailing
from zoho_simulator.people import to_json
from zoho_simulator.rate_limits import refusal
from zoho_simulator.recipients import RowWriter, envelope
from zoho_simulator.reports import Reporter

PREFIX = "/api/v1.1/"
CAMPAIGN_READ, CONTACT_READ = "ZohoCampaigns.campaign.READ", "ZohoCampaigns.contact.READ"
# Values of the parameter status of recentcampaigns, and the status of the listed campaigns; None: any.
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


class ApiError(Exception):
	"""An error that Zoho answers with HTTP 200 and an error envelope."""

	def __init__(self, code: str, message: str = "") -> None:
		super().__init__(code)
		self.code = code
		self.message = message or MESSAGES[code]


class Method(NamedTuple):
	"""One method of the API: its handler, the scope it needs, and its parameters."""

	handler: Callable[[dict[str, str], bool], Answer | dict[str, Any]]
	scope: str
	required: tuple[str, ...] = ()
	optional: tuple[str, ...] = ()


class CampaignsServer:
	"""Answer the calls of the API."""

	def __init__(self, account: Account) -> None:
		self.account = account
		key, paging = "campaignkey", ("fromindex", "range")
		recipients = Method(self.recipients, CAMPAIGN_READ, (key, "action"), (*paging, "type"))
		self.methods = {
			"recentcampaigns": Method(self.recent, CAMPAIGN_READ, (), ("sort", "status", *paging)),
			"campaignreports": Method(self.report, CAMPAIGN_READ, (key,)),
			"getcampaignreports": Method(self.report, CAMPAIGN_READ, (key,)),
			"getcampaigndetails": Method(self.details, CAMPAIGN_READ, (key, "campaigntype")),
			"getcampaignrecipientsdata": recipients,
			"getmailinglists": Method(self.mailing_lists, CONTACT_READ, (), ("sort", *paging)),
		}

	@property
	def reporter(self) -> Reporter:
		return Reporter(self.account.settings)

	def handle(self, request: Request) -> Answer:
		"""Answer one call. Only parameters in the query string count, even for POST."""
		name = request.path.removeprefix(PREFIX)
		uri = "/api/v1.1/" + name
		params = dict(request.query)
		as_json = params.get("resfmt") in ("JSON", "json")
		method = self.methods.get(name)
		if not method:  # this answer needs no token
			return self.write(error("1004", uri), as_json)
		denied = self._denied_status(request, method)
		if denied:
			return self.write(unauthorised(uri), as_json, denied)
		settings = self.account.settings
		locked = self.account.limits.admit(name)
		if locked is not None:
			return refusal(settings.rate_refusal, locked, settings, uri)
		try:
			self._check(request, method)
			payload = method.handler(params, as_json)
		except ApiError as failed:
			payload = error(failed.code, uri, failed.message)
		if isinstance(payload, Answer):
			return payload
		return self.write({"uri": uri, "version": "1.1", **payload}, as_json)

	def write(self, payload: dict[str, Any], as_json: bool, status: int = 200) -> Answer:
		return json_answer(payload, status) if as_json else Answer(status, to_xml(payload), XML_TYPE)

	def _denied_status(self, request: Request, method: Method) -> int:
		"""Return the HTTP status for a token that is missing, dead or without the scope; 0 for a good one."""
		scheme, _space, token = request.headers.get("authorization", "").partition(" ")
		scopes = self.account.tokens.scopes_of(token.strip()) if scheme == "Zoho-oauthtoken" else None
		if scopes is None:
			return 401
		family = method.scope.rpartition(".")[0]
		return 0 if {method.scope, f"{family}.ALL"} & scopes else self.account.settings.scope_status

	def _check(self, request: Request, method: Method) -> None:
		names = Counter(name for name, _value in request.query)
		if any(count > 1 for count in names.values()):
			raise ApiError("1006")
		known = {"resfmt", *method.required, *method.optional}
		if self.account.settings.strict_params and set(names) - known:
			raise ApiError("1002")
		params = dict(request.query)
		if any(not params.get(name) for name in method.required):
			raise ApiError("903")

	def campaign(self, params: dict[str, str], deleted: str) -> tuple[Campaign, Mailing | None]:
		"""Return the campaign and mailing of a key. Raises ApiError; `deleted` is the code for a deleted campaign."""
		found = self.account.world.by_key.get(params["campaignkey"])
		if not found:
			raise ApiError("6301")
		if found[0].deleted:
			raise ApiError(deleted)
		return found

	# -- lists ---------------------------------------------------------------------------------------------

	def recent(self, params: dict[str, str], as_json: bool) -> dict[str, Any]:
		"""recentcampaigns: all campaigns of all users of the organisation."""
		settings, world = self.account.settings, self.account.world
		first, size = paging(params, 5, settings.max_range)
		wanted = params.get("status", "all").lower()
		if wanted not in STATUSES:
			raise ApiError("1001")
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
			raise ApiError("6101")
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

	def mailing_lists(self, params: dict[str, str], as_json: bool) -> dict[str, Any]:
		"""getmailinglists: one list of all contacts."""
		first, size = paging(params, 20, self.account.settings.max_range)
		if first > 1:
			raise ApiError("2401", "No mailing list has been created.")
		everyone = {
			"listkey": "3z" + "a" * 64,
			"listname": "Customers",
			"listdesc": "undefined",
			"noofcontacts": str(self.account.world.population),
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
		"""campaignreports: the counters of one campaign key."""
		campaign, mailing = self.campaign(params, "6503")
		if not mailing:
			raise ApiError("6302", "There are no details in this campaign.")
		success = {"message": "success", "status": "success", "code": "0"}
		return success | self.reporter.report(campaign, mailing)

	def details(self, params: dict[str, str], as_json: bool) -> dict[str, Any]:
		"""getcampaigndetails: campaigntype=abtesting adds the keys of an A/B campaign's children."""
		campaign, _mailing = self.campaign(params, "2206")
		asked = params["campaigntype"].lower()
		if asked not in ("normal", "abtesting"):
			raise ApiError("1001")
		return {"status": "success", "code": "0", **self.reporter.details(campaign, asked)}

	def recipients(self, params: dict[str, str], as_json: bool) -> Answer | dict[str, Any]:
		"""getcampaignrecipientsdata: one page of one of the nine lists of a campaign key."""
		settings = self.account.settings
		action = params["action"]
		if action not in ACTIONS:
			raise ApiError("1001")
		first, size = paging(params, 20, settings.max_range)
		campaign, mailing = self.campaign(params, "6503")
		if not mailing:
			raise ApiError("6002")
		self.account.count_page(campaign)
		world, cache = self.account.world, self.account.page_cache
		with world.lock:  # a page shows one state of the data
			place = (world.version, mailing.key, action, first, size, as_json)
			body = cache.get(place)
			if body is None:
				writer = RowWriter(world, settings, campaign, mailing, action)
				body = page_body(writer, first, size, as_json)
				if body is None:
					return self._no_rows(action, first, size)
				cache.put(place, body)
		return Answer(200, body) if as_json else Answer(200, body, XML_TYPE)

	def _no_rows(self, action: str, first: int, size: int) -> dict[str, Any]:
		"""Answer a page without rows in the form that the setting end_of_list names."""
		form = self.account.settings.end_of_list
		if form == "text":
			raise ApiError("2502", "Yet,There are no contacts in this list.")
		if form in ("empty", "absent"):
			payload = envelope(action, first, size)
			return payload if form == "absent" else {**payload, "list_of_details": []}
		raise ApiError(form)


def page_body(writer: RowWriter, first: int, size: int, as_json: bool) -> bytes | None:
	"""Return the encoded body of a page of recipients; None if it has no rows."""
	head = envelope(writer.action, first, size)
	if as_json:
		rows = writer.page(first - 1, size)
		if not rows:
			return None
		start = f'{to_json(head)[:-1]},"list_of_details":['
		# Encode row by row: one emoji in a string of the whole page would quadruple its memory.
		return b"".join((start.encode(), b",".join([row.encode() for row in rows]), b"]}"))
	contacts = writer.xml_page(first - 1, size)
	if not contacts:
		return None
	head |= head.pop("requestdetails")
	return to_xml(head).replace(b"</response>", contacts.encode() + b"</response>")


def paging(params: dict[str, str], default: int, largest: int) -> tuple[int, int]:
	"""Return the first row (from 1; Zoho treats 0 as 1) and the page size. Raises ApiError."""
	try:
		first, size = int(params.get("fromindex") or 1), int(params.get("range") or default)
	except ValueError:
		raise ApiError("1005") from None
	if first < 0 or size < 1:
		raise ApiError("1001")
	if size > largest:
		raise ApiError("6502")
	return max(first, 1), size
