"""The accounts server: consent, codes, tokens, their limits, and revoking. Tokens live in memory only."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import re
import secrets
import threading
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from zoho_simulator import consent
from zoho_simulator.campaigns import OWNER
from zoho_simulator.messages import Answer, Request, html_answer, json_answer, redirect

if TYPE_CHECKING:
	from zoho_simulator.core import Simulator

SCOPE = re.compile(
	r"ZohoCampaigns\.(campaign|contact)\.(CREATE|READ|UPDATE|DELETE|CREATE-UPDATE|WRITE|ALL)"
	r"|ZohoCampaigns\.emailapi\.ALL|AaaServer\.profile\.READ",
	re.IGNORECASE,
)
PROFILE = "aaaserver.profile.read"
TOO_MANY = "You have made too many requests continuously. Please try again after some time."
TOO_MANY_LOCALISED = {
	"error_description": "您连续请求次数过多。请稍后重试。",
	"error": "访问被拒绝",
	"status": "failure",
}


@dataclass
class Grant:
	"""What a code stands for. `redirect_uri` is empty for the code of a Self Client, which has none."""

	scopes: tuple[str, ...]
	redirect_uri: str
	offline: bool
	expires: float
	challenge: str = ""
	challenge_method: str = "plain"


@dataclass
class RefreshToken:
	scopes: tuple[str, ...]
	minted: deque[float] = field(default_factory=deque)
	access: OrderedDict[str, None] = field(default_factory=OrderedDict)


@dataclass
class AccessToken:
	scopes: tuple[str, ...]
	expires: float
	refresh_token: str


class Failed(Exception):
	"""A refusal of the token endpoint, by the word in its `error`."""


class AccountsServer:
	"""Answers /oauth/v2/auth, /oauth/v2/token, /oauth/v2/token/revoke and /oauth/user/info."""

	def __init__(self, simulator: Simulator) -> None:
		self.simulator = simulator
		self._lock = threading.RLock()
		self.forget()

	def forget(self) -> None:
		"""Drop every code and token, as if nobody had ever consented."""
		with self._lock:
			self._pending: OrderedDict[str, tuple[dict[str, str], tuple[str, ...]]] = OrderedDict()
			self._codes: dict[str, Grant] = {}
			self._refresh: OrderedDict[str, RefreshToken] = OrderedDict()
			self._access: dict[str, AccessToken] = {}
			self._consented = False

	def handle(self, request: Request) -> Answer:
		"""Answer one request to the accounts server."""
		routes = {
			("GET", "/oauth/v2/auth"): self.authorise,
			("POST", "/oauth/v2/auth/decision"): self.decide,
			("POST", "/oauth/v2/token"): self.token,
			("POST", "/oauth/v2/token/revoke"): self.revoke,
			("GET", "/oauth/user/info"): self.user,
		}
		route = routes.get((request.method, request.path))
		if not route:
			return html_answer(consent.error_page("Page not found", request.path), 404)
		with self._lock:
			return route(request)

	# -- consent -------------------------------------------------------------------------------------------

	def authorise(self, request: Request) -> Answer:
		"""Show the consent page, or redirect at once. What is wrong with the request is told on a page, as by Zoho."""
		params, settings = dict(request.query), self.simulator.settings
		scopes = tuple(scope for scope in re.split(r"[,\s]+", params.get("scope", "")) if scope)
		if params.get("client_id") != settings.client_id:
			return self._wrong("invalid_client", "No application is registered with this client id.")
		if not self.may_redirect(params.get("redirect_uri", "")):
			return self._wrong("invalid_redirect_uri", "The redirect URI is not the registered one.")
		if params.get("response_type") != "code":
			return self._wrong("invalid_response_type", "response_type must be code.")
		if not scopes or not all(SCOPE.fullmatch(scope) for scope in scopes):
			return self._wrong("invalid_scope", "A scope is missing or does not exist.")
		known = self._consented and params.get("prompt") != "consent"
		if settings.auto_approve or known:
			return self._accept(params, scopes)
		ticket = secrets.token_urlsafe(16)
		self._pending[ticket] = (params, scopes)
		if len(self._pending) > 100:
			self._pending.popitem(last=False)
		return html_answer(consent.consent_page(ticket, scopes, settings))

	def _wrong(self, error: str, text: str) -> Answer:
		return html_answer(consent.error_page(error, text), 400)

	def decide(self, request: Request) -> Answer:
		"""Follow the button that was pressed on the consent page."""
		form = request.params
		params, scopes = self._pending.pop(form.get("consent", ""), ({}, ()))
		if not params:
			return self._wrong("expired", "This consent page was used before. Begin again.")
		if form.get("decision") == "accept":
			return self._accept(params, scopes)
		return self._return(params, {"error": "access_denied"})

	def _accept(self, params: dict[str, str], scopes: tuple[str, ...]) -> Answer:
		settings = self.simulator.settings
		first = not self._consented
		offline = params.get("access_type") == "offline" and (first or params.get("prompt") == "consent")
		grant = Grant(
			scopes=scopes,
			redirect_uri=params["redirect_uri"],
			offline=offline,
			expires=self.simulator.clock.now() + settings.code_ttl,
			challenge=params.get("code_challenge", ""),
			challenge_method=params.get("code_challenge_method", "plain"),
		)
		self._consented = True
		where = {"location": settings.data_center, "accounts-server": f"https://accounts.{settings.domain}"}
		return self._return(params, {"code": self._new_code(grant), **where})

	def _return(self, params: dict[str, str], answer: dict[str, str]) -> Answer:
		if "state" in params:
			answer = {"state": params["state"], **answer}
		uri = params["redirect_uri"]
		return redirect(f"{uri}{'&' if '?' in uri else '?'}{urlencode(answer)}")

	def may_redirect(self, uri: str) -> bool:
		"""Tell whether a redirect URI is registered; if none is, whether it leads to this machine."""
		registered = self.simulator.settings.redirect_uris
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

	def _new_code(self, grant: Grant) -> str:
		code = new_token()
		self._codes[code] = grant
		return code

	def self_client_code(self, scopes: tuple[str, ...], ttl: float) -> str:
		"""Return a code as the developer console's Self Client gives it, good for `ttl` seconds."""
		with self._lock:
			return self._new_code(Grant(scopes, "", True, self.simulator.clock.now() + ttl))

	# -- tokens --------------------------------------------------------------------------------------------

	def token(self, request: Request) -> Answer:
		"""Exchange a code, or refresh. Errors come with HTTP 200, as Zoho sends them."""
		params = with_basic(request)
		try:
			self._check_client(params)
			kind = params.get("grant_type")
			if kind == "authorization_code":
				return self._exchange(params)
			if kind == "refresh_token":
				return self._refreshed(params)
			raise Failed("unsupported_grant_type")
		except Failed as failed:
			return json_answer({"error": str(failed)})

	def _check_client(self, params: dict[str, str]) -> None:
		settings = self.simulator.settings
		if params.get("client_id") != settings.client_id:
			raise Failed("invalid_client")
		if not secrets.compare_digest(
			params.get("client_secret", "").encode(), settings.client_secret.encode()
		):
			raise Failed("invalid_client_secret")

	def _exchange(self, params: dict[str, str]) -> Answer:
		code = params.get("code", "")
		grant = self._codes.get(code)
		if not grant or grant.expires <= self.simulator.clock.now():
			raise Failed("invalid_code")
		if grant.redirect_uri and params.get("redirect_uri") != grant.redirect_uri:
			raise Failed("invalid_redirect_uri")
		if grant.challenge and not proves(params.get("code_verifier", ""), grant):
			raise Failed("invalid_code")
		del self._codes[code]
		return json_answer(self.issue(grant.scopes, grant.offline))

	def issue(self, scopes: tuple[str, ...], offline: bool = True) -> dict[str, object]:
		"""Return a token answer; if `offline`, with a new refresh token, which may evict the oldest one."""
		with self._lock:
			if not offline:
				return self._token_answer(self._new_access(scopes, ""), scopes)
			refresh_token = new_token()
			self._refresh[refresh_token] = RefreshToken(scopes)
			while len(self._refresh) > self.simulator.settings.refresh_tokens_kept:
				self._drop_refresh(next(iter(self._refresh)))
			answer = self._token_answer(self._new_access(scopes, refresh_token), scopes)
			return {"access_token": answer.pop("access_token"), "refresh_token": refresh_token, **answer}

	def _refreshed(self, params: dict[str, str]) -> Answer:
		refresh_token = params.get("refresh_token", "")
		known = self._refresh.get(refresh_token)
		if not known:
			raise Failed("invalid_code")
		settings, now = self.simulator.settings, self.simulator.clock.now()
		while known.minted and known.minted[0] <= now - settings.token_window:
			known.minted.popleft()
		if settings.token_limit and len(known.minted) >= settings.token_limit:
			if settings.throttle == "localised":
				return json_answer(TOO_MANY_LOCALISED)
			body = {"error_description": TOO_MANY, "error": "Access Denied", "status": "failure"}
			return json_answer(body, int(settings.throttle))
		return json_answer(self._token_answer(self._new_access(known.scopes, refresh_token), known.scopes))

	def _new_access(self, scopes: tuple[str, ...], refresh_token: str) -> str:
		now, settings = self.simulator.clock.now(), self.simulator.settings
		for dead in [token for token, known in self._access.items() if known.expires <= now]:
			self._drop_access(dead)
		token = new_token()
		self._access[token] = AccessToken(scopes, now + settings.access_token_ttl, refresh_token)
		parent = self._refresh.get(refresh_token)
		if parent:
			parent.minted.append(now)
			parent.access[token] = None
			while len(parent.access) > settings.access_tokens_kept:
				self._drop_access(next(iter(parent.access)))
		return token

	def _token_answer(self, access_token: str, scopes: tuple[str, ...]) -> dict[str, object]:
		settings = self.simulator.settings
		life = int(settings.access_token_ttl)
		answer: dict[str, object] = {
			"access_token": access_token,
			"scope": " ".join(scopes),
			"api_domain": f"https://www.zohoapis.{settings.domain.partition('.')[2]}",
			"token_type": "Bearer",
			"expires_in": life,
		}
		if settings.legacy_expires_in:
			answer |= {"expires_in": life * 1000, "expires_in_sec": life}
		return answer

	def _drop_access(self, token: str) -> None:
		known = self._access.pop(token, None)
		if known and known.refresh_token in self._refresh:
			self._refresh[known.refresh_token].access.pop(token, None)

	def _drop_refresh(self, token: str) -> None:
		for access in list(self._refresh.pop(token).access):
			self._access.pop(access, None)

	def revoke(self, request: Request) -> Answer:
		"""Revoke a refresh token with its access tokens, or one access token."""
		token = request.params.get("token", "")
		if token in self._refresh:
			self._drop_refresh(token)
		elif token in self._access:
			self._drop_access(token)
		else:
			return json_answer({"error": "invalid_token"}, 400)
		return json_answer({"status": "success"})

	def expire_access_tokens(self) -> None:
		"""Let every access token expire now."""
		with self._lock:
			for token in list(self._access):
				self._drop_access(token)

	def revoke_all(self) -> None:
		"""Withdraw the consent, as a user can in their account: every token is dead."""
		with self._lock:
			for token in list(self._refresh):
				self._drop_refresh(token)
			self._access.clear()
			self._consented = False

	def scopes_of(self, token: str) -> set[str] | None:
		"""Return the scopes of a good access token, None for any other."""
		with self._lock:
			known = self._access.get(token)
			if not known or known.expires <= self.simulator.clock.now():
				return None
			return set(known.scopes)

	def user(self, request: Request) -> Answer:
		"""Tell whose token it is."""
		scopes = self.scopes_of(request.headers.get("authorization", "").partition(" ")[2].strip()) or set()
		if PROFILE not in {scope.lower() for scope in scopes}:
			return json_answer({"error": "INVALID_OAUTHTOKEN"}, 401)
		return json_answer({"ZUID": OWNER, "Display_Name": "Acme Admin", "Email": "admin@acme.example"})


def new_token() -> str:
	return f"1000.{secrets.token_hex(16)}.{secrets.token_hex(16)}"


def with_basic(request: Request) -> dict[str, str]:
	"""Return the parameters, with client id and secret from an HTTP Basic header if they came that way."""
	params = request.params
	scheme, _space, value = request.headers.get("authorization", "").partition(" ")
	if scheme.lower() == "basic":
		try:
			client_id, _colon, client_secret = base64.b64decode(value).decode().partition(":")
		except ValueError:
			return params
		return {"client_id": client_id, "client_secret": client_secret, **params}
	return params


def proves(verifier: str, grant: Grant) -> bool:
	"""Check a PKCE verifier against the challenge (RFC 7636)."""
	if grant.challenge_method == "S256":
		digest = hashlib.sha256(verifier.encode()).digest()
		verifier = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
	return secrets.compare_digest(verifier.encode(), grant.challenge.encode())
