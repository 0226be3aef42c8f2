"""The control interface at /_simulator/, for tests and scripts that run in another process."""

from __future__ import annotations

import json
from typing import Any

from zoho_simulator.account import Account
from zoho_simulator.http_messages import Answer, Request, json_answer


class ControlServer:
	"""Answer GET and POST /_simulator/<name> with the methods get_<name> and post_<name>.

	The body of a POST is JSON. A ValueError becomes HTTP 400.
	"""

	def __init__(self, account: Account) -> None:
		self.account = account

	def handle(self, request: Request) -> Answer:
		"""Answer one control request."""
		name = request.path.removeprefix("/_simulator/").strip("/")
		action = getattr(self, f"{request.method.lower()}_{name}", None)
		if not action:
			known = sorted(
				each.replace("_", " /", 1) for each in dir(self) if each.startswith(("get_", "post_"))
			)
			return json_answer({"error": "unknown", "known": known}, 404)
		try:
			if request.method == "GET":
				return json_answer(action(dict(request.query)))
			body = json.loads(request.body or b"{}")
			return json_answer(action(body))
		except (ValueError, TypeError, KeyError) as error:
			return json_answer({"error": str(error)}, 400)

	def get_expected(self, params: dict[str, str]) -> Any:
		"""Return the expected figures. contacts=1 adds the contacts; rows=1 with campaign and action returns the rows."""
		if params.get("rows") == "1":
			return list(self.account.rows(params.get("campaign", ""), params.get("action", "")))
		found = self.account.expected()
		if params.get("contacts") == "1":
			found["contacts"] = self.account.contacts()
			engaged = [action for action in found["actions"] if action != "Sent"]
			found["engaged_contacts"] = self.account.contacts(engaged)
		return found

	def get_settings(self, params: dict[str, str]) -> Any:
		return self.account.settings.as_dict()

	def get_requests(self, params: dict[str, str]) -> Any:
		"""Return the received requests. endpoint=NAME selects an endpoint, after=N the requests with higher numbers."""
		endpoint, after = params.get("endpoint"), int(params.get("after") or 0)
		return [
			each
			for each in self.account.requests
			if each["number"] > after and endpoint in (None, each["endpoint"])
		]

	def get_stats(self, params: dict[str, str]) -> Any:
		return self.account.stats()

	def get_faults(self, params: dict[str, str]) -> Any:
		return self.account.faults.as_list()

	def get_contact(self, params: dict[str, str]) -> Any:
		"""Return the contact with ?email=…, or null."""
		return self.account.contact(params["email"])

	def get_lists(self, params: dict[str, str]) -> Any:
		"""Return the mailing lists and topics."""
		book = self.account.contact_book
		return {"lists": [vars(each) for each in book.lists.values()], "topics": book.topics}

	def get_writes(self, params: dict[str, str]) -> Any:
		return self.account.writes()

	def post_contact(self, body: dict[str, Any]) -> Any:
		"""Create or change a contact: email, and state, lists, pending, topics or fields."""
		return self.account.contact_book.set_contact(**body).as_dict()

	def post_person(self, body: dict[str, Any]) -> Any:
		"""Let a person act: does is confirm, unsubscribe or leave_topic, with the arguments of that method."""
		does = body.pop("does")
		if does not in ("confirm", "unsubscribe", "leave_topic"):
			raise ValueError("a person can confirm, unsubscribe and leave_topic")
		return getattr(self.account.contact_book, does)(**body).as_dict()

	def post_list(self, body: dict[str, Any]) -> Any:
		"""Add a mailing list by name and signup_form, or delete the one whose key is in delete."""
		book = self.account.contact_book
		if "delete" in body:
			book.delete_list(body["delete"])
			return {}
		return {"key": book.add_list(**body)}

	def post_evolve(self, body: dict[str, Any]) -> Any:
		return self.account.evolve(**body)

	def post_settings(self, body: dict[str, Any]) -> Any:
		return self.account.set(**body).as_dict()

	def post_reset(self, body: dict[str, Any]) -> Any:
		self.account.reset(**body)
		return self.account.settings.as_dict()

	def post_faults(self, body: list[dict[str, Any]] | dict[str, Any]) -> Any:
		"""Replace the planned faults: a list, or {"plan": [...]}. An empty list removes them."""
		self.account.plan(*(body.get("plan", []) if isinstance(body, dict) else body))
		return self.account.faults.as_list()

	def post_advance(self, body: dict[str, Any]) -> Any:
		self.account.advance(float(body["seconds"]))
		return {"now": self.account.clock.now()}

	def post_code(self, body: dict[str, Any]) -> Any:
		"""Return a Self Client's code."""
		return {"code": self.account.grant_code(**body)}

	def post_expire(self, body: dict[str, Any]) -> Any:
		"""Let all access tokens expire."""
		self.account.tokens.expire_access_tokens()
		return {}

	def post_revoke(self, body: dict[str, Any]) -> Any:
		"""Withdraw the consent: all tokens die."""
		self.account.tokens.revoke_all()
		return {}
