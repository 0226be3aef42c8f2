"""What a test or a person asks of the simulator itself, under /_simulator/."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from zoho_simulator.messages import Answer, Request, json_answer

if TYPE_CHECKING:
	from zoho_simulator.core import Simulator


class Control:
	"""Answers the control endpoints. Parameters of a POST are a JSON body; a ValueError becomes HTTP 400."""

	def __init__(self, simulator: Simulator) -> None:
		self.simulator = simulator

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
		except (ValueError, TypeError, KeyError) as wrong:
			return json_answer({"error": str(wrong)}, 400)

	def get_truth(self, params: dict[str, str]) -> Any:
		"""Return the truth; with rows=1, campaign and action the exact rows; with contacts=1 also their number."""
		if params.get("rows") == "1":
			return list(self.simulator.rows(params.get("campaign", ""), params.get("action", "")))
		found = self.simulator.truth()
		if params.get("contacts") == "1":
			found["contacts"] = self.simulator.contacts()
			engaged = [action for action in found["actions"] if action != "Sent"]
			found["engaged_contacts"] = self.simulator.contacts(engaged)
		return found

	def get_settings(self, params: dict[str, str]) -> Any:
		return self.simulator.settings.as_dict()

	def get_requests(self, params: dict[str, str]) -> Any:
		"""Return the requests received; with endpoint=… only those, with after=N only later ones."""
		endpoint, after = params.get("endpoint"), int(params.get("after") or 0)
		return [
			each
			for each in self.simulator.requests
			if each["number"] > after and endpoint in (None, each["endpoint"])
		]

	def get_stats(self, params: dict[str, str]) -> Any:
		return self.simulator.stats()

	def get_faults(self, params: dict[str, str]) -> Any:
		return self.simulator.faults.as_list()

	def post_evolve(self, body: dict[str, Any]) -> Any:
		return self.simulator.evolve(**body)

	def post_settings(self, body: dict[str, Any]) -> Any:
		return self.simulator.set(**body).as_dict()

	def post_reset(self, body: dict[str, Any]) -> Any:
		self.simulator.reset(**body)
		return self.simulator.settings.as_dict()

	def post_faults(self, body: list[dict[str, Any]] | dict[str, Any]) -> Any:
		"""Plan faults: a list, or {"plan": [...]}; an empty one ends them."""
		self.simulator.plan(*(body.get("plan", []) if isinstance(body, dict) else body))
		return self.simulator.faults.as_list()

	def post_advance(self, body: dict[str, Any]) -> Any:
		self.simulator.advance(float(body["seconds"]))
		return {"now": self.simulator.clock.now()}

	def post_code(self, body: dict[str, Any]) -> Any:
		"""Return a Self Client's code."""
		return {"code": self.simulator.grant_code(**body)}

	def post_expire(self, body: dict[str, Any]) -> Any:
		"""Let all access tokens expire."""
		self.simulator.accounts.expire_access_tokens()
		return {}

	def post_revoke(self, body: dict[str, Any]) -> Any:
		"""Withdraw the consent: all tokens die."""
		self.simulator.accounts.revoke_all()
		return {}
