"""The accounts server: OAuth consent, token requests and revocation.

ref: https://www.zoho.com/accounts/protocol/oauth/web-apps.html
"""

from __future__ import annotations

import ipaddress
import re
import secrets
import threading
from collections import OrderedDict
from urllib.parse import urlencode, urlsplit

from zoho_simulator.account import Account
from zoho_simulator.html_pages import consent_page, error_page
from zoho_simulator.http_messages import Answer, Request, html_answer, json_answer, redirect
from zoho_simulator.tokens import TokenError, TooManyTokens

SCOPE = re.compile(
	r"ZohoCampaigns\.(campaign|contact)\.(CREATE|READ|UPDATE|DELETE|CREATE-UPDATE|WRITE|ALL)"
	r"|ZohoCampaigns\.emailapi\.ALL",
	re.IGNORECASE,
)
CONSENT_PAGES_KEPT = 100
TOO_MANY = "You have made too many requests continuously. Please try again after some time."
TOO_MANY_LOCALISED = {
	"error_description": "您连续请求次数过多。请稍后重试。",
	"error": "访问被拒绝",
	"status": "failure",
}


class AccountsServer:
	"""Answer /oauth/v2/auth, /oauth/v2/token and /oauth/v2/token/revoke."""

	def __init__(self, account: Account) -> None:
		self.account = account
		self._lock = threading.Lock()
		# Parameters and scopes of the authorization requests whose consent page is open, by the page's ticket.
		self._pending: OrderedDict[str, tuple[dict[str, str], tuple[str, ...]]] = OrderedDict()
		self._routes = {
			("GET", "/oauth/v2/auth"): self.authorize,
			("POST", "/oauth/v2/auth/decision"): self.decide,
			("POST", "/oauth/v2/token"): self.token,
			("POST", "/oauth/v2/token/revoke"): self.revoke,
		}

	def handle(self, request: Request) -> Answer:
		"""Answer one request to the accounts server."""
		route = self._routes.get((request.method, request.path))
		if not route:
			return html_answer(error_page("Page not found", request.path), 404)
		with self._lock:
			return route(request)

	def forget_pending(self) -> None:
		"""Invalidate every open consent page."""
		with self._lock:
			self._pending.clear()

	# -- consent -------------------------------------------------------------------------------------------

	def authorize(self, request: Request) -> Answer:
		"""Show the consent page, or redirect at once. A wrong request gets an error page, as at Zoho."""
		params, settings = dict(request.query), self.account.settings
		scopes = tuple(scope for scope in re.split(r"[,\s]+", params.get("scope", "")) if scope)
		if params.get("client_id") != settings.client_id:
			return self._error("invalid_client", "No application is registered with this client id.")
		if not self._may_redirect(params.get("redirect_uri", "")):
			return self._error("invalid_redirect_uri", "The redirect URI is not the registered one.")
		if params.get("response_type") != "code":
			return self._error("invalid_response_type", "response_type must be code.")
		if not scopes or not all(SCOPE.fullmatch(scope) for scope in scopes):
			return self._error("invalid_scope", "A scope is missing or does not exist.")
		known = self.account.tokens.consented and params.get("prompt") != "consent"
		if settings.auto_approve or known:
			return self._accept(params, scopes)
		ticket = secrets.token_urlsafe(16)
		self._pending[ticket] = (params, scopes)
		if len(self._pending) > CONSENT_PAGES_KEPT:
			self._pending.popitem(last=False)
		return html_answer(consent_page(ticket, scopes, settings))

	def decide(self, request: Request) -> Answer:
		"""Redirect after a button of the consent page was pressed."""
		form = request.params
		params, scopes = self._pending.pop(form.get("consent", ""), ({}, ()))
		if not params:
			return self._error("expired", "This consent page was used before. Start again.")
		if form.get("decision") == "accept":
			return self._accept(params, scopes)
		return self._redirect(params, {"error": "access_denied"})

	def _accept(self, params: dict[str, str], scopes: tuple[str, ...]) -> Answer:
		settings, tokens = self.account.settings, self.account.tokens
		asked = not tokens.consented or params.get("prompt") == "consent"
		offline = params.get("access_type") == "offline" and asked
		code = tokens.new_code(scopes, params["redirect_uri"], offline, settings.code_ttl)
		tokens.consented = True
		answer = {
			"code": code,
			"location": settings.data_center,
			"accounts-server": f"https://accounts.{settings.domain}",
		}
		return self._redirect(params, answer)

	def _error(self, error: str, text: str) -> Answer:
		return html_answer(error_page(error, text), 400)

	def _redirect(self, params: dict[str, str], answer: dict[str, str]) -> Answer:
		if "state" in params:
			answer = {"state": params["state"], **answer}
		uri = params["redirect_uri"]
		return redirect(f"{uri}{'&' if '?' in uri else '?'}{urlencode(answer)}")

	def _may_redirect(self, uri: str) -> bool:
		"""Return whether a redirect URI is registered. If none is, return whether it leads to this machine."""
		registered = self.account.settings.redirect_uris
		if registered:
			return uri in registered
		parts = urlsplit(uri)
		host = parts.hostname or ""
		if parts.scheme not in ("http", "https") or not host:
			return False
		try:
			return ipaddress.ip_address(host).is_loopback
		except ValueError:
			return "." not in host or host.endswith((".localhost", ".local", ".test"))

	# -- tokens --------------------------------------------------------------------------------------------

	def token(self, request: Request) -> Answer:
		"""Exchange a code or a refresh token. Errors have HTTP status 200, as at Zoho."""
		params, settings, tokens = request.params, self.account.settings, self.account.tokens
		try:
			self._check_client(params)
			grant_type = params.get("grant_type")
			if grant_type == "authorization_code":
				return json_answer(tokens.exchange(params.get("code", ""), params.get("redirect_uri", "")))
			if grant_type == "refresh_token":
				return json_answer(tokens.refresh(params.get("refresh_token", "")))
			raise TokenError("unsupported_grant_type")
		except TokenError as error:
			return json_answer({"error": str(error)})
		except TooManyTokens:
			if settings.throttle == "localised":
				return json_answer(TOO_MANY_LOCALISED)
			payload = {"error_description": TOO_MANY, "error": "Access Denied", "status": "failure"}
			return json_answer(payload, int(settings.throttle))

	def _check_client(self, params: dict[str, str]) -> None:
		settings = self.account.settings
		if params.get("client_id") != settings.client_id:
			raise TokenError("invalid_client")
		if not secrets.compare_digest(
			params.get("client_secret", "").encode(), settings.client_secret.encode()
		):
			raise TokenError("invalid_client_secret")

	def revoke(self, request: Request) -> Answer:
		"""Revoke an access token, or a refresh token with its access tokens."""
		if self.account.tokens.revoke(request.params.get("token", "")):
			return json_answer({"status": "success"})
		return json_answer({"error": "invalid_token"}, 400)
