"""The campaigns server: Zoho Campaigns API v1.1.

ref: https://www.zoho.com/campaigns/help/developers/
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from zoho_simulator.account import Account
from zoho_simulator.api_methods import CAMPAIGN_READ, ApiError, Method, paging
from zoho_simulator.campaigns import Campaign
from zoho_simulator.contacts_server import ContactsServer
from zoho_simulator.formats import to_xml
from zoho_simulator.http_messages import (
	XML_TYPE,
	Answer,
	Request,
	error,
	json_answer,
	unauthorised,
)
from zoho_simulator.localised import in_german
from zoho_simulator.mailings import ACTIONS, Mailing
from zoho_simulator.people import to_json
from zoho_simulator.rate_limits import refusal
from zoho_simulator.recipients import RowWriter, envelope
from zoho_simulator.reports import Reporter

PREFIX = "/api/v1.1/"
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


class CampaignsServer:
	"""Answer the calls of the API."""

	def __init__(self, account: Account) -> None:
		self.account = account
		key, pages = "campaignkey", ("fromindex", "range")
		recipients = Method(self.recipients, CAMPAIGN_READ, (key, "action"), (*pages, "type"))
		self.methods = {
			"recentcampaigns": Method(self.recent, CAMPAIGN_READ, (), ("sort", "status", *pages)),
			"campaignreports": Method(self.report, CAMPAIGN_READ, (key,)),
			"getcampaignreports": Method(self.report, CAMPAIGN_READ, (key,)),
			"getcampaigndetails": Method(self.details, CAMPAIGN_READ, (key, "campaigntype")),
			"getcampaignrecipientsdata": recipients,
			**ContactsServer(account).methods,
		}

	@property
	def reporter(self) -> Reporter:
		return Reporter(self.account.settings)

	def handle(self, request: Request) -> Answer:
		"""Answer one call. Parameters come in the query or in a form body; a JSON body is not read."""
		name = request.path.removeprefix(PREFIX)
		uri = "/api/v1.1/" + name
		given = self._given(request, name)
		params = dict(given)
		method = self.methods.get(name)
		as_json = self._wants_json(name, params, method)
		if not method or (method.post_only and request.method != "POST"):  # this answer needs no token
			return self.write(error("1004", uri), as_json)
		denied = self._denied_status(request, method)
		if denied:
			return self.write(unauthorised(uri), as_json, denied)
		settings = self.account.settings
		locked = self.account.limits.admit(name)
		if locked is not None:
			return refusal(settings.rate_refusal, locked, settings, uri)
		try:
			self._check(given, method)
			payload = method.handler(params, as_json)
		except ApiError as failed:
			payload = error(failed.code, uri, failed.message)
		if isinstance(payload, Answer):
			return payload
		return self.write({"uri": uri, "version": "1.1", **payload}, as_json)

	def _given(self, request: Request, name: str) -> list[tuple[str, str]]:
		"""Return the parameters of a call; the options say at which methods Zoho does not read a form body."""
		unread = name in self.account.settings.unread_bodies
		return [*request.query, *(() if unread or request.method != "POST" else request.form)]

	def _wants_json(self, name: str, params: dict[str, str], method: Method | None) -> bool:
		asked = params.get(method.format if method else "resfmt") in ("JSON", "json")
		return asked and name not in self.account.settings.xml_answers

	def write(self, payload: dict[str, Any], as_json: bool, status: int = 200) -> Answer:
		if self.account.settings.language == "german" and "message" in payload:
			payload = {**payload, "message": in_german(payload["message"])}
		return json_answer(payload, status) if as_json else Answer(status, to_xml(payload), XML_TYPE)

	def _denied_status(self, request: Request, method: Method) -> int:
		"""Return the HTTP status for a token that is missing, dead or without the scope; 0 for a good one."""
		scheme, _space, token = request.headers.get("authorization", "").partition(" ")
		scopes = self.account.tokens.scopes_of(token.strip()) if scheme == "Zoho-oauthtoken" else None
		if scopes is None:
			return 401
		family = method.scope.rpartition(".")[0]
		return 0 if {method.scope, f"{family}.ALL"} & scopes else self.account.settings.scope_status

	def _check(self, given: list[tuple[str, str]], method: Method) -> None:
		names = Counter(name for name, _value in given)
		if any(count > 1 for count in names.values()):
			raise ApiError("1006")
		known = {method.format, *method.required, *method.optional}
		if self.account.settings.strict_params and set(names) - known:
			raise ApiError("1002")
		params = dict(given)
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
