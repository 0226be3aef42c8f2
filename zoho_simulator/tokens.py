"""Grant codes, refresh tokens and access tokens, kept in memory only.

ref: https://www.zoho.com/accounts/protocol/oauth/web-apps/access-token-expiry.html
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from zoho_simulator.clock import Clock
from zoho_simulator.settings import Settings


@dataclass
class Grant:
	"""The meaning of a grant code. A Self Client's code has no `redirect_uri`. `expires` is a time of the `Clock`."""

	scopes: tuple[str, ...]
	redirect_uri: str
	offline: bool
	expires: float


@dataclass
class RefreshToken:
	"""A refresh token, with the times when it was used and its valid access tokens, oldest first."""

	scopes: tuple[str, ...]
	used: deque[float] = field(default_factory=deque)
	access: OrderedDict[str, None] = field(default_factory=OrderedDict)


@dataclass
class AccessToken:
	scopes: tuple[str, ...]
	expires: float
	refresh_token: str


class TokenError(Exception):
	"""An error of the token endpoint; its text is the value of `error` in the answer."""


class TooManyTokens(Exception):
	"""A refresh token that was used too often."""


class TokenStore:
	"""Issue, find, expire and revoke codes and tokens. Threads can share a store."""

	def __init__(self, clock: Clock, settings: Callable[[], Settings]) -> None:
		self.consented = False
		self._clock = clock
		self._settings = settings
		self._lock = threading.RLock()
		self._codes: dict[str, Grant] = {}
		self._refresh: OrderedDict[str, RefreshToken] = OrderedDict()
		self._access: dict[str, AccessToken] = {}

	def clear(self) -> None:
		"""Forget every code and token, and the consent."""
		with self._lock:
			self._codes.clear()
			self._refresh.clear()
			self._access.clear()
			self.consented = False

	# -- codes ---------------------------------------------------------------------------------------------

	def new_code(self, scopes: tuple[str, ...], redirect_uri: str, offline: bool, ttl: float) -> str:
		"""Return a new grant code, valid for `ttl` simulated seconds."""
		code = new_token()
		with self._lock:
			self._codes[code] = Grant(scopes, redirect_uri, offline, self._clock.now() + ttl)
		return code

	def self_client_code(self, scopes: tuple[str, ...], ttl: float) -> str:
		"""Return a code as the developer console's Self Client shows it, valid for `ttl` simulated seconds."""
		return self.new_code(scopes, "", True, ttl)

	def exchange(self, code: str, redirect_uri: str) -> dict[str, object]:
		"""Exchange a code for a token answer; the code is used up. Raises TokenError and keeps the code."""
		with self._lock:
			grant = self._codes.get(code)
			if not grant or grant.expires <= self._clock.now():
				raise TokenError("invalid_code")
			if grant.redirect_uri and redirect_uri != grant.redirect_uri:
				raise TokenError("invalid_redirect_uri")
			del self._codes[code]
			return self.issue(grant.scopes, grant.offline)

	# -- tokens --------------------------------------------------------------------------------------------

	def issue(self, scopes: tuple[str, ...], offline: bool = True) -> dict[str, object]:
		"""Return a token answer. If `offline`, it has a new refresh token; the oldest one may be evicted."""
		with self._lock:
			if not offline:
				return self._token_answer(self._new_access_token(scopes, ""), scopes)
			refresh_token = new_token()
			self._refresh[refresh_token] = RefreshToken(scopes)
			while len(self._refresh) > self._settings().refresh_tokens_kept:
				self._drop_refresh_token(next(iter(self._refresh)))
			answer = self._token_answer(self._new_access_token(scopes, refresh_token), scopes)
			return {"access_token": answer.pop("access_token"), "refresh_token": refresh_token, **answer}

	def refresh(self, refresh_token: str) -> dict[str, object]:
		"""Return a token answer with a new access token. Raises TokenError or TooManyTokens."""
		with self._lock:
			known = self._refresh.get(refresh_token)
			if not known:
				raise TokenError("invalid_code")
			settings, now = self._settings(), self._clock.now()
			while known.used and known.used[0] <= now - settings.token_window:
				known.used.popleft()
			if settings.token_limit and len(known.used) >= settings.token_limit:
				raise TooManyTokens
			access_token = self._new_access_token(known.scopes, refresh_token)
			return self._token_answer(access_token, known.scopes)

	def _new_access_token(self, scopes: tuple[str, ...], refresh_token: str) -> str:
		now, settings = self._clock.now(), self._settings()
		for dead in [token for token, known in self._access.items() if known.expires <= now]:
			self._drop_access_token(dead)
		token = new_token()
		self._access[token] = AccessToken(scopes, now + settings.access_token_ttl, refresh_token)
		parent = self._refresh.get(refresh_token)
		if parent:
			parent.used.append(now)
			parent.access[token] = None
			while len(parent.access) > settings.access_tokens_kept:
				self._drop_access_token(next(iter(parent.access)))
		return token

	def _token_answer(self, access_token: str, scopes: tuple[str, ...]) -> dict[str, object]:
		settings = self._settings()
		lifetime = int(settings.access_token_ttl)
		answer: dict[str, object] = {
			"access_token": access_token,
			"scope": ("," if settings.scope_separator == "comma" else " ").join(scopes),
			"api_domain": f"https://www.zohoapis.{settings.domain.partition('.')[2]}",
			"token_type": "Bearer",
			"expires_in": lifetime,
		}
		if settings.scope_separator == "absent":
			del answer["scope"]
		if settings.legacy_expires_in:
			answer |= {"expires_in": lifetime * 1000, "expires_in_sec": lifetime}
		return answer

	def scopes_of(self, access_token: str) -> set[str] | None:
		"""Return the scopes of a valid access token; None for any other string."""
		with self._lock:
			known = self._access.get(access_token)
			if not known or known.expires <= self._clock.now():
				return None
			return set(known.scopes)

	def has_refresh_token(self, token: str) -> bool:
		"""Return whether a refresh token is valid."""
		with self._lock:
			return token in self._refresh

	# -- revoking ------------------------------------------------------------------------------------------

	def revoke(self, token: str) -> bool:
		"""Revoke an access token, or a refresh token with its access tokens. Return False for an unknown token."""
		with self._lock:
			if token in self._refresh:
				self._drop_refresh_token(token)
			elif token in self._access:
				self._drop_access_token(token)
			else:
				return False
			return True

	def expire_access_tokens(self) -> None:
		"""Let every access token expire now."""
		with self._lock:
			for token in list(self._access):
				self._drop_access_token(token)

	def revoke_all(self) -> None:
		"""Withdraw the consent, as a user can in the Zoho account. Every token dies; codes stay valid."""
		with self._lock:
			for token in list(self._refresh):
				self._drop_refresh_token(token)
			self._access.clear()
			self.consented = False

	def _drop_access_token(self, token: str) -> None:
		known = self._access.pop(token, None)
		if known and known.refresh_token in self._refresh:
			self._refresh[known.refresh_token].access.pop(token, None)

	def _drop_refresh_token(self, token: str) -> None:
		for access in list(self._refresh.pop(token).access):
			self._access.pop(access, None)


def new_token() -> str:
	return f"1000.{secrets.token_hex(16)}.{secrets.token_hex(16)}"
